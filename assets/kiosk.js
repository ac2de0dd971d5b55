// The kiosk: a tablet by a door or in a room, where badges are held to. Did it work? One colour,
// one word, one tone. Nothing personal stands on it longer than an answer does.
import { stayAwake } from "./awake.js";
import { beat, boot, call, enroll, filled, readPlace, startDevice, state } from "./kiosk-device.js";
import { Full, openKeep } from "./kiosk-keep.js";
import { Queue } from "./kiosk-queue.js";
import { Pad, StaffPanel, useFocus } from "./kiosk-staff.js";
import { watchWedge } from "./kiosk-wedge.js";
import { serverNow } from "./live.js";
import { Shared } from "./store.js";
import { clock, hasText, keepTexts, language, loadText, longDay, otherLanguage, setHouse, t } from "./text.js";
import { tone } from "./tone.js";
import { html, Icon, render, useEffect, useKeys, useState, useTick, useWatch } from "./ui.js";

/** After so long without an answer the tablet says that it has kept the scan. */
const PATIENCE_MS = 800;
/** An answer that comes later is for nobody who still stands there. */
const STANDS_MS = 10_000;
const SAVED_MS = 4_000;
const IDENTIFY_MS = 5_000;
/** After so long without a touch the next one stands before a fresh screen. */
const QUIET_MS = 20_000;
/** How many scans a tablet holds that has not been told. */
const BUFFER = 2_000;
/** From here on somebody has to see to the network before the tablet is full. */
const NEARLY_FULL = 0.9;
const CATALOGUE = "kiosk.ftl";
const SIGNS = { ok: ["in", "check"], warn: ["away", "triangle-alert"], error: ["help", "x"], saved: ["info", "download"] };

const answer = new Shared(null);
const panel = new Shared(null);
const counts = new Shared({ waiting: 0, refused: 0 });

let queue = null;
let expected = null;
let badgeTaker = null;
/** The badge that is taken for that of staff and has not been proved to be. */
let unproved = null;
/** {tag, at} of a badge that was taken so in vain, which somebody has yet to be told. */
let owed = null;
let answerEnds = null;
let quiet = null;

function show(lines) {
  clearTimeout(answerEnds);
  answer.set(lines);
  answerEnds = setTimeout(() => {
    answer.set(null);
    tellUncounted();
  }, lines.ms);
  if (state.value.config?.tones !== false) tone(lines.sound ?? lines.tone);
}

const saved = () => show({
  tone: "saved", sound: "ok", ms: SAVED_MS, line1: t("kiosk-saved"),
  line2: t(state.value.shutOut ? "kiosk-saved-office" : "kiosk-saved-later"),
});

/** A child's badge, held while staff were asked who they are, checked nobody in: whoever held it has to know. */
function tellUncounted() {
  const stands = owed && performance.now() - owed.at < STANDS_MS;
  owed = null;
  if (stands) show({ tone: "warn", ms: SAVED_MS, line1: t("kiosk-not-counted"), line2: t("kiosk-not-counted-hint") });
}

/** However staff's panel is left: back, Escape or nobody there. */
function leftUnproved() {
  if (panel.value === "staff" || !unproved) return;
  owed = { tag: unproved, at: performance.now() };
  unproved = null;
  tellUncounted();
}

async function tapped(tag) {
  touched();
  if (badgeTaker) return void badgeTaker(tag);
  // The answer to this badge goes first; who holds the same one again is served by that.
  if (unproved) owed = { tag: unproved, at: performance.now() };
  if (owed?.tag === tag) owed = null;
  unproved = null;
  panel.set(null);
  await queue.tap(tag).catch(notKept);
}

/** Whoever held the badge has to know: the memory is full, or it fails. */
function notKept(problem) {
  const line1 = t(problem instanceof Full ? "kiosk-full" : "kiosk-not-kept");
  show({ tone: "error", ms: SAVED_MS, line1, line2: t("kiosk-not-kept-hint") });
}

