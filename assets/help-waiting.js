// How many wait for help, beside the link to the queue on every page. Fetched after the first page.
import { api } from "./api.js";
import { reduce, waitingIn } from "./help-figures.js";
import { is } from "./here.js";
import { reducer, Section, stale } from "./store.js";

/** Only the server knows whom one sees; while nobody waits in the house, nothing is asked. */
const unlessNone = (state) => (state.house === 0 ? state : stale(state));

/** Of how many wait in one's own list: who is seen changes with the queue, with visits, with scope. */
export const reduceOwn = {
  "queue.changed": (state, queue) => unlessNone({ house: waitingIn(queue), help: waitingIn(queue) === 0 ? queue : state.help }),
  "visit.started": unlessNone,
  "visit.ended": unlessNone,
  "visit.bulk_started": unlessNone,
  "visit.bulk_ended": unlessNone,
  "access.changed": unlessNone,
};

/** Keeps the number for the side bar in `shown`: staff see those of their list, lead and office the house's. */
export function watchWaiting(shown) {
  const section = is("staff") ? new Section({ load: own, reduce: reducer(reduceOwn) })
    : new Section({ load: (signal) => api.get("/board", { signal }), reduce: reducer(reduce) });
  section.watch(() => section.data && shown.set(waitingIn(section.data.help)));
}

async function own(signal) {
  const { waiting, cursor, as_of } = await api.get("/help-requests?limit=1", { signal });
  return { cursor, as_of, help: { length: waiting } };
}
