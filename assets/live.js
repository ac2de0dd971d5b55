// The live side of a page: one stream per browser, from the snapshot's cursor on. Events come in
// bursts and are handed to the sections once per frame (or at a slower pace on walls).
import { onSignedOut, randomKey } from "./api.js";
import { Link } from "./link.js";
import { dispatch, oldestCursor, onRead, refetchAll, refetchUnanchored, settled, Shared } from "./store.js";
import { Tabs, HIDDEN_MS } from "./tabs.js";

const STREAM = "/api/v1/events";
const CURSOR_WAIT_MS = 1_500;

/** {link: closed | reconnecting | live | none, retryAt, since, lifeAt, stale}; times of this machine. */
export const link = new Shared({ link: "closed", retryAt: null, since: null, lifeAt: null, stale: false });

let tabs = null;
let stream = null;
let offsetMs = null;
let paceMs = 0;
let waiting = [];
let flushTimer = null;
let hiddenAt = null;
const listeners = new Set();

/** Returns the server's time now; a house's clock, not the tablet's, dates everything. */
export function serverNow() {
  return Date.now() + (offsetMs ?? 0);
}

/** Learns the server's clock from a fresh answer. */
export function heardTime(text) {
  const heard = Date.parse(text);
  if (!Number.isNaN(heard)) offsetMs = heard - Date.now();
}

/** Calls `handle(event)` for every event, before the sections see it; returns how to stop. */
export function onEvent(handle) {
  listeners.add(handle);
  return () => listeners.delete(handle);
}

/** Sets how often a page may be painted: 0 is every frame, walls take 250. */
export function setPace(ms) {
  paceMs = ms;
}

/** Keeps the stream open while this tab is hidden. */
export function keepOpen(kept) {
  tabs?.keep(kept);
}

export function retryNow() {
  stream?.retryNow();
  tabs?.askRetry();
}

/** Starts once per page; `session` names the channel, so that two sign-ins never mix. */
export function startLive(session, signedOut) {
  stream = new Link({
    open: openStream,
    onEvent: (event) => {
      tabs.pass({ kind: "event", event, cursor: stream.cursor });
      take(event);
    },
    onState: (state) => {
      link.set(state);
      tabs.pass({ kind: "state", state, cursor: stream.cursor });
    },
    onResync: () => {
      tabs.pass({ kind: "resync" });
      refetchAll();
    },
    onSignedOut: signedOut,
  });
  tabs = new Tabs({
    channel: new BroadcastChannel(`daybook.live.${session}`),
    id: randomKey(),
    visible: () => document.visibilityState === "visible",
    report: () => ({ state: stream.state, cursor: stream.cursor }),
    onLead: (cursor) => whenCursor((own) => tabs.leading && stream.start(cursor ?? own)),
    onFollow: () => stream.stop(),
    onMessage: follow,
  });
  onSignedOut(signedOut);
  // Until the stream is open, the first snapshot tells the house's time.
  onRead((asOf) => offsetMs === null && heardTime(asOf));
  watchPage();
  tabs.start();
}

function follow(message) {
  if (message.kind === "event") take(message.event);
  if (message.kind === "resync") refetchAll();
  if (message.kind === "retry" && tabs.leading) stream.retryNow();
  if (message.state && !tabs.leading) link.set(message.state);
}

/** Waits a moment for the page's snapshots, so that nothing between them and the stream is missed. */
function whenCursor(start, until = Date.now() + CURSOR_WAIT_MS) {
  if (settled() || Date.now() >= until) start(oldestCursor());
  else setTimeout(() => whenCursor(start, until), 25);
}

function watchPage() {
  addEventListener("online", retryNow);
  addEventListener("pagehide", () => tabs.leave());
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      tabs.shown();
      refetchAll();
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      hiddenAt = Date.now();
      tabs.hidden();
      flush();
      return;
    }
    const asleep = hiddenAt !== null && Date.now() - hiddenAt > HIDDEN_MS;
    hiddenAt = null;
    tabs.shown();
    retryNow();
    if (asleep) refetchAll();
  });
}

async function openStream(after, signal) {
  const query = after ? `?after=${encodeURIComponent(after)}` : "";
  const answer = await fetch(STREAM + query, {
    signal, cache: "no-store", credentials: "same-origin", headers: { accept: "text/event-stream" },
  });
  const retryAfterS = Number(answer.headers.get("retry-after")) || 0;
  return { status: answer.status, retryAfterS, chunks: answer.ok ? texts(answer.body) : [] };
}

async function* texts(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function take(event) {
  if (event.type === "stream.connected") {
    heardTime(event.data.server_time);
    refetchUnanchored();
  }
  if (event.ts && Date.parse(event.ts) > serverNow()) heardTime(event.ts);
  for (const handle of listeners) handle(event);
  waiting.push(event);
  if (flushTimer !== null) return;
  flushTimer = true;
  // A hidden page gets no animation frames, so a timer stands in.
  if (paceMs > 0 || document.visibilityState === "hidden") setTimeout(flush, paceMs || 100);
  else requestAnimationFrame(flush);
}

function flush() {
  flushTimer = null;
  const events = waiting;
  waiting = [];
  dispatch(events);
}
