// My place: a member sees where the house has it, asks for help, sees the position in line and who comes.
import { api } from "./api.js";
import { draftOf, useDraft } from "./draft.js";
import { Field } from "./forms.js";
import { me, route, setQuery } from "./here.js";
import { serverNow } from "./live.js";
import { attempt, Dialog, Loaded, PageHead, Status, toast } from "./parts.js";
import { reducer, Section, stale } from "./store.js";
import { number, t, wait } from "./text.js";
import { html, Icon, useEffect, useMemo, useSection, useState, useTick, useWatch } from "./ui.js";

const WORDS_MAX = 500;
const OPEN = ["pending", "assigned", "on_hold"];
/** The names of what was begun: a request, and other words for one. */
const ASKING = "ask";
const editing = (request) => `edit-${request.id}`;

/** A usual wait, in minutes: its seconds would promise more than anybody knows. */
const minutes = (seconds) => Math.max(1, Math.round(seconds / 60));

/** Of one's own request; the place in line is the server's. */
export const reduce = {
  "help.requested": (state, fact) => (fact.user_id === me.value?.person.id ? stale(state) : state),
  "help.updated": (state, fact) => {
    if (fact.id !== state.request?.id) return fact.user_id === me.value?.person.id ? stale(state) : state;
    if (state.request.rev > fact.rev) return state;
    return stale({ ...state, request: { ...state.request, status: fact.status, position: fact.position ?? state.request.position, rev: fact.rev } });
  },
  "queue.changed": (state) => (state.request?.status === "pending" ? stale(state) : { ...state }),
};

/** Of where one is: the counts say that somebody moved, only the server knows who. */
export const whereReduce = {
  "house.counts_changed": (state) => (state.room ? state : stale(state)),
  "room.occupancy_changed": (state, room) => (!state.room || state.room.id === room.room_id ? stale(state) : state),
};

export function MyPlace() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/help-requests/mine", { signal }), reduce: reducer(reduce),
  }), []));
  const [again, setAgain] = useState(() => draftOf(ASKING) !== null);
  const open = OPEN.includes(section.data?.request?.status);
  // Asked in another tab, too: what comes of it is shown here, and no empty form.
  useEffect(() => {
    if (open) setAgain(false);
  }, [open]);
  return html`<${PageHead} title=${t("my-place")} section=${section} />
    <${Where} />
    <${Loaded} section=${section} rows=${3}>${({ request, queue }) => {
      if (open) return html`<${Mine} request=${request} queue=${queue} section=${section} />`;
      if (request && !again && ["resolved", "expired"].includes(request.status)) {
        return html`<${Over} request=${request} again=${() => setAgain(true)} />`;
      }
      return html`<${Ask} section=${section} queue=${queue} sent=${() => setAgain(false)} />`;
    }}<//>`;
}

/** Where am I, as the house has it? */
function Where() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/me/whereabouts", { signal }), reduce: reducer(whereReduce),
  }), []));
  if (!section.data) return null;
  const { present, room } = section.data;
  return html`<p class="my-room" role="status">${room ? html`<${Status} state="in">${t("where-room", { room: room.name })}<//>
      <span class="sub">${room.activity_name}</span>`
    : html`<${Status} state=${present ? "away" : "off"}>${t(present ? "where-present" : "where-absent")}<//>`}</p>`;
}

function Ask({ section, queue, sent }) {
  const [draft, setDraft, forget] = useDraft(ASKING, { content: "", urgent: false });
  const { content, urgent } = draft;
  const [busy, setBusy] = useState(false);
  const ask = async (event) => {
    event.preventDefault();
    setBusy(true);
    const body = urgent ? { content, priority: "urgent" } : { content };
    const request = await attempt(async () => {
      const asked = await api.post("/help-requests", body);
      forget();
      return asked;
    });
    setBusy(false);
    if (request) sent();
    section.refetchSoon();
  };
  return html`<form class="place ask" onSubmit=${ask}>
    <h2>${t("ask-title")}</h2>
    <${Field} label=${t("ask-label")} hint=${t("ask-hint")}><textarea rows="3" maxlength=${WORDS_MAX} value=${content}
      onInput=${(event) => setDraft({ ...draft, content: event.target.value })}></textarea><//>
    <label class="check"><input type="checkbox" checked=${urgent} onChange=${(event) => setDraft({ ...draft, urgent: event.target.checked })} />
      <span>${t("ask-urgent")}</span></label>
    <button class="primary huge" disabled=${busy}><${Icon} name="hand" size=${28} />${t("ask-help")}</button>
    <p class="sub">${queue.length === 0 ? t("ask-queue-none") : t("ask-queue", { n: queue.length })}${queue.median_wait_s != null && queue.median_wait_s > 0 && html` ${t("ask-usual", { n: minutes(queue.median_wait_s) })}`}</p></form>`;
}

