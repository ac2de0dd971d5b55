// What events do to what a page shows: pure functions, and the section that applies them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reduce as helpFigures } from "../../../assets/help-figures.js";
import { reduce as helpLine } from "../../../assets/help-line.js";
import { whereReduce } from "../../../assets/help-place.js";
import { reduce as helpQueue } from "../../../assets/help.js";
import { reduceHouse as helpHouse, reduceOwn as helpOwn } from "../../../assets/help-waiting.js";
import { reduce as rooms } from "../../../assets/rooms.js";
import { oldestCursor, reducer, refetchUnanchored, Section, stale } from "../../../assets/store.js";
import { reduceFeed, reduce as online } from "../../../assets/tracking.js";
import { reduce as visits } from "../../../assets/visits.js";
import { reduce as group } from "../../../assets/visits-group.js";
import { reduce as run } from "../../../assets/visits-run.js";

const board = () => ({
  counts: { expected: 3, present: 5, in_rooms: 4, in_transit: 1, absent: 0, left: 0 },
  rooms: [{ id: "1", name: "Library", count: 4, capacity: 30, run: { id: "7" }, supervised: true }],
  help: { open: 1, longest_wait_s: 20, median_wait_s: 10 },
});
const apply = (...maps) => (data, type, fields) => reducer(...maps)(data, { type, data: fields, id: "e1-1", ts: "2026-11-20T10:30:00Z" });

test("counts are the server's: they are taken over, never added up", () => {
  const next = apply(visits)(board(), "house.counts_changed", { present: 9, in_rooms: 8, expected: 1, in_transit: 1, absent: 0, left: 0, other: 1 });
  assert.equal(next.counts.present, 9);
  assert.equal("other" in next.counts, false);
  const same = apply(visits, rooms)(board(), "visit.started", { member_id: "3", run_id: "7" });
  assert.deepEqual(same, board());
});

test("a room's count and the queue's figures follow their signals", () => {
  assert.equal(apply(rooms)(board(), "room.occupancy_changed", { room_id: "1", count: 5, capacity: 30, run_id: "7" }).rooms[0].count, 5);
  assert.equal(apply(helpFigures)(board(), "queue.changed", { length: 2, open: 4, longest_wait_s: 50, median_wait_s: 9 }).help.open, 4);
  // A wait that was told grows from then on, and not from the snapshot.
  assert.equal(helpFigures["queue.changed"](board(), { longest_wait_s: 50 }, { ts: "2026-11-20T10:42:07Z" }).help.at, "2026-11-20T10:42:07Z");
});

test("how many wait in one's own list is asked of the server, and of an empty house nothing", () => {
  const own = { cursor: "e1-0", waiting: 2 };
  assert.deepEqual(apply(helpOwn)(own, "queue.changed", { length: 5, open: 6 }), stale({ ...own, house: 5 }));
  const none = apply(helpOwn)(own, "queue.changed", { length: 0, open: 1 });
  assert.deepEqual([none.house, none.waiting], [0, 0]);
  assert.equal(apply(helpOwn)(none, "visit.started", { member_id: "3", run_id: "7" }), none);
  assert.deepEqual(apply(helpOwn)(own, "visit.ended", { member_id: "3", run_id: "7" }), stale(own));
  assert.equal(apply(helpHouse)(own, "queue.changed", { length: 5, open: 6 }).waiting, 5);
});

const runState = () => ({
  run: { id: "7", room_id: "1", count: 1 },
  here: [{ visit_id: "11", member_id: "1", display_name: "Mia Köhler", started_at: "2026-11-20T10:00:00Z" }],
  expected: [{ member_id: "2", display_name: "Ben Dietz", status: "expected" }], left: [],
});

test("a visit moves its member from expected to here, and on to left; twice is like once", () => {
  const started = { visit_id: "12", run_id: "7", room_id: "1", member_id: "2", display_name: "Ben Dietz", at: "2026-11-20T10:31:00Z" };
  let state = apply(run)(runState(), "visit.started", started);
  state = apply(run)(state, "visit.started", started);
  assert.deepEqual(state.here.map((one) => one.member_id), ["1", "2"]);
  assert.equal(state.expected.length, 0);
  const ended = { visit_id: "12", run_id: "7", room_id: "1", member_id: "2", reason: "left", at: "2026-11-20T10:35:00Z" };
  state = apply(run)(apply(run)(state, "visit.ended", ended), "visit.ended", ended);
  assert.deepEqual(state.here.map((one) => one.member_id), ["1"]);
  assert.deepEqual(state.left.map((one) => one.display_name), ["Ben Dietz"]);
});

