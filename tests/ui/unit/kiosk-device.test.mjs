// What a tablet does with its key and its heartbeat, against a house made up here.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

// Once for all: a timer of one test is cleared in the next.
mock.timers.enable({ apis: ["setTimeout"] });
globalThis.addEventListener ??= () => {};
const { beat, call, startDevice, state } = await import("../../../assets/kiosk-device.js");

const CONFIG = { mode: "kiosk" };
/** What the house answers by path; a function gets the key that was shown. */
let house = {};
let shown = [];
let memory;
let told;

const reply = (status, body) => new Response(body && JSON.stringify(body), { status });
const pulse = (commands = []) => reply(200, { next_s: 60, server_time: new Date().toISOString(), commands, config_etag: null });
/** Lets everything run that waits for nothing but its turn, bodies of answers too. */
const turn = async () => { for (let n = 0; n < 20; n += 1) await new Promise((resolve) => { setImmediate(resolve); }); };

beforeEach(async () => {
  shown = [];
  house = { "/heartbeat": () => pulse(), "/place": () => reply(200, {}), "/config": () => reply(200, CONFIG) };
  globalThis.fetch = async (url, { headers }) => {
    const [path, key] = [url.replace("/api/v1/device", ""), headers.authorization.replace("Bearer ", "")];
    shown.push([path, key]);
    return house[path](key);
  };
  memory = { device: { key: "old", nextKey: null, config: CONFIG } };
  told = { beat: async () => ({ queue_depth: 0 }), heard: () => {}, identify: () => {}, reboot: () => {} };
  state.set({ ...state.value, key: null, nextKey: null, shutOut: false, up: true });
  const keep = { get: async (name) => memory[name], put: async (name, value) => { memory[name] = value; } };
  await startDevice(keep, "1", told);
});

const beats = () => shown.filter(([path]) => path === "/heartbeat").length;

/** A call with the old key that is answered when the test says so. */
function slow(path) {
  let answer;
  house[path] = (key) => (key === "old" ? new Promise((resolve) => { answer = resolve; }) : reply(200, {}));
  return { made: call("POST", path), answer: (status) => answer(reply(status, {})) };
}

test("a call under way when the key is rolled is made again with the new one, and nobody is sent to the office", async () => {
  const late = slow("/scans");
  house["/heartbeat"] = (key) => pulse(key === "old" ? [{ id: "1", kind: "roll_key", key: "new" }] : []);
  house["/commands/1/ack"] = () => reply(200, {});
  const shutOut = [];
  const unwatch = state.watch(() => shutOut.push(state.value.shutOut));
  await beat();
  assert.equal(state.value.key, "new");
  late.answer(401);
  assert.equal((await late.made).status, 200);
  unwatch();
  assert.deepEqual(shown.filter(([path]) => path === "/scans").map(([, key]) => key), ["old", "new"]);
  assert.ok(!shutOut.includes(true));
});

test("two calls under way with a new key do not bring the old one back", async () => {
  state.set({ ...state.value, key: "old", nextKey: "new" });
  let second;
  house["/scans"] = (key) => (key === "new" && !second ? new Promise((resolve) => { second = resolve; }) : reply(200, {}));
  const late = call("POST", "/scans");
  await turn();
  await call("GET", "/place");
  assert.deepEqual([state.value.key, state.value.nextKey], ["new", null]);
  second(reply(401, {}));
  await late;
  assert.equal(state.value.key, "new");
  assert.equal(memory.device.key, "new");
});

test("a key that nobody takes shuts the tablet out; a new one that is not taken gives way to the old", async () => {
  house["/scans"] = () => reply(401, {});
  state.set({ ...state.value, key: "old", nextKey: "new" });
  assert.equal((await call("POST", "/scans")).status, 401);
  assert.deepEqual(shown.map(([, key]) => key), ["new", "old"]);
  assert.ok(state.value.shutOut);
});

test("heartbeats go on when the tablet cannot say how it is, or its memory fails", async () => {
  told.beat = async () => { throw new Error("closed"); };
  await beat().catch(() => {});
  told.beat = async () => ({ queue_depth: 0 });
  mock.timers.tick(60_000);
  await turn();
  assert.equal(beats(), 1);
  house["/heartbeat"] = () => Promise.reject(new Error("away"));
  mock.timers.tick(60_000);
  await turn();
  assert.equal(beats(), 2);
  house["/heartbeat"] = () => pulse();
  mock.timers.tick(5_000);
  await turn();
  assert.equal(beats(), 3);
});
