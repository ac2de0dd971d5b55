// Help in figures, for the board and the wall: numbers, and on the wall places in the queue with
// initials. They are the server's.
import { api } from "./api.js";
import { serverNow } from "./live.js";
import { Status } from "./parts.js";
import { Section, reducer, stale } from "./store.js";
import { number, wait, t } from "./text.js";
import { html, useMemo, useSection } from "./ui.js";

/** So many places fit beside the rooms. */
const PLACES_SHOWN = 8;

/** Of the board. */
export const reduce = {
  "queue.changed": (board, queue) => ({ ...board, help: { ...board.help, ...queue } }),
};

/** How many wait for somebody: not those who are being helped. */
export function waitingIn(help) {
  return help?.length ?? 0;
}

/** How many wait and how long, for the board and the wall. */
export function HelpFigures({ help }) {
  if (!help) return null;
  const row = (label, value) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
  return html`<dl class="figures">
    ${row(t("help-open"), waitingIn(help))}
    ${row(t("help-longest"), help.longest_wait_s == null ? "–" : wait(help.longest_wait_s))}
    ${row(t("help-median"), help.median_wait_s == null ? "–" : wait(help.median_wait_s))}</dl>`;
}

/** Of the places in the queue: only the server knows who moved up. */
export const placesReduce = { "queue.changed": (places) => stale(places) };

/** Who is next, by initials: the first places in the queue. */
export function Places() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get(`/help-requests/places?limit=${PLACES_SHOWN}`, { signal }), reduce: reducer(placesReduce),
  }), []));
  const { items = [], as_of: asOf } = section.data ?? {};
  if (items.length === 0) return null;
  const passed = Math.max(0, (serverNow() - Date.parse(asOf)) / 1000);
  return html`<ol class="places" aria-label=${t("waiting")}>${items.map((one) => html`<li key=${one.position}>
      <span class="sub">${number(one.position)}</span><b>${one.initials}</b>
      ${one.priority === "urgent" && html`<${Status} state="help">${t("urgent")}<//>`}
      <span class="wait"><span class="visually-hidden">${t("waits")} </span>${wait(one.wait_s + passed)}</span></li>`)}</ol>`;
}
