// The hours of the house: when a member is late, and when the day is closed. The lead changes them.
import { api } from "./api.js";
import { Field } from "./forms.js";
import { route, setQuery } from "./here.js";
import { Dialog, explain, Loaded, toast } from "./parts.js";
import { Section } from "./store.js";
import { t } from "./text.js";
import { html, Icon, useMemo, useRef, useSection, useState } from "./ui.js";

const HOURS = ["late_after", "closes_at"];
/** What a person types for a time of day, as the house writes it: 8:05, 8.05 and 805 are 08:05; null for what is none. */
export function timeOfDay(text) {
  const [, hour, minute] = /^([01]?\d|2[0-3])[:.]?([0-5]\d)$/.exec(text.trim()) ?? [];
  return hour ? `${hour.padStart(2, "0")}:${minute}` : null;
}

const labelOf = (name) => t(`house-${name.replace("_", "-")}`);

/** The part of the page *Rooms* about the hours. */
export function Hours() {
  const section = useSection(useMemo(() => new Section({ load: (signal) => api.get("/house", { signal }) }), []));
  const close = () => setQuery({ house: null });
  const done = () => {
    section.refetch();
    close();
    toast(t("hours-changed"));
  };
  return html`<section aria-labelledby="hours"><header class="list-head"><h2 id="hours">${t("hours")}</h2>
      <button onClick=${() => setQuery({ house: "hours" })}><${Icon} name="pencil" />${t("hours-edit")}</button></header>
    <${Loaded} section=${section} rows=${2}>${(house) => html`<dl class="card figures hours">
        ${HOURS.map((name) => html`<div><dt>${labelOf(name)}</dt><dd>${house[name]}</dd></div>`)}</dl>
      ${route.value.query.get("house") === "hours" && html`<${Edit} house=${house} done=${done} close=${close} />`}`}<//></section>`;
}

/**
 * Only what was changed is sent, so that a refusal stands at what was typed. The fields are plain
 * ones: a browser's own field for times speaks the language of the browser, and 12 hours in many.
 */
function Edit({ house, done, close }) {
  const [form, setForm] = useState({ late_after: house.late_after, closes_at: house.closes_at });
  const [problem, setProblem] = useState(null);
  const fields = useRef({});
  const refuse = (error) => {
    setProblem(error);
    fields.current[error.field]?.focus();
  };
  const save = async (event) => {
    event.preventDefault();
    const read = { late_after: timeOfDay(form.late_after), closes_at: timeOfDay(form.closes_at) };
    const wrong = HOURS.find((name) => read[name] === null);
    if (wrong) return refuse({ field: wrong, text: t("no-time-of-day") });
    setForm(read);
    const changed = HOURS.filter((name) => read[name] !== house[name]);
    try {
      return done(await api.patch("/house", Object.fromEntries(changed.map((name) => [name, read[name]]))));
    } catch (error) {
      return refuse(error);
    }
  };
  return html`<${Dialog} title=${t("hours-edit")} close=${close}><form class="form" onSubmit=${save}>
    ${problem && !HOURS.includes(problem.field) && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <p class="sub">${t("hours-hint")}</p>
    ${HOURS.map((name, at) => html`<${Field} key=${name} label=${labelOf(name)} hint=${t(`house-${name.replace("_", "-")}-hint`)} error=${problem?.field === name && (problem.text ?? explain(problem))}>
      <input class="time" required inputmode="numeric" autocomplete="off" maxlength="5" autofocus=${at === 0} ref=${(input) => { fields.current[name] = input; }} value=${form[name]} onInput=${(event) => setForm({ ...form, [name]: event.target.value })} /><//>`)}
    <div class="dialog-acts"><button type="button" onClick=${close}>${t("cancel")}</button><button class="primary">${t("save")}</button></div></form><//>`;
}
