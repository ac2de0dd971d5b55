// The kiosk's queue and its ear for badges, without a browser.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Queue, ulid } from "../../../assets/kiosk-queue.js";
import { Wedge } from "../../../assets/kiosk-wedge.js";

/** A tablet's memory that outlives its queues. */
class Memory {
  scans = [];
  refused = [];
  #seq = 0;

  async add(scan, most) {
    if (this.scans.length >= most) throw new Error("full");
    this.scans.push({ ...scan, seq: this.#seq += 1 });
    return this.#seq;
  }

  async oldest(limit) { return this.scans.slice(0, limit); }

  async drop(scans) { this.scans = this.scans.filter(({ seq }) => !scans.some((one) => one.seq === seq)); }

  async refuse(scan, code) {
    await this.drop([scan]);
    this.refused.push({ tag: scan.tag, code });
  }

  async counts() { return { waiting: this.scans.length, refused: this.refused.length }; }
}

const taken = (scans) => ({ status: 200, body: { results: scans.map(({ scan_id }) => ({ scan_id })) } });
/** Lets everything run that waits for nothing but its turn. */
const turn = async () => { for (let n = 0; n < 50; n += 1) await Promise.resolve(); };

function rig({ keep = new Memory(), boot = "b1", answer = taken } = {}) {
  const made = { keep, calls: [], results: [], kept: [], refused: [], at: 10_000, slept: 0, most: 2_000, answer };
  made.queue = new Queue({
    keep, boot, most: () => made.most, now: () => made.at, wall: () => 1_700_000_000_000 + made.at + made.slept, random: () => 0.5,
    onKept: (scan) => made.kept.push(scan.scan_id), onResults: (results) => made.results.push(...results),
    onRefused: (scan) => made.refused.push(scan.tag),
    send: async (scans) => {
      made.calls.push(scans);
      return made.answer(scans);
    },
  });
  return made;
}

test("ids are ULIDs, later ones greater", () => {
  assert.match(ulid(1_700_000_000_000), /^01HF7YAT00[0-9A-HJKMNP-TV-Z]{16}$/);
  assert.ok(ulid(1_700_000_000_001).slice(0, 10) > ulid(1_700_000_000_000).slice(0, 10));
});

test("a tap is kept first, sent with its age, and forgotten when answered", async () => {
  const one = rig();
  let keptFirst = null;
  one.answer = (scans) => {
    keptFirst = one.keep.scans.length;
    return taken(scans);
  };
  const scan = await one.queue.tap("AABB");
  await turn();
  assert.equal(keptFirst, 1);
  assert.deepEqual(one.calls, [[{ scan_id: scan.scan_id, tag: "AABB", seq: 1, age_ms: 0 }]]);
  assert.deepEqual(one.results, [{ scan_id: scan.scan_id }]);
  assert.deepEqual(one.queue.counts, { waiting: 0, refused: 0 });
});

test("the same badge within 1.5 s is one tap, another one is not", async () => {
  const one = rig();
  await one.queue.tap("AABB");
  one.at += 1_000;
  assert.equal(await one.queue.tap("AABB"), null);
  assert.ok(await one.queue.tap("CCDD"));
  assert.ok(await one.queue.tap("AABB"));
  one.at += 1_500;
  assert.ok(await one.queue.tap("AABB"));
});

test("a tap that could not be kept is no tap: the same badge may be held again at once", async () => {
  const one = rig();
  const { add } = Memory.prototype;
  one.keep.add = async () => { throw new Error("full"); };
  await assert.rejects(one.queue.tap("AABB"));
  assert.deepEqual(one.kept, []);
  one.keep.add = add;
  one.at += 300;
  assert.ok(await one.queue.tap("AABB"));
  assert.equal(one.kept.length, 1);
});

test("a badge that is held twice while it is being kept is one tap", async () => {
  const one = rig();
  const [first, second] = await Promise.all([one.queue.tap("AABB"), one.queue.tap("AABB")]);
  assert.ok(first);
  assert.equal(second, null);
  assert.equal(one.kept.length, 1);
});

test("who held a badge is known before any answer can come, also while others are being sent", async () => {
  const one = rig();
  let answered;
  one.answer = (scans) => new Promise((resolve) => { answered = () => resolve(taken(scans)); });
  await one.queue.tap("AABB");
  await turn();
  const { counts } = Memory.prototype;
  one.keep.counts = () => {
    one.keep.counts = counts;
    return new Promise(() => {});
  };
  one.queue.tap("CCDD");
  await turn();
  one.answer = (scans) => {
    assert.equal(one.kept.at(-1), scans[0].scan_id);
    return taken(scans);
  };
  answered();
  await turn();
  assert.deepEqual(one.results.map(({ scan_id: id }) => id), one.kept);
  assert.equal(one.kept.length, 2);
});

test("a count that fails neither loses a tap nor stops the sending", async () => {
  const one = rig();
  one.keep.counts = async () => { throw new Error("closed"); };
  assert.ok(await one.queue.tap("AABB"));
  await turn();
  assert.equal(one.results.length, 1);
});

test("a memory that does not answer leaves the age of the oldest scan unsaid", async () => {
  const one = rig({ answer: () => ({ status: 401 }) });
  assert.equal(await one.queue.oldestAgeS(), 0);
  one.keep.oldest = async () => { throw new Error("closed"); };
  assert.equal(await one.queue.oldestAgeS(), null);
});

test("what could not be sent goes later, in order, a hundred at a time, with the same ids; over a start by the clock", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const one = rig({ answer: () => ({ status: 0 }) });
  const ids = [];
  for (let n = 0; n < 150; n += 1) ids.push((await one.queue.tap(`AA${n + 100}`)).scan_id);
  await turn();
  mock.timers.reset();
  const two = rig({ keep: one.keep, boot: "b2" });
  await two.queue.flush();
  assert.deepEqual(two.calls.map((scans) => scans.length), [100, 50]);
  assert.deepEqual(two.calls.flat().map((scan) => scan.scan_id), ids);
  assert.equal(two.calls[0][0].scanned_at, new Date(1_700_000_010_000).toISOString());
  assert.equal(two.calls[0][0].age_ms, undefined);
  assert.deepEqual(one.keep.scans, []);
});

test("what was held before the tablet slept is sent with its time, since the counter stood still", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  for (const [slept, sent] of [[30_000, { age_ms: 5_000 }], [30_001, { scanned_at: new Date(1_700_000_010_000).toISOString() }], [-90_000, { age_ms: 5_000 }]]) {
    const one = rig({ answer: () => ({ status: 0 }) });
    await one.queue.tap("AABB");
    await turn();
    one.at += 5_000;
    one.slept = slept;
    mock.timers.tick(1_000);
    await turn();
    const { scan_id: _, tag: __, seq: ___, ...when } = one.calls[1][0];
    assert.deepEqual(when, sent, `${slept} ms`);
  }
  mock.timers.reset();
});