const most = () => state.value.config?.buffer_max ?? BUFFER;

function kept({ scan_id: id, at }) {
  clearTimeout(expected?.timer);
  const patience = state.value.up && !state.value.shutOut ? PATIENCE_MS : 0;
  expected = { id, at, timer: setTimeout(saved, patience) };
}

/** Shows the answer to the last tap alone: those that waited are not for whoever stands here now. */
function decided(results) {
  for (const { scan_id: id, display, occupancy } of results) {
    if (occupancy) filled(occupancy);
    if (id !== expected?.id) continue;
    clearTimeout(expected.timer);
    if (performance.now() - expected.at < STANDS_MS) show(display);
    expected = null;
  }
}

/** Tells whoever held the badge: it will never count, and nobody must walk on believing that it did. */
function refused({ scan_id: id, at }) {
  if (id !== expected?.id) return;
  clearTimeout(expected.timer);
  expected = null;
  if (performance.now() - at < STANDS_MS) show({ tone: "error", ms: SAVED_MS, line1: t("kiosk-not-taken"), line2: t("kiosk-not-kept-hint") });
}

/** Everything goes back to the start when nobody is there, the language too. */
function touched() {
  clearTimeout(quiet);
  quiet = setTimeout(() => {
    if (panel.value === "enrol" || !state.value.key) return;
    panel.set(null);
    speak(state.value.config?.lang);
  }, QUIET_MS);
}

/** Where a language was never fetched and the network is away, the one that is there goes on. */
const speak = (lang) => lang && lang !== language.value && loadText(lang, CATALOGUE).catch(() => {});

function Head({ bare }) {
  useTick(1000);
  const { config, place, up, shutOut, since } = state.value;
  const forStaff = place?.room && ["kiosk", "room"].includes(config?.mode) && !shutOut;
  const other = otherLanguage();
  const name = place?.room?.name ?? place?.house ?? document.getElementById("kiosk").dataset.house;
  const [sign, text] = shutOut ? ["help", t("kiosk-shut-out")] : up ? ["in", t("kiosk-up")]
    : ["away", t("kiosk-down", { time: clock((since ?? Date.now()) + serverNow() - Date.now()) })];
  return html`<header class="kiosk-head"><p class="kiosk-name">${name}</p>
    ${!bare && html`<span class="pill" data-s=${sign} role="status">${text}</span>`}
    <div class="kiosk-acts">
      ${!bare && forStaff && html`<button onClick=${() => panel.set("staff")}><${Icon} name="users" size=${24} />${t("kiosk-staff")}</button>`}
      <button lang=${other} onClick=${() => speak(other)}><${Icon} name="languages" size=${24} />${t("kiosk-language-other")}</button></div></header>`;
}

function Foot() {
  useTick(1000);
  const { room } = state.value.place ?? {};
  const { waiting, refused } = counts.value;
  return html`<footer class="kiosk-foot"><div>
      ${room && html`<p><${Icon} name="users" size=${24} />${t("kiosk-filled", { count: room.count, capacity: room.capacity })}</p>`}
      ${waiting > 0 && html`<p><span class="pill" data-s="info">${t("kiosk-waiting", { n: waiting })}</span></p>`}
      <${RoomLeft} waiting=${waiting} />
      ${refused > 0 && html`<p><span class="pill" data-s="away">${t("kiosk-refused", { n: refused })}</span></p>`}</div>
    <p class="kiosk-clock"><span class="sub">${longDay(serverNow())}</span> <time>${clock(serverNow())}</time></p></footer>`;
}

/** Says in time that the tablet will hold no more, and that it holds no more. */
function RoomLeft({ waiting }) {
  const left = Math.max(0, most() - waiting);
  if (waiting < most() * NEARLY_FULL) return null;
  return html`<p><span class="pill" data-s=${left > 0 ? "away" : "help"} role="status">${left > 0 ? t("kiosk-room-left", { n: left }) : t("kiosk-no-room")}</span></p>`;
}

