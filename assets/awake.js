// Keeps the screen from sleeping where a browser lets a page do that.

/** Begins at once and returns how to stop; a lock lapses whenever the page is hidden. */
export function stayAwake() {
  let lock = null;
  let over = false;
  const ask = async () => {
    if (document.visibilityState !== "visible") return;
    lock = await navigator.wakeLock?.request("screen").catch(() => null);
    if (over) lock?.release();
  };
  document.addEventListener("visibilitychange", ask);
  ask();
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", ask);
    lock?.release();
  };
}
