// Help: the queue for those who help. Who is next, how long are they waiting, who is with whom.
import { api } from "./api.js";
import { isTyping, html, Icon, useEffect, useKeptFocus, useKeys, useMemo, useRef, useSection, useState, useTick, useWatch } from "./ui.js";
import { is, letterKeys, me, quiet, route, setQuery, sound } from "./here.js";
import { quietUntil } from "./hours.js";
import { keepOpen, onEvent, serverNow } from "./live.js";
import { allOf, attempt, Avatar, Empty, Later, Loaded, PageHead, Status, toast, wholeOf } from "./parts.js";
import { useStill } from "./still.js";
import { reducer, Section, stale } from "./store.js";
import { clock, t, wait } from "./text.js";
import { tone } from "./tone.js";

const OPEN = ["pending", "assigned", "on_hold"];
/** Waiting longer than this is shown in the colour of help. */
const LONG_WAIT_S = 300;
const REMIND_MS = 120_000;

/** The lead sees the whole queue, wherever its members are. */
const moved = (state) => (is("admin") ? state : stale(state));

/** Of the queue. What was asked is never pushed: until it is read from the server, `content` is null. */
export const reduce = {
  "help.requested": (state, fact) => (state.items.some((one) => one.id === fact.id) ? state
    : stale({ ...state, items: inOrder([...state.items, { ...fact, member_id: fact.user_id, content: null, created_at: fact.created_at ?? new Date(serverNow()).toISOString() }]) })),
  "help.updated": (state, fact) => {
    const known = state.items.find((one) => one.id === fact.id);
    if (!known) return OPEN.includes(fact.status) ? stale(state) : state;
    if (fact.rev !== undefined && known.rev > fact.rev) return state;
    if (!OPEN.includes(fact.status)) return stale({ ...state, items: state.items.filter((one) => one !== known) });
    const next = { ...known, status: fact.status, priority: fact.priority ?? known.priority, rev: fact.rev };
    return stale({ ...state, items: inOrder(state.items.map((one) => (one === known ? next : one))) });
  },
  // A request comes into sight and leaves it with its member, its helper and its priority.
  "queue.changed": (state) => stale(state),
  "visit.started": moved,
  "visit.ended": moved,
  "visit.bulk_started": moved,
  "visit.bulk_ended": moved,
  "access.changed": (state) => stale(state),
  "supervision.changed": (state) => stale(state),
};

/** Pending first, urgent before normal, then the oldest; those being helped after them. */
function inOrder(items) {
  const rank = (one) => OPEN.indexOf(one.status) * 2 + (one.priority === "urgent" ? 0 : 1);
  return [...items].sort((a, b) => rank(a) - rank(b) || Date.parse(a.created_at) - Date.parse(b.created_at));
}

export function HelpPage() {
  return is("office") ? html`<${Later} load=${() => import("./help-office.js")} view="Figures" />` : html`<${Queue} />`;
}

