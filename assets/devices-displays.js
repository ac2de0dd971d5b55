// Wall screens: which there are, whether they show the house now, and how one is let in or shut out.
import { api } from "./api.js";
import { Confirm } from "./forms.js";
import { route, setQuery } from "./here.js";
import { Ago, attempt, Later, Loaded, Status, toast, wholeOf } from "./parts.js";
import { Section } from "./store.js";
import { byName, t } from "./text.js";
import { html, Icon, useEffect, useKeptFocus, useMemo, useSection } from "./ui.js";

/** No event tells that a wall screen has come or gone; while somebody looks, the list is read anew so often. */
const LOOK_MS = 10_000;

/** The part of the page *Devices* about wall screens. What stands below comes after it, so that nothing jumps. */
export function Displays({ children }) {
  const section = useSection(useMemo(() => new Section({ load: (signal) => wholeOf("/displays", signal) }), []));
  const revoking = section.data?.items.find((one) => one.id === route.value.query.get("revoke"));
  useKeptFocus();
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && section.refetchSoon(), LOOK_MS);
    return () => clearInterval(timer);
  }, [section]);
  return html`<section class="part"><header class="list-head"><h2>${t("displays")}</h2>
      <button onClick=${() => setQuery({ add: "display" })}><${Icon} name="plus" />${t("display-pair")}</button></header>
    <${Loaded} section=${section} rows=${2}>${({ items }) => (items.length === 0 ? html`<p class="sub">${t("displays-none")}</p>`
      : html`<ul class="card rows" aria-label=${t("displays")}>${[...items].sort(byName).map(DisplayRow)}</ul>`)}<//>
    ${route.value.query.get("add") === "display" && html`<${Later} load=${() => import("./devices-join.js")} view="Pair" done=${() => section.refetchSoon()} close=${() => setQuery({ add: null })} />`}
    ${revoking && html`<${Confirm} title=${t("display-revoke-title", { name: revoking.name })} text=${t("display-revoke-text")}
      label=${t("device-revoke")} run=${() => shutOut(revoking, section)} close=${() => setQuery({ revoke: null })} />`}</section>
    ${(section.data || section.error) && children}`;
}

function DisplayRow(one) {
  const label = `${t("device-revoke")}: ${one.name}`;
  return html`<li key=${one.id} class="display-row"><${Icon} name="monitor" size=${24} />
    <span class="who"><b>${one.name}</b><span class="sub">${t("display-since")} <${Ago} at=${one.created_at} /></span></span>
    <${Status} state=${one.connected ? "in" : "off"}>${t(one.connected ? "display-on" : "display-off")}<//>
    <button class="bare" data-row=${one.id} title=${t("device-revoke")} aria-label=${label} onClick=${() => setQuery({ revoke: one.id })}><${Icon} name="ban" /></button></li>`;
}

async function shutOut(one, section) {
  const done = await attempt(() => section.optimistic(
    (list) => ({ ...list, items: list.items.filter((item) => item.id !== one.id) }),
    async () => (await api.del(`/displays/${one.id}`)) ?? true));
  section.refetchSoon();
  if (done) toast(t("device-revoke-done", { name: one.name }));
}