test("what has just happened to a visit can be taken back, but not a move to another room", () => {
  const at = (row) => new Date(row.undo_until).toISOString();
  const ids = { visit_id: "12", run_id: "7", room_id: "1", member_id: "2", display_name: "Ben Dietz" };
  const here = apply(run)(runState(), "visit.started", { ...ids, at: "2026-11-20T10:31:00Z" });
  assert.equal(at(here.here[1]), "2026-11-20T10:36:00.000Z");
  assert.equal(at(apply(run)(here, "visit.ended", { ...ids, reason: "left", at: "2026-11-20T10:35:00Z" }).left[0]), "2026-11-20T10:40:00.000Z");
  assert.equal(apply(run)(here, "visit.ended", { ...ids, reason: "transferred", at: "2026-11-20T10:35:00Z" }).left[0].undo_until, null);
});

test("a visit elsewhere leaves this run alone", () => {
  const before = runState();
  assert.equal(apply(run)(before, "visit.started", { visit_id: "13", run_id: "8", member_id: "99" }), before);
});

const groupState = () => ({
  here: [{ member_id: "1", display_name: "Mia", room_id: "1", room_name: "Library", visit_id: "11" }],
  on_the_way: [{ member_id: "2", display_name: "Ben" }], expected: [{ member_id: "3", display_name: "Ida" }], absent: [], left: [],
});

test("a group's member is always in exactly one list", () => {
  const lists = ["here", "on_the_way", "expected", "absent", "left"];
  const all = (state) => lists.flatMap((list) => state[list].map((one) => one.member_id)).sort();
  let state = groupState();
  for (const [type, fields] of [
    ["attendance.checked_in", { member_id: "3", at: "t" }],
    ["visit.started", { member_id: "2", visit_id: "20", room_id: "1", run_id: "7", at: "t" }],
    ["visit.ended", { member_id: "1", visit_id: "11", run_id: "7", at: "t" }],
    ["attendance.checked_out", { member_id: "1", at: "t" }],
    ["visit.ended", { member_id: "1", visit_id: "11", run_id: "7", at: "t" }],
    ["attendance.checked_out", { member_id: "77", at: "t" }],
  ]) {
    state = apply(group)(state, type, fields);
    assert.deepEqual(all(state), ["1", "2", "3"], type);
  }
  assert.equal(state.here[0].room_name, "Library");
  assert.deepEqual(state.left.map((one) => one.member_id), ["1"]);
});

test("the queue keeps urgent first and oldest next, and ignores news that is older", () => {
  const one = (id, priority, at, rev = 1) => ({ id, member_id: id, display_name: id, priority, status: "pending", rev, created_at: at });
  const state = { items: [one("1", "normal", "2026-11-20T10:00:00Z", 4), one("2", "normal", "2026-11-20T10:01:00Z")] };
  const told = [];
  const section = new Section({ load: async () => state, reduce: reducer(helpQueue) });
  section.data = state;
  section.refetchSoon = () => told.push("read");
  section.apply([{ type: "help.requested", data: { id: "3", user_id: "9", display_name: "Ida", priority: "urgent", status: "pending", rev: 1 } }]);
  assert.deepEqual(section.data.items.map((item) => item.id), ["3", "1", "2"]);
  section.apply([{ type: "help.updated", data: { id: "1", status: "resolved", rev: 3 } }]);
  assert.equal(section.data.items.length, 3);
  section.apply([{ type: "help.updated", data: { id: "1", status: "resolved", rev: 5 } }]);
  assert.deepEqual(section.data.items.map((item) => item.id), ["3", "2"]);
  assert.ok(told.length > 0);
});

test("a section reads again what it cannot apply, and draws once for a burst", async () => {
  let reads = 0;
  const section = new Section({
    load: async () => ({ n: (reads += 1), cursor: `e1-${reads}` }),
    reduce: reducer({ hard: (data) => stale(data), add: (data, { by }) => ({ ...data, n: data.n + by }) }),
  });
  let drawn = 0;
  const stop = section.watch(() => { drawn += 1; });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(section.data.n, 1);
  assert.equal(oldestCursor(), "e1-1");
  drawn = 0;
  section.apply([1, 2, 3].map((by) => ({ type: "add", data: { by } })));
  assert.equal(section.data.n, 7);
  assert.equal(drawn, 1);
  section.apply([{ type: "hard", data: {} }, { type: "hard", data: {} }]);
  assert.ok(section.timer);
  stop();
  assert.equal(section.timer, null);
});

