// The readers in three figures, for the board.
import { Status } from "./parts.js";
import { stale } from "./store.js";
import { listed, number, t } from "./text.js";
import { html } from "./ui.js";

/** The state that each state of a reader looks like. */
export const STATES = { online: "in", late: "away", offline: "help", revoked: "off" };

/** Of the board: how many readers are well. */
export const reduce = {
  "device.status_changed": (board) => (board.devices ? stale(board) : board),
};

/** The readers in three figures, for the board; those that are not well by name. */
export function DeviceFigures({ devices }) {
  const row = (state) => {
    const names = devices.unheard.filter((one) => one.state === state).map((one) => one.name);
    return html`<div><dt><${Status} state=${STATES[state]}>${t(`device-${state}`)}<//>
      ${names.length > 0 && html`<span class="sub block">${listed(names)}</span>`}</dt><dd>${number(devices[state])}</dd></div>`;
  };
  return html`<dl class="figures">${["online", "late", "offline"].map(row)}</dl>`;
}
