// The tabs of one browser agree on one stream.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HIDDEN_MS, Tabs } from "../../../assets/tabs.js";

/** A browser with tabs, one channel and a clock that the test turns. */
function browser() {
  const tabs = [];
  let time = 0;
  let count = 0;
  const timers = new Map();
  const setTimer = (run, ms) => {
    count += 1;
    timers.set(count, { run, at: time + ms });
    return count;
  };
  const open = (id) => {
    const tab = { id, visible: true, leading: false, heard: [], from: undefined };
    const channel = {
      onmessage: null,
      postMessage: (data) => tabs.filter((other) => other !== tab && !other.closed).forEach((other) => other.channel.onmessage({ data })),
    };
    tab.channel = channel;
    tab.machine = new Tabs({
      channel, id, setTimer, clearTimer: (timer) => timers.delete(timer), random: () => 0,
      visible: () => tab.visible,
      report: () => ({ state: { link: "live" }, cursor: tab.cursor ?? null }),
      onLead: (cursor) => { tab.leading = true; tab.from = cursor; },
      onFollow: () => { tab.leading = false; },
      onMessage: (message) => tab.heard.push(message),
    });
    tabs.push(tab);
    tab.machine.start();
    return tab;
  };
  const pass = (ms) => {
    const end = time + ms;
    for (;;) {
      const next = [...timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!next) break;
      timers.delete(next[0]);
      time = Math.max(time, next[1].at);
      next[1].run();
    }
    time = end;
  };
  return { open, pass, leaders: () => tabs.filter((tab) => tab.leading && !tab.closed).map((tab) => tab.id) };
}

test("ten tabs open one stream", () => {
  const { open, pass, leaders } = browser();
  for (let n = 0; n < 10; n += 1) {
    open(`tab-${n}`);
    pass(n % 3 === 0 ? 0 : 700);
  }
  pass(5000);
  assert.equal(leaders().length, 1);
});

test("what the leader hears is passed to every tab", () => {
  const { open, pass } = browser();
  const first = open("a");
  pass(400);
  const second = open("b");
  pass(400);
  first.machine.pass({ kind: "event", event: { type: "x" }, cursor: "e1-4" });
  assert.deepEqual(second.heard.at(-1).event, { type: "x" });
  assert.equal(second.machine.cursor, "e1-4");
});

test("when the leader leaves, another tab goes on from the last cursor", () => {
  const { open, pass, leaders } = browser();
  const first = open("a");
  pass(400);
  const second = open("b");
  pass(400);
  first.cursor = "e1-9";
  pass(2500);
  first.machine.leave();
  first.closed = true;
  pass(500);
  assert.deepEqual(leaders(), ["b"]);
  assert.equal(second.from, "e1-9");
});

test("a leader that dies without a word is replaced", () => {
  const { open, pass, leaders } = browser();
  const first = open("a");
  pass(400);
  open("b");
  pass(400);
  first.closed = true;
  first.channel.postMessage = () => {};
  first.machine.leading = false;
  pass(6000);
  assert.deepEqual(leaders(), ["b"]);
});

test("a hidden leader gives the stream to a visible tab, and alone closes it", () => {
  const { open, pass, leaders } = browser();
  const first = open("a");
  pass(400);
  const second = open("b");
  pass(400);
  first.visible = false;
  first.machine.hidden();
  pass(HIDDEN_MS - 1000);
  assert.deepEqual(leaders(), ["a"]);
  pass(2000);
  assert.deepEqual(leaders(), ["b"]);
  second.visible = false;
  second.machine.hidden();
  pass(HIDDEN_MS + 1000);
  assert.deepEqual(leaders(), []);
  first.visible = true;
  first.machine.shown();
  pass(500);
  assert.deepEqual(leaders(), ["a"]);
});

test("a tab that must be heard keeps its stream while it is hidden", () => {
  const { open, pass, leaders } = browser();
  const first = open("a");
  first.machine.keep(true);
  pass(400);
  first.visible = false;
  first.machine.hidden();
  pass(HIDDEN_MS * 3);
  assert.deepEqual(leaders(), ["a"]);
});

test("two tabs that both think they lead agree at once", () => {
  const { open, pass, leaders } = browser();
  const first = open("a");
  const second = open("b");
  first.machine.leading = true;
  first.leading = true;
  second.machine.leading = true;
  second.leading = true;
  first.machine.lead();
  pass(3000);
  assert.deepEqual(leaders(), ["a"]);
});
