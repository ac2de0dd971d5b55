// A group: where each member is, who is missing, and the marking of the day by hand.
import { api } from "./api.js";
import { is, route, setQuery } from "./here.js";
import { serverNow } from "./live.js";
import { Ago, attempt, Avatar, Dialog, Status, toast } from "./parts.js";
import { Shared, stale } from "./store.js";
import { byName, clock, number, t } from "./text.js";
import { html, Icon, useKeptFocus, useState, useTick, useWatch } from "./ui.js";

const LISTS = ["expected", "on_the_way", "here", "absent", "left"];
const STATES = { expected: "off", on_the_way: "away", here: "in", absent: "off", left: "off" };

function move(group, memberId, to, fields) {
  let row = null;
  const next = { ...group };
  for (const list of LISTS) {
    row ??= group[list].find((one) => one.member_id === memberId) ?? null;
    next[list] = group[list].filter((one) => one.member_id !== memberId);
  }
  if (!row) return group;
  next[to] = [...next[to], { member_id: memberId, display_name: row.display_name, ...fields }];
  return next;
}

/** Of a group's snapshot. A room's name is known from its neighbours, else the server is asked. */
export const reduce = {
  "visit.started": (group, visit) => {
    const room = group.here.find((one) => one.room_id === visit.room_id)?.room_name;
    const moved = move(group, visit.member_id, "here", {
      room_id: visit.room_id, room_name: room ?? "", run_id: visit.run_id, visit_id: visit.visit_id, since: visit.at,
    });
    return moved === group || room ? moved : stale(moved);
  },
  "visit.ended": (group, visit) => {
    const row = group.here.find((one) => one.visit_id === visit.visit_id);
    return row ? move(group, row.member_id, "on_the_way", { since: visit.at }) : group;
  },
  "visit.bulk_started": (group) => stale(group),
  "visit.bulk_ended": (group) => stale(group),
  "attendance.checked_in": (group, fact) => (group.here.some((one) => one.member_id === fact.member_id)
    ? group : move(group, fact.member_id, "on_the_way", { since: fact.at })),
  "attendance.checked_out": (group, fact) => move(group, fact.member_id, "left", { at: fact.at }),
  "attendance.missing": (group) => stale(group),
  "attendance.marked": (group) => stale(group),
  "access.changed": (group) => stale(group),
  "supervision.changed": (group) => stale(group),
};

/** How long a mark can be taken back here: as long as the server takes back the end of a visit. */
const UNDO_MS = 300_000;
/** Where a mark puts somebody. */
const PUTS = { present: "on_the_way", left: "left", expected: "expected", excused: "absent", unreported: "absent" };

/** Member -> the last mark that was made in this tab, `{status, leftAt, until, undo}`. A page that is loaded anew has forgotten it. */
const lately = new Shared(new Map());

/** What takes the mark back by which somebody stands in this list; nothing when something else came after it. */
function undoOf(list, { member_id: id, at }) {
  const mark = lately.value.get(id);
  const stands = mark && PUTS[mark.status] === list && (list !== "left" || mark.leftAt === at);
  return stands && mark.until > serverNow() ? mark.undo : null;
}

function note(id, mark) {
  const next = new Map(lately.value);
  if (mark) next.set(id, mark);
  else next.delete(id);
  lately.set(next);
}

/** The office is told who is here, and not where. */
const lists = () => (is("office") ? LISTS.filter((list) => list !== "here") : LISTS);
const seen = (list) => (list === "on_the_way" && is("office") ? "here" : list);

/** Where every member of the group is, and the marking of the day. */
export function GroupLists({ section, empty }) {
  useWatch(route);
  useWatch(lately);
  useKeptFocus();
  useTick(10_000);
  const { data } = section;
  const { query } = route.value;
  const only = query.get("only");
  const close = () => setQuery({ mark: null });
  const inList = (list) => data[list].find((one) => one.member_id === query.get("mark"));
  const list = LISTS.find(inList);
  return html`<${Filters} data=${data} only=${only} />
    ${LISTS.every((list) => data[list].length === 0) && empty}
    ${lists().filter((list) => (only ? list === only : data[list].length > 0)).map((list) =>
      html`<${MemberList} key=${list} name=${list} members=${data[list]} />`)}
    ${list && html`<${Mark} key=${query.get("mark")} one=${{ ...inList(list), list }} section=${section} close=${close} />`}`;
}

