// Devices: are all badge readers online, what waits in them, and how a new one joins; wall screens.
import { api } from "./api.js";
import { Displays } from "./devices-displays.js";
import { STATES } from "./devices-figures.js";
import { Confirm } from "./forms.js";
import { setQuery, route } from "./here.js";
import { Ago, attempt, Empty, Later, Loaded, PageHead, Status, toast, wholeOf } from "./parts.js";
import { reducer, Section, stale } from "./store.js";
import { byName, number, t } from "./text.js";
import { html, Icon, useKeptFocus, useMemo, useSection, useWatch } from "./ui.js";

/** What a reader is ordered to do after one question. */
const ORDERS = {
  reboot: { icon: "power", label: "device-reboot", path: "commands", body: { kind: "reboot" } },
  "roll-key": { icon: "refresh-cw", label: "device-roll" },
  revoke: { icon: "ban", label: "device-revoke" },
};

/** Of the list of readers. */
export const reduce = {
  "device.status_changed": (list, fact) => {
    const known = list.items.find((one) => one.id === fact.device_id);
    // By how much a clock is wrong is not in the news.
    if (!known || (fact.alarms.includes("clock") && !known.alarms.includes("clock"))) return stale(list);
    const { device_id: id, ...fields } = fact;
    return { ...list, items: list.items.map((one) => (one.id === id ? { ...one, ...fields } : one)) };
  },
};

/** Of the scans that a person should look at. */
export const reduceReview = {
  "scan.needs_review": (list) => stale(list),
  "scan.unknown": (list) => stale(list),
};

export function DevicesPage() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => wholeOf("/devices", signal), reduce: reducer(reduce),
  }), []));
  useWatch(route);
  const { query } = route.value;
  const adding = query.get("add");
  const asked = ORDERS[query.get("order")] && section.data?.items.find((one) => one.id === query.get("reader"));
  return html`<${PageHead} title=${t("devices")} section=${section} />
    <section class="part"><header class="list-head"><h2>${t("readers")}</h2>
      <button class="primary" onClick=${() => setQuery({ add: "reader" })}><${Icon} name="plus" />${t("device-add")}</button></header>
    <${Loaded} section=${section} rows=${8}>${({ items }) => (items.length === 0
      ? html`<${Empty} icon="nfc" title=${t("devices-none")}><p>${t("devices-none-hint")}</p><//>`
      : html`<div class="card table-frame"><table class="readers" role="table"><caption class="visually-hidden">${t("readers")}</caption><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">${t("name")}</th><th scope="col" role="columnheader">${t("state")}</th>
          <th scope="col" role="columnheader">${t("device-where")}</th><th scope="col" role="columnheader">${t("last-seen")}</th><th scope="col" role="columnheader">${t("device-queue")}</th>
          <th scope="col" role="columnheader"><span class="visually-hidden">${t("actions")}</span></th></tr></thead>
          <tbody role="rowgroup">${[...items].sort(byName).map(DeviceRow)}</tbody></table></div>`)}<//></section>
    ${(section.data || section.error) && html`<${Displays}><${Review} /><//>`}
    ${adding === "reader" && html`<${Later} load=${() => import("./devices-join.js")} view="Enrol" close=${() => setQuery({ add: null })} />`}
    ${asked && html`<${Asking} act=${query.get("order")} one=${asked} section=${section} close=${() => setQuery({ order: null, reader: null })} />`}`;
}

function DeviceRow(one) {
  return html`<tr role="row" key=${one.id}><th scope="row" role="rowheader">${one.name}<span class="sub block">${[one.key_prefix, one.firmware].filter(Boolean).join(" · ")}</span></th>
    <td role="cell"><div class="pills"><${Status} state=${STATES[one.state]}>${t(`device-${one.state}`)}<//>
      ${one.alarms.map((alarm) => html`<${Alarm} alarm=${alarm} skew_ms=${one.skew_ms} />`)}</div></td>
    <td role="cell">${one.mode === "room" && one.room_name ? one.room_name : html`${t(`mode-${one.mode}`)}${one.room_name && ` · ${one.room_name}`}`}</td>
    <td role="cell">${one.last_seen_at ? html`<${Ago} at=${one.last_seen_at} />` : t("never")}</td>
    <td role="cell" data-empty=${one.queue_depth > 0 ? null : ""}><${Buffer} one=${one} /></td>
    <td role="cell" class="row-acts">${one.state !== "revoked" && html`
      <button class="bare" title=${t("device-identify")} aria-label=${`${t("device-identify")}: ${one.name}`} onClick=${() => identify(one)}><${Icon} name="bell" /></button>
      ${Object.entries(ORDERS).map(([act, { icon, label }]) => html`<button key=${act} class="bare" title=${t(label)} aria-label=${`${t(label)}: ${one.name}`} onClick=${() => setQuery({ order: act, reader: one.id })}><${Icon} name=${icon} /></button>`)}`}</td></tr>`;
}

/** What somebody should look at in a reader. */
function Alarm({ alarm, skew_ms: skew }) {
  return html`<${Status} state="away">${t(`device-alarm-${alarm.replace("_", "-")}`, { n: number(Math.round((skew ?? 0) / 1000)) })}<//>`;
}

/** What waits in a reader; a full one takes no badge any more. */
function Buffer({ one: { queue_depth: n, config } }) {
  if (n === 0) return t("device-queue-empty");
  const full = n >= config.buffer_max;
  return html`<${Status} state=${full ? "help" : "away"}>${t(full ? "device-full" : "device-waiting", { n })}<//>`;
}

async function identify(one) {
  const sent = await attempt(async () => (await api.post(`/devices/${one.id}/commands`, { kind: "identify" })) ?? true);
  if (sent) toast(t("device-identify-sent", { name: one.name }));
}

/** Asks once before a reader has to do what somebody at it would notice. */
function Asking({ act, one, section, close }) {
  const { label, path = act, body } = ORDERS[act];
  const run = async () => {
    const done = await attempt(async () => (await api.post(`/devices/${one.id}/${path}`, body)) ?? true);
    section.refetchSoon();
    if (done) toast(t(`device-${act}-done`, { name: one.name }));
  };
  return html`<${Confirm} title=${t(`device-${act}-title`, { name: one.name })} text=${t(`device-${act}-text`)} label=${t(label)} run=${run} close=${close} />`;
}

/** Scans that the house could not place by itself. */
function Review() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/scans/review?limit=200", { signal }), reduce: reducer(reduceReview),
  }), []));
  useKeptFocus();
  const done = (one) => attempt(() => section.optimistic(
    (list) => ({ ...list, items: list.items.filter((item) => item.id !== one.id) }),
    () => api.post(`/scans/${one.id}/reviewed`)));
  return html`<section class="part"><header class="list-head"><h2>${t("scans-review")}</h2></header>
    <${Loaded} section=${section} rows=${2}>${({ items }) => (items.length === 0 ? html`<p class="sub">${t("scans-review-none")}</p>` : html`
      <ul class="card rows">${items.map((one) => html`<li key=${one.id}><${Icon} name="nfc" size=${24} />
        <span class="who"><b>${one.display_name ?? t("unknown-card")}</b><span class="sub">${one.device_name} · ${t(`why-${one.why.replaceAll(/[._]/g, "-")}`)} · <${Ago} at=${one.scanned_at} /></span></span>
        <button data-row=${one.id} onClick=${() => done(one)}><${Icon} name="check" />${t("scan-reviewed")}</button></li>`)}</ul>`)}<//></section>`;
}
