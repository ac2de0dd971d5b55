// A list that stands still for a moment after a tap, so that a second tap meets nobody else.
import { useEffect, useRef, useState } from "./ui.js";

/** Longer than the two taps of a double one lie apart. */
const STILL_MS = 500;

/**
 * Returns the rows to draw, and what to call with the click that moves one of them. After a click
 * of a pointer every row keeps its place for a moment; one that has left is `gone`, and is to be
 * drawn so that nothing happens there. Keys need no such moment: the focus moves with the rows.
 */
export function useStill(rows, keyOf) {
  const held = useRef(null);
  const [, paint] = useState(0);
  useEffect(() => () => clearTimeout(held.current?.timer), []);
  const hold = ({ detail }) => {
    if (detail === 0) return;
    clearTimeout(held.current?.timer);
    const letGo = () => {
      held.current = null;
      paint((count) => count + 1);
    };
    held.current = { rows: held.current?.rows ?? rows, timer: setTimeout(letGo, STILL_MS) };
  };
  const now = (was) => rows.find((one) => keyOf(one) === keyOf(was)) ?? { ...was, gone: true };
  return [held.current?.rows.map(now) ?? rows, hold];
}