function Mine({ request, queue, section }) {
  useTick(1000);
  useWatch(route);
  const asked = route.value.query.get("ask");
  const ask = (what) => setQuery({ ask: what });
  // What was begun is open again, whichever way led here.
  const [begun, setBegun] = useState(() => draftOf(editing(request)) !== null);
  const asking = asked ?? (begun ? "edit" : null);
  const close = () => {
    setBegun(false);
    ask(null);
  };
  const seconds = (serverNow() - Date.parse(request.created_at)) / 1000;
  const coming = request.status === "assigned";
  const cancel = async () => {
    const gone = await attempt(() => api.post(`/help-requests/${request.id}/cancel`));
    section.refetchSoon();
    if (gone) toast(t("ask-cancelled"));
  };
  const hurry = async () => {
    const priority = request.priority === "urgent" ? "normal" : "urgent";
    await attempt(() => api.patch(`/help-requests/${request.id}`, { priority }));
    section.refetchSoon();
  };
  // What ticks is a timer: in a status it would be read aloud each second.
  return html`<div class="place" data-s=${coming ? "in" : "info"}>
    <div class="place-now" role="status">${coming ? html`
      <${Icon} name="hand" size=${56} /><h2>${whoComes(request.assigned_to)}</h2>
      <p>${t("someone-comes-hint")}</p>` : html`
      ${request.position && html`<p class="place-number" aria-hidden="true">${number(request.position)}</p>`}
      <h2>${request.status === "on_hold" ? t("place-on-hold") : t("place-in-line", { n: request.position ?? 0 })}</h2>
      <p role="timer">${t("place-wait", { wait: wait(seconds), hours: Math.floor(seconds / 3600) })}</p>`}</div>
    ${request.content && html`<blockquote>${request.content}</blockquote>`}
    ${asking === "edit" ? html`<${Edit} request=${request} section=${section} close=${close} />` : html`<div class="place-acts">
      <button onClick=${() => ask("edit")}><${Icon} name="pencil" />${t("ask-edit")}</button>
      ${!coming && html`<button aria-pressed=${request.priority === "urgent"} onClick=${hurry}><${Icon} name="triangle-alert" />${t("ask-urgent-short")}</button>`}
      <button onClick=${() => ask("cancel")}><${Icon} name="x" />${t("ask-cancel")}</button></div>`}
    ${asking === "cancel" && html`<${Cancel} cancel=${cancel} close=${close} />`}
    ${!coming && queue.median_wait_s > 0 && html`<p class="sub">${t("ask-usual", { n: minutes(queue.median_wait_s) })}</p>`}</div>`;
}

/** The event says that somebody has taken it; who that is comes with the request a moment later. */
function whoComes(helper) {
  return helper ? t("someone-comes", { name: helper.display_name }) : t("somebody-comes");
}

/** Both answers say what becomes of the request: “Cancel” would be read as taking it back. */
function Cancel({ cancel, close }) {
  const act = () => {
    close();
    cancel();
  };
  return html`<${Dialog} title=${t("ask-cancel-title")} close=${close}><p>${t("ask-cancel-text")}</p>
    <div class="dialog-acts"><button onClick=${close}>${t("ask-keep")}</button>
    <button class="danger" onClick=${act}>${t("ask-cancel")}</button></div><//>`;
}

function Edit({ request, section, close }) {
  const [content, setContent, forget] = useDraft(editing(request), request.content ?? "");
  const leave = () => {
    forget();
    close();
  };
  const save = async (event) => {
    event.preventDefault();
    const saved = await attempt(() => api.patch(`/help-requests/${request.id}`, { content }));
    section.refetchSoon();
    if (saved) leave();
  };
  return html`<form class="form" onSubmit=${save}><${Field} label=${t("ask-label")}>
      <textarea rows="3" autofocus maxlength=${WORDS_MAX} value=${content} onInput=${(event) => setContent(event.target.value)}></textarea><//>
    <div class="dialog-acts"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("save")}</button></div></form>`;
}

function Over({ request, again }) {
  const done = request.status === "resolved";
  return html`<div class="place" data-s=${done ? "in" : "off"}><div class="place-now" role="status">
      <${Icon} name=${done ? "check" : "clock"} size=${56} /><h2>${t(done ? "place-done" : "place-expired")}</h2></div>
    ${request.response && html`<blockquote>${request.response}</blockquote>`}
    <button class="primary huge" onClick=${again}><${Icon} name="hand" size=${28} />${t("ask-again")}</button></div>`;
}
