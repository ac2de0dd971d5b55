// What somebody has begun to fill in: it stays when the page is left or loaded anew, and when a
// sign-in ends in the middle; in this tab and for this person alone. Whoever signs in next on a shared
// tablet finds nothing of it (app.js), and nothing stays when somebody signs out.
import { me, toDoor } from "./here.js";
import { t } from "./text.js";
import { html, useLayoutEffect, useRef, useState } from "./ui.js";

const own = (name) => `daybook.draft.${me.value.person.id}.${name}`;

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
  return storage((kept) => JSON.parse(kept.getItem(own(name))));
}

const isForm = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Of a form only what was changed is kept: the rest may be another by the time that somebody comes back. */
function changesOf(value, begin) {
  return isForm(begin) ? Object.fromEntries(Object.entries(value).filter(([name, one]) => !same(one, begin[name]))) : value;
}

/** State that is kept as a draft, as `[value, set, forget, begun]`: until it is sent, or is as it began. */
export function useDraft(name, begin) {
  const first = useRef(begin).current;
  const begun = useRef(draftOf(name)).current;
  const [value, show] = useState(begun === null ? first : isForm(first) ? { ...first, ...begun } : begun);
  const [sent, send] = useState(false);
  const forget = () => {
    send(true);
    storage((kept) => kept.removeItem(own(name)));
  };
  const set = (next) => {
    show(next);
    send(false);
    storage((kept) => (same(next, first) ? kept.removeItem(own(name)) : kept.setItem(own(name), JSON.stringify(changesOf(next, first)))));
  };
  useUnsaved(!sent && !same(value, first));
  return [value, set, forget, begun !== null];
}

/** The browser asks before what is not saved goes with its page, from the first letter on. */
export function useUnsaved(unsaved) {
  useLayoutEffect(() => {
    if (!unsaved) return undefined;
    const ask = (event) => {
      if (toDoor.value) return;
      event.preventDefault();
      // What older browsers look at instead.
      event.returnValue = true;
    };
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [unsaved]);
}

/** Says that a form stands as it was left, and not as it was opened. */
export function Begun({ begun }) {
  return begun && html`<p class="sub" role="status">${t("draft-begun")}</p>`;
}