test("pauses double up to a minute, and what the house asks for goes before", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const one = rig({ answer: () => ({ status: 503 }) });
  await one.queue.tap("AABB");
  await turn();
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    const before = one.calls.length;
    mock.timers.tick(seconds * 1000 - 1);
    await turn();
    assert.equal(one.calls.length, before, `${seconds} s were not waited for`);
    mock.timers.tick(1);
    await turn();
    assert.equal(one.calls.length, before + 1, `nothing after ${seconds} s`);
  }
  one.answer = () => ({ status: 429, retryAfterS: 90 });
  mock.timers.tick(60_000);
  await turn();
  const asked = one.calls.length;
  // Neither a new tap nor a network that is back makes it impatient.
  await one.queue.tap("CCDD");
  await one.queue.flush();
  mock.timers.tick(89_999);
  await turn();
  assert.equal(one.calls.length, asked);
  one.answer = taken;
  mock.timers.tick(1);
  await turn();
  assert.deepEqual(one.keep.scans, []);
  mock.timers.reset();
});

test("a new tap need not wait for the end of a long pause without a network", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const one = rig({ answer: () => ({ status: 0 }) });
  await one.queue.tap("AABB");
  await turn();
  for (const seconds of [1, 2, 4]) {
    mock.timers.tick(seconds * 1000);
    await turn();
  }
  one.at += 5_000;
  one.answer = taken;
  await one.queue.tap("CCDD");
  mock.timers.tick(0);
  await turn();
  assert.deepEqual(one.calls.at(-1).map((scan) => scan.tag), ["AABB", "CCDD"]);
  assert.deepEqual(one.keep.scans, []);
  mock.timers.reset();
});

test("a scan that the house will never take is put aside, named or not, and the others go", async () => {
  for (const named of [true, false]) {
    mock.timers.enable({ apis: ["setTimeout"] });
    const one = rig({ answer: () => ({ status: 0 }) });
    for (const tag of ["AAAA", "BBBB", "bad", "CCCC", "DDDD"]) await one.queue.tap(tag);
    await turn();
    one.answer = (scans) => {
      const place = scans.findIndex((scan) => scan.tag === "bad");
      const field = named ? `scans[${place}].tag` : undefined;
      return place < 0 ? taken(scans) : { status: 422, body: { code: "request.invalid", field } };
    };
    mock.timers.tick(1_000);
    await turn();
    await turn();
    assert.deepEqual(one.keep.refused, [{ tag: "bad", code: "request.invalid" }]);
    assert.deepEqual(one.refused, ["bad"]);
    assert.deepEqual(one.results.length, 4);
    assert.deepEqual(one.queue.counts, { waiting: 0, refused: 1 });
    mock.timers.reset();
  }
});

