// How many wait for help, beside the link to the queue on every page.
import { api } from "./api.js";
import { is, me } from "./here.js";
import { reducer, Section, stale } from "./store.js";

/** Of the house's number, for lead and office. */
export const reduceHouse = {
  "queue.changed": (state, queue) => ({ ...state, waiting: queue.length ?? 0 }),
};

/** Only the server knows whom one sees; while nobody waits in the house, nothing is asked. */
const unlessNone = (state) => (state.house === 0 ? state : stale(state));

/** Of how many wait in one's own list: who is seen changes with the queue, with visits, with scope. */
export const reduceOwn = {
  "queue.changed": (state, { length: house = 0 }) => unlessNone({ ...state, house, waiting: house === 0 ? 0 : state.waiting }),
  "visit.started": unlessNone,
  "visit.ended": unlessNone,
  "visit.bulk_started": unlessNone,
  "visit.bulk_ended": unlessNone,
  "access.changed": unlessNone,
};

/** Keeps the number in `shown`, from what the page began with on. */
export function watchWaiting(shown) {
  let first = me.value;
  const load = (signal) => {
    const known = first;
    first = null;
    return known ?? api.get("/me", { signal });
  };
  const section = new Section({ load, reduce: reducer(is("staff") ? reduceOwn : reduceHouse) });
  section.watch(() => section.data && shown.set(section.data.waiting));
  shown.watch(() => showIcon(shown.value));
}

/** Who looks at another tab sees it by the icon of this one; who has the page on a home screen, by a number there. */
function showIcon(waiting) {
  const { pathname } = new URL(waiting > 0 ? "./icon-waiting.svg" : "./icon.svg", import.meta.url);
  document.querySelector("link[rel=icon]").setAttribute("href", pathname);
  navigator.setAppBadge?.(waiting).catch(() => {});
}
