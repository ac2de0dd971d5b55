// The readers in three figures, for the board.
import { Status } from "./parts.js";
import { stale } from "./store.js";
import { number, t } from "./text.js";
import { html } from "./ui.js";

/** The state that each state of a reader looks like. */
export const STATES = { online: "in", late: "away", offline: "help", revoked: "off" };

/** Of the board: how many readers are well. */
export const reduce = {
  "device.status_changed": (board) => (board.devices ? stale(board) : board),
};

/** The readers in three figures, for the board. */
export function DeviceFigures({ devices }) {
  const row = (state) => html`<div><dt><${Status} state=${STATES[state]}>${t(`device-${state}`)}<//></dt><dd>${number(devices[state])}</dd></div>`;
  return html`<dl class="figures">${["online", "late", "offline"].map(row)}</dl>`;
}