test("an error that names no scan puts none aside, however often it comes", async () => {
  const errors = [
    { status: 400, body: null }, { status: 413, body: null }, { status: 422, body: { message: "no" } },
    { status: 413, body: { code: "request.too_large" } },
    { status: 400, body: { code: "request.malformed", field: "lang" } },
    { status: 422, body: { code: "request.invalid", field: "scans" } },
  ];
  for (const error of errors) {
    mock.timers.enable({ apis: ["setTimeout"] });
    const one = rig({ answer: () => error });
    for (const tag of ["AAAA", "BBBB", "CCCC"]) await one.queue.tap(tag);
    for (let n = 0; n < 8; n += 1) {
      await turn();
      mock.timers.tick(60_000);
    }
    await turn();
    assert.deepEqual([one.keep.refused, one.refused, one.keep.scans.length], [[], [], 3], JSON.stringify(error));
    one.answer = taken;
    mock.timers.tick(60_000);
    await turn();
    assert.deepEqual(one.results.length, 3);
    mock.timers.reset();
  }
});

test("a call that is too large is made again as smaller ones", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const one = rig({ answer: () => ({ status: 0 }) });
  for (const tag of ["AAAA", "BBBB", "CCCC", "DDDD"]) await one.queue.tap(tag);
  await turn();
  one.answer = (scans) => (scans.length > 2 ? { status: 413, body: null } : taken(scans));
  for (let n = 0; n < 6; n += 1) {
    mock.timers.tick(60_000);
    await turn();
  }
  assert.deepEqual(one.keep.scans, []);
  mock.timers.reset();
});

test("what is no answer about these scans forgets none", async () => {
  for (const body of [null, {}, { results: [] }, { results: [{ scan_id: "of another call" }] }]) {
    mock.timers.enable({ apis: ["setTimeout"] });
    const one = rig({ answer: () => ({ status: 200, body }) });
    await one.queue.tap("AABB");
    await turn();
    assert.equal(one.keep.scans.length, 1);
    one.answer = taken;
    mock.timers.tick(1_000);
    await turn();
    assert.deepEqual(one.keep.scans, []);
    mock.timers.reset();
  }
});

test("a full memory refuses the next badge aloud and throws away nothing; with room the same badge counts", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const one = rig({ answer: () => ({ status: 0 }) });
  one.most = 2;
  await one.queue.tap("AABB");
  await one.queue.tap("CCDD");
  await turn();
  one.answer = taken;
  await assert.rejects(one.queue.tap("EEFF"));
  assert.deepEqual(one.kept.length, 2, "nobody is told that it was kept");
  assert.deepEqual(one.keep.scans.map(({ tag }) => tag), ["AABB", "CCDD"]);
  // It need not wait for the end of a long pause: what waits leaves as soon as the network lets it.
  one.at += 1_000;
  await assert.rejects(one.queue.tap("EEFF"));
  mock.timers.tick(0);
  await turn();
  assert.equal(one.results.length, 2);
  await one.queue.tap("EEFF");
  await turn();
  assert.deepEqual(one.calls.flat().map(({ tag }) => tag).slice(-3), ["AABB", "CCDD", "EEFF"]);
  mock.timers.reset();
});

test("whoever is shut out keeps everything and asks each minute", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const one = rig({ answer: () => ({ status: 401 }) });
  await one.queue.tap("AABB");
  await turn();
  one.at += 10_000;
  await one.queue.tap("CCDD");
  mock.timers.tick(59_999);
  await turn();
  assert.equal(one.calls.length, 1);
  assert.equal(one.keep.scans.length, 2);
  mock.timers.tick(1);
  await turn();
  assert.equal(one.calls.length, 2);
  // A new key opens the door at once.
  one.answer = taken;
  await one.queue.flush();
  assert.deepEqual(one.keep.scans, []);
  mock.timers.reset();
});

/** Types `text` with a key each `gap` ms; returns what the last key ended. */
function type(wedge, text, gap, inField, from = 1_000) {
  let ended = null;
  [...text].forEach((key, place) => { ended = wedge.key(key === "\n" ? "Enter" : key, from + place * gap, inField); });
  return ended;
}

test("a reader types faster than a person; only a field has to tell them apart", () => {
  assert.equal(type(new Wedge(), "04A1B2C3\n", 10, true), "04A1B2C3");
  assert.equal(type(new Wedge(), "04A1B2C3\n", 80, true), null);
  assert.equal(type(new Wedge(), "04A1B2C3\n", 80, false), "04A1B2C3");
  assert.equal(type(new Wedge(), "B2C3\n", 10, true), null, "the end of a number that came with a halt");
  assert.equal(type(new Wedge(), "04A1B2C3\n", 400, false), null);
  assert.equal(type(new Wedge(), "abc\n", 10, false), null);
  assert.equal(type(new Wedge(), `${"A".repeat(41)}\n`, 10, false), null);
});

test("keys before a badge are no part of it, and Shift is no key of it", () => {
  const wedge = new Wedge();
  type(wedge, "x", 10, false, 0);
  assert.equal(type(wedge, "04A1B2C3\n", 10, false, 5_000), "04A1B2C3");
  wedge.key("Shift", 9_000, false);
  assert.equal(type(wedge, "AABB\n", 10, false, 9_001), "AABB");
});
