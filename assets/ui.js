// The only module that knows vendor/. Everything else draws with what stands here.
export {
  html, render, Component, Fragment, useState, useEffect, useLayoutEffect, useRef, useMemo,
  useCallback, useId, useErrorBoundary,
} from "./vendor/ui.js";
export { FluentBundle, FluentResource } from "./vendor/fluent.js";
import { useState, useEffect, useLayoutEffect, useRef, html } from "./vendor/ui.js";

const sprite = new URL("./vendor/icons.svg", import.meta.url).pathname;

/** An icon of the sprite; decoration only, the word stands beside it. */
export function Icon({ name, size = 20 }) {
  return html`<svg class="icon" width=${size} height=${size} aria-hidden="true" focusable="false">
    <use href=${`${sprite}#${name}`} /></svg>`;
}

/** Draws again when the section changes. Sections subscribe, rows never do. */
export function useSection(section) {
  const [, paint] = useState(0);
  useEffect(() => section.watch(() => paint((count) => count + 1)), [section]);
  return section;
}

/** Draws again whenever `source.watch` says so; for small shared states such as the link. */
export function useWatch(source) {
  const [, paint] = useState(0);
  // Before the browser paints: what changes in between would be missed.
  useLayoutEffect(() => source.watch(() => paint((count) => count + 1)), [source]);
}

/** Draws again every `everyMs`, for texts that age. */
export function useTick(everyMs) {
  const [, paint] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => paint((count) => count + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}

/**
 * Keeps the focus in lists whose rows move when they are acted upon, and among the acts of a page,
 * which change with it. Rows and acts bear `data-row`: the focus goes to where the same one stands
 * now, else to its neighbour, and never to nowhere. A row's `.undo` behind it counts as the row.
 */
export function useKeptFocus() {
  const last = useRef(null);
  useEffect(() => {
    const remember = ({ target }) => {
      // A dialog is about the row; when it closes, the row or its neighbour is where to go on.
      if (target.closest("dialog")) return;
      const row = (target.closest(".undo")?.previousElementSibling ?? target).closest("[data-row]");
      const list = row?.closest("ul, .acts");
      last.current = row && { name: row.dataset.row, list, place: [...list.querySelectorAll("[data-row]")].indexOf(row) };
    };
    document.addEventListener("focusin", remember);
    return () => document.removeEventListener("focusin", remember);
  }, []);
  useLayoutEffect(() => {
    if (!last.current || document.activeElement !== document.body) return;
    const { name, list, place } = last.current;
    const rows = [...(list.isConnected ? list : document).querySelectorAll("[data-row]")];
    const same = document.querySelector(`[data-row="${name}"]`);
    (same ?? rows[Math.min(place, rows.length - 1)] ?? document.querySelector("main h1"))?.focus();
  });
}

/** Listens on the document while mounted. */
export function useKeys(handle) {
  useEffect(() => {
    document.addEventListener("keydown", handle);
    return () => document.removeEventListener("keydown", handle);
  });
}

/** Returns `run` for a form or a button: while it is under way, the second of two taps does nothing. */
export function useOnce(run) {
  const busy = useRef(false);
  return async (event, ...rest) => {
    event.preventDefault();
    if (busy.current) return;
    busy.current = true;
    await run(...rest).finally(() => { busy.current = false; });
  };
}

/** Returns whether a single-letter key would land in a field or a dialog instead. */
export function isTyping(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const at = event.target;
  return Boolean(at?.closest?.("input, textarea, select, [contenteditable], dialog"));
}
