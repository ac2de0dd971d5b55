// Rooms: what the lead makes before anything can run: rooms, activities, groups, who is in them and
// who is in charge; and the hours of the house.
import { api } from "./api.js";
import { Field } from "./forms.js";
import { me, readMe, route, setQuery } from "./here.js";
import { allOf, attempt, Dialog, explain, Later, Loaded, PageHead, Skeleton, toast } from "./parts.js";
import { Hours } from "./house.js";
import { reducer, Section, stale } from "./store.js";
import { byName, listed, t } from "./text.js";
import { html, Icon, useEffect, useMemo, useRef, useSection, useState, useWatch } from "./ui.js";

const ROOM_KINDS = ["room", "foyer", "yard"];
const GROUP_KINDS = ["class", "care", "ward"];
/** What a group mostly is in a kind of house. */
const USUAL_KIND = { school: "class", club: "care", clinic: "ward" };

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
      <${Dialogs} lists=${lists} query=${route.value.query} done=${() => section.refetch()} />`}<//>`;
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

/** The dialog that the address names. */
function Dialogs({ lists, query, done }) {
  const close = () => setQuery({ add: null, room: null, group: null, members: null });
  const add = query.get("add");
  const room = lists.rooms.find((one) => one.id === query.get("room"));
  const groupOf = (field) => lists.groups.find((one) => one.id === query.get(field));
  const [group, filled] = [groupOf("group"), groupOf("members")];
  const saved = (key) => ({ name }) => {
    done();
    if (add === "group") readMe();
    close();
    toast(t(key, { name }));
  };
  if (add === "room" || room) {
    const send = ({ capacity, ...rest }) => {
      const body = { ...rest, capacity: Number(capacity) };
      return room ? api.patch(`/rooms/${room.id}`, body) : api.post("/rooms", body);
    };
    const first = room ? { name: room.name, capacity: room.capacity, kind: room.kind } : { name: "", capacity: "", kind: "room" };
    return html`<${Draft} key=${room?.id} title=${t(room ? "room-edit" : "room-add")} first=${first} send=${send} done=${saved(room ? "room-changed" : "room-added")} close=${close}>${(form, set) => html`
      <${Field} label=${t("capacity")}><input type="number" inputmode="numeric" required min="1" max="5000" value=${form.capacity} onInput=${set("capacity")} /><//>
      <${Choice} label=${t("room-kind")} kinds=${ROOM_KINDS} start="room-kind" value=${form.kind} set=${set("kind")} />`}<//>`;
  }
  if (add === "activity") {
    const send = ({ name, room: usual }) => api.post("/activities", usual ? { name, default_room_id: usual } : { name });
    return html`<${Draft} title=${t("activity-add")} first=${{ name: "", room: "" }} send=${send} done=${saved("room-added")} close=${close}>${(form, set) => html`
      <${Field} label=${t("activity-room")}><select value=${form.room} onChange=${set("room")}><option value="">${t("no-room")}</option>
        ${lists.rooms.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select><//>`}<//>`;
  }
  if (add === "group") {
    const first = { name: "", kind: USUAL_KIND[me.value.house.profile] ?? "care" };
    return html`<${Draft} title=${t("group-add")} first=${first} send=${(form) => api.post("/groups", form)} done=${saved("room-added")} close=${close}>${(form, set) => html`
      <${Choice} label=${t("group-kind")} kinds=${GROUP_KINDS} start="group-kind" value=${form.kind} set=${set("kind")} />`}<//>`;
  }
  if (filled) return html`<${Later} key=${filled.id} load=${() => import("./rooms-members.js")} view="Members" group=${filled} done=${saved("members-set")} close=${close} />`;
  return group && html`<${InCharge} group=${group} held=${lists.held} done=${saved("in-charge-set")} close=${close} />`;
}

function Choice({ label, kinds, start, value, set }) {
  return html`<${Field} label=${label}><select value=${value} onChange=${set}>
    ${kinds.map((kind) => html`<option value=${kind}>${t(`${start}-${kind}`)}</option>`)}</select><//>`;
}

/** A form about a named thing; what is refused stays as it was typed, and the name has the focus. */
function Draft({ title, first, send, done, close, children }) {
  const [form, setForm] = useState(first);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const name = useRef(null);
  const set = (field) => (event) => setForm({ ...form, [field]: event.target.value });
  const save = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      done(await send(form));
    } catch (error) {
      setBusy(false);
      setProblem(error);
      name.current?.focus();
    }
  };
  return html`<${Dialog} title=${title} close=${close}><form class="form" onSubmit=${save}>
    ${problem && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <${Field} label=${t("name")}><input ref=${name} required autofocus maxlength="80" autocomplete="off" value=${form.name} onInput=${set("name")} /><//>
    ${children(form, set)}
    <div class="dialog-acts"><button type="button" onClick=${close}>${t("cancel")}</button><button class="primary" disabled=${busy}>${t("save")}</button></div></form><//>`;
}

/** Who looks after a group for good: any of those who may look after members. */
function InCharge({ group, held, done, close }) {
  const [staff, setStaff] = useState(null);
  const [chosen, choose] = useState(() => held.filter((one) => one.group_id === group.id && one.kind === "standing").map((one) => one.staff_id));
  const [problem, setProblem] = useState(null);
  const first = useRef(null);
  useEffect(() => first.current?.focus(), [staff]);
  useEffect(() => {
    attempt(async () => {
      const lists = await Promise.all(["staff", "admin"].map((role) => allOf(`/people?role=${role}`)));
      setStaff(lists.flat().sort(byName));
    });
  }, []);
  const toggle = (id) => choose(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  const save = async (event) => {
    event.preventDefault();
    try {
      await api.put(`/groups/${group.id}/staff`, { staff_ids: chosen });
      done(group);
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} title=${t("in-charge-edit", { name: group.name })} close=${close}><form class="form" onSubmit=${save}>
    ${problem && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <p class="sub">${t("in-charge-hint")}</p>
    ${!staff && html`<${Skeleton} rows=${3} />`}
    ${staff && html`<fieldset class="radios"><legend>${t("in-charge")}</legend>${staff.map((one, at) => html`<label key=${one.id}>
      <input type="checkbox" ref=${at === 0 ? first : null} checked=${chosen.includes(one.id)} onChange=${() => toggle(one.id)} />${one.display_name}</label>`)}</fieldset>`}
    <div class="dialog-acts"><button type="button" onClick=${close}>${t("cancel")}</button><button class="primary" disabled=${!staff}>${t("save")}</button></div></form><//>`;
}
