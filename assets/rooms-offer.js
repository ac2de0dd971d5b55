// Offers of supervision: asking a colleague, and answering. Fetched when it is needed first.
import { api } from "./api.js";
import { Begun, useDraft } from "./draft.js";
import { Field } from "./forms.js";
import { go, is, me } from "./here.js";
import { allOf, attempt, Dialog, toast } from "./parts.js";
import { reducer, Section, stale } from "./store.js";
import { byName, clock, t } from "./text.js";
import { html, Icon, useEffect, useMemo, useOnce, useSection, useState } from "./ui.js";

/** For so long a page may move after an offer is answered. */
const SETTLE_FRAMES = 120;

/** Of the open offers: who and what they are about only the server knows. */
export const reduce = {
  "supervision.offered": (offers) => stale(offers),
  "supervision.offer_ended": (offers, { offer_id: id }) => stale({ ...offers, items: offers.items.filter((one) => one.id !== id) }),
};

/** Says on any page what concerns its reader: that somebody asks, or has answered. */
export function tell({ type, data }) {
  const own = me.value.person.id;
  const name = data.display_name;
  const show = { label: t("offer-show"), run: () => go("/supervision") };
  if (type === "supervision.offered" && data.to === own) toast(t("offer-heard", { name }), show);
  if (type === "supervision.offer_ended" && data.from === own && ["accepted", "declined"].includes(data.outcome)) toast(t(`offer-told-${data.outcome}`, { name }));
}

/** The open offers that stand where `Offered` has its place. */
export function Offers({ group }) {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/supervision-offers?limit=200", { signal }), reduce: reducer(reduce),
  }), []));
  const own = me.value.person.id;
  const items = (section.data?.items ?? []).filter((one) => !group || one.group_id === group);
  const [asked, made] = [items.filter((one) => one.to.id === own), items.filter((one) => one.from.id === own)];
  return html`<div aria-live="polite">${items.length > 0 && html`<ul class="card queue offers" aria-label=${t("offers")}>
    ${[...asked, ...made].map((one) => html`<${Row} key=${one.id} one=${one} section=${section} mine=${asked.includes(one)} />`)}</ul>`}</div>`;
}

function Row({ one, section, mine }) {
  const what = one.group_name ?? t("offer-run", { activity: one.activity_name, room: one.room_name });
  const words = { what, name: (mine ? one.from : one.to).display_name, time: one.until ? clock(one.until) : "" };
  const act = useOnce(async (name) => {
    const done = await attempt(async () => {
      await api.post(`/supervision-offers/${one.id}/${name}`);
      return true;
    });
    section.refetchSoon();
    if (!done) return;
    toast(t(`offer-${name}-toast`, words));
    keepFocus(SETTLE_FRAMES);
    if (name === "accept") go(one.run_id ? `/supervision?run=${one.run_id}` : `/groups/${one.group_id}`);
  });
  const acts = mine ? [["decline", "x", ""], ["accept", "check", "primary"]] : [["withdraw", "undo-2", ""]];
  return html`<li class="help-row" data-mine=${mine ? "" : null}><${Icon} name="users" size=${24} />
    <div class="who"><b>${t(`offer-${mine ? "to" : "by"}-you-${one.kind.replace("_", "-")}`, words)}</b><span class="sub">${t(mine ? "offer-until-yes" : "offer-stays", words)}</span></div>
    <div class="acts">${acts.map(([name, icon, style]) => html`<button key=${name} class=${style} onClick=${(event) => act(event, name)}>
      <${Icon} name=${icon} />${t(`offer-${name}`)}<span class="visually-hidden">: ${what}</span></button>`)}</div></li>`;
}

/** Where the act stood nothing is left: the heading of the page is where to go on. */
function keepFocus(frames) {
  if (document.activeElement === document.body) document.querySelector("main h1")?.focus();
  if (frames > 0) requestAnimationFrame(() => keepFocus(frames - 1));
}

/**
 * Gives a run or a group to a colleague, for good or for a while: staff ask, the lead decides.
 * `charge` names it as the house does, `held` are those whose it is.
 */
export function HandOver({ charge, what, held, close }) {
  const [staff, setStaff] = useState([]);
  const [form, setForm, forget, begun] = useDraft(`give-${charge.run_id ?? `group-${charge.group_id}`}`, { from_id: held.length === 1 ? held[0].id : "", staff_id: "", kind: "hand_over" });
  const leave = () => {
    forget();
    close();
  };
  const decides = is("admin");
  const set = (fields) => setForm({ ...form, ...fields });
  useEffect(() => {
    const free = (one) => held.every(({ id }) => id !== one.id);
    attempt(async () => setStaff((await allOf("/people?role=staff")).filter(free).sort(byName)));
  }, []);
  const give = useOnce(async () => {
    const { from_id: from, ...rest } = form;
    const body = { ...charge, ...rest, ...(decides && from && { from_id: from }) };
    const done = await attempt(() => api.post(decides ? "/supervisions" : "/supervision-offers", body));
    if (!done) return;
    leave();
    toast(t(decides ? "handed-over" : "offer-made", { what, name: staff.find((one) => one.id === form.staff_id)?.display_name ?? "" }));
  });
  return html`<${Dialog} title=${t("hand-over-title", { what })} close=${close}>
    <form class="form" onSubmit=${give}><${Begun} begun=${begun} />
      ${decides && held.length > 1 && html`<${Field} label=${t("hand-over-from")}><${OneOf} people=${held} value=${form.from_id} choose=${(id) => set({ from_id: id })} /><//>`}
      <${Field} label=${t("hand-over-to")} hint=${decides ? null : t("offer-hint")}><${OneOf} people=${staff} value=${form.staff_id} choose=${(id) => set({ staff_id: id })} /><//>
      <fieldset class="radios"><legend>${t("hand-over-kind")}</legend>
        ${["hand_over", "substitution"].map((one) => html`<label><input type="radio" name="kind" checked=${form.kind === one}
          onChange=${() => set({ kind: one })} />${t(decides && one === "hand_over" ? "hand-over-decided" : `hand-over-${one.replace("_", "-")}`)}</label>`)}</fieldset>
      <div class="dialog-acts"><button type="button" onClick=${leave}>${t("cancel")}</button>
        <button class="primary">${t(decides ? "hand-over" : "offer-ask")}</button></div></form><//>`;
}

function OneOf({ people, value, choose }) {
  return html`<select required value=${value} onChange=${(event) => choose(event.target.value)}>
    <option value="">${t("choose")}</option>${people.map((one) => html`<option value=${one.id}>${one.display_name}</option>`)}</select>`;
}
