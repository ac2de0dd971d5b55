// A wall loads itself anew, since nobody stands there to do it: each night, and when the house has
// other pages. Only when the house answers with what would be shown, and for one reason only once:
// a wall that shows its last picture is better than a browser's error, or than one that flickers.
import { me } from "./here.js";
import { link, onEvent, serverNow } from "./live.js";

/** When a house sleeps, by its own clock. */
const NIGHT = "03:30";
const LOOK_MS = 30_000;
const REMEMBERED = "daybook.renewed";

/** The half of its day in which a moment of the house is, `2026-11-20 03:29`; later halves are greater. */
function halfOf(local) {
  const [day, clock] = local.split(" ");
  return `${day} ${clock < NIGHT ? "before" : "by-day"}`;
}

export class Renewal {
  /**
   * @param {object} world
   * @param {() => string} world.local the house's time now, as `2026-11-20 03:29`
   * @param {string} world.own the version of this page
   * @param {() => Promise<string | null>} world.offered the version that a reload would bring, null for no answer
   * @param {(reason: string) => boolean} world.first whether this is not the reason of the last reload
   * @param {() => void} world.reload
   */
  constructor(world) {
    this.world = world;
    this.half = null;
    this.asked = false;
  }

  /** The house is there, or back, and may be another one now. Its time is known from here on. */
  back() {
    this.half ??= halfOf(this.world.local());
    this.asked = true;
    return this.look();
  }

  /** Looks whether a night has come or the house is back; both wait until there is an answer. */
  async look() {
    const half = halfOf(this.world.local());
    const night = this.half !== null && half > this.half && half.endsWith("by-day");
    if (!night && !this.asked) return;
    const offered = await this.world.offered();
    if (offered === null) return;
    this.asked = false;
    if (night) this.half = half;
    const reason = offered !== this.world.own ? offered : night && half;
    if (reason && this.world.first(reason)) this.world.reload();
  }
}

/** Returns the version of the pages in the text of one; null when it is none of ours. */
const versionIn = (text) => /\/a\/(\w+)\/app\.js"/.exec(text)?.[1] ?? null;

/** How long an answer is waited for, in milliseconds: less than until the next look. */
const ANSWER_MS = 20_000;

/** Asks for the page as a wall that nobody touches, and returns its version, if it is one of ours. */
async function offered() {
  const headers = { "daybook-background": "1" };
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    const answer = await fetch("/wall", { cache: "no-store", credentials: "same-origin", headers, signal });
    return answer.ok ? versionIn(await answer.text()) : null;
  } catch {
    return null;
  }
}

/** Remembers why this tab was loaded anew; where that cannot be kept, nothing is. */
function first(reason) {
  try {
    if (sessionStorage.getItem(REMEMBERED) === reason) return false;
    sessionStorage.setItem(REMEMBERED, reason);
    return true;
  } catch {
    return false;
  }
}

/** 2026-11-20 03:30, in every language: for comparing, and not for reading. */
export function localMinute(time, zone) {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  return format.format(time);
}

/** Sees to it that a wall is never older than a day, nor than its house; returns how to stop. */
export function renewWall() {
  const [, , own] = new URL(import.meta.url).pathname.split("/");
  const renewal = new Renewal({
    own, offered, first, local: () => localMinute(serverNow(), me.value.house.zone), reload: () => location.reload(),
  });
  const timer = setInterval(() => renewal.look(), LOOK_MS);
  // The stream may have been there before this module was.
  if (link.value.link === "live") renewal.back();
  const deaf = onEvent(({ type }) => type === "stream.connected" && renewal.back());
  return () => {
    clearInterval(timer);
    deaf();
  };
}
