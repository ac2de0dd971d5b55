// A USB reader types the number of a badge as a keyboard would, much faster than a person, and ends
// with Enter. Where a field has the focus only that speed tells the two apart; elsewhere nobody
// types anything else.

const BURST_GAP_MS = 60;
const LOOSE_GAP_MS = 250;
const LENGTH_MIN = 4;
/** In a field the end of a number alone, after a halt, must not pass for a whole one: 4 bytes in hex. */
const FIELD_LENGTH_MIN = 8;
const LENGTH_MAX = 40;

export class Wedge {
  #keys = "";
  #at = 0;

  /** Whether the last key may have been the first one of a badge. */
  get begun() {
    return this.#keys.length === 1;
  }

  /** Takes one key, pressed at `at` ms; returns the badge's number when it ends one, else null. */
  key(key, at, inField) {
    const near = at - this.#at <= (inField ? BURST_GAP_MS : LOOSE_GAP_MS);
    const typed = near ? this.#keys : "";
    if (key === "Enter") {
      this.#keys = "";
      return typed.length >= (inField ? FIELD_LENGTH_MIN : LENGTH_MIN) && typed.length <= LENGTH_MAX ? typed : null;
    }
    // Shift and the like belong to the key that follows.
    if ([...key].length !== 1) return null;
    this.#keys = typed + key;
    this.#at = at;
    return null;
  }
}

/** Hands every badge's number to `onTag` while one is `wanted()`; what it typed into a field on its way is taken back. */
export function watchWedge(onTag, wanted) {
  const wedge = new Wedge();
  let before = null;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !wanted()) return;
    const field = event.target.closest?.("input");
    const tag = wedge.key(event.key, event.timeStamp, Boolean(field));
    if (wedge.begun) before = field && { field, value: field.value };
    if (!tag) return;
    event.preventDefault();
    event.stopPropagation();
    if (before) {
      before.field.value = before.value;
      before.field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    onTag(tag);
  }, true);
}
