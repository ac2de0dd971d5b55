// People: the list in scope, and finding anyone; one person's card is in people-card.js.
import { is, route, setQuery } from "./here.js";
import { allOf, Empty, Later, Loaded, PageHead, Status, wholeOf } from "./parts.js";
import { reducer, Section, stale } from "./store.js";
import { byName, language, number, plain, t } from "./text.js";
import { html, Icon, useEffect, useMemo, useSection, useState, useWatch } from "./ui.js";

/** Of the list: who came or went is shown at once, the room is read. */
export const reduce = {
  "attendance.checked_in": (list, fact) => withStatus(list, fact.member_id, { status: "present" }),
  "attendance.checked_out": (list, fact) => withStatus(list, fact.member_id, { status: "not_present", room_name: undefined }),
  "visit.started": (list, visit) => withRoom(list, visit),
  "visit.ended": (list, visit) => withStatus(list, visit.member_id, { room_name: undefined, room_id: undefined }),
  "visit.bulk_started": (list) => stale(list),
  "visit.bulk_ended": (list) => stale(list),
  "access.changed": (list) => stale(list),
};

function withStatus(list, id, fields) {
  if (!list.items.some((one) => one.id === id)) return list;
  return { ...list, items: list.items.map((one) => (one.id === id ? { ...one, ...fields } : one)) };
}

function withRoom(list, visit) {
  const room = list.rooms?.find((one) => one.id === visit.room_id)?.name;
  const next = withStatus(list, visit.member_id, { status: "present", room_name: room });
  return next === list || room ? next : stale(next);
}

/** Everyone in scope, with where they are now. */
export function PeoplePage() {
  const section = useSection(useMemo(() => new Section({
    load: async (signal) => {
      const [list, rooms] = await Promise.all([wholeOf("/people", signal), allOf("/rooms", signal)]);
      return { ...list, rooms };
    },
    reduce: reducer(reduce),
  }), []));
  useWatch(route);
  const query = route.value.query;
  const items = section.data?.items ?? [];
  const counts = { members: items.filter((one) => one.role === "member").length, staff: items.filter((one) => one.role && one.role !== "member").length };
  return html`<${PageHead} title=${t("people")} sub=${section.data && t("people-counts", counts)} section=${section}>
      ${is("admin") && html`<button onClick=${() => setQuery({ import: "1" })}><${Icon} name="upload" />${t("import-csv")}</button>
        <button class="primary" onClick=${() => setQuery({ add: "1" })}><${Icon} name="plus" />${t("person-add")}</button>`}
      <button onClick=${() => print()}><${Icon} name="printer" />${t("print")}</button><//>
    <${Loaded} section=${section} rows=${12}>${(data) => html`<${List} items=${data.items} query=${query} />`}<//>
    ${query.get("person") && html`<${Later} key="card" load=${() => import("./people-card.js")} view="PersonCard" id=${query.get("person")} changed=${() => section.refetchSoon()} close=${() => setQuery({ person: null, edit: null })} />`}
    ${query.get("add") && html`<${Later} key="add" load=${() => import("./people-add.js")} view="AddPerson" done=${() => section.refetchSoon()} close=${() => setQuery({ add: null })} />`}
    ${query.get("import") && html`<${Later} key="import" load=${() => import("./people-import.js")} view="ImportPeople" done=${() => section.refetchSoon()} close=${() => setQuery({ import: null })} />`}`;
}

/** As many rows as a tall screen shows; the rest of a filtered list comes when typing has paused. */
const FIRST = 40;
const PAUSE_MS = 250;

/** Returns the rows to be drawn of what is `shown`, all but while `asked` has just changed. */
function useRows(shown, asked) {
  const [drawn, setDrawn] = useState(asked);
  useEffect(() => {
    const timer = setTimeout(() => setDrawn(asked), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  return drawn === asked ? shown : shown.slice(0, FIRST);
}

function List({ items, query }) {
  const groups = useMemo(() => {
    const all = items.flatMap((one) => one.groups ?? []);
    return [...new Map(all.map((group) => [group.id, group])).values()].sort(byName);
  }, [items]);
  const words = plain(query.get("q") ?? "");
  const [group, status, desc] = [query.get("group"), query.get("status"), query.get("sort") === "desc"];
  const sorted = useMemo(() => [...items].sort(byName).map((one) => ({ one, text: textOf(one) })), [items]);
  const shown = useMemo(() => {
    const match = ({ one, text }) => text.includes(words)
      && (!group || one.groups?.some((entry) => entry.id === group)) && (!status || one.status === status);
    const found = sorted.filter(match).map(({ one }) => one);
    return desc ? found.reverse() : found;
  }, [sorted, words, group, status, desc]);
  const rows = useRows(shown, [words, group, status, desc].join());
  const set = (name) => (event) => setQuery({ [name]: event.target.value }, { replace: true });
  return html`<div class="filters">
      <input type="search" id="people-search" aria-label=${t("people-search")} placeholder=${t("people-search")} value=${query.get("q") ?? ""} onInput=${set("q")} />
      <select aria-label=${t("group")} value=${group ?? ""} onChange=${set("group")}><option value="">${t("all-groups")}</option>
        ${groups.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select>
      <select aria-label=${t("status")} value=${status ?? ""} onChange=${set("status")}><option value="">${t("any-status")}</option>
        <option value="present">${t("present")}</option><option value="not_present">${t("not-here")}</option></select></div>
    ${items.length === 0 ? html`<${Empty} icon="users" title=${t("people-none")}><p>${t("people-none-hint")}</p><//>`
      : shown.length === 0 ? html`<${Empty} icon="search" title=${t("find-nobody", { query: query.get("q") ?? "" })} />` : html`
    <div class="card table-frame"><table class="people"><caption class="visually-hidden">${t("people")}</caption><thead><tr>
      <th scope="col" aria-sort=${desc ? "descending" : "ascending"}><button class="sort" onClick=${() => setQuery({ sort: desc ? null : "desc" }, { replace: true })}>
        ${t("name")}<${Icon} name=${desc ? "arrow-down" : "arrow-up"} size=${16} /></button></th>
      <th scope="col">${t("group")}</th><th scope="col">${t("now")}</th></tr></thead>
      <tbody>${rows.map(personRow)}</tbody></table></div>
    <p class="sub" role="status">${t("people-shown", { n: number(shown.length), all: number(items.length) })}</p>`}`;
}

/** What a search goes by. */
function textOf(one) {
  return plain(`${one.display_name} ${(one.groups ?? []).map((group) => group.name).join(" ")}`);
}

/** Rows by whom they show, each with its language: one that is the same again costs nothing to draw. */
const known = new WeakMap();

function personRow(one) {
  const [lang, row] = known.get(one) ?? [];
  if (lang === language.value) return row;
  const drawn = html`<tr key=${one.id}><th scope="row"><a href=${`/people?person=${one.id}`}>${one.display_name}</a></th>
    <td>${(one.groups ?? []).map((group) => group.name).join(", ") || (one.role && one.role !== "member" ? t(`role-${one.role}`) : "")}</td>
    <td><${Where} one=${one} /></td></tr>`;
  known.set(one, [language.value, drawn]);
  return drawn;
}

/** Where a person is, as far as the viewer may know. */
export function Where({ one }) {
  if (one.status !== "present") return html`<${Status} state="off">${t("not-here")}<//>`;
  if (one.room_name) return html`<${Status} state="in">${one.room_name}<//>`;
  return html`<${Status} state=${one.role === "member" && one.groups ? "away" : "in"}>${t(one.role === "member" && one.groups ? "on-the-way" : "present")}<//>`;
}
