// What is known of a person, changed by the lead. Only what was touched is kept and sent: what somebody
// else changes meanwhile stays, and where both have changed the same, this form says so.
import { api } from "./api.js";
import { useDraft } from "./draft.js";
import { Confirm } from "./forms.js";
import { me } from "./here.js";
import { allOf, attempt, Dialog, toast } from "./parts.js";
import { choicesOf, faultOf, Faults, labelOf, nameless, PersonField, useLeaving } from "./people-form.js";
import { byName, listed, t } from "./text.js";
import { html, useEffect, useOnce, useState } from "./ui.js";

const BEGIN = { changes: {}, was: {} };
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const nameOf = ({ given_name, family_name }) => `${given_name} ${family_name}`.trim();

/** Returns a person's fields as the form has them. A name on lists that follows from the name is left open. */
function fieldsOf(person) {
  const { given_name, family_name, display_name, role, state } = person;
  return {
    given_name, family_name, display_name: display_name === nameOf(person) ? "" : display_name, role, state,
    number: person.number ?? "", language: person.language ?? "", groups: (person.groups ?? []).map((group) => group.id).sort(),
  };
}

/** Returns what of a draft still differs from what is known. */
function stillNew(changes, known) {
  return Object.fromEntries(Object.entries(changes).filter(([name, value]) => !same(value, known[name])));
}

/** Returns what of the fields is sent: of those that may be empty an empty one is none. @param {any} changes @param {any} form */
function bodyOf({ groups, ...changes }, form) {
  const sent = {
    display_name: (value) => value.trim() || nameOf(form), number: (value) => value.trim() || null, language: (value) => value || null,
  };
  return Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, sent[name]?.(value) ?? (name in sent ? null : value)]));
}

/** Returns which groups somebody comes into and leaves, for those that had `before`. */
function regrouping(before, after) {
  return { added: after.filter((id) => !before.includes(id)), removed: before.filter((id) => !after.includes(id)) };
}

/** What follows from a change and does not come back with it. */
function consequences(person, form) {
  const args = { name: person.display_name, n: person.status === "present" ? 1 : 0 };
  return [
    form.state === "inactive" && person.state !== "inactive" && t("person-leave-text", args),
    form.role !== person.role && t(person.role === "member" ? "role-from-member" : "role-from-team", args),
    form.role !== person.role && person.id === me.value.person.id && t("role-own"),
  ].filter(Boolean);
}

/** Sends the changes; returns what takes them back, unless more has followed from them. */
async function send(person, changes, form, draft) {
  const path = `/people/${person.id}`;
  const body = bodyOf(changes, form);
  const regrouped = changes.groups && form.role === "member" && regrouping(draft.was.groups, changes.groups);
  const changed = Object.keys(body).length > 0 && await api.patch(path, { ...body, version: person.version });
  if (regrouped) await api.patch(`${path}/groups`, regrouped);
  const old = fieldsOf(person);
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, old[name]]));
  return async () => {
    if (changed) await api.patch(path, { ...bodyOf(before, old), version: changed.version });
    if (regrouped) await api.patch(`${path}/groups`, { added: regrouped.removed, removed: regrouped.added });
  };
}

/** The form of a person's card; `read` reads the person anew, `changed` tells the list. */
export function EditPerson({ person, read, changed, close }) {
  const known = fieldsOf(person);
  const name = `person-${person.id}`;
  const [draft, keep, forget] = useDraft(name, BEGIN);
  const [faults, setFaults] = useState([]);
  const [sure, ask] = useState(false);
  const changes = stillNew(draft.changes, known);
  const form = { ...known, ...changes };
  const follows = consequences(person, form);
  const leaving = useLeaving({ dirty: Object.keys(changes).length > 0, close, forget });
  const set = (name, value) => {
    const next = stillNew({ ...changes, [name]: value }, known);
    const was = Object.fromEntries(Object.keys(next).map((one) => [one, draft.was[one] ?? known[one]]));
    keep({ changes: next, was });
  };
  const takeBack = (undo) => attempt(async () => {
    await undo();
    changed();
  });
  const save = useOnce(async () => {
    ask(false);
    try {
      const undo = await send(person, changes, form, draft);
      forget();
      changed();
      await read();
      close();
      toast(t("person-saved", { name: person.display_name }), follows.length === 0 ? { label: t("undo"), run: () => takeBack(undo) } : null);
    } catch (problem) {
      setFaults([faultOf(problem)]);
      read();
    }
  });
  const submit = (event) => {
    event.preventDefault();
    const missing = nameOf(form) === "" ? nameless(form, ["given_name"]) : [];
    setFaults(missing);
    if (missing.length > 0) return;
    if (follows.length > 0) ask(true);
    else if (Object.keys(changes).length > 0) save(event);
    else close();
  };
  const hint = (name, usual) => {
    const moved = name in changes && !same(draft.was[name], known[name]);
    if (!moved) return usual;
    const value = choicesOf(name)?.find(([one]) => one === known[name])?.[1] ?? known[name];
    return t("person-meanwhile", { text: value || t("nothing") });
  };
  const field = (name, usual) => html`<${PersonField} key=${name} of=${name} form=${form} set=${set} faults=${faults} hint=${hint(name, usual)} />`;
  return html`<${Dialog} title=${t("person-edit-title", { name: person.display_name })} close=${leaving.leave}><form class="form" noValidate ref=${leaving.form} onSubmit=${submit}>
    <${Faults} faults=${faults} />
    <div class="pair">${field("given_name")}${field("family_name")}</div>
    ${field("display_name", t("display-name-hint-person"))}${field("number", t("number-hint"))}
    <div class="pair">${field("language")}${field("role")}</div>
    ${form.role === "member" && html`<${Groups} chosen=${form.groups} set=${set} fault=${faults.find((one) => one.field === "groups")} />`}
    ${field("state")}
    ${follows.map((text) => html`<p key=${text} class="pill note" data-s="away">${text}</p>`)}
    <div class="dialog-acts"><button type="button" onClick=${leaving.leave}>${t("cancel")}</button><button class="primary">${t("save")}</button></div></form>
    ${leaving.question}
    ${sure && html`<${Confirm} title=${t("person-sure", { name: person.display_name })} text=${follows.join(" ")} label=${t("save")}
      run=${() => save({ preventDefault() {} })} close=${() => ask(false)} />`}<//>`;
}

/** The groups that a member is in: folded, since most changes are of something else. */
function Groups({ chosen, set, fault }) {
  const [groups, setGroups] = useState([]);
  useEffect(() => {
    attempt(async () => setGroups((await allOf("/groups")).sort(byName)));
  }, []);
  const flip = (id) => set("groups", (chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]).sort());
  const names = groups.filter((group) => chosen.includes(group.id)).map((group) => group.name);
  return html`<fieldset><legend>${labelOf("groups")}</legend><p class="sub">${names.length > 0 ? listed(names) : t("group-none")}</p>
    <div class="checks" id="person-groups" tabindex="-1">${groups.map((group) => html`<label key=${group.id} class="check">
      <input type="checkbox" checked=${chosen.includes(group.id)} onChange=${() => flip(group.id)} /><span>${group.name}</span></label>`)}</div>
    ${fault && html`<p class="field-error" data-s="help">${fault.text}</p>`}</fieldset>`;
}