function Idle() {
  return html`<div class="kiosk-middle"><span class="kiosk-wave"><${Icon} name="nfc" size=${144} /></span>
    <h1>${t("kiosk-hold")}</h1>
    ${state.value.place?.room?.run && html`<p class="kiosk-now">${t("kiosk-now", { activity: state.value.place.room.run.activity_name })}</p>`}
    <p class="kiosk-sub">${t("kiosk-or")}</p>
    <button class="huge" onClick=${() => panel.set("number")}><${Icon} name="keyboard" size=${28} />${t("kiosk-type")}</button></div>`;
}

function Answer({ lines }) {
  const [sign, icon] = SIGNS[lines.tone];
  return html`<div class="kiosk-middle"><span class="kiosk-sign" data-sign=${sign}><${Icon} name=${icon} size=${112} /></span>
    <h1>${lines.line1}</h1>${lines.line2 && html`<p class="kiosk-line">${lines.line2}</p>`}</div>`;
}

/** The number of a badge, typed: with our own keys, since a tablet with a reader shows none. */
function NumberPanel() {
  const [tag, setTag] = useState("");
  const field = useFocus();
  const send = (event) => {
    event.preventDefault();
    if (tag.length >= 4) tapped(tag);
  };
  return html`<form class="kiosk-middle kiosk-panel" onSubmit=${send}><h1 id="number">${t("kiosk-number")}</h1>
    <input ref=${field} class="kiosk-field" aria-labelledby="number" inputmode="none" autocomplete="off" spellcheck="false" maxlength="40" value=${tag} onInput=${(event) => setTag(event.target.value)} />
    <${Pad} keys="0123456789ABCDEF" value=${tag} set=${setTag} />
    <div class="kiosk-ends"><button type="button" onClick=${() => panel.set(null)}>${t("kiosk-back")}</button>
      <button class="primary" disabled=${tag.length < 4}>${t("kiosk-go")}</button></div></form>`;
}

function ShutOut() {
  return html`<div class="kiosk-middle"><span class="kiosk-sign" data-sign="help"><${Icon} name="ban" size=${112} /></span>
    <h1>${t("kiosk-office")}</h1><p class="kiosk-line">${t("kiosk-office-hint")}</p>
    <button class="huge" onClick=${() => panel.set("enrol")}>${t("kiosk-enrol-anew")}</button></div>`;
}

/** Lets the tablet into the house, by the code that the lead has made. */
function Enrol({ first }) {
  const [code, setCode] = useState(first);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const field = useFocus();
  const join = async (event) => {
    event?.preventDefault();
    setBusy(true);
    const { status, body } = await enroll(code.trim());
    setBusy(false);
    if (status === 201) return panel.set(null);
    const key = `kiosk-${(body?.code ?? "").replaceAll(/[._]/g, "-")}`;
    setProblem(t(hasText(key) ? key : status === 0 ? "kiosk-no-answer" : status === 429 ? "kiosk-busy" : "kiosk-device-enroll-code-wrong"));
    return field.current?.focus();
  };
  useEffect(() => {
    if (first && !state.value.key) join();
  }, []);
  return html`<form class="kiosk-middle kiosk-panel" onSubmit=${join}><h1>${t("kiosk-enrol")}</h1><p class="kiosk-sub">${t("kiosk-enrol-hint")}</p>
    ${problem && html`<p class="field-error door-alert" data-s="help" role="alert" id="problem">${problem}</p>`}
    <label class="field"><span class="label">${t("kiosk-code")}</span>
      <input ref=${field} class="kiosk-field" required autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="40" aria-describedby=${problem ? "problem" : null} value=${code} onInput=${(event) => setCode(event.target.value)} /></label>
    <div class="kiosk-ends">${state.value.key && html`<button type="button" onClick=${() => panel.set(null)}>${t("kiosk-back")}</button>`}
      <button class="primary" disabled=${busy}>${t("kiosk-enrol-go")}</button></div></form>`;
}

