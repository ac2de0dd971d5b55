// The stream's state machine, driven without a browser and without waiting.
import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, FrameParser, Link, SILENCE_MS, STALE_AFTER_MS } from "../../../assets/link.js";

test("frames are found whatever the chunks and line ends", () => {
  const text = "retry: 2000\nid: e1-7\nevent: a.b\ndata: {\"x\":1}\n\n: comment\nid: e1-9\n\ndata: one\ndata: two\n\n";
  const whole = new FrameParser().push(text);
  assert.deepEqual(whole[0], { retry: "2000", id: "e1-7", event: "a.b", data: "{\"x\":1}" });
  assert.deepEqual(whole[1], { id: "e1-9" });
  assert.deepEqual(whole[2], { data: "one\ntwo" });
  for (const ends of ["\n", "\r\n"]) {
    const parser = new FrameParser();
    const pieces = [...text.replaceAll("\n", ends)].flatMap((letter) => parser.push(letter));
    assert.deepEqual(pieces, whole, JSON.stringify(ends));
  }
});

test("the wait grows from one second to thirty and never beyond", () => {
  assert.equal(backoffMs(1, () => 0), 1000);
  assert.equal(backoffMs(1, () => 1), 2000);
  assert.equal(backoffMs(3, () => 1), 5000);
  for (let failures = 1; failures < 500; failures += 1) {
    const wait = backoffMs(failures, () => 0.999);
    assert.ok(wait >= 1000 && wait <= 30_000, `${failures}: ${wait}`);
  }
});

/** A world with a hand-driven clock and streams that the test writes into. */
function world() {
  const made = {
    time: 1_000_000, timers: new Map(), opened: [], states: [], events: [], resyncs: 0, signedOut: 0, status: 200, retryAfterS: 0,
  };
  let count = 0;
  const link = new Link({
    now: () => made.time,
    random: () => 0.5,
    setTimer: (run, ms) => {
      count += 1;
      made.timers.set(count, { run, at: made.time + ms });
      return count;
    },
    clearTimer: (timer) => made.timers.delete(timer),
    open: async (after, signal) => {
      const stream = pipe(signal);
      made.opened.push({ after, stream });
      if (made.status === "down") throw new TypeError("network");
      return { status: made.status, retryAfterS: made.retryAfterS, chunks: stream.chunks };
    },
    onEvent: (event) => made.events.push(event),
    onState: (state) => made.states.push(state),
    onResync: () => { made.resyncs += 1; },
    onSignedOut: () => { made.signedOut += 1; },
  });
  made.link = link;
  made.state = () => made.states.at(-1);
  made.settle = () => new Promise((resolve) => setImmediate(resolve));
  made.write = async (text) => {
    made.opened.at(-1).stream.write(text);
    await made.settle();
  };
  made.end = async () => {
    made.opened.at(-1).stream.end();
    await made.settle();
  };
  made.pass = async (ms) => {
    made.time += ms;
    for (const [key, timer] of [...made.timers]) {
      if (timer.at > made.time || !made.timers.has(key)) continue;
      made.timers.delete(key);
      timer.run();
    }
    await made.settle();
  };
  return made;
}

function pipe(signal) {
  const waiting = [];
  let wake = () => {};
  const push = (item) => {
    waiting.push(item);
    wake();
  };
  signal.addEventListener("abort", () => push({ done: true }));
  async function* chunks() {
    for (;;) {
      while (waiting.length === 0) await new Promise((resolve) => { wake = resolve; });
      const item = waiting.shift();
      if (item.done) return;
      yield item.text;
    }
  }
  return { chunks: chunks(), write: (text) => push({ text }), end: () => push({ done: true }) };
}

const connected = (cursor) => `event: stream.connected\ndata: {"type":"stream.connected","data":{"topics":[],"cursor":"${cursor}","server_time":"2026-11-20T10:30:00.000Z"}}\n\n`;

test("a stream opens at the snapshot's cursor and resumes at the last id, heartbeats included", async () => {
  const made = world();
  made.link.start("e1-5");
  await made.settle();
  assert.equal(made.opened[0].after, "e1-5");
  await made.write(connected("e1-5"));
  assert.equal(made.state().link, "live");
  await made.write("id: e1-6\nevent: visit.started\ndata: {\"type\":\"visit.started\",\"data\":{\"visit_id\":\"1\"}}\n\n");
  assert.equal(made.events.at(-1).data.visit_id, "1");
  await made.write("id: e1-9\n\n");
  await made.end();
  assert.equal(made.state().link, "reconnecting");
  assert.equal(made.state().retryAt, made.time + 1500);
  await made.pass(1500);
  assert.equal(made.opened[1].after, "e1-9");
});

