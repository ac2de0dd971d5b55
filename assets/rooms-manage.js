// Rooms: what the lead makes before anything can run: rooms, activities, groups, who is in them and
// who is in charge; and the hours of the house.
import { api } from "./api.js";
import { route, setQuery } from "./here.js";
import { allOf, Later, Loaded, PageHead } from "./parts.js";
import { Hours } from "./house.js";
import { reducer, Section, stale } from "./store.js";
import { byName, listed, t } from "./text.js";
import { html, Icon, useMemo, useSection, useWatch } from "./ui.js";

/** What an address asks for with a dialog. */
const ASKED = ["add", "room", "group", "members"];

/** Of the lists: who comes and goes changes nothing here, another lead's changes do. */
export const reduce = {
  "room.occupancy_changed": (lists, { room_id: id, capacity }) => {
    const known = lists.rooms.find((one) => one.id === id);
    return known?.capacity === capacity ? lists : stale(lists);
  },
  "supervision.changed": (lists) => stale(lists),
  "access.changed": (lists) => stale(lists),
};

async function load(signal) {
  const paths = ["/rooms", "/activities", "/groups", "/supervisions"];
  const [rooms, activities, groups, held] = await Promise.all(paths.map((path) => allOf(path, signal)));
  return { rooms: rooms.sort(byName), activities: activities.sort(byName), groups: groups.sort(byName), held: held.filter((one) => one.group_id) };
}

/** The lead's page of rooms, activities and groups. */
export function RoomsPage() {
  const section = useSection(useMemo(() => new Section({ load, reduce: reducer(reduce) }), []));
  useWatch(route);
  return html`<${PageHead} title=${t("rooms")} section=${section} />
    <${Loaded} section=${section} rows=${10}>${(lists) => html`<div class="lists">
        <${List} noun="room" title=${t("rooms")} empty=${t("rooms-empty")} items=${lists.rooms} row=${RoomRow} />
        <${List} noun="activity" title=${t("activities")} empty=${t("activities-empty")} items=${lists.activities} row=${(one) => ActivityRow(one, lists)} />
        <${List} noun="group" title=${t("groups")} empty=${t("groups-empty")} items=${lists.groups} row=${(one) => GroupRow(one, lists)} />
        <${Hours} /></div>
      ${ASKED.some((name) => route.value.query.has(name)) && html`<${Later} load=${() => import("./rooms-forms.js")} view="Dialogs" lists=${lists} query=${route.value.query} done=${() => section.refetch()} />`}`}<//>`;
}

function List({ noun, title, empty, items, row }) {
  return html`<section><header class="list-head"><h2>${title}</h2>
      <button onClick=${() => setQuery({ add: noun })}><${Icon} name="plus" />${t(`${noun}-add`)}</button></header>
    ${items.length === 0 ? html`<p class="sub">${empty}</p>` : html`<ul class="card rows" aria-label=${title}>${items.map(row)}</ul>`}</section>`;
}

function Line({ name, sub, label, icon, open }) {
  return html`<span class="who"><b>${name}</b>${sub && html`<span class="sub">${sub}</span>`}</span>
    ${open && html`<button class="bare" title=${label} aria-label=${label} onClick=${open}><${Icon} name=${icon} /></button>`}`;
}

function RoomRow(one) {
  const sub = [t("seats", { n: one.capacity }), one.kind !== "room" && t(`room-kind-${one.kind}`)].filter(Boolean).join(" · ");
  return html`<li key=${one.id}><${Line} name=${one.name} sub=${sub} icon="pencil" label=${t("room-change", { name: one.name })} open=${() => setQuery({ room: one.id })} /></li>`;
}

function ActivityRow(one, { rooms }) {
  return html`<li key=${one.id}><${Line} name=${one.name} sub=${rooms.find((room) => room.id === one.default_room_id)?.name} /></li>`;
}

function GroupRow(one, { held }) {
  const names = held.filter((entry) => entry.group_id === one.id)
    .map((entry) => (entry.kind === "substitution" ? `${entry.display_name} (${t("substitute")})` : entry.display_name));
  const sub = `${t(`group-kind-${one.kind}`)} · ${t("in-charge")}: ${names.length > 0 ? listed(names) : t("nobody")}`;
  return html`<li key=${one.id}><${Line} name=${one.name} sub=${sub} icon="clipboard-list" label=${t("in-charge-edit", { name: one.name })} open=${() => setQuery({ group: one.id })} />
    <button class="bare" title=${t("members-edit", { name: one.name })} aria-label=${t("members-edit", { name: one.name })} onClick=${() => setQuery({ members: one.id })}><${Icon} name="users" /></button></li>`;
}
