// Rooms and what runs in them: the cards of the board, and the rooms that need somebody.
import { api } from "./api.js";
import { go, is, isStaff, me } from "./here.js";
import { attempt, Bar, Empty, Status } from "./parts.js";
import { stale } from "./store.js";
import { byName, listed, number, t } from "./text.js";
import { html } from "./ui.js";

/** Of the board: rooms with their counts and runs. */
export const reduce = {
  "room.occupancy_changed": (board, room) => {
    const known = board.rooms.find((one) => one.id === room.room_id);
    const told = { ...board, rooms: board.rooms.map((one) => (one === known ? { ...one, count: room.count, capacity: room.capacity } : one)) };
    return isElse(known, room) ? stale(told) : told;
  },
  "run.started": (board) => stale(board),
  "run.ended": (board, run) => stale(withoutRun(board, run)),
  "run.updated": (board) => stale(board),
  "run.reopened": (board) => stale(board),
  "supervision.changed": (board) => stale(board),
  "access.changed": (board) => stale(board),
};

// A wall hears no news of runs, only that something is new: another run, or all figures as they were.
function isElse(known, room) {
  if (!known || (known.run?.id ?? null) !== room.run_id) return true;
  return known.count === room.count && known.capacity === room.capacity;
}

function withoutRun(board, run) {
  return { ...board, rooms: board.rooms.map((one) => (one.run?.id === run.run_id ? { ...one, run: undefined, supervised: false } : one)) };
}

/** A card is about so much wider than high, the room for all of them on a wall that lies or stands. */
const [CARD, LYING, STANDING] = [1.1, 1.55, 0.7];

/** From here on the cards of a wall are close together. */
const MANY = 30;

/** How many cards stand beside each other so that all are seen at once. */
const columns = (cards, shape) => Math.max(1, Math.round(Math.sqrt((cards * shape) / CARD)));

/** What a wall's style goes by: columns for a screen that lies or stands, letters of the longest word. */
function measures(rooms) {
  const letters = rooms.flatMap((room) => room.name.split(/[\s-]/)).map((word) => [...word].length);
  return { "--lying": columns(rooms.length, LYING), "--standing": columns(rooms.length, STANDING), "--letters": Math.max(8, ...letters) };
}

/** Rooms as cards: how full, what runs, what needs a look. On the wall every room keeps its place. */
export function RoomCards({ rooms, linked }) {
  if (rooms.length === 0) {
    return html`<${Empty} icon="door-open" title=${t("rooms-none")}>${linked && is("admin") ? html`<a class="button primary" href="/rooms">${t("rooms-add")}</a>` : html`<p>${t("rooms-none-hint")}</p>`}<//>`;
  }
  const all = [...rooms].sort(byName);
  const busy = linked ? all.filter((room) => room.run || room.count > 0) : all;
  const free = all.filter((room) => !busy.includes(room));
  return html`${busy.length > 0 && html`<ul class="rooms" aria-label=${t("rooms")} data-many=${busy.length > MANY ? "" : null} style=${linked ? null : measures(busy)}>${busy.map((room) => RoomCard({ room, linked }))}</ul>`}
    ${free.length > 0 && html`<div class="card rooms-free"><h3>${t("rooms-free")}</h3><ul>${free.map((room) => html`<li key=${room.id}>${room.name}
      ${room.capacity > 0 && html` <span class="sub">${t("seats", { n: room.capacity })}</span>`}</li>`)}</ul></div>`}`;
}

function RoomCard({ room, linked }) {
  const { run } = room;
  const full = room.capacity > 0 && room.count >= room.capacity;
  const mine = linked && run && isStaff() && (is("admin") || me.value.scope?.runs?.some((one) => one.id === run.id));
  const name = mine ? html`<a href=${`/supervision?run=${run.id}`}>${room.name}</a>` : room.name;
  return html`<li class="card room" key=${room.id} data-empty=${room.count === 0 ? "" : null}>
    <div class="room-head"><h3>${name}</h3>
      <span class="room-count"><b>${number(room.count)}</b> ${room.capacity > 0 && html`<span>/ ${number(room.capacity)}</span>`}</span></div>
    <${Bar} value=${room.count} max=${room.capacity} />
    <div class="room-foot">
      ${run ? html`<span class="room-run">${run.activity_name}${run.staff?.length > 0 && html` <span class="sub">· ${listed(run.staff)}</span>`}</span>`
        : html`<span class="sub">${t(room.count > 0 ? "room-no-run" : "room-free")}</span>`}
      ${full && html`<${Status} state="away">${t("room-full")}<//>`}
      ${run && !room.supervised && html`<${Status} state="help">${t("room-unsupervised")}<//>`}</div></li>`;
}

/** Rooms that need somebody now: unsupervised first, then full ones. */
export function Attention({ rooms }) {
  const alone = rooms.filter((room) => room.run && !room.supervised);
  const full = rooms.filter((room) => room.capacity > 0 && room.count >= room.capacity);
  const n = rooms.filter((room) => room.run).length;
  if (alone.length + full.length === 0) return html`<p class="all-well"><${Status} state=${n > 0 ? "in" : "off"}>${t("rooms-all-well", { n })}<//></p>`;
  return html`<ul class="plain-list">
    ${alone.map((room) => html`<li key=${`a${room.id}`}><${Status} state="help">${t("room-unsupervised")}<//> <span>${room.name}</span>
      ${isStaff() && !is("office") && html`<button onClick=${() => takeOver(room.run.id)}>${t("take-over")}</button>`}</li>`)}
    ${full.map((room) => html`<li key=${`f${room.id}`}><${Status} state="away">${t("room-full")}<//> <span>${room.name}</span></li>`)}</ul>`;
}

/** Takes charge of a run that nobody looks after. */
export async function takeOver(runId) {
  const run = await attempt(() => api.post(`/runs/${runId}/take-over`));
  if (run) go(`/supervision?run=${runId}`);
}
