// The small parts that every page is made of.
import { api, Problem } from "./api.js";
import { link, retryNow, serverNow } from "./live.js";
import { refetchAll, Shared } from "./store.js";
import { ago, clock, clockSeconds, exact, hasText, otherLanguage, precise, switchLanguage, t } from "./text.js";
import { html, Icon, useEffect, useKeys, useRef, useState, useTick, useWatch } from "./ui.js";

const TOAST_MS = 8_000;
const SKELETON_AFTER_MS = 150;

/** The state of the stream: a shape and a word, and the way back when it is lost. A wall is `silent`: nobody asked it to speak. */
export function Pill({ silent }) {
  const role = silent ? null : "status";
  useWatch(link);
  useTick(1000);
  const { link: state, retryAt } = link.value;
  if (state === "live") return html`<span class="pill" data-s="in" role=${role}>${t("link-live")}</span>`;
  if (state === "none") {
    return html`<span class="pill" data-s="help" role=${role}>${t("link-none")}
      <button class="pill-act" onClick=${retryNow}>${t("link-retry")}</button></span>`;
  }
  if (link.value.since === null) return html`<span class="pill" data-s="off" role=${role}>${t("link-connecting")}</span>`;
  const seconds = retryAt ? Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) : 0;
  return html`<span class="pill" data-s="away" role=${role}>${t("link-reconnecting")}
    ${seconds > 0 && html`<span aria-hidden="true">${t("seconds", { n: seconds })}</span>`}</span>`;
}

/** "as of 10:42:07": the last moment at which the view was known to be true; on paper with its day. */
export function AsOf({ section }) {
  useWatch(link);
  const { link: state, lifeAt } = link.value;
  const read = section.data?.as_of ? Date.parse(section.data.as_of) : 0;
  const heard = state === "live" && lifeAt ? lifeAt + (serverNow() - Date.now()) : 0;
  const at = Math.max(read, heard);
  // Its line is there before it is: what stands below does not jump.
  if (at === 0) return html`<span class="as-of" aria-hidden="true"> </span>`;
  return html`<span class="as-of"><span class="screen-only">${t("as-of", { time: clockSeconds(at) })}</span
    ><span class="print-only">${t("as-of", { time: exact(at) })}</span></span>`;
}

/** Says in words, above the page, that what it shows may be old; not for a moment that is over before it is read. */
export function StaleNote({ silent }) {
  useWatch(link);
  const { stale, since } = link.value;
  if (!stale || !since) return null;
  const time = clock(since + (serverNow() - Date.now()));
  return html`<p class="stale-note" data-s="away" role=${silent ? null : "status"}>${t("link-lost", { time })}</p>`;
}

/** The other language, one press away. */
export function LanguageSwitch() {
  const other = otherLanguage();
  return html`<button class="bare language-switch" lang=${other} aria-label=${t("language-other")} title=${t("language-other")} onClick=${() => attempt(() => switchLanguage(other))}><${Icon} name="languages" /></button>`;
}

/** The head of a page: its name, the link, the age, and what can be done. */
export function PageHead({ title, sub, section, children }) {
  useEffect(() => {
    document.title = t("title", { page: title });
  }, [title]);
  return html`<header class="page-head">
    <h1 tabindex="-1">${title}</h1>
    ${sub && html`<span class="sub">${sub}</span>`}
    ${section && html`<${Pill} /><${AsOf} section=${section} />`}
    <div class="acts">${children}</div>
  </header>`;
}

/** A state as shape, colour and word. */
export function Status({ state, children, strong }) {
  return html`<span class=${strong ? "pill strong" : "pill"} data-s=${state}>${children}</span>`;
}

export function initials(name) {
  const words = (name ?? "").trim().split(/\s+/);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "").join("");
}

export function Avatar({ name }) {
  return html`<span class="avatar" aria-hidden="true">${initials(name)}</span>`;
}

/**
 * "3 min ago". Exact on paper, by its title under a mouse, and where the focus is: in the row that has it,
 * and by a tap, which gives it to the time itself. It is no stop of the Tab key: a list of many would have
 * as many. `inAct` is for what stands in a button, which nothing may take the focus from.
 */
