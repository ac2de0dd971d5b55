// What is done to many people at once. Each act is the one of a single person, with all its rules and
// lines of the audit, and what was refused is named.
import { api } from "./api.js";
import { useUnsaved } from "./draft.js";
import { Confirm, Field } from "./forms.js";
import { is, me } from "./here.js";
import { allOf, attempt, Dialog, explain, toast } from "./parts.js";
import { byName, number, t } from "./text.js";
import { html, Icon, useEffect, useRef, useState } from "./ui.js";

/** So many are under way at a time: the server writes what comes together in one go. */
const LANES = 4;
/** After these the rest would fail alike: no answer, nobody signed in. */
const HOPELESS = [0, 401];

/** Does `act` to each of the `rest`, until it is emptied; what was refused does not keep the others. `tell` hears how many are through. */
async function toEach(rest, act, tell) {
  const [done, failed] = [[], []];
  let hopeless = null;
  const lane = async () => {
    while (rest.length > 0) {
      const one = rest.shift();
      try {
        if (hopeless) throw hopeless;
        await act(one);
        done.push(one);
      } catch (problem) {
        if (HOPELESS.includes(problem.status)) hopeless = problem;
        failed.push({ one, problem });
      }
      tell(done.length + failed.length);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { done, failed };
}

/** How somebody comes into a group: out of those of its kind, as out of one class into another. Others stay. */
function move(to, kinds) {
  const regroupings = new Map();
  const regroup = (id, added, removed) => api.patch(`/people/${id}/groups`, { added, removed });
  return {
    act: (one) => {
      const of = (one.groups ?? []).map((group) => group.id);
      const [added, removed] = [of.includes(to.id) ? [] : [to.id], of.filter((id) => id !== to.id && kinds.get(id) === to.kind)];
      regroupings.set(one.id, [added, removed]);
      // Who is in no group as nobody but members are is refused by the server, with its reason.
      return regroup(one.id, one.role === "member" ? added : [to.id], removed);
    },
    back: (one) => {
      const [added, removed] = regroupings.get(one.id);
      return regroup(one.id, removed, added);
    },
    said: (args) => t("moved", { ...args, what: to.name }), undo: "undo",
  };
}

const setState = (state) => (one) => api.patch(`/people/${one.id}`, { state });
/** Who left comes back, but nothing of what ended with it: that is no undoing. */
const LEAVE = { act: setState("inactive"), back: setState("active"), said: (args) => t("people-left", args), undo: "people-return" };
const RETURN = { act: setState("active"), back: setState("inactive"), said: (args) => t("people-returned", args), undo: "undo" };

/** The bar of those who are picked: how many, what can be done, and what came of it. */
export function BulkBar({ picked, unseen, former, drop, clear, print, anew }) {
  const [asking, ask] = useState(null);
  const [through, tell] = useState(null);
  const [result, show] = useState(null);
  // When the bar goes, the focus is not lost with it.
  useEffect(() => () => requestAnimationFrame(() => {
    if (document.activeElement === document.body) (document.querySelector(".people thead input") ?? document.querySelector("main h1")).focus();
  }), []);
  const rest = useRef([]);
  const busy = through !== null;
  /** @param {any[]} people @param {{act: any, said: any, back?: any, undo?: string}} what */
  const run = async (people, { act, said, back, undo }) => {
    ask(null);
    show(null);
    const of = people.length;
    tell({ n: 0, of });
    rest.current = [...people];
    const { done, failed } = await toEach(rest.current, act, (n) => tell({ n, of }));
    tell(null);
    drop(done);
    anew();
    const reverse = back && done.length > 0 && { label: t(undo), run: () => run(done, { act: back, said: () => t("taken-back", { n: done.length }) }) };
    if (failed.length > 0) show({ n: done.length, failed, reverse });
    else if (done.length > 0) toast(said({ n: done.length, name: done[0].display_name }), reverse);
  };
  // What was pressed cannot be pressed again yet: the focus goes to what can.
  useEffect(() => {
    if ((busy || result) && document.activeElement === document.body) document.querySelector(".bulk button:not([disabled])")?.focus();
  }, [busy, result]);
  useUnsaved(busy);
  const act = (label, icon, go) => html`<button disabled=${busy} onClick=${go}><${Icon} name=${icon} />${t(label)}</button>`;
  return html`<section class="bulk" aria-label=${t("selection")}>
    ${busy ? html`<p key="through" role="progressbar" aria-label=${t("selection")} aria-valuenow=${through.n} aria-valuemax=${through.of}><b>${t("bulk-through", { n: number(through.n), all: number(through.of) })}</b></p>` : html`
    <p key="picked" role="status"><b>${t("selected", { n: picked.length })}</b>
      ${unseen > 0 && html` <span class="sub">${t("selected-unseen", { n: unseen })}</span>`}
      ${result && html` <span class="field-error" data-s="help">${t("bulk-result", { n: result.n, errors: result.failed.length })}</span>`}</p>`}
    ${result && html`<button class="link" onClick=${() => ask("failed")}>${t("bulk-show")}</button>`}
    ${result?.reverse && html`<button class="link" onClick=${() => { result.reverse.run(); show(null); }}>${result.reverse.label}</button>`}
    ${is("admin") && !former && act("move-to-group", "users", () => ask("move"))}
    ${is("admin") && !former && act("people-leave", "log-out", () => ask("leave"))}
    ${is("admin") && former && act("people-return", "log-in", () => run(picked, RETURN))}
    ${act("print", "printer", print)}
    ${busy ? html`<button key="stop" class="bare" onClick=${() => rest.current.splice(0)}>${t("bulk-stop")}</button>` : html`<button key="clear" class="bare" onClick=${clear}>${t("selection-clear")}</button>`}
    ${asking === "move" && html`<${Move} picked=${picked} run=${run} close=${() => ask(null)} />`}
    ${asking === "leave" && html`<${Confirm} title=${t("people-leave-title", { n: picked.length, name: picked[0].display_name })} text=${leaving(picked)}
      label=${t("people-leave")} run=${() => run(picked, LEAVE)} close=${() => ask(null)} />`}
    ${asking === "failed" && html`<${Failed} failed=${result.failed} close=${() => ask(null)} />`}</section>`;
}

/** What becomes of those who leave for good. */
function leaving(picked) {
  const here = picked.filter((one) => one.status === "present").length;
  const own = picked.some((one) => one.id === me.value.person.id);
  return [t("people-leave-text"), here > 0 && t("people-leave-here", { n: here }), own && t("people-leave-own")].filter(Boolean).join(" ");
}

function Move({ picked, run, close }) {
  const [groups, setGroups] = useState([]);
  const [to, choose] = useState("");
  useEffect(() => {
    attempt(async () => setGroups((await allOf("/groups")).sort(byName)));
  }, []);
  const submit = (event) => {
    event.preventDefault();
    run(picked, move(groups.find((group) => group.id === to), new Map(groups.map((group) => [group.id, group.kind]))));
  };
  return html`<${Dialog} title=${t("move-title", { n: picked.length, name: picked[0].display_name })} close=${close}><form class="form" onSubmit=${submit}>
    <${Field} label=${t("group")} hint=${t("move-hint")}><select required value=${to} onChange=${(event) => choose(event.target.value)}><option value="" disabled>${t("group-choose")}</option>
      ${groups.map((group) => html`<option key=${group.id} value=${group.id}>${group.name}</option>`)}</select><//>
    <div class="dialog-acts"><button type="button" onClick=${close}>${t("cancel")}</button><button class="primary">${t("move-now")}</button></div></form><//>`;
}

/** Whom it did not succeed for, and why; they stay picked. */
function Failed({ failed, close }) {
  return html`<${Dialog} title=${t("bulk-failed", { n: failed.length })} close=${close}><p class="sub">${t("bulk-failed-hint")}</p>
    <ul class="plain-list members" tabindex="0" aria-label=${t("bulk-failed", { n: failed.length })}>${failed.map(({ one, problem }) => html`<li key=${one.id}><b>${one.display_name}</b><span class="sub">${explain(problem)}</span></li>`)}</ul>
    <div class="dialog-acts"><button class="primary" onClick=${close}>${t("close")}</button></div><//>`;
}
