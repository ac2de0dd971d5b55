// What staff do at a kiosk: begin, end and take over what runs in its room. First what, then who,
// then the PIN that proves it. No name of anybody is listed.
import { randomKey } from "./api.js";
import { clock, hasText, t } from "./text.js";
import { html, Icon, useLayoutEffect, useRef, useState } from "./ui.js";

const PIN_MIN = 4;
const PIN_MAX = 8;
/** What a slow reader, or a person, types of a badge where a user name is asked for. */
const BADGE = /^(?=.*\d)[0-9a-f:. -]{8,}$/i;

/** Answers that the house gives only to somebody whose PIN was right, and their codes that it gives to others. */
const PROVED = [200, 403, 404, 409, 422];
const UNPROVED = ["pin.wrong", "pin.locked", "request.invalid"];

/** Keys on the screen; they write into `value`. */
export function Pad({ keys, value, set }) {
  return html`<div class="pad" role="group" aria-label=${t("kiosk-pad")} data-wide=${keys.length > 10 ? "" : null}>
    ${[...keys].map((key) => html`<button type="button" key=${key} onClick=${() => set(value + key)}>${key}</button>`)}
    <button type="button" class="pad-back" aria-label=${t("kiosk-delete")} onClick=${() => set(value.slice(0, -1))}><${Icon} name="delete" size=${32} /></button></div>`;
}

export function StaffPanel({ room, activities, call, onBadge, taken, done, back }) {
  const [act, setAct] = useState(null);
  const [who, setWho] = useState(null);
  const [problem, setProblem] = useState(null);
  const name = (person) => {
    setWho(person);
    if (person.tag) taken(person.tag);
  };
  useLayoutEffect(() => {
    if (!act || who) return undefined;
    onBadge((tag) => name({ tag }));
    return () => onBadge(null);
  }, [act, who]);
  const prove = async (pin) => {
    const { key, label, ...order } = act;
    const answer = await call("POST", "/privileged", { ...order, ...who, pin }, { "idempotency-key": key });
    if (PROVED.includes(answer.status) && !UNPROVED.includes(answer.body?.code)) taken(null);
    if (answer.status === 200) return done(said(answer.body));
    setProblem(why(answer));
    // What the person can put right here is asked for again; anything else begins anew.
    const { code } = answer.body ?? {};
    if (code === "request.invalid") setWho(null);
    else if (answer.status !== 0 && !UNPROVED.includes(code)) setAct(null);
    return undefined;
  };
  const begin = (order) => {
    setProblem(null);
    setWho(null);
    setAct({ ...order, key: randomKey() });
  };
  return html`<div class="kiosk-middle kiosk-panel">
    ${problem && html`<p class="field-error kiosk-problem" data-s="help" role="alert">${problem}</p>`}
    ${!act ? html`<${What} room=${room} activities=${activities} begin=${begin} back=${back} />`
      : !who ? html`<${Who} label=${act.label} set=${name} back=${back} />`
        : html`<${Pin} label=${act.label} prove=${prove} back=${back} />`}</div>`;
}

/** Puts the focus on what the step begins with. */
export function useFocus() {
  const first = useRef(null);
  useLayoutEffect(() => first.current?.focus(), []);
  return first;
}

function What({ room, activities, begin, back }) {
  const heading = useFocus();
  const { run } = room;
  const orders = run
    ? [["end_run", t("kiosk-end", { activity: run.activity_name })], ["take_over", t("kiosk-take-over", { activity: run.activity_name })]]
      .map(([action, label]) => ({ action, run_id: run.id, label }))
    : activities.map(({ id, name }) => ({ action: "start_run", activity_id: id, label: name }));
  return html`<h1 tabindex="-1" ref=${heading}>${t("kiosk-what")}</h1>
    <p class="kiosk-sub">${run ? t("kiosk-since", { activity: run.activity_name, time: clock(run.started_at) }) : t(orders.length > 0 ? "kiosk-start" : "kiosk-nothing")}</p>
    <ul class="kiosk-orders">${orders.map((order) => html`<li key=${order.label}><button class="huge" onClick=${() => begin(order)}>${order.label}</button></li>`)}</ul>
    <div class="kiosk-ends"><button onClick=${back}>${t("kiosk-back")}</button></div>`;
}

function Who({ label, set, back }) {
  const [name, setName] = useState("");
  const field = useFocus();
  const next = (event) => {
    event.preventDefault();
    const who = name.trim();
    if (who) set(BADGE.test(who) ? { tag: who } : { username: who });
  };
  return html`<form class="kiosk-step" onSubmit=${next}><h1>${label}</h1><p class="kiosk-sub">${t("kiosk-who")}</p>
    <label class="field"><span class="label">${t("kiosk-username")}</span>
      <input ref=${field} class="kiosk-field" required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="64" value=${name} onInput=${(event) => setName(event.target.value)} /></label>
    <div class="kiosk-ends"><button type="button" onClick=${back}>${t("kiosk-back")}</button><button class="primary">${t("kiosk-next")}</button></div></form>`;
}

function Pin({ label, prove, back }) {
  const [pin, setPin] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useFocus();
  const set = (text) => setPin(text.replaceAll(/\D/g, "").slice(0, PIN_MAX));
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    setPin("");
    await prove(pin);
    setBusy(false);
    field.current?.focus();
  };
  return html`<form class="kiosk-step narrow" onSubmit=${send}><h1>${label}</h1>
    <label class="field"><span class="label">${t("kiosk-pin")}</span>
      <input ref=${field} class="kiosk-field" type="password" inputmode="none" autocomplete="off" value=${pin} onInput=${(event) => set(event.target.value)} /></label>
    <${Pad} keys="1234567890" value=${pin} set=${set} />
    <div class="kiosk-ends"><button type="button" onClick=${back}>${t("kiosk-back")}</button>
      <button class="primary" disabled=${busy || pin.length < PIN_MIN}>${t("kiosk-go")}</button></div></form>`;
}

function said({ action, activity_name: activity, room_name: room, ended_visits: n, undo_until: until }) {
  if (action === "end_run") return { line1: t("kiosk-ended", { activity }), line2: until ? t("kiosk-ended-undo", { n: n ?? 0, time: clock(until) }) : "" };
  return { line1: t(action === "start_run" ? "kiosk-started" : "kiosk-taken-over", { activity }), line2: room };
}

function why({ status, body }) {
  const key = `kiosk-${(body?.code ?? "").replaceAll(/[._]/g, "-")}`;
  if (hasText(key)) return t(key);
  if (status === 0) return t("kiosk-no-answer");
  if (status === 429 || status === 503) return t("kiosk-busy");
  return t("kiosk-failed");
}
