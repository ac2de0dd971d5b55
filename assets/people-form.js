// What the forms of People share: fields with their errors, a summary above, and the way out of what was begun.
import { Field } from "./forms.js";
import { Dialog, explain } from "./parts.js";
import { t } from "./text.js";
import { html, useEffect, useRef, useState } from "./ui.js";

export const ROLES = ["member", "staff", "office", "admin"];
/** How long each may be, as the server has it. */
const LONGEST = { given_name: 80, family_name: 80, display_name: 161, number: 60 };
/** The fields that a refusal without a field is about. */
const ABOUT = { "person.number_taken": "number", "person.last_admin": "role", "group.full": "groups" };
const GROUP_FIELDS = ["added", "removed"];

/** Returns what a form lacks before it is sent: a name. */
export function nameless(form, required) {
  return required.filter((name) => form[name].trim() === "").map((name) => ({ field: name, text: t("field-needed") }));
}

/** Returns what was refused, by its field. */
export function faultOf(problem) {
  const field = GROUP_FIELDS.includes(problem.field) ? "groups" : problem.field ?? ABOUT[problem.code];
  return { field, text: explain(problem) };
}

export const labelOf = (name) => t(name === "state" ? "belonging" : name.replace("_", "-"));
const idOf = (name) => `person-${name.replace("_", "-")}`;

/** The choices of a field, as value and words. */
export function choicesOf(name) {
  if (name === "role") return ROLES.map((role) => [role, t(`role-${role}`)]);
  if (name === "language") return [["", t("language-none")], ...["de", "en"].map((lang) => [lang, t(`language-${lang}`)])];
  return name === "state" ? ["active", "inactive"].map((state) => [state, t(`state-${state}`)]) : null;
}

/** One field of a person, a line or a choice; `form`, `set` and `faults` are those of the form. */
export function PersonField({ of: name, form, set, faults, label = labelOf(name), hint, choices = choicesOf(name), ...more }) {
  const fault = faults.find((one) => one.field === name);
  const input = { id: idOf(name), value: form[name], "aria-invalid": fault ? "true" : null, onInput: (event) => set(name, event.target.value), ...more };
  return html`<${Field} label=${label} hint=${hint} error=${fault?.text}>${choices
    ? html`<select ...${input}>${choices.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select>`
    : html`<input autocomplete="off" maxlength=${LONGEST[name]} ...${input} />`}<//>`;
}

/** What keeps a form from being saved, all of it at once; each leads to its field. */
export function Faults({ faults }) {
  const box = useRef(null);
  useEffect(() => box.current?.focus(), [faults]);
  if (faults.length === 0) return null;
  const line = ({ field, text }) => {
    const at = field && document.getElementById(idOf(field));
    return at ? html`<button type="button" class="link" onClick=${() => at.focus()}>${labelOf(field)}: ${text}</button>` : text;
  };
  return html`<div class="faults" role="alert" tabindex="-1" ref=${box}><p class="field-error" data-s="help">${t("form-faults")}</p>
    <ul>${faults.map((one) => html`<li key=${one.field}>${line(one)}</li>`)}</ul></div>`;
}

/**
 * Sees to it that nothing that was begun is lost by a slip: Escape and the cross ask. Returns the
 * form's `ref`, how it is left, and the question.
 */
export function useLeaving({ dirty, close, forget }) {
  const form = useRef(null);
  const [asking, ask] = useState(false);
  useEffect(() => {
    const dialog = form.current.closest("dialog");
    const question = (event) => {
      if (event.target !== dialog) return;
      event.preventDefault();
      ask(true);
    };
    if (!dirty) return undefined;
    dialog.addEventListener("cancel", question);
    return () => dialog.removeEventListener("cancel", question);
  }, [dirty]);
  // A dialog that the browser has closed all the same cannot ask any more; the draft is kept.
  const leave = () => (dirty && form.current.closest("dialog").open ? ask(true) : close());
  const discard = () => {
    forget();
    close();
  };
  const question = asking && html`<${Dialog} title=${t("leave-title")} close=${() => ask(false)}><p>${t("leave-text")}</p>
    <div class="dialog-acts"><button class="danger" onClick=${discard}>${t("leave-discard")}</button>
      <button onClick=${close}>${t("leave-keep")}</button><button class="primary" autofocus onClick=${() => ask(false)}>${t("leave-stay")}</button></div><//>`;
  return { form, leave, question };
}
