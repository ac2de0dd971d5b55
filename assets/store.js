// What a page shows: plain data in sections. A section loads a snapshot once, then applies events
// with a pure function; whoever watches it is told when its version moved.

/** Data that an event changed, but of which only the server knows the rest. */
class Stale {
  constructor(data) {
    this.data = data;
  }
}

/** What a reducer returns to show `data` now and read the snapshot again soon. */
export function stale(data) {
  return new Stale(data);
}

/** Makes one reducer of maps from event type to a pure function `(data, fields, event) -> data`. */
export function reducer(...maps) {
  return (data, event) => {
    let next = data;
    let refetch = false;
    for (const map of maps) {
      const result = map[event.type]?.(next, event.data, event) ?? next;
      refetch ||= result instanceof Stale;
      next = result instanceof Stale ? result.data : result;
    }
    return refetch ? stale(next) : next;
  };
}

const REFETCH_GAP_MS = 1000;

const active = new Set();

/** Applies a batch of events to every section on screen; each draws at most once. */
export function dispatch(events) {
  for (const section of active) section.apply(events);
}

let heardAt = (asOf) => {};

/** Registers who is told the moment at which a snapshot was true. */
export function onRead(handle) {
  heardAt = handle;
}

/** Loads every section on screen anew: after a resync, or when the page comes back. */
export function refetchAll() {
  for (const section of active) section.refetchSoon();
}

/** Returns whether every section on screen has had its first answer. */
export function settled() {
  return active.size > 0 && [...active].every((section) => section.version > 0);
}

const place = (cursor) => Number(cursor.slice(cursor.lastIndexOf("-") + 1));
const epoch = (cursor) => cursor.slice(0, cursor.lastIndexOf("-"));

/** Returns whether what was read at `cursor` holds this event already; a signal has no id. */
function isIn(cursor, { id }) {
  return Boolean(cursor && id) && epoch(id) === epoch(cursor) && place(id) <= place(cursor);
}

/** Returns the oldest cursor of the snapshots on screen: from there on a stream misses nothing. */
export function oldestCursor() {
  const cursors = [...active].map((section) => section.cursor).filter(Boolean);
  return cursors.sort((a, b) => place(a) - place(b))[0] ?? null;
}

/** Reads the lists that have no cursor anew: a stream that has just begun may have missed some. */
export function refetchUnanchored() {
  for (const section of active) if (!section.cursor && section.live) section.refetchSoon();
}

export class Section {
  /**
   * @param {object} parts
   * @param {(signal: AbortSignal) => Promise<any>} parts.load reads the snapshot
   * @param {(data: object, event: object) => object} [parts.reduce] pure; see `reducer`
   */
  constructor({ load, reduce }) {
    this.load = load;
    this.live = reduce !== undefined;
    this.reduce = reduce ?? ((data) => data);
    this.data = null;
    this.error = null;
    this.version = 0;
    this.cursor = null;
    this.watchers = new Set();
    this.reading = null;
    this.again = false;
    this.timer = null;
    this.readAt = 0;
  }

  /** Calls `told` after each change, until the returned function is called. */
  watch(told) {
    this.watchers.add(told);
    if (this.watchers.size === 1) {
      active.add(this);
      this.refetch();
    }
    return () => {
      this.watchers.delete(told);
      if (this.watchers.size === 0) this.sleep();
    };
  }

  sleep() {
    active.delete(this);
    clearTimeout(this.timer);
    this.timer = null;
    this.reading?.abort();
    this.reading = null;
  }

  /** Reads the snapshot now. Events that arrive meanwhile cause one more read. */
  async refetch() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.reading) {
      this.again = true;
      return;
    }
    const reading = new AbortController();
    this.reading = reading;
    this.again = false;
    this.readAt = Date.now();
    try {
      const data = await this.load(reading.signal);
      if (this.reading !== reading) return;
      heardAt(data?.as_of);
      this.data = data;
      this.cursor = data?.cursor ?? this.cursor;
      this.error = null;
    } catch (error) {
      if (this.reading !== reading) return;
      this.error = error;
      if (error.status === 403) this.forget();
    }
    this.reading = null;
    this.changed();
    if (this.again) this.refetchSoon();
  }

  /** What the reader may not see any more does not stay on the screen; with the next stream it is asked for anew. */
  forget() {
    this.data = null;
    this.cursor = null;
  }

  /** Reads the snapshot soon, at most once a second. */
  refetchSoon() {
    if (this.timer || this.watchers.size === 0) return;
    const wait = Math.max(0, this.readAt + REFETCH_GAP_MS - Date.now());
    this.timer = setTimeout(() => this.refetch(), wait);
  }

  apply(events) {
    if (this.data === null) {
      this.again = this.reading !== null;
      return;
    }
    let data = this.data;
    for (const event of events) {
      // It came by the stream after the snapshot that tells of it.
      if (isIn(this.cursor, event)) continue;
      const next = this.reduce(data, event);
      if (next instanceof Stale) this.refetchSoon();
      data = next instanceof Stale ? next.data : next;
    }
    if (data === this.data) return;
    this.data = data;
    if (this.reading) this.again = true;
    this.changed();
  }

  /**
   * Shows `change` at once, then asks the server. When it refuses, the old state comes back and
   * the error is thrown on.
   */
  async optimistic(change, ask) {
    const before = this.data;
    const shown = change(before);
    this.data = shown;
    this.changed();
    try {
      return await ask();
    } catch (error) {
      if (this.data === shown) this.data = before;
      this.changed();
      this.refetchSoon();
      throw error;
    }
  }

  changed() {
    this.version += 1;
    for (const told of this.watchers) told();
  }
}

/** A value that several views watch: the link, the toasts, the settings of this device. */
export class Shared {
  constructor(value) {
    this.value = value;
    this.watchers = new Set();
  }

  watch(told) {
    this.watchers.add(told);
    return () => this.watchers.delete(told);
  }

  set(value) {
    if (value === this.value) return;
    this.value = value;
    for (const told of this.watchers) told();
  }
}

/** Settings of this device; they survive a reload where the browser allows it. */
export function deviceSetting(name, fallback) {
  const key = `daybook.${name}`;
  let stored = null;
  try {
    stored = localStorage.getItem(key);
  } catch { /* storage may be off: the setting then lasts for the page */ }
  const shared = new Shared(stored ?? fallback);
  shared.watch(() => {
    try {
      localStorage.setItem(key, shared.value);
    } catch { /* as above */ }
  });
  return shared;
}
