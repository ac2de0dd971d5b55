// Runs and who looks after them: choosing one, and opening again what has ended.
import { api } from "./api.js";
import { attempt, Bar, Status } from "./parts.js";
import { stale } from "./store.js";
import { clock, listed, number, t } from "./text.js";
import { html, Icon } from "./ui.js";

/** Of a list of runs, or of one run's page: only the server knows the new staff. */
export const reduce = {
  "run.started": (state) => stale(state),
  "run.ended": (state) => stale(state),
  "run.updated": (state) => stale(state),
  "run.reopened": (state) => stale(state),
  "supervision.changed": (state) => stale(state),
  "access.changed": (state) => stale(state),
  "room.occupancy_changed": (state, { room_id, count }) => (state.items
    ? { ...state, items: state.items.map((run) => (run.room_id === room_id ? { ...run, count } : run)) } : state),
};

/** The runs to choose from, as tabs that are links, and the way to another one beside them. */
export function RunTabs({ runs, current }) {
  return html`<nav class="run-tabs" aria-label=${t("runs")}><div>${runs.map((run) => html`
    <a key=${run.id} href=${`/supervision?run=${run.id}`} aria-current=${run.id === current ? "page" : null}>
      <b>${run.room_name}</b> <span class="run-what">${run.activity_name}</span> <span class="count">${number(run.count)}</span></a>`)}</div>
    <a href="/supervision?start=1" class="tab-plus"><${Icon} name="plus" />${t("run-start-short")}</a></nav>`;
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

/** Opens a run that ended a moment ago, with the visits that its end closed. */
export async function reopen(section) {
  await attempt(() => api.post(`/runs/${section.data.run.id}/reopen`));
  section.refetchSoon();
}
