// Help in figures, for the board and the wall: numbers only, and they are the server's.
import { serverNow } from "./live.js";
import { wait, t } from "./text.js";
import { html, useTick } from "./ui.js";

/** Of the board; `at` is the moment for which the figures were told. */
export const reduce = {
  "queue.changed": (board, queue, event) => ({ ...board, help: { ...board.help, ...queue, at: event?.ts } }),
};

/** How many wait for somebody: not those who are being helped. */
export function waitingIn(help) {
  return help?.length ?? 0;
}

/** How many wait and how long; a wait grows while nobody is told of it. */
export function HelpFigures({ board: { help, as_of: asOf } }) {
  useTick(1000);
  if (!help) return null;
  const passed = Math.max(0, (serverNow() - Date.parse(help.at ?? asOf)) / 1000);
  const row = (label, value) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`;
  return html`<dl class="figures">
    ${row(t("help-open"), waitingIn(help))}
    ${row(t("help-longest"), waitingIn(help) === 0 || help.longest_wait_s == null ? "–" : wait(help.longest_wait_s + passed))}
    ${row(t("help-median"), help.median_wait_s == null ? "–" : wait(help.median_wait_s))}</dl>`;
}
