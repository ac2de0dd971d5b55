// The hours of the house: when a member is late, and when the day is closed. The lead changes them.
import { api } from "./api.js";
import { route, setQuery } from "./here.js";
import { Later, Loaded, toast } from "./parts.js";
import { Section } from "./store.js";
import { t } from "./text.js";
import { html, Icon, useMemo, useSection } from "./ui.js";

export const HOURS = ["late_after", "closes_at"];

/** What an hour is called. */
export const labelOf = (name) => t(`house-${name.replace("_", "-")}`);

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
      ${route.value.query.get("house") === "hours" && html`<${Later} load=${() => import("./house-edit.js")} view="Edit" house=${house} done=${done} close=${close} />`}`}<//></section>`;
}
