// A new person: who it is, and the group at once.
import { api } from "./api.js";
import { useDraft } from "./draft.js";
import { go } from "./here.js";
import { allOf, attempt, Dialog } from "./parts.js";
import { faultOf, Faults, nameless, PersonField, useLeaving } from "./people-form.js";
import { byName, t } from "./text.js";
import { html, useEffect, useOnce, useState } from "./ui.js";

const BEGIN = { given_name: "", family_name: "", role: "member", number: "", language: "", groups: "" };

/** Sends what was filled in; what may be left open is left out. */
async function enrol({ groups, ...form }) {
  const filled = Object.entries(form).map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== "");
  const person = await api.post("/people", Object.fromEntries(filled));
  // The person is there: what went wrong with the group does not add them a second time.
  if (groups && form.role === "member") await attempt(() => api.patch(`/people/${person.id}/groups`, { added: [groups] }));
  return person;
}

/** The form of a new person; what was begun stays in this tab until it is saved or thrown away. */
export function AddPerson({ done, close }) {
  const [form, keep, forget] = useDraft("person-new", BEGIN);
  const [faults, setFaults] = useState([]);
  const [groups, setGroups] = useState([]);
  const leaving = useLeaving({ dirty: JSON.stringify(form) !== JSON.stringify(BEGIN), close, forget });
  useEffect(() => {
    attempt(async () => setGroups((await allOf("/groups")).sort(byName)));
  }, []);
  const add = useOnce(async () => {
    const missing = nameless(form, ["given_name", "family_name"]);
    setFaults(missing);
    if (missing.length > 0) return;
    try {
      const person = await enrol(form);
      forget();
      done();
      go(`/people?person=${person.id}`, { replace: true });
    } catch (problem) {
      setFaults([faultOf(problem)]);
    }
  });
  const more = { form, faults, set: (name, value) => keep({ ...form, [name]: value }) };
  const choices = [["", t("group-none")], ...groups.map((group) => [group.id, group.name])];
  return html`<${Dialog} title=${t("person-add")} close=${leaving.leave}><form class="form" noValidate ref=${leaving.form} onSubmit=${add}>
    <${Faults} faults=${faults} />
    <div class="pair"><${PersonField} of="given_name" ...${more} required autofocus /><${PersonField} of="family_name" ...${more} required /></div>
    <div class="pair"><${PersonField} of="role" ...${more} />${form.role === "member" && html`<${PersonField} of="groups" ...${more} label=${t("group")} choices=${choices} />`}</div>
    <${PersonField} of="number" ...${more} hint=${t("number-hint")} /><${PersonField} of="language" ...${more} />
    <div class="dialog-acts"><button type="button" onClick=${leaving.leave}>${t("cancel")}</button><button class="primary">${t("save")}</button></div></form>
    ${leaving.question}<//>`;
}