test("it comes back for ever, says no connection after half a minute, and recovers", async () => {
  const made = world();
  made.link.start("e1-1");
  await made.settle();
  await made.write(connected("e1-1"));
  made.status = "down";
  await made.pass(10_000);
  await made.end();
  assert.equal(made.state().link, "reconnecting");
  for (let hour = 0; hour < 200; hour += 1) await made.pass(30_000);
  assert.equal(made.state().link, "none");
  assert.ok(made.opened.length > 100, String(made.opened.length));
  made.status = 200;
  await made.pass(30_000);
  await made.write(connected("e1-1"));
  assert.equal(made.state().link, "live");
  assert.equal(made.state().since, null);
  assert.equal(made.opened.at(-1).after, "e1-1");
});

test("silence is noticed and the stream opened anew", async () => {
  const made = world();
  made.link.start("e1-1");
  await made.settle();
  await made.write(connected("e1-1"));
  await made.pass(SILENCE_MS - 1000);
  await made.write("id: e1-2\n\n");
  await made.pass(SILENCE_MS - 1000);
  assert.equal(made.state().link, "live");
  await made.pass(1000);
  assert.equal(made.state().link, "reconnecting");
  await made.pass(2000);
  assert.equal(made.opened.length, 2);
});

const bye = (reason, ms) => `event: bye\ndata: {"type":"bye","data":{"reason":"${reason}","retry_ms":${ms}}}\n\n`;

test("a farewell is answered by coming back when it says, and nobody is told of it", async () => {
  const made = world();
  made.link.start("e1-1");
  await made.settle();
  await made.write(connected("e1-1"));
  const told = made.states.length;
  // Each stream is short, as when runs are started and ended one after the other.
  for (let count = 1; count <= 5; count += 1) {
    await made.write(bye("rights", 400));
    await made.pass(399);
    assert.equal(made.opened.length, count);
    await made.pass(1);
    assert.equal(made.opened.length, count + 1);
    await made.write(connected("e1-1"));
  }
  assert.deepEqual([...new Set(made.states.slice(told).map((state) => `${state.link} ${state.stale}`))], ["live false"]);
  assert.equal(made.link.failures, 0);
  await made.pass(STALE_AFTER_MS);
  assert.deepEqual([made.state().link, made.state().stale], ["live", false]);
});

test("a server that says farewell and stays away is told after two seconds", async () => {
  const made = world();
  made.link.start("e1-1");
  await made.settle();
  await made.write(connected("e1-1"));
  await made.write(bye("shutdown", 1000));
  made.status = "down";
  await made.pass(1000);
  assert.equal(made.opened.length, 2);
  assert.deepEqual([made.state().link, made.state().stale], ["live", false]);
  await made.pass(STALE_AFTER_MS - 1000);
  assert.deepEqual([made.state().link, made.state().stale], ["reconnecting", true]);
  await made.pass(30_000);
  assert.equal(made.state().link, "none");
});

test("a stream that breaks is told at once, and its figures are called old after two seconds", async () => {
  const made = world();
  made.link.start("e1-1");
  await made.settle();
  await made.write(connected("e1-1"));
  made.status = "down";
  await made.end();
  assert.deepEqual([made.state().link, made.state().stale], ["reconnecting", false]);
  await made.pass(STALE_AFTER_MS);
  assert.deepEqual([made.state().link, made.state().stale], ["reconnecting", true]);
  made.status = 200;
  await made.pass(10_000);
  await made.write(connected("e1-1"));
  assert.deepEqual([made.state().link, made.state().stale], ["live", false]);
  made.link.stop();
  assert.equal(made.timers.size, 0);
});

test("a gap that cannot be filled asks for the snapshots and goes on from the new cursor", async () => {
  const made = world();
  made.link.start("old-1");
  await made.settle();
  await made.write(`${connected("e2-40")}event: resync\ndata: {"type":"resync","data":{"reason":"epoch","cursor":"e2-40"}}\n\n`);
  assert.equal(made.resyncs, 1);
  await made.end();
  await made.pass(2000);
  assert.equal(made.opened.at(-1).after, "e2-40");
});

test("a session that has ended leads to the sign-in page and no further try", async () => {
  const made = world();
  made.status = 401;
  made.link.start("e1-1");
  await made.settle();
  assert.equal(made.signedOut, 1);
  await made.pass(60_000);
  assert.equal(made.opened.length, 1);
});

test("a refusal with Retry-After is respected", async () => {
  const made = world();
  made.status = 503;
  made.retryAfterS = 12;
  made.link.start("e1-1");
  await made.settle();
  await made.pass(11_000);
  assert.equal(made.opened.length, 1);
  await made.pass(1_000);
  assert.equal(made.opened.length, 2);
});

test("broken data in a frame breaks nothing", async () => {
  const made = world();
  made.link.start("e1-1");
  await made.settle();
  await made.write(`${connected("e1-1")}id: e1-2\nevent: x\ndata: {oops\n\n`);
  assert.equal(made.state().link, "live");
  assert.equal(made.link.cursor, "e1-2");
});
