// Runs and who looks after them: choosing, starting and ending one.
import { api } from "./api.js";
import { me } from "./here.js";
import { allOf, attempt, Bar, Confirm, Field, Status, toast } from "./parts.js";
import { stale } from "./store.js";
import { byName, clock, listed, number, t } from "./text.js";
import { html, Icon, useEffect, useState } from "./ui.js";

/** Of a list of runs, or of one run's page: only the server knows the new staff. */
export const reduce = {
  "run.started": (state) => stale(state),
  "run.ended": (state) => stale(state),
  "run.updated": (state) => stale(state),
  "run.reopened": (state) => stale(state),
  "supervision.changed": (state) => stale(state),
  "access.changed": (state) => stale(state),
};

/** The runs to choose from, as tabs that are links. */
export function RunTabs({ runs, current }) {
  return html`<nav class="run-tabs" aria-label=${t("runs")}>${runs.map((run) => html`
    <a key=${run.id} href=${`/supervision?run=${run.id}`} aria-current=${run.id === current ? "page" : null}>
      <b>${run.room_name}</b> <span>${run.activity_name}</span> <span class="count">${number(run.count)}</span></a>`)}
    <a href="/supervision?start=1" class="tab-plus"><${Icon} name="plus" />${t("run-start-short")}</a></nav>`;
}

/** Starts a run: what, where, and with whom. */
export function StartRun({ board, started }) {
  const [choices, setChoices] = useState({ activities: [], rooms: [] });
  const [activity, setActivity] = useState("");
  const [room, setRoom] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    attempt(async () => {
      const [activities, rooms] = await Promise.all([allOf("/activities"), allOf("/rooms")]);
      setChoices({ activities: activities.sort(byName), rooms: rooms.sort(byName) });
    });
  }, []);
  const choose = (id) => {
    setActivity(id);
    const usual = choices.activities.find((one) => one.id === id)?.default_room_id;
    if (usual) setRoom(usual);
  };
  const start = async (event) => {
    event.preventDefault();
    setBusy(true);
    const run = await attempt(() => api.post("/runs", { activity_id: activity, room_id: room, staff_ids: [me.value.person.id] }));
    setBusy(false);
    if (run) started(run);
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
    <${Field} label=${t("room")}><select required value=${room} onChange=${(event) => setRoom(event.target.value)}>
      <option value="">${t("choose")}</option>
      ${choices.rooms.map((one) => html`<option value=${one.id}>${label(one)}</option>`)}</select><//>
    <button class="primary big" disabled=${busy}><${Icon} name="check" />${t("run-start-now")}</button></form>`;
}

/** The facts of a run under its heading. */
export function RunFacts({ run }) {
  const full = run.capacity > 0 && run.count >= run.capacity;
  return html`<div class="run-facts">
    <span class="run-count"><b>${number(run.count)}</b>${run.capacity > 0 && html` / ${number(run.capacity)}`}</span>
    <${Bar} value=${run.count} max=${run.capacity} />
    ${full && html`<${Status} state="away">${t("room-full")}<//>`}
    <span class="sub">${t("since", { time: clock(run.started_at) })}</span>
    ${run.staff.length > 0 ? html`<span class="sub">${t("with-staff", { names: listed(run.staff.map((one) => one.display_name)) })}</span>`
      : html`<${Status} state="help">${t("room-unsupervised")}<//>`}</div>`;
}

/** Ends the run after one question, and offers to open it again. */
export function EndRun({ section, close }) {
  const { run, here } = section.data;
  const end = async () => {
    const ended = await attempt(() => api.post(`/runs/${run.id}/end`));
    if (!ended) return;
    section.refetchSoon();
    toast(t("run-ended-toast", { n: ended.ended_visits, room: run.room_name }), { label: t("undo"), run: () => reopen(section) });
  };
  return html`<${Confirm} title=${t("run-end-title", { activity: run.activity_name })} text=${t("run-end-text", { n: here.length })}
    label=${t("run-end")} run=${end} close=${close} />`;
}

/** Opens a run that ended a moment ago, with the visits that its end closed. */
export async function reopen(section) {
  await attempt(() => api.post(`/runs/${section.data.run.id}/reopen`));
  section.refetchSoon();
}
