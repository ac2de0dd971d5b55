// Visits and the attendance of the day: the counts of the house. They are always the server's.
import { stale } from "./store.js";
import { number, t } from "./text.js";
import { html } from "./ui.js";

/** Of the board: figures arrive, they are never counted here. */
export const reduce = {
  "house.counts_changed": (board, counts) => ({ ...board, counts: { ...board.counts, ...only(counts, board.counts) } }),
  "attendance.missing": (board) => stale(board),
};

function only(fields, like) {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name in like));
}

/** The four figures of the house; only help may be a solid block. */
export function CountTiles({ counts, waiting, details = true }) {
  const away = counts.expected + counts.absent + counts.left;
  const others = ["expected", "absent", "left"].filter((state) => counts[state] > 0).map((state) => t(`tile-${state}`, { n: counts[state] })).join(" · ");
  const detail = (text) => details && html`<span class="tile-detail">${text}</span>`;
  const tile = (state, value, label, more, solid) => html`
    <li class=${solid ? "tile solid" : "tile"} data-s=${state} data-many=${value >= 1000 ? "" : null}>
      <span class="shape" aria-hidden="true"></span><b>${number(value)}</b>
      <span class="tile-text"><span class="tile-label">${label}</span>${more}</span></li>`;
  return html`<ul class="tiles" aria-label=${t("house-counts")}>
    ${tile("in", counts.present, t("present"), detail(t("tile-present", { n: counts.in_rooms })))}
    ${tile("away", counts.in_transit, t("on-the-way"), detail(t("tile-transit")))}
    ${tile("help", waiting, t("waiting-for-help"), details && waiting === 0 && detail(t("tile-help-none")), waiting > 0)}
    ${tile("off", away, t("not-here"), others && detail(others))}
  </ul>`;
}
