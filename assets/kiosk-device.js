// What a tablet is to the house: enrolled by a code, known by its key, heard of once a minute, and
// told what to do (docs/devices.md).
import { randomKey } from "./api.js";
import { heardTime } from "./live.js";
import { Shared } from "./store.js";

const ROOT = "/api/v1/device";
const TIMEOUT_MS = 10_000;
const BEAT_MS = 60_000;
const SOON_MS = 5_000;

/** {key, config, place, shutOut, up, since}; `up` says whether the house answered last time. */
export const state = new Shared({ key: null, config: null, place: null, shutOut: false, up: true, since: null });

export const boot = randomKey();

let keep = null;
let about = {};
let etag = null;
let beating = null;
let failures = 0;
let handlers = {};

const change = (fields) => state.set({ ...state.value, ...fields });

/** Reads what the tablet knows; `on` is `{beat() -> fields, heard(), identify(), reboot()}`. */
export async function startDevice(kept, version, on) {
  keep = kept;
  handlers = on;
  const serial = await keep.get("serial") ?? `T${randomKey().slice(0, 10).toUpperCase()}`;
  await keep.put("serial", serial);
  about = { serial, model: "Tablet", firmware: `kiosk ${version}` };
  const device = await keep.get("device");
  if (device) change(device);
  addEventListener("online", beat);
  addEventListener("offline", () => heard(0));
}

/** Joins the house by a code; resolves to the answer. */
export async function enroll(code) {
  const answer = await ask("POST", "/enroll", { code, ...about });
  if (answer.status !== 201) return answer;
  const { key, config } = answer.body;
  etag = null;
  await keep.put("device", { key, config });
  change({ key, nextKey: null, config, place: null, shutOut: false });
  await beat();
  return answer;
}

const keyNow = () => state.value.nextKey ?? state.value.key;

/** Calls the house with the tablet's key; resolves to {status, body, etag, retryAfterS}, status 0 for no answer. */
export async function call(method, path, body, headers) {
  const used = keyNow();
  const answer = await ask(method, path, body, { ...headers, authorization: `Bearer ${used}` });
  const good = answer.status >= 200 && answer.status < 300;
  const { key, nextKey } = state.value;
  if (nextKey && used === nextKey) {
    if (good) await useKey(nextKey, null);
    else if (answer.status === 401) await useKey(key, null);
  }
  // Another call may have brought a new key into use while this one was under way.
  if (answer.status === 401 && used !== keyNow()) return call(method, path, body, headers);
  // At the PIN, 403 speaks of the person and not of the tablet.
  if (answer.status === 401 || (answer.status === 403 && path !== "/privileged")) change({ shutOut: true });
  else if (good) change({ shutOut: false });
  return answer;
}

async function useKey(key, nextKey) {
  const { config } = state.value;
  await keep.put("device", { key, nextKey, config });
  change({ key, nextKey });
}

async function ask(method, path, body, more = {}) {
  const headers = { accept: "application/json", ...more };
  if (body) headers["content-type"] = "application/json";
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
  try {
    // Whoever is signed in on this browser has nothing to do with it.
    /** @type {RequestInit} */
    const request = { method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store" };
    const answer = await fetch(ROOT + path, { ...request, signal: limit.signal });
    const text = await answer.text();
    const said = json(text);
    // What is no answer of the house, such as a network's sign-in page, is none.
    const { status } = answer.ok && text && !said ? { status: 0 } : answer;
    heard(status);
    return {
      status, body: said, etag: answer.headers.get("etag")?.replaceAll('"', ""),
      retryAfterS: Number(answer.headers.get("retry-after")) || 0,
    };
  } catch {
    heard(0);
    return { status: 0, body: null, retryAfterS: 0 };
  } finally {
    clearTimeout(timer);
  }
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function heard(status) {
  const up = status > 0;
  if (up !== state.value.up) change({ up, since: up ? null : Date.now() });
}

/** Says how the tablet is, and does what it is told; comes again by itself. */
export async function beat() {
  clearTimeout(beating);
  if (!state.value.key) return;
  // Whatever fails below, the next one comes.
  beating = setTimeout(beat, BEAT_MS);
  const answer = await call("POST", "/heartbeat", {
    boot_id: boot, firmware: about.firmware, uptime_s: Math.round(performance.now() / 1000),
    device_time: new Date().toISOString(), ...await handlers.beat(),
  });
  clearTimeout(beating);
  const good = answer.status === 200;
  failures = good ? 0 : failures + 1;
  const wait = good ? answer.body.next_s * 1000 : Math.min(BEAT_MS, SOON_MS * 2 ** (failures - 1));
  beating = setTimeout(beat, Math.max(state.value.shutOut ? BEAT_MS : wait, answer.retryAfterS * 1000));
  if (!good) return;
  heardTime(answer.body.server_time);
  handlers.heard();
  await obey(answer.body.commands);
  if (answer.body.config_etag !== etag) await readConfig();
  await readPlace();
}

const ORDERS = {
  identify: () => handlers.identify(),
  reload: readConfig,
  roll_key: ({ key }) => useKey(state.value.key, key),
  reboot: () => {},
};

async function obey(commands) {
  for (const command of commands) {
    await ORDERS[command.kind]?.(command);
    await call("POST", `/commands/${command.id}/ack`);
    if (command.kind === "reboot") handlers.reboot();
  }
}

async function readConfig() {
  const answer = await call("GET", "/config");
  if (answer.status !== 200) return;
  ({ etag } = answer);
  const { key, nextKey } = state.value;
  await keep.put("device", { key, nextKey, config: answer.body });
  change({ config: answer.body });
}

/** Reads where the tablet hangs, and what takes place there. */
export async function readPlace() {
  const answer = await call("GET", "/place");
  if (answer.status === 200) change({ place: answer.body });
}

/** Takes over how full the room is, from the answer to a scan. */
export function filled({ room_id: id, count, capacity }) {
  const { place } = state.value;
  if (place?.room?.id === id) change({ place: { ...place, room: { ...place.room, count, capacity } } });
}