function Filters({ data, only }) {
  return html`<div class="chips" role="group" aria-label=${t("filter-status")}>
    ${lists().map((list) => html`<button key=${list} class="chip" aria-pressed=${only === list}
      onClick=${() => setQuery({ only: only === list ? null : list }, { replace: true })}>
      <${Status} state=${STATES[seen(list)]}>${t(`group-${seen(list)}`)}<//> <b>${number(data[list].length)}</b></button>`)}</div>`;
}

function MemberList({ name, members }) {
  const sorted = [...members].sort((a, b) => (name === "here" && (a.room_name ?? "").localeCompare(b.room_name ?? "")) || byName(a, b));
  return html`<section class="group-list" aria-labelledby=${`group-${name}`}>
    <h2 id=${`group-${name}`}>${t(`group-${seen(name)}`)} <span class="count">${number(members.length)}</span></h2>
    ${members.length === 0 ? html`<p class="sub">${t("nobody")}</p>` : html`<ul class="card taps two">
      ${sorted.map((one) => html`<li key=${one.member_id}><button class="tap" data-row=${one.member_id} onClick=${() => setQuery({ mark: one.member_id })}>
        <${Avatar} name=${one.display_name} />
        <span class="who"><b id=${`who-${one.member_id}`}>${one.display_name}</b><span class="sub">${detail(name, one)}</span></span>
        <${Status} state=${STATES[seen(name)]}>${label(name, one)}<//></button>
        <${Undo} one=${one} run=${undoOf(name, one)} /></li>`)}</ul>`}</section>`;
}

/** The toast goes after seconds; the slip is seen later. */
function Undo({ one, run }) {
  return run && html`<button class="bare undo" aria-label=${t("act-undo")} title=${t("act-undo")} aria-describedby=${`who-${one.member_id}`}
    onClick=${run}><${Icon} name="undo-2" /></button>`;
}

function label(name, one) {
  if (name === "here") return one.room_name || t("in-a-room");
  if (name === "absent") return t(`absent-${one.status}`);
  return t(`group-${seen(name)}`);
}

function detail(name, one) {
  if (one.since) return html`<${Ago} at=${one.since} inAct />`;
  if (one.at) return t("left-at", { time: clock(one.at) });
  if (name === "absent") return one.reason;
  return name === "expected" ? t("expected-detail") : "";
}

const MARKS = {
  expected: ["present", "excused", "unreported"], on_the_way: ["left", "expected"], here: ["left"],
  absent: ["present", "expected"], left: ["present"],
};

/** What takes a mark back: how the member stood before it. */
function before(one, mark) {
  if (one.list === "expected") return { status: "expected" };
  if (one.list === "absent") return { status: one.status, reason: one.reason };
  if (one.list === "left") return { status: "left", at: one.at };
  // Who comes back keeps the arrival; of who was never there nothing is known but this.
  return mark === "left" ? { status: "present" } : { status: "present", at: one.since };
}

function Mark({ one, section, close }) {
  const [reason, setReason] = useState("");
  const mark = async (status) => {
    close();
    const body = status === "excused" && reason ? { status, reason } : { status };
    const done = await attempt(() => api.post(`/attendance/${one.member_id}`, body));
    if (!done) return;
    section.refetchSoon();
    const undo = async () => {
      note(one.member_id, null);
      const undone = await attempt(async () => {
        await api.post(`/attendance/${one.member_id}`, before(one, status));
        if (one.list === "here") await api.post(`/visits/${one.visit_id}/undo`);
        return true;
      });
      if (!undone) note(one.member_id, made);
      section.refetchSoon();
    };
    const made = { status, leftAt: done.left_at, until: serverNow() + UNDO_MS, undo };
    note(one.member_id, made);
    toast(t("marked", { name: one.display_name, status: t(`mark-${status}`) }), { label: t("undo"), run: undo });
  };
  const acts = MARKS[one.list];
  return html`<${Dialog} title=${one.display_name} close=${close}>
    <p><${Status} state=${STATES[seen(one.list)]}>${label(one.list, one)}<//></p>
    ${acts.includes("excused") && html`<label class="field"><span class="label">${t("reason")}</span>
      <span class="hint">${t("reason-hint")}</span>
      <input value=${reason} maxlength="200" onInput=${(event) => setReason(event.target.value)} /></label>`}
    <div class="mark-acts">${acts.map((status) => html`<button key=${status} class="big" onClick=${() => mark(status)}>${t(`mark-as-${status}`)}</button>`)}</div><//>`;
}
