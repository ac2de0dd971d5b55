// Every word on the pages in the reader's language (Fluent), and every number, time and date by
// the same language (Intl). Words of the trade differ by the house's profile.
import { serverNow } from "./live.js";
import { Shared } from "./store.js";
import { FluentBundle, FluentResource } from "./ui.js";

export const LANGUAGES = ["de", "en"];

/** The language of this page; views are drawn anew when it changes. */
export const language = new Shared("de");

const house = { profile: "school", zone: undefined };
let bundle = null;
let formats = {};

/** What was fetched of the catalogues: a language that is here needs no network. */
const fetched = new Map();

async function catalogue(name) {
  if (!fetched.has(name)) {
    const answer = await fetch(new URL(`./text/${name}`, import.meta.url));
    if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
    fetched.set(name, await answer.text());
  }
  return fetched.get(name);
}

/** Fetches the words of every language, so that each can be spoken while the network is away. */
export async function keepTexts(end) {
  await Promise.allSettled(LANGUAGES.map((lang) => catalogue(`${lang}.${end}`)));
}

/** Loads the words of `lang`; a page that needs few of them has a catalogue of its own. */
export async function loadText(lang, end = "ftl") {
  const known = LANGUAGES.includes(lang) ? lang : "en";
  const next = new FluentBundle(known, { useIsolating: false });
  next.addResource(new FluentResource(await catalogue(`${known}.${end}`)));
  bundle = next;
  formats = {};
  document.documentElement.lang = known;
  language.set(known);
}

/** Changes the language on this device, at once; the server's pages follow by the cookie. */
export async function switchLanguage(lang) {
  await loadText(lang);
  document.cookie = `daybook_lang=${lang}; path=/; max-age=31536000; samesite=lax`;
}

/** Returns the language that this page is not in. */
export function otherLanguage() {
  return LANGUAGES.find((lang) => lang !== language.value);
}

/** Tells the texts which house this is: its words and its time zone. */
export function setHouse({ profile, zone }) {
  house.profile = profile;
  house.zone = zone;
  formats = {};
}

/** Returns the text of `key`; a missing key shows itself rather than nothing. */
export function t(key, args) {
  const message = bundle?.getMessage(key);
  if (!message?.value) return key;
  return bundle.formatPattern(message.value, { profile: house.profile, ...args }, []);
}

/** Returns whether the catalogue has `key`. */
export function hasText(key) {
  return Boolean(bundle?.getMessage(key)?.value);
}

/** Times, numbers and lists are written as in Britain: 24 hours, and no full stop behind "hr". */
function format(name, make) {
  formats[name] ??= make(language.value === "en" ? "en-GB" : language.value);
  return formats[name];
}

function dateFormat(name, options) {
  return format(name, (lang) => new Intl.DateTimeFormat(lang, { timeZone: house.zone, ...options }));
}

const moment = (time) => new Date(typeof time === "string" ? Date.parse(time) : time);

/** 10:42 */
export function clock(time) {
  return dateFormat("clock", { hour: "2-digit", minute: "2-digit" }).format(moment(time));
}

/** 10:42:07 */
export function clockSeconds(time) {
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  return dateFormat("seconds", options).format(moment(time));
}

/** Friday 20 November */
export function longDay(time) {
  return dateFormat("day", { weekday: "long", day: "numeric", month: "long" }).format(moment(time));
}

/** 20 Nov 2026, 10:42:07 */
export function exact(time) {
  return dateFormat("exact", { dateStyle: "medium", timeStyle: "medium" }).format(moment(time));
}

/** 10:42:07, and its day where that is not today: as short as "3 min ago", so that nothing moves for it. */
export function precise(time) {
  return longDay(time) === longDay(serverNow()) ? clockSeconds(time) : exact(time);
}

export function number(value) {
  return format("number", (lang) => new Intl.NumberFormat(lang)).format(value);
}

/** 2:05, or 1:02:05 from an hour on. */
export function wait(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** "3 min ago" by the server's clock. */
export function ago(time) {
  const seconds = Math.round((moment(time).getTime() - serverNow()) / 1000);
  if (Math.abs(seconds) < 45) return t("just-now");
  const relative = format("relative", (lang) =>
    new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" }));
  if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (Math.abs(seconds) < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}

/** Orders names as the reader's language does. */
export function byName(a, b) {
  const order = format("order", (lang) => new Intl.Collator(lang, { numeric: true }));
  return order.compare(a.display_name ?? a.name, b.display_name ?? b.name);
}

/** Returns `text` without case and accents, so that "muller" finds "Müller". */
export function plain(text) {
  return text.toLowerCase().replaceAll("ß", "ss").normalize("NFD").replace(/\p{Mn}/gu, "");
}

/** Joins a list as a sentence does: "A, B and C". */
export function listed(items) {
  return format("list", (lang) => new Intl.ListFormat(lang)).format(items);
}