/** While staff are asked who they are, a badge says it and is no scan. */
function onBadge(take) {
  badgeTaker = take;
}

/** What staff's panel takes for the badge of whoever stands there; null when it has been proved. */
function taken(tag) {
  unproved = tag;
}

async function staffDone(lines) {
  panel.set(null);
  show({ tone: "ok", ms: SAVED_MS, ...lines });
  await readPlace();
}

function Panel({ first }) {
  const { key, shutOut, place } = state.value;
  if (!key || panel.value === "enrol") return html`<${Enrol} first=${first} />`;
  if (panel.value === "number") return html`<${NumberPanel} />`;
  if (panel.value) return html`<${StaffPanel} room=${place.room} activities=${place.activities} call=${call} onBadge=${onBadge} taken=${taken} done=${staffDone} back=${() => panel.set(null)} />`;
  return shutOut ? html`<${ShutOut} />` : html`<${Idle} />`;
}

function App({ first }) {
  for (const source of [state, answer, panel, counts, language]) useWatch(source);
  useKeys((event) => {
    if (event.key === "Escape" && panel.value !== "enrol") panel.set(null);
  });
  const lines = answer.value;
  const name = state.value.place?.room?.name ?? state.value.place?.house;
  useEffect(() => {
    if (name) document.title = `${name} · Daybook`;
  }, [name]);
  return html`<main data-tone=${lines && SIGNS[lines.tone][0]}><${Head} bare=${lines || !state.value.key} />
    <div class="kiosk-live" aria-live="assertive" aria-atomic="true">${lines && html`<${Answer} lines=${lines} />`}</div>
    ${!lines && html`<${Panel} first=${first} />`}
    ${state.value.key && !lines && !panel.value && html`<${Foot} />`}</main>`;
}

/** A code that came with the address serves once and does not stay there. */
function codeOfAddress() {
  const code = decodeURIComponent(location.hash.slice(1));
  if (code) history.replaceState(null, "", location.pathname);
  return code;
}

async function start() {
  const root = document.getElementById("kiosk");
  setHouse(root.dataset);
  const first = codeOfAddress();
  await loadText(document.documentElement.lang, CATALOGUE);
  keepTexts(CATALOGUE);
  let keep;
  try {
    keep = await openKeep();
  } catch {
    return render(html`<main><div class="kiosk-middle"><h1>${t("kiosk-no-memory")}</h1><p class="kiosk-line">${t("kiosk-no-memory-hint")}</p></div></main>`, root);
  }
  queue = new Queue({
    keep, boot, most, onKept: kept, onResults: decided, onRefused: refused, onCounts: (now) => counts.set(now),
    send: (scans) => call("POST", "/scans", { boot_id: boot, lang: language.value, scans }),
  });
  await startDevice(keep, root.dataset.version, {
    beat: async () => ({ queue_depth: counts.value.waiting, oldest_age_s: await queue.oldestAgeS(), last_seq: queue.lastSeq }),
    heard: () => {
      keepTexts(CATALOGUE);
      queue.flush();
    },
    identify: () => show({ tone: "ok", sound: "identify", ms: IDENTIFY_MS, line1: t("kiosk-here"), line2: "" }),
    reboot: () => location.reload(),
  });
  counts.set(await keep.counts());
  panel.watch(leftUnproved);
  await speak(state.value.config?.lang);
  let told = state.value.config?.lang;
  state.watch(() => {
    const lang = state.value.config?.lang;
    if (lang !== told) speak(lang);
    told = lang;
  });
  if (first && state.value.key) panel.set("enrol");
  root.replaceChildren();
  render(html`<${App} first=${first} />`, root);
  watchWedge(tapped, () => state.value.key && panel.value !== "enrol");
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touched, true);
  stayAwake();
  return beat();
}

start();
