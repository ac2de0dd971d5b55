// The way of a scan from the badge to the house: kept first, sent in the order of tapping, forgotten
// when it was answered. Nothing is lost and nothing happens twice, whatever breaks in between: a
// scan keeps its id, and the house answers a repeat as the first time.

const BATCH_MAX = 100;
const SAME_TAP_MS = 1_500;
const WAIT_MIN_MS = 1_000;
const WAIT_MAX_MS = 60_000;
const SHUT_OUT_MS = 60_000;
/** Where the clock has gone on so much further than the counter, the tablet slept. */
const SLEEP_MS = 30_000;
/** What only the house says; a proxy on the way has no such codes. */
const HOUSE_CODE = /^\w+(\.\w+)+$/;
const NO_TAP = { tag: null, at: -Infinity };
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Returns a ULID: ids of later taps are greater. */
export function ulid(ms) {
  let [left, time] = [ms, ""];
  for (let place = 0; place < 10; place += 1) {
    time = LETTERS[left % 32] + time;
    left = Math.floor(left / 32);
  }
  return time + Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => LETTERS[byte % 32]).join("");
}

/** Whether the house refuses a scan among several, and does not say which: smaller calls find it. */
const isUnnamed = ({ status, body }) => status === 422 && HOUSE_CODE.test(body?.code) && !body.field;

/** The scan that the house will never take: the one that it names, or the only one. */
function badOf(scans, answer) {
  const { status, body } = answer;
  if (![400, 422].includes(status) || !HOUSE_CODE.test(body?.code)) return null;
  const named = /^scans\[(\d+)\]/.exec(body.field ?? "");
  if (named) return scans[Number(named[1])];
  return isUnnamed(answer) && scans.length === 1 ? scans[0] : null;
}

export class Queue {
  /** How many wait, how many the house would not take, and since when (by `now`) the oldest waits. */
  counts = { waiting: 0, refused: 0 };
  lastSeq = 0;
  #of;
  #last = NO_TAP;
  #limit = BATCH_MAX;
  #failures = 0;
  #timer = null;
  #sending = null;
  #triedAt = -Infinity;
  /** Whose pause it is: what may end it before its time depends on that. */
  #pausedBy = null;

  /**
   * `send(scans)` resolves to `{status, body, retryAfterS}`, status 0 for no answer; `onKept`
   * gets a scan before it can be answered, `onResults` the results of scans, `onRefused` one that
   * the house will never take; `onCounts` hears that the counts have changed; `most()` tells how
   * many may wait.
   */
  constructor({ keep, send, boot, most, onKept = () => {}, onResults, onRefused = () => {}, onCounts = (counts) => {}, now = () => performance.now(), wall = Date.now, random = Math.random }) {
    this.#of = { keep, send, boot, most, onKept, onResults, onRefused, onCounts, now, wall, random };
  }

  /** Keeps a tap and sets out to send it; null when it is the one before once more. Fails when it cannot be kept. */
  async tap(tag) {
    const { boot, onKept, now, wall } = this.#of;
    const at = now();
    if (tag === this.#last.tag && at - this.#last.at < SAME_TAP_MS) return null;
    this.#last = { tag, at };
    const scan = { scan_id: ulid(wall()), tag, boot, at, wall: wall() };
    await this.#add(scan);
    // At once: what is being sent right now may take this scan along and have its answer first.
    onKept(scan);
    this.#hurry();
    await this.#count();
    return scan;
  }

  async #add(scan) {
    try {
      this.lastSeq = await this.#of.keep.add(scan, this.#of.most());
    } catch (error) {
      if (this.#last.tag === scan.tag) this.#last = NO_TAP;
      // What waits may leave now and make room.
      this.#hurry();
      throw error;
    }
  }

  /** Sends all that waits, unless that is being done or the house asked for patience. */
  async flush() {
    if (this.#timer && this.#pausedBy === "house") return;
    this.#sending ??= this.#sendAll().finally(() => { this.#sending = null; });
    await this.#sending;
  }

  /** Tells for how many seconds the oldest scan has waited; null when the memory does not say. */
  async oldestAgeS() {
    const { keep, wall } = this.#of;
    const [oldest] = await keep.oldest(1).catch(() => [null]);
    if (oldest === null) return null;
    return oldest ? Math.max(0, Math.round((wall() - oldest.wall) / 1000)) : 0;
  }

  /** A new tap need not wait for the end of a long pause, only for a second after the last try. */
  #hurry() {
    if (!this.#timer) return void this.flush();
    if (this.#pausedBy === "network") this.#pause(Math.max(0, this.#triedAt + WAIT_MIN_MS - this.#of.now()), "network");
  }

  async #sendAll() {
    clearTimeout(this.#timer);
    this.#timer = null;
    await this.#count();
    for (;;) {
      const scans = await this.#of.keep.oldest(this.#limit);
      if (scans.length === 0) return;
      this.lastSeq = Math.max(this.lastSeq, scans.at(-1).seq);
      this.#triedAt = this.#of.now();
      const answer = await this.#of.send(scans.map((scan) => this.#wire(scan)));
      if (!await this.#settle(scans, answer)) return;
    }
  }

  /** Acts upon an answer; says whether to go on at once. */
  async #settle(scans, answer) {
    const { keep, onResults } = this.#of;
    const { status } = answer;
    const results = answer.body?.results;
    // Only an answer about these very scans is one: not what a network's sign-in page says.
    if (results?.length === scans.length && results.every(({ scan_id: id }, place) => id === scans[place].scan_id)) {
      await keep.drop(scans);
      this.#failures = 0;
      this.#limit = Math.min(BATCH_MAX, this.#limit * 2);
      await this.#count();
      onResults(results);
      return true;
    }
    const bad = badOf(scans, answer);
    if (bad) return this.#setAside(bad, answer.body.code);
    if (status === 413 || isUnnamed(answer)) this.#limit = Math.ceil(scans.length / 2);
    if (isUnnamed(answer)) return true;
    if (status === 401 || status === 403) this.#pause(SHUT_OUT_MS, "key");
    else this.#backOff(status < 300 ? { status: 0 } : answer);
    return false;
  }

  async #setAside(scan, code) {
    const { keep, onRefused } = this.#of;
    await keep.refuse(scan, code);
    await this.#count();
    onRefused(scan);
    return true;
  }

  #backOff({ status, retryAfterS }) {
    const wait = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** this.#failures) * (0.8 + 0.4 * this.#of.random());
    this.#failures = Math.min(this.#failures + 1, 6);
    this.#pause(Math.max(wait, (retryAfterS ?? 0) * 1000), status === 0 ? "network" : "house");
  }

  #pause(ms, by) {
    clearTimeout(this.#timer);
    this.#pausedBy = by;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.flush();
    }, ms);
  }

  /** The counter since this start is right whatever the clock says, unless it stood still in a sleep. */
  #wire({ scan_id, tag, seq, boot, at, wall }) {
    const age = Math.max(0, Math.round(this.#of.now() - at));
    const slept = this.#of.wall() - wall - age > SLEEP_MS;
    const when = boot === this.#of.boot && !slept ? { age_ms: age } : { scanned_at: new Date(wall).toISOString() };
    return { scan_id, tag, seq, ...when };
  }

  /** Only for the screen and the heartbeat: a failure here is no reason to stop. */
  async #count() {
    try {
      this.counts = await this.#of.keep.counts();
    } catch {
      return;
    }
    this.#of.onCounts(this.counts);
  }
}
