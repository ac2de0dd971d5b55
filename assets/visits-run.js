// The visits of one run: who is here, who is expected, who just left, and the tap that moves them.
import { api } from "./api.js";
import { me, route, setQuery } from "./here.js";
import { serverNow } from "./live.js";
import { attempt, Avatar, Empty, Later, Status, toast } from "./parts.js";
import { useStill } from "./still.js";
import { stale } from "./store.js";
import { byName, clock, plain, t } from "./text.js";
import { html, Icon, useKeptFocus, useTick } from "./ui.js";

/** How long the server takes back what happened to a visit. */
const UNDO_MS = 300_000;

/** Of a run's snapshot. */
export const reduce = {
  "visit.started": (state, visit) => (visit.run_id === state.run.id ? arrived(state, visit) : elsewhere(state, visit)),
  "visit.ended": (state, visit) => (visit.run_id === state.run.id ? departed(state, visit) : state),
  "visit.bulk_started": (state, bulk) => (bulk.run_id === state.run.id ? stale(state) : state),
  "visit.bulk_ended": (state, bulk) => (bulk.run_id === state.run.id ? stale(state) : state),
  "attendance.checked_in": (state, fact) => ({ ...state, expected: withStatus(state.expected, fact.member_id, "present") }),
  "attendance.checked_out": (state, fact) => (state.expected.some((one) => one.member_id === fact.member_id) ? stale(state) : state),
  "attendance.marked": (state) => stale(state),
  "attendance.missing": (state) => stale(state),
  "room.occupancy_changed": (state, room) => (room.room_id === state.run.room_id ? { ...state, run: { ...state.run, count: room.count } } : state),
};

function without(list, memberId) {
  return list.some((one) => one.member_id === memberId) ? list.filter((one) => one.member_id !== memberId) : list;
}

function withStatus(expected, memberId, status) {
  return expected.map((one) => (one.member_id === memberId ? { ...one, status } : one));
}

function arrived(state, visit) {
  const known = [...state.here, ...state.expected, ...state.left].find((one) => one.member_id === visit.member_id);
  const at = visit.at ?? visit.started_at;
  const row = {
    visit_id: visit.visit_id, member_id: visit.member_id, group_name: known?.group_name,
    display_name: visit.display_name ?? known?.display_name, started_at: at, undo_until: undoUntil(at),
  };
  const next = {
    ...state, here: [...without(state.here, visit.member_id), row],
    expected: without(state.expected, visit.member_id), left: without(state.left, visit.member_id),
  };
  return row.display_name ? next : stale(next);
}

function departed(state, visit) {
  const row = state.here.find((one) => one.visit_id === visit.visit_id);
  if (!row) return state;
  const { at = visit.ended_at, reason = "left" } = visit;
  const gone = { ...row, ended_at: at, reason, undo_until: reason === "left" ? undoUntil(at) : null };
  return {
    ...state, here: without(state.here, row.member_id),
    left: [gone, ...without(state.left, row.member_id)],
  };
}

/** No event says it; the snapshot knows of the close of the day, too. */
const undoUntil = (at) => Date.parse(at) + UNDO_MS;

/** Somebody whom this run expects went to another room: only the server knows its name. */
function elsewhere(state, visit) {
  return state.expected.some((one) => one.member_id === visit.member_id) ? stale(state) : state;
}