/** The queue. J and K move, H helps, D is done. */
function Queue() {
  const section = useSection(useMemo(() => new Section({
    load: async (signal) => {
      const queue = await wholeOf("/help-requests", signal);
      return { ...queue, done: (await allOf("/help-requests?status=resolved", signal)).filter(isMine) };
    },
    reduce: reducer(reduce),
  }), []));
  const fresh = useAlarm();
  useKeptFocus();
  useWatch(route);
  const list = useRef(null);
  const items = section.data?.items ?? [];
  const resolving = items.find((one) => one.id === route.value.query.get("done"));
  const setResolving = (one) => setQuery({ done: one?.id ?? null });
  const [rows, hold] = useStill(items, (one) => `${one.id} ${one.status}`);
  const waiting = rows.filter((one) => one.status === "pending");
  const held = rows.filter((one) => one.status === "on_hold");
  const taken = rows.filter((one) => one.status === "assigned");
  useKeys((event) => letterKeys.value === "on" && !isTyping(event) && onKey(event, list.current, items, section, setResolving));
  const row = (one) => html`<${Row} key=${one.id} one=${one} section=${section} hold=${hold} fresh=${fresh.has(one.id)} resolve=${setResolving} />`;
  return html`<${PageHead} title=${t("help-queue")} section=${section}><${SoundSwitch} /><//>
    <${Loaded} section=${section} rows=${4}>${(data) => html`<div ref=${list}>
      ${waiting.length === 0 ? html`<${Empty} icon="hand" title=${t("help-empty")}><p>${t(sound.value === "on" && !quietNow() ? "help-empty-hint" : "help-empty-muted")}</p><//>`
        : html`<h2 class="visually-hidden">${t("waiting")}</h2><ul class="card queue">${waiting.map(row)}</ul>`}
      ${held.length > 0 && html`<h2>${t("on-hold-head")}</h2><ul class="card queue">${held.map(row)}</ul>`}
      ${taken.length > 0 && html`<h2>${t("being-helped")}</h2><ul class="card queue">${taken.map(row)}</ul>`}
      <${Done} data=${data} section=${section} />
      <p class="sub">${t("help-today", { n: data.resolved_today ?? 0, wait: data.median_wait_s == null ? "–" : wait(data.median_wait_s) })}<span class="for-keys"> · ${t("help-keys")}</span></p></div>`}<//>
    ${resolving && html`<${Later} key=${resolving.id} load=${() => import("./help-answer.js")} view="Resolve" one=${resolving} act=${(body) => act(section, resolving, "resolve", body)} close=${() => setResolving(null)} />`}`;
}

function onKey(event, root, items, section, resolve) {
  const rows = [...(root?.querySelectorAll("[data-row]") ?? [])];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") {
    event.preventDefault();
    rows.at(key === "j" ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0))?.focus();
  }
  const one = items.find((item) => item.id === rows[at]?.dataset.row);
  if (one && key === "h" && one.status !== "assigned") act(section, one, "claim");
  if (one && key === "d" && isMine(one)) {
    event.preventDefault();
    resolve(one);
  }
}

const isMine = (one) => one.assigned_to?.id === me.value.person.id;

