// Help in figures, for the board and the wall: numbers only, and they are the server's.
import { wait, t } from "./text.js";
import { html } from "./ui.js";

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
    ${row(t("help-longest"), waitingIn(help) === 0 || help.longest_wait_s == null ? "–" : wait(help.longest_wait_s))}
    ${row(t("help-median"), help.median_wait_s == null ? "–" : wait(help.median_wait_s))}</dl>`;
}