/** The lists of one run. A tap checks in or out; the toast takes it back, and for five minutes the row. */
export function RunLists({ section }) {
  const filter = route.value.query.get("name") ?? "";
  useKeptFocus();
  useTick(10_000);
  const state = section.data;
  const open = !state.run.ended_at;
  const match = (one) => plain(one.display_name).includes(plain(filter));
  const lists = {
    here: [...state.here].sort(byName), expected: [...state.expected].sort(byName), left: state.left,
  };
  const names = Object.keys(lists);
  const tab = names.find((name) => name === route.value.query.get("list")) ?? "here";
  const setTab = (list) => setQuery({ list: list === "here" ? null : list }, { replace: true });
  const choose = (event) => {
    const at = names.indexOf(tab);
    const to = { ArrowLeft: at - 1, ArrowRight: (at + 1) % names.length, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setTab(names.at(to));
    event.currentTarget.querySelector(`#tab-${names.at(to)}`).focus();
  };
  const still = { here: useStill(lists.here, memberOf), expected: useStill(lists.expected, memberOf), left: useStill(lists.left, memberOf) };
  return html`<${Later} load=${() => import("./visits-announce.js").catch(() => ({}))} view="Announce" here=${state.here} />
    <div class="run-filter"><input type="search" aria-label=${t("filter-names")} placeholder=${t("filter-names")}
      value=${filter} onInput=${(event) => setQuery({ name: event.target.value }, { replace: true })} /></div>
    <div class="segments" role="tablist" aria-label=${t("run-lists")} onKeyDown=${choose}>
      ${Object.entries(lists).map(([name, list]) => html`<button role="tab" id=${`tab-${name}`}
        tabindex=${tab === name ? 0 : -1} aria-selected=${tab === name} aria-controls=${`list-${name}`} onClick=${() => setTab(name)}>
        ${t(`run-${name}`)} <b>${list.length}</b></button>`)}</div>
    <div class="run-lists" data-tab=${tab}>
      ${Object.entries(lists).map(([name, list]) => html`<${RunList} name=${name} open=${open}
        list=${still[name][0].filter(match)} hold=${still[name][1]} total=${list.length} section=${section} />`)}</div>`;
}

const memberOf = (one) => one.member_id;

function RunList({ name, list, hold, total, section, open }) {
  const acts = { here: checkOut, expected: checkIn, left: checkIn };
  const act = (event, one, run = acts[name]) => {
    hold(event);
    run(section, one);
  };
  const icons = { here: "log-out", expected: "log-in", left: "log-in" };
  return html`<section class="card" id=${`list-${name}`} aria-labelledby=${`head-${name}`}>
    <h2 id=${`head-${name}`}>${t(`run-${name}`)} <span class="count">${total}</span></h2>
    ${total + list.length === 0 && html`<${Empty} icon=${name === "here" ? "users" : "check"} title=${t(name === "here" && !open ? "run-here-over" : `run-${name}-none`)} />`}
    <ul class="taps">${list.map((one) => html`<li key=${one.member_id}>
      <button class="tap" data-row=${`${name}-${one.member_id}`} disabled=${!open || one.sending || one.gone} onClick=${(event) => act(event, one)}>
        <${Avatar} name=${one.display_name} />
        <span class="who"><b id=${`${name}-${one.member_id}`}>${one.display_name}</b><span class="sub">${lineOf(name, one)}</span></span>
        <span class="act"><${Icon} name=${icons[name]} />${t(`act-${name}`)}</span></button>
      ${open && !one.sending && new Date(one.undo_until) > serverNow() && html`<button class="bare undo" aria-label=${t("act-undo")} title=${t("act-undo")}
        aria-describedby=${`${name}-${one.member_id}`} disabled=${one.gone} onClick=${(event) => act(event, one, undo)}><${Icon} name="undo-2" /></button>`}</li>`)}</ul></section>`;
}

function lineOf(name, one) {
  const group = one.group_name && html`<span>${one.group_name}</span>`;
  if (name === "here") return html`${group}${one.started_at && html`<span>${t("since", { time: clock(one.started_at) })}</span>`}`;
  if (name === "left") return `${t("left-at", { time: clock(one.ended_at) })}${(one.reason ?? "left") === "left" ? "" : ` · ${t(`reason-${one.reason}`)}`}`;
  if (one.room_name) return html`${group}<${Status} state="away">${one.room_name}<//>`;
  return html`${group}<${Status} state=${one.status === "present" ? "away" : "off"}>${
    t(one.status === "present" ? "on-the-way" : "expected")}<//>`;
}

/** Brings a member into the run, at once on screen. */
export async function checkIn(section, one) {
  const { run } = section.data;
  const name = one.display_name;
  const show = (state) => arrived(state, { ...one, visit_id: `new-${one.member_id}`, started_at: new Date(serverNow()).toISOString() });
  const visit = await attempt(() => section.optimistic((state) => ({
    ...show(state), here: show(state).here.map((row) => (row.member_id === one.member_id ? { ...row, sending: true } : row)),
  }), () => api.post("/visits", { member_id: one.member_id, run_id: run.id })));
  if (!visit) return;
  section.apply([{ type: "visit.started", data: { ...visit, display_name: visit.display_name ?? name } }]);
  toast(t("checked-in", { name, room: run.room_name }), { label: t("undo"), run: () => undo(section, visit) });
}

async function checkOut(section, one) {
  const visit = await attempt(() => section.optimistic(
    (state) => departed(state, { ...one, ended_at: new Date(serverNow()).toISOString() }),
    () => api.post(`/visits/${one.visit_id}/end`)));
  if (!visit) return;
  toast(t("checked-out", { name: one.display_name }), { label: t("undo"), run: () => undo(section, visit) });
}

/** What happened last to somebody: an end, else a start. It shows at once, or a second tap would take back the next. */
async function undo(section, one) {
  await attempt(() => section.optimistic((state) => (one.ended_at ? arrived(state, one) : { ...state, here: without(state.here, one.member_id) }),
    () => api.post(`/visits/${one.visit_id}/undo`)));
  section.refetchSoon();
}

/** Whether this person looks after the run now. */
export function isMine(run) {
  return run.staff?.some((one) => one.id === me.value.person.id) ?? false;
}

