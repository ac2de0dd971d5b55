// Starting a run: what, where, and with whom; or what the house lacks for it.
import { api } from "./api.js";
import { useDraft } from "./draft.js";
import { Field } from "./forms.js";
import { is, me } from "./here.js";
import { allOf, attempt, Skeleton } from "./parts.js";
import { byName, t } from "./text.js";
import { html, Icon, useEffect, useState } from "./ui.js";

/** Starts a run: what, where, and with whom. */
export function StartRun({ board, started }) {
  const [choices, setChoices] = useState(null);
  const [form, setForm, forget] = useDraft("run", { activity: "", room: "" });
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    attempt(async () => {
      const [activities, rooms] = await Promise.all([allOf("/activities"), allOf("/rooms")]);
      setChoices({ activities: activities.sort(byName), rooms: rooms.sort(byName) });
    });
  }, []);
  if (!choices) return html`<div class="card form"><h2>${t("run-start")}</h2><${Skeleton} rows=${3} /></div>`;
  const missing = ["rooms", "activities"].filter((what) => choices[what].length === 0);
  if (missing.length > 0) return html`<${Missing} what=${missing.length > 1 ? "both" : missing[0]} />`;
  const { activity, room } = form;
  const choose = (id) => {
    const usual = choices.activities.find((one) => one.id === id)?.default_room_id;
    setForm({ activity: id, room: usual ?? room });
  };
  const start = async (event) => {
    event.preventDefault();
    setBusy(true);
    const run = await attempt(() => api.post("/runs", { activity_id: activity, room_id: room, staff_ids: [me.value.person.id] }));
    setBusy(false);
    if (!run) return;
    forget();
    started(run);
  };
  const shown = new Map((board?.rooms ?? []).map((one) => [one.id, one]));
  const label = (one) => {
    const now = shown.get(one.id);
    const state = now?.run ? t("room-taken", { activity: now.run.activity_name }) : t("room-free");
    return one.capacity > 0 ? `${one.name} · ${t("seats", { n: one.capacity })} · ${state}` : `${one.name} · ${state}`;
  };
  return html`<form class="card form" onSubmit=${start} aria-label=${t("run-start")}>
    <h2>${t("run-start")}</h2>
    <${Field} label=${t("activity")}><select required value=${activity} onChange=${(event) => choose(event.target.value)}>
      <option value="">${t("choose")}</option>
      ${choices.activities.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select><//>
    <${Field} label=${t("room")}><select required value=${room} onChange=${(event) => setForm({ ...form, room: event.target.value })}>
      <option value="">${t("choose")}</option>
      ${choices.rooms.map((one) => html`<option value=${one.id}>${label(one)}</option>`)}</select><//>
    <button class="primary big" disabled=${busy}><${Icon} name="check" />${t("run-start-now")}</button></form>`;
}

/** What a house must have before anything can begin, and where it comes from. */
function Missing({ what }) {
  return html`<section class="card form"><h2>${t("run-start")}</h2><p>${t(`run-missing-${what}`)}</p>
    ${is("admin") ? html`<a class="button primary" href="/rooms"><${Icon} name="door-open" />${t("run-missing-go")}</a>` : html`<p class="sub">${t("run-missing-ask")}</p>`}</section>`;
}
