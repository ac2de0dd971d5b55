// The forms of the page *Rooms*: a room, an activity, a group, and who is in charge of it; fetched when
// one of them is opened.
import { api } from "./api.js";
import { Begun, useDraft } from "./draft.js";
import { Field } from "./forms.js";
import { me, readMe, setQuery } from "./here.js";
import { allOf, attempt, Dialog, explain, Later, Skeleton, toast } from "./parts.js";
import { byName, t } from "./text.js";
import { html, useEffect, useRef, useState } from "./ui.js";

const ROOM_KINDS = ["room", "foyer", "yard"];
const GROUP_KINDS = ["class", "care", "ward"];
/** What a group mostly is in a kind of house. */
const USUAL_KIND = { school: "class", club: "care", clinic: "ward" };

/** The dialog that the address names. */
export function Dialogs({ lists, query, done }) {
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
    return html`<${Draft} key=${room?.id} kept=${`room-${room?.id ?? "new"}`} title=${t(room ? "room-edit" : "room-add")} first=${first} send=${send} done=${saved(room ? "room-changed" : "room-added")} close=${close}>${(form, set) => html`
      <${Field} label=${t("capacity")}><input type="number" inputmode="numeric" required min="1" max="5000" value=${form.capacity} onInput=${set("capacity")} /><//>
      <${Choice} label=${t("room-kind")} kinds=${ROOM_KINDS} start="room-kind" value=${form.kind} set=${set("kind")} />`}<//>`;
  }
  if (add === "activity") {
    const send = ({ name, room: usual }) => api.post("/activities", usual ? { name, default_room_id: usual } : { name });
    return html`<${Draft} kept="activity" title=${t("activity-add")} first=${{ name: "", room: "" }} send=${send} done=${saved("room-added")} close=${close}>${(form, set) => html`
      <${Field} label=${t("activity-room")}><select value=${form.room} onChange=${set("room")}><option value="">${t("no-room")}</option>
        ${lists.rooms.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select><//>`}<//>`;
  }
  if (add === "group") {
    const first = { name: "", kind: USUAL_KIND[me.value.house.profile] ?? "care" };
    return html`<${Draft} kept="group" title=${t("group-add")} first=${first} send=${(form) => api.post("/groups", form)} done=${saved("room-added")} close=${close}>${(form, set) => html`
      <${Choice} label=${t("group-kind")} kinds=${GROUP_KINDS} start="group-kind" value=${form.kind} set=${set("kind")} />`}<//>`;
  }
  if (filled) return html`<${Later} key=${filled.id} load=${() => import("./rooms-members.js")} view="Members" group=${filled} done=${saved("members-set")} close=${close} />`;
  return group && html`<${InCharge} group=${group} held=${lists.held} done=${saved("in-charge-set")} close=${close} />`;
}

function Choice({ label, kinds, start, value, set }) {
  return html`<${Field} label=${label}><select value=${value} onChange=${set}>
    ${kinds.map((kind) => html`<option value=${kind}>${t(`${start}-${kind}`)}</option>`)}</select><//>`;
}

/** A form about a named thing, kept as a draft; what is refused stays as it was typed, and the name has the focus. */
function Draft({ kept, title, first, send, done, close, children }) {
  const [form, setForm, forget, begun] = useDraft(kept, first);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const name = useRef(null);
  const set = (field) => (event) => setForm({ ...form, [field]: event.target.value });
  const save = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const saved = await send(form);
      forget();
      done(saved);
    } catch (error) {
      setBusy(false);
      setProblem(error);
      name.current?.focus();
    }
  };
  return html`<${Dialog} title=${title} close=${close}><form class="form" onSubmit=${save}>
    <${Begun} begun=${begun} />
    ${problem && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <${Field} label=${t("name")}><input ref=${name} required autofocus maxlength="80" autocomplete="off" value=${form.name} onInput=${set("name")} /><//>
    ${children(form, set)}
    <div class="dialog-acts"><button type="button" onClick=${() => leave(forget, close)}>${t("cancel")}</button><button class="primary" disabled=${busy}>${t("save")}</button></div></form><//>`;
}

/** Who cancels wants none of it again; a dialog that was closed has it still. */
function leave(forget, close) {
  forget();
  close();
}

/** Who looks after a group for good: any of those who may look after members. */
function InCharge({ group, held, done, close }) {
  const [staff, setStaff] = useState(null);
  const [chosen, choose, forget, begun] = useDraft(`in-charge-${group.id}`, held.filter((one) => one.group_id === group.id && one.kind === "standing").map((one) => one.staff_id));
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
      forget();
      done(group);
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} title=${t("in-charge-edit", { name: group.name })} close=${close}><form class="form" onSubmit=${save}>
    ${problem && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <${Begun} begun=${begun} /><p class="sub">${t("in-charge-hint")}</p>
    ${!staff && html`<${Skeleton} rows=${3} />`}
    ${staff && html`<fieldset class="radios"><legend>${t("in-charge")}</legend>${staff.map((one, at) => html`<label key=${one.id}>
      <input type="checkbox" ref=${at === 0 ? first : null} checked=${chosen.includes(one.id)} onChange=${() => toggle(one.id)} />${one.display_name}</label>`)}</fieldset>`}
    <div class="dialog-acts"><button type="button" onClick=${() => leave(forget, close)}>${t("cancel")}</button><button class="primary" disabled=${!staff}>${t("save")}</button></div></form><//>`;
}