test("what a snapshot tells of is not shown twice, however late its event comes", async () => {
  let answer = { items: [{ id: "12", person_id: "3", event_type: "page.opened" }], cursor: "e1-5" };
  const section = new Section({ load: async () => answer, reduce: reducer(reduceFeed) });
  const event = (id) => ({ id, type: "activity.tracked", ts: "t", data: { user_id: "3", display_name: "Ida", event_type: "page.opened" } });
  const ids = () => section.data.items.map((one) => one.id);
  await section.refetch();
  section.apply([event("e1-4"), event("e1-5")]);
  assert.deepEqual(ids(), ["12"]);
  section.apply([event("e1-6"), event("e1-6")]);
  assert.deepEqual(ids(), ["e1-6", "12"]);
  answer = { items: [{ id: "13" }, { id: "12" }], cursor: "e1-6" };
  await section.refetch();
  section.apply([event("e1-6")]);
  assert.deepEqual(ids(), ["13", "12"]);
  section.apply([event("e2-1")]);
  assert.deepEqual(ids(), ["e2-1", "13", "12"]);
});

test("a queue is read again when its figures change or its members move", () => {
  const state = { items: [] };
  const told = [];
  const section = new Section({ load: async () => state, reduce: reducer(helpQueue) });
  section.data = state;
  section.refetchSoon = () => told.push("read");
  for (const type of ["queue.changed", "visit.started", "visit.bulk_ended"]) section.apply([{ type, data: {} }]);
  assert.equal(told.length, 3);
});

test("what the reader may not see any more leaves the screen, and is asked for again with the next stream", async () => {
  let [status, reads] = [200, 0];
  const section = new Section({
    load: async () => {
      reads += 1;
      if (status !== 200) throw Object.assign(new Error("no"), { status });
      return { name: "Mia", cursor: "e-1" };
    },
    reduce: (data) => data,
  });
  const sleep = section.watch(() => {});
  await section.refetch();
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(section.data.name, "Mia");
  status = 503;
  await section.refetch();
  assert.equal(section.data.name, "Mia", "a house that is busy takes nothing away");
  status = 403;
  await section.refetch();
  assert.deepEqual([section.data, section.error.status], [null, 403]);
  let soon = 0;
  section.refetchSoon = () => { soon += 1; };
  refetchUnanchored();
  assert.equal(soon, 1);
  sleep();
  assert.ok(reads >= 3);
});

test("a change that the server refuses is taken back", async () => {
  const section = new Section({ load: async () => ({ n: 1 }) });
  section.data = { n: 1 };
  section.refetchSoon = () => {};
  const failing = section.optimistic((data) => ({ n: data.n + 1 }), async () => {
    assert.equal(section.data.n, 2);
    throw new Error("no");
  });
  await assert.rejects(failing);
  assert.equal(section.data.n, 1);
});

test("places and whereabouts are read again when they may have changed, and no more often", () => {
  const reads = (map, state, type, fields = {}) => {
    let told = 0;
    const section = new Section({ load: async () => state, reduce: reducer(map) });
    section.data = state;
    section.refetchSoon = () => { told += 1; };
    section.apply([{ type, data: fields }]);
    return told;
  };
  assert.equal(reads(helpLine, { items: [] }, "queue.changed"), 1);
  const [inside, between] = [{ present: true, room: { id: "1" } }, { present: true, room: null }];
  assert.equal(reads(whereReduce, inside, "room.occupancy_changed", { room_id: "1" }), 1);
  assert.equal(reads(whereReduce, inside, "room.occupancy_changed", { room_id: "2" }), 0);
  assert.equal(reads(whereReduce, inside, "house.counts_changed"), 0);
  assert.equal(reads(whereReduce, between, "room.occupancy_changed", { room_id: "2" }), 1);
  assert.equal(reads(whereReduce, between, "house.counts_changed"), 1);
  const one = (fields) => reads(rooms, board(), "room.occupancy_changed", { room_id: "1", count: 5, capacity: 30, run_id: "7", ...fields });
  assert.deepEqual([one({}), one({ run_id: "8" }), one({ run_id: null }), one({ count: 4 }), one({ room_id: "9" })], [0, 1, 1, 1, 1]);
});

test("who is online is read anew at news of it, and never from the list of one topic alone", () => {
  const list = { count: 2, users: [{ person_id: "1", role: "staff" }, { person_id: "3", role: "member" }] };
  for (const type of ["presence.list_changed", "presence.updated", "user.status_changed", "account.signed_in"]) {
    // To a colleague's topic no member belongs, and to a group's no colleague.
    const next = apply(online)(list, type, { count: 1, users: [{ user_id: "1", display_name: "Eva", role: "staff" }] });
    assert.deepEqual(next, stale(list), type);
  }
  assert.deepEqual(apply(online)(list, "account.signed_out", { user_id: "3" }), stale({ ...list, users: [list.users[0]] }));
});
