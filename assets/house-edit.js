// The form of the hours of the house; fetched when it is opened.
import { api } from "./api.js";
import { Begun, useDraft } from "./draft.js";
import { Field } from "./forms.js";
import { timeOfDay } from "./hours.js";
import { HOURS, labelOf } from "./house.js";
import { Dialog, explain } from "./parts.js";
import { t } from "./text.js";
import { html, useRef, useState } from "./ui.js";

/**
 * Only what was changed is sent, so that a refusal stands at what was typed. The fields are plain
 * ones: a browser's own field for times speaks the language of the browser, and 12 hours in many.
 */
export function Edit({ house, done, close }) {
  const [form, setForm, forget, begun] = useDraft("hours", { late_after: house.late_after, closes_at: house.closes_at });
  const [problem, setProblem] = useState(null);
  const fields = useRef({});
  const refuse = (error) => {
    setProblem(error);
    fields.current[error.field]?.focus();
  };
  const leave = () => {
    forget();
    close();
  };
  const save = async (event) => {
    event.preventDefault();
    const read = { late_after: timeOfDay(form.late_after), closes_at: timeOfDay(form.closes_at) };
    const wrong = HOURS.find((name) => read[name] === null);
    if (wrong) return refuse({ field: wrong, text: t("no-time-of-day") });
    setForm(read);
    const changed = HOURS.filter((name) => read[name] !== house[name]);
    try {
      await api.patch("/house", Object.fromEntries(changed.map((name) => [name, read[name]])));
      forget();
      return done();
    } catch (error) {
      return refuse(error);
    }
  };
  return html`<${Dialog} title=${t("hours-edit")} close=${close}><form class="form" onSubmit=${save}>
    ${problem && !HOURS.includes(problem.field) && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <${Begun} begun=${begun} /><p class="sub">${t("hours-hint")}</p>
    ${HOURS.map((name, at) => html`<${Field} key=${name} label=${labelOf(name)} hint=${t(`house-${name.replace("_", "-")}-hint`)} error=${problem?.field === name && (problem.text ?? explain(problem))}>
      <input class="time" required inputmode="numeric" autocomplete="off" maxlength="5" autofocus=${at === 0} ref=${(input) => { fields.current[name] = input; }} value=${form[name]} onInput=${(event) => setForm({ ...form, [name]: event.target.value })} /><//>`)}
    <div class="dialog-acts"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("save")}</button></div></form><//>`;
}
