// Offers of supervision: asking a colleague, and answering. Fetched when it is needed first.
import { api } from "./api.js";
import { go, is, me } from "./here.js";
import { allOf, attempt, Dialog, Field, toast } from "./parts.js";
import { reducer, Section, stale } from "./store.js";
import { byName, clock, t } from "./text.js";
import { html, Icon, useEffect, useMemo, useSection, useState } from "./ui.js";

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

/** What colleagues ask of the reader, and what the reader has asked of them. */
export function Offers() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/supervision-offers?limit=200", { signal }), reduce: reducer(reduce),
  }), []));
  const own = me.value.person.id;
  const items = section.data?.items ?? [];
  const [asked, made] = [items.filter((one) => one.to.id === own), items.filter((one) => one.from.id === own)];
  return html`<div aria-live="polite">${items.length > 0 && html`<ul class="card queue offers" aria-label=${t("offers")}>
    ${[...asked, ...made].map((one) => html`<${Row} key=${one.id} one=${one} section=${section} mine=${asked.includes(one)} />`)}</ul>`}</div>`;
}

function Row({ one, section, mine }) {
  const what = one.group_name ?? t("offer-run", { activity: one.activity_name, room: one.room_name });
  const words = { what, name: (mine ? one.from : one.to).display_name, time: one.until ? clock(one.until) : "" };
  const act = async (name) => {
    const done = await attempt(async () => {
      await api.post(`/supervision-offers/${one.id}/${name}`);
      return true;
    });
    section.refetchSoon();
    if (!done) return;
    toast(t(`offer-${name}-toast`, words));
    keepFocus(SETTLE_FRAMES);
    if (name === "accept") go(one.run_id ? `/supervision?run=${one.run_id}` : `/groups/${one.group_id}`);
  };
  const acts = mine ? [["decline", "x", ""], ["accept", "check", "primary"]] : [["withdraw", "undo-2", ""]];
  return html`<li class="help-row" data-mine=${mine ? "" : null}><${Icon} name="users" size=${24} />
    <div class="who"><b>${t(`offer-${mine ? "to" : "by"}-you-${one.kind.replace("_", "-")}`, words)}</b><span class="sub">${t(mine ? "offer-until-yes" : "offer-stays", words)}</span></div>
    <div class="acts">${acts.map(([name, icon, style]) => html`<button key=${name} class=${style} onClick=${() => act(name)}>
      <${Icon} name=${icon} />${t(`offer-${name}`)}<span class="visually-hidden">: ${what}</span></button>`)}</div></li>`;
}

/** Where the act stood nothing is left: the heading of the page is where to go on. */
function keepFocus(frames) {
  if (document.activeElement === document.body) document.querySelector("main h1")?.focus();
  if (frames > 0) requestAnimationFrame(() => keepFocus(frames - 1));
}

/** Gives the run to a colleague, for good or for a while: staff ask, the lead decides. */
export function HandOver({ run, close }) {
  const [staff, setStaff] = useState([]);
  const [to, setTo] = useState("");
  const [kind, setKind] = useState("hand_over");
  const decides = is("admin");
  useEffect(() => {
    attempt(async () => setStaff((await allOf("/people?role=staff")).filter((one) => one.id !== me.value.person.id).sort(byName)));
  }, []);
  const give = async (event) => {
    event.preventDefault();
    const done = await attempt(() => api.post(decides ? "/supervisions" : "/supervision-offers", { staff_id: to, run_id: run.id, kind }));
    if (!done) return;
    close();
    toast(t(decides ? "handed-over" : "offer-made", { room: run.room_name, name: staff.find((one) => one.id === to)?.display_name ?? "" }));
  };
  return html`<${Dialog} title=${t("hand-over-title", { room: run.room_name })} close=${close}>
    <form class="form" onSubmit=${give}>
      <${Field} label=${t("hand-over-to")} hint=${decides ? null : t("offer-hint")}><select required autofocus value=${to} onChange=${(event) => setTo(event.target.value)}>
        <option value="">${t("choose")}</option>
        ${staff.map((one) => html`<option value=${one.id}>${one.display_name}</option>`)}</select><//>
      <fieldset class="radios"><legend>${t("hand-over-kind")}</legend>
        ${["hand_over", "substitution"].map((one) => html`<label><input type="radio" name="kind" checked=${kind === one}
          onChange=${() => setKind(one)} />${t(`hand-over-${one.replace("_", "-")}`)}</label>`)}</fieldset>
      <div class="dialog-acts"><button type="button" onClick=${close}>${t("cancel")}</button>
        <button class="primary">${t(decides ? "hand-over" : "offer-ask")}</button></div></form><//>`;
}
