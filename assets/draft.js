// What somebody has begun to write: it stays when the page is left or loaded anew, in this tab and
// for this sign-in alone. Whoever signs in next on a shared tablet finds nothing of it.
import { me } from "./here.js";
import { useState } from "./ui.js";

const PREFIX = "daybook.draft.";
const own = () => `${PREFIX}${me.value.session_id}.`;

/** Storage may be off or full: what is written then lasts as long as the page. */
function storage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

/** Returns what was begun under this name, else null. */
export function draftOf(name) {
  return storage((kept) => {
    // What another sign-in left here is nobody's.
    for (const key of Object.keys(kept)) if (key.startsWith(PREFIX) && !key.startsWith(own())) kept.removeItem(key);
    return JSON.parse(kept.getItem(own() + name));
  });
}

/** State that is kept as a draft, as `[value, set, forget]`: until it is sent, or is as it began. */
export function useDraft(name, begin) {
  const [value, show] = useState(() => draftOf(name) ?? begin);
  const forget = () => storage((kept) => kept.removeItem(own() + name));
  const set = (next) => {
    show(next);
    const text = JSON.stringify(next);
    if (text === JSON.stringify(begin)) forget();
    else storage((kept) => kept.setItem(own() + name, text));
  };
  return [value, set, forget];
}
