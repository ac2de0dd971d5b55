// The line of those who wait for help, as a wall shows it: places and initials, never a name.
import { api } from "./api.js";
import { serverNow } from "./live.js";
import { Status } from "./parts.js";
import { Section, reducer, stale } from "./store.js";
import { number, t, wait } from "./text.js";
import { html, useMemo, useSection } from "./ui.js";

/** So many places fit beside the rooms. */
const PLACES_SHOWN = 8;

/** Of the line: only the server knows who moved up. */
export const reduce = { "queue.changed": (places) => stale(places) };

/** Who is next, by initials: the first places. */
export function Line() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get(`/help-requests/places?limit=${PLACES_SHOWN}`, { signal }), reduce: reducer(reduce),
  }), []));
  const { items = [], as_of: asOf } = section.data ?? {};
  if (items.length === 0) return null;
  const passed = Math.max(0, (serverNow() - Date.parse(asOf)) / 1000);
  return html`<ol class="places" aria-label=${t("waiting")}>${items.map((one) => html`<li key=${one.position}>
      <span class="sub">${number(one.position)}</span>
      <span class="place-who"><b>${one.initials}</b>${one.priority === "urgent" && html`<${Status} state="help">${t("urgent")}<//>`}</span>
      <span class="wait"><span class="visually-hidden">${t("waits")} </span>${wait(one.wait_s + passed)}</span></li>`)}</ol>`;
}