function Row({ one, section, hold, fresh, resolve }) {
  useTick(1000);
  const press = (event, name) => {
    if (name === "resolve") return resolve(one);
    hold(event);
    return act(section, one, name);
  };
  const mine = isMine(one);
  const since = one.status === "assigned" && one.claimed_at ? one.claimed_at : one.created_at;
  const seconds = (serverNow() - Date.parse(since)) / 1000;
  const place = [one.content && t("quoted", { text: one.content }), one.room_name].filter(Boolean);
  return html`<li class="help-row" tabindex="0" data-row=${one.id} data-urgent=${one.priority === "urgent" ? "" : null}
      data-fresh=${fresh ? "" : null} data-mine=${mine ? "" : null} aria-label=${one.display_name}>
    <${Avatar} name=${one.display_name} />
    <div class="who"><b>${one.display_name}</b>
      <span class="sub">${one.status === "assigned" && `${mine ? t("with-you") : t("with-name", { name: one.assigned_to?.display_name ?? "" })} · `}
        ${one.status === "on_hold" && `${t("on-hold")} · `}${one.content === null ? html`<i class="unread" aria-busy="true"><span class="visually-hidden">${t("loading")}</span></i>`
          : place.length > 0 ? place.join(" · ") : t("no-message")}</span></div>
    ${one.priority === "urgent" && html`<${Status} state="help" strong>${t("urgent")}<//>`}
    <span class="wait" data-long=${one.status === "pending" && seconds > LONG_WAIT_S ? "" : null}>
      <span class="visually-hidden">${t("waits")}</span>${wait(seconds)}</span>
    <div class="acts">${actsOf(one, mine).map(([name, style]) => html`<button key=${name} class=${style}
      disabled=${one.gone} onClick=${(event) => press(event, name)}>
      ${name === "claim" && html`<${Icon} name="hand" />`}${name === "resolve" && html`<${Icon} name="check" />`}
      ${t(`help-${name}`)}<span class="visually-hidden"> ${one.display_name}</span></button>`)}</div></li>`;
}

/** What oneself has done lately, for as long as the house takes it back: the newest first. */
function Done({ data, section }) {
  useTick(10_000);
  const lately = (data.done ?? []).filter((one) => Date.parse(one.undo_until) > serverNow() && data.items.every((other) => other.member_id !== one.member_id));
  return lately.length > 0 && html`<h2>${t("help-done-head")}</h2><ul class="card queue">${lately.reverse().map((one) => html`<li key=${one.id} class="help-row">
    <${Avatar} name=${one.display_name} /><div class="who"><b>${one.display_name}</b><span class="sub">${clock(one.closed_at)}</span></div>
    <div class="acts"><button data-row=${`done-${one.id}`} onClick=${() => act(section, one, "reopen")}><${Icon} name="undo-2" />${t("undo")}<span class="visually-hidden"> ${one.display_name}</span></button></div></li>`)}</ul>`;
}

function actsOf(one, mine) {
  if (mine && one.status === "assigned") return [["release", ""], ["hold", ""], ["resolve", "primary"]];
  if (one.status === "assigned") return is("admin") ? [["release", ""]] : [];
  return [["claim", "primary"]];
}

const SHOWN = { claim: "assigned", reopen: "assigned", release: "pending", hold: "on_hold" };
/** What takes an act back. */
const BACK = { claim: "release", release: "claim", hold: "claim", resolve: "reopen" };

async function act(section, one, name, body = {}) {
  const mine = { id: me.value.person.id, display_name: me.value.person.display_name };
  const status = SHOWN[name];
  const next = { ...one, status, assigned_to: status === "assigned" ? mine : undefined, claimed_at: new Date(serverNow()).toISOString() };
  const change = (state) => {
    const others = state.items.filter((item) => item.id !== one.id);
    return { ...state, items: status ? inOrder([...others, next]) : others };
  };
  const done = await attempt(() => section.optimistic(change, () => api.post(`/help-requests/${one.id}/${name}`, body)));
  section.refetchSoon();
  if (!done) return null;
  const back = BACK[name];
  toast(t(`help-${name}-toast`, { name: one.display_name }), back && { label: t("undo"), run: () => act(section, one, back) });
  return done;
}

/** Until when nothing sounds on this device, if that is so now. */
const quietNow = () => quietUntil(quiet.value, clock(serverNow()));

/** A new request is heard, and its row flashes; it is heard once more after two minutes. */
function useAlarm() {
  const [fresh, setFresh] = useState(new Set());
  useWatch(sound);
  useEffect(() => {
    keepOpen(sound.value === "on");
    return () => keepOpen(false);
  }, [sound.value]);
  useEffect(() => {
    const reminders = new Map();
    const ring = (urgent) => sound.value === "on" && !quietNow() && tone(urgent ? "urgent" : "help");
    const stop = onEvent(({ type, data }) => {
      if (type === "help.requested") {
        ring(data.priority === "urgent");
        setFresh((before) => new Set(before).add(data.id));
        reminders.set(data.id, setTimeout(() => ring(false), REMIND_MS));
      } else if (type === "help.updated" && data.status !== "pending") {
        clearTimeout(reminders.get(data.id));
      }
    });
    return () => {
      stop();
      for (const timer of reminders.values()) clearTimeout(timer);
    };
  }, []);
  return fresh;
}

function SoundSwitch() {
  useWatch(sound);
  useTick(30_000);
  const on = sound.value === "on";
  const until = on && quietNow();
  const flip = () => {
    sound.set(on ? "off" : "on");
    if (!on) tone("help");
  };
  return html`<button aria-pressed=${on} onClick=${flip}><${Icon} name=${on && !until ? "volume-2" : "volume-x"} />${until ? t("sound-quiet", { time: until }) : t(on ? "sound-on" : "sound-off")}</button>`;
}