export function Ago({ at, inAct }) {
  useTick(30_000);
  return at && html`<time class="ago" dateTime=${at} title=${exact(at)} tabindex=${inAct ? null : -1}
    ><span class="screen-only rough">${ago(at)}</span><span class="screen-only exact">${precise(at)}</span><span class="print-only">${exact(at)}</span></time>`;
}

/** What will appear here, and the next step; never an empty table. */
export function Empty({ icon = "check", title, children }) {
  return html`<div class="empty"><${Icon} name=${icon} size=${32} />
    <p class="empty-title">${title}</p>${children}</div>`;
}

/** Grey lines in the size of the content, and only when it takes a while. */
export function Skeleton({ rows = 6 }) {
  const [shown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return html`<div class="skeleton" aria-busy="true">
    <span class="visually-hidden">${t("loading")}</span>
    ${shown && Array.from({ length: rows }, () => html`<i></i>`)}</div>`;
}

/** Draws `children(data)` once there is data; before it a skeleton, or why there is none. */
export function Loaded({ section, rows, children }) {
  if (section.data) return children(section.data);
  if (!section.error) return html`<${Skeleton} rows=${rows} />`;
  const missing = section.error.status === 404 || section.error.status === 403;
  return html`<${Empty} icon="triangle-alert" title=${explain(section.error)}>
    ${!missing && html`<button onClick=${() => section.refetch()}>${t("try-again")}</button>`}<//>`;
}

/** Returns what went wrong, in the reader's language, and never blames. The server's own sentence is for programmers. */
export function explain(problem) {
  if (!(problem instanceof Problem)) return t("problem-unknown");
  const key = `problem-${problem.code}`.replaceAll(/[._]/g, "-");
  const known = [`${key}-${problem.field}`.replaceAll("_", "-"), key].find(hasText);
  if (known) return t(known, { name: problem.details?.assigned_to?.display_name ?? "" });
  if (problem.status === 404) return t("problem-not-found");
  if (problem.status === 403) return t("problem-forbidden");
  if (problem.status === 429 || problem.status === 503) return t("problem-busy");
  return t(problem.status === 409 ? "problem-changed" : "problem-unknown");
}

const toasts = new Shared([]);
let toastCount = 0;

/** Says something for eight seconds; `act` is {label, run}, such as Undo. */
export function toast(text, act, tone = "plain") {
  toastCount += 1;
  toasts.set([...toasts.value.slice(-2), { key: toastCount, text, act, tone }]);
}

/** Runs what a person asked for; a failure says why and offers to try again. What has had no answer may be done: the page reads. */
export async function attempt(run) {
  try {
    return await run();
  } catch (problem) {
    const again = problem.status === 0 || problem.status >= 500 || problem.status === 429;
    if (problem.status === 0) refetchAll();
    toast(explain(problem), again ? { label: t("try-again"), run: () => attempt(run) } : null, "problem");
    return null;
  }
}

/** The open dialogs, the topmost last. What lies below it can neither be pressed nor heard: it bears the toasts. */
const dialogs = new Shared([]);

/** What was said lately; Ctrl-Z does the act of the newest, however far away its button is. */
export function Toasts({ host }) {
  useWatch(toasts);
  useWatch(dialogs);
  const here = dialogs.value.at(-1) === host;
  const close = (key) => toasts.set(toasts.value.filter((one) => one.key !== key));
  const act = (one) => {
    close(one.key);
    one.act.run();
  };
  useKeys((event) => {
    const newest = toasts.value.findLast((one) => one.act);
    const inField = event.target.closest?.("input, textarea, select");
    if (!here || !newest || inField || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    act(newest);
  });
  return here && html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map((one) => html`<${Toast} key=${one.key} one=${one} act=${() => act(one)} close=${() => close(one.key)} />`)}</div>`;
}

/** Where the focus was before it went to a toast. */
let before = null;

function Toast({ one, act, close }) {
  const [held, hold] = useState(false);
  const box = useRef(null);
  // The focus leaves before the toast does, or it is nowhere.
  const leaving = (run) => () => {
    const at = document.activeElement;
    if (box.current?.contains(at)) {
      const back = before?.isConnected ? before : document.querySelector("main h1");
      back?.focus({ preventScroll: !at.matches(":focus-visible") });
      before = null;
    }
    run();
  };
  const enter = ({ relatedTarget: from }) => {
    hold(true);
    if (from && !from.closest(".toasts")) before = from;
  };
  useEffect(() => {
    if (held) return undefined;
    const timer = setTimeout(leaving(close), TOAST_MS);
    return () => clearTimeout(timer);
  }, [held]);
  return html`<div class="toast" ref=${box} data-tone=${one.tone}
    onMouseEnter=${() => hold(true)} onMouseLeave=${() => hold(false)}
    onFocusIn=${enter} onFocusOut=${() => hold(false)}>
    <span>${one.text}</span>
    ${one.act && html`<button class="link" aria-keyshortcuts="Control+Z" onClick=${leaving(act)}>${one.act.label}</button>`}
    <button class="bare" aria-label=${t("close")} onClick=${leaving(close)}><${Icon} name="x" /></button></div>`;
}

/** What gets the focus in a dialog: its first field or act, else its title, and never the cross. */
const FIRST = ":scope > header ~ :is(a, button), :scope > header ~ :not(.toasts) :is(a, button, input, select, textarea)";

/** A modal dialog; Escape and the cross close it, focus goes back where it came from. */
export function Dialog({ title, close, children, wide }) {
  const dialog = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    dialogs.set([...dialogs.value, dialog]);
    if (!dialog.current.querySelector("[autofocus]")) (dialog.current.querySelector(FIRST) ?? dialog.current.querySelector("h2")).focus();
    // An act that goes when it is done takes the focus with it: then the title has it.
    const changes = new MutationObserver(() => document.activeElement === document.body && dialog.current?.querySelector("h2").focus());
    changes.observe(dialog.current, { childList: true, subtree: true });
    return () => {
      changes.disconnect();
      dialogs.set(dialogs.value.filter((one) => one !== dialog));
      if (before?.isConnected) before.focus();
    };
  }, []);
  return html`<dialog ref=${dialog} class=${wide ? "wide" : ""} aria-label=${title} onClose=${close}>
    <header><h2 tabindex="-1">${title}</h2>
      <button class="bare" aria-label=${t("close")} onClick=${close}><${Icon} name="x" /></button></header>
    ${children}<${Toasts} host=${dialog} /></dialog>`;
}

/** Loads the page anew, once the house can answer that. */
export const anew = () => api.get("/me").then(() => location.reload());

/** Stands where a view would that has not come, or has failed. */
export function Broken({ close, title = t("problem-network") }) {
  const said = html`<${Empty} icon="triangle-alert" title=${title}><button onClick=${() => attempt(anew)}>${t("try-again")}</button><//>`;
  return close ? html`<${Dialog} title=${t("problem-page")} close=${close}>${said}<//>` : said;
}

/** Draws a view of a module that is fetched when it is first needed. A browser never asks twice for one that it did not get. */
export function Later({ load, view, ...rest }) {
  const [View, setView] = useState(null);
  useEffect(() => {
    load().then((module) => setView(() => module[view]), () => anew().catch(() => setView(() => Broken)));
  }, []);
  return View && html`<${View} ...${rest} />`;
}

/** How full something is; the words beside it say it too. */
export function Bar({ value, max }) {
  const share = max > 0 ? Math.min(1, value / max) : 0;
  const tone = max > 0 && value >= max ? "help" : share >= 0.9 ? "away" : "accent";
  return html`<span class="bar" data-tone=${tone} aria-hidden="true"><i style=${{ transform: `scaleX(${share})` }}></i></span>`;
}

/** Reads every page of a list. */
export async function allOf(path, signal) {
  return (await wholeOf(path, signal)).items;
}

/** Reads every page of a snapshot into its first one, whose moment and cursor stand for all. */
export async function wholeOf(path, signal) {
  const mark = path.includes("?") ? "&" : "?";
  const first = await api.get(`${path}${mark}limit=500`, { signal });
  let next = first.next_cursor;
  while (next) {
    const page = await api.get(`${path}${mark}limit=500&cursor=${encodeURIComponent(next)}`, { signal });
    first.items.push(...page.items);
    next = page.next_cursor;
  }
  return first;
}
