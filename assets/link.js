// The state machine of one event stream: open, read, notice silence, come back for ever. It knows
// neither the browser nor the network; both are handed in, so that a test can drive it.
//
// The stream is read by fetch and not by EventSource, for two things that EventSource hides: the
// heartbeat (an id without data fires nothing there) and the status of a refusal.

/** Two heartbeats are 15 s apart; a little more than one of them without a byte is silence. */
export const SILENCE_MS = 17_000;
const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;
/** A stream that lived this long was a good one: the next failure starts from the shortest wait. */
const SETTLED_MS = 5_000;
/** After this long without a stream the pill says "no connection". */
const LOST_AFTER_MS = 30_000;
/** Who is back within this long was not away: what a page shows is not called old before. */
export const STALE_AFTER_MS = 2_000;

/** Splits a text/event-stream into frames, whatever the chunks. */
export class FrameParser {
  constructor() {
    this.rest = "";
    this.frame = {};
  }

  /** Returns the frames that `text` completes; an id alone is a frame too (the heartbeat). */
  push(text) {
    const frames = [];
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (Object.keys(this.frame).length > 0) frames.push(this.frame);
        this.frame = {};
      } else if (!line.startsWith(":")) {
        this.field(line);
      }
    }
    return frames;
  }

  field(line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data" && "data" in this.frame) this.frame.data += `\n${value}`;
    else if (name === "data" || name === "event" || name === "id" || name === "retry") {
      this.frame[name] = value;
    }
  }
}

/** Returns the wait before try number `failures`: at least 1 s, and jitter that doubles to 30 s. */
export function backoffMs(failures, random) {
  const jitter = random() * BACKOFF_MIN_MS * 2 ** Math.max(0, failures - 1);
  return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS + jitter);
}

export class Link {
  /**
   * @param {object} world
   * @param {(after: string | null, signal: AbortSignal) => Promise<object>} world.open
   *   answers {status, retryAfterS, chunks}, `chunks` an async iterable of text
   * @param {(event: object) => void} world.onEvent every event with data
   * @param {(state: object) => void} world.onState {link, retryAt, since, lifeAt, stale}
   * @param {() => void} world.onResync the gap cannot be filled: load snapshots again
   * @param {() => void} world.onSignedOut the session has ended
   */
  constructor(world) {
    this.world = {
      now: () => Date.now(), random: () => Math.random(),
      setTimer: (run, ms) => setTimeout(run, ms), clearTimer: (timer) => clearTimeout(timer),
      ...world,
    };
    this.cursor = null;
    this.failures = 0;
    this.state = { link: "closed", retryAt: null, since: null, lifeAt: null, stale: false };
    this.current = null;
    this.timer = null;
    this.silence = null;
    this.ageing = null;
    this.asked = false;
  }

  /** Opens the stream after `cursor`; does nothing while one is open. */
  start(cursor) {
    if (this.current || this.timer) return;
    this.cursor ??= cursor ?? null;
    this.connect();
  }

  /** Closes the stream on purpose; the cursor stays, so that `start` resumes. */
  stop() {
    this.drop();
    this.tell({ link: "closed", retryAt: null, stale: false });
  }

  /** Tries at once: the network came back, the page is looked at, or a person pressed Retry. */
  retryNow() {
    if (!this.timer) return;
    this.world.clearTimer(this.timer);
    this.timer = null;
    this.connect();
  }

  drop() {
    this.world.clearTimer(this.timer);
    this.world.clearTimer(this.silence);
    this.timer = null;
    this.stopAgeing();
    this.current?.abort();
    this.current = null;
  }

  async connect() {
    const current = new AbortController();
    this.current = current;
    this.tell({ link: this.failing(), retryAt: null });
    this.listenForSilence(current);
    let next = {};
    try {
      const answer = await this.world.open(this.cursor, current.signal);
      if (this.current !== current) return;
      next = await this.read(answer, current);
    } catch { /* a network error: try again */ }
    if (this.current !== current) return;
    this.world.clearTimer(this.silence);
    this.current = null;
    if (next.signedOut) {
      this.stopAgeing();
      this.tell({ link: "none", retryAt: null });
      this.world.onSignedOut();
    } else {
      this.retryLater(next);
    }
  }

  /** Reads until the stream ends; returns how to go on. */
  async read(answer, current) {
    if (answer.status === 401) return { signedOut: true };
    if (answer.status !== 200) return { waitMs: answer.retryAfterS * 1000 };
    const parser = new FrameParser();
    for await (const text of answer.chunks) {
      if (this.current !== current) return {};
      this.listenForSilence(current);
      for (const frame of parser.push(text)) {
        const bye = this.take(frame);
        if (bye) {
          current.abort();
          this.current = current;
          return bye;
        }
      }
      this.tell({ lifeAt: this.world.now() });
    }
    return {};
  }

  /** Handles one frame; returns how to go on when it is a farewell. */
  take(frame) {
    if (frame.id) this.cursor = frame.id;
    if (frame.data === undefined) return null;
    let event;
    try {
      event = JSON.parse(frame.data);
    } catch {
      return null;
    }
    const type = event.type ?? frame.event;
    const data = event.data ?? event;
    if (type === "bye") return { bye: true, waitMs: data.retry_ms || 500 + this.world.random() * 1000 };
    if (type === "stream.connected") this.connected(data);
    if (type === "resync") {
      this.cursor = data.cursor ?? this.cursor;
      this.world.onResync();
    }
    this.world.onEvent({ ...event, type, data });
    return null;
  }

  connected(data) {
    this.cursor ??= data.cursor ?? null;
    const now = this.world.now();
    this.openedAt = now;
    this.stopAgeing();
    this.tell({ link: "live", retryAt: null, since: null, lifeAt: now, stale: false });
  }

  /** Comes back after a while. A farewell is no failure: the server says when, and means it. */
  retryLater({ waitMs = 0, bye = false } = {}) {
    const now = this.world.now();
    if (this.openedAt && now - this.openedAt >= SETTLED_MS) this.failures = 0;
    this.openedAt = null;
    if (!bye) this.failures += 1;
    const asked = bye || (waitMs > 0 && this.failures === 1);
    const wait = asked ? waitMs : Math.max(waitMs, backoffMs(this.failures, this.world.random));
    this.age(bye);
    this.tell({ since: this.state.since ?? this.state.lifeAt ?? now });
    this.tell({ link: this.failing(), retryAt: now + wait });
    this.timer = this.world.setTimer(() => {
      this.timer = null;
      this.connect();
    }, wait);
  }

  /** From here on what is shown grows old; after a farewell nobody is told before it is. */
  age(bye) {
    if (this.ageing || this.state.stale) return;
    this.asked = bye && this.state.link === "live";
    this.ageing = this.world.setTimer(() => {
      this.stopAgeing();
      this.tell({ link: this.failing(), stale: true });
    }, STALE_AFTER_MS);
  }

  stopAgeing() {
    this.world.clearTimer(this.ageing);
    this.ageing = null;
    this.asked = false;
  }

  failing() {
    if (this.asked) return "live";
    const { since } = this.state;
    return since !== null && this.world.now() - since >= LOST_AFTER_MS ? "none" : "reconnecting";
  }

  listenForSilence(current) {
    this.world.clearTimer(this.silence);
    this.silence = this.world.setTimer(() => {
      if (this.current !== current) return;
      current.abort();
      this.current = null;
      this.retryLater();
    }, SILENCE_MS);
  }

  tell(change) {
    this.state = { ...this.state, ...change };
    this.world.onState(this.state);
  }
}
