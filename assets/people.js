// People: the list in scope, and finding anyone. Its table is in people-table.js, one person's card in people-card.js.
import { is, route, setQuery } from "./here.js";
import { allOf, Empty, Later, Loaded, PageHead, wholeOf } from "./parts.js";
import { inOrder, orderOf, personRow, useLook, usePicking, useTable } from "./people-table.js";
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

/** Who belonged to the house once is a list of its own. */
const FORMER = "inactive";
const STATUS = { present: "present", not_present: "not-here", [FORMER]: "state-inactive" };
const isFormer = () => route.value.query.get("status") === FORMER;

async function load(signal) {
  const former = isFormer();
  const [list, rooms] = await Promise.all([wholeOf(former ? `/people?state=${FORMER}` : "/people", signal), allOf("/rooms", signal)]);
  return { ...list, rooms, former };
}

/** Everyone in scope, with where they are now. */
export function PeoplePage() {
  const section = useSection(useMemo(() => new Section({ load, reduce: reducer(reduce) }), []));
  useWatch(route);
  const query = route.value.query;
  const other = section.data && section.data.former !== isFormer();
  useEffect(() => {
    if (other) section.refetch();
  }, [other]);
  const items = section.data?.items ?? [];
  const counts = { members: items.filter((one) => one.role === "member").length, staff: items.filter((one) => one.role && one.role !== "member").length };
  const anew = () => section.refetchSoon();
  const part = (name, file, view, more) => query.get(name) && html`<${Later} key=${name} load=${file} view=${view} close=${() => setQuery({ [name]: null, edit: null })} ...${more} />`;
  return html`<${PageHead} title=${t("people")} sub=${section.data && t("people-counts", counts)} section=${section}>
      ${is("admin") && html`<button onClick=${() => setQuery({ import: "1" })}><${Icon} name="upload" />${t("import-csv")}</button>
        <button class="primary" onClick=${() => setQuery({ add: "1" })}><${Icon} name="plus" />${t("person-add")}</button>`}
      <button onClick=${() => print()}><${Icon} name="printer" />${t("print")}</button><//>
    <${Loaded} section=${section} rows=${12}>${(data) => html`<${List} data=${data} query=${query} anew=${anew} />`}<//>
    ${part("person", () => import("./people-card.js"), "PersonCard", { id: query.get("person"), changed: anew })}
    ${part("add", () => import("./people-add.js"), "AddPerson", { done: anew })}
    ${part("import", () => import("./people-import.js"), "ImportPeople", { done: anew })}
    ${part("columns", () => import("./people-columns.js"), "Columns")}`;
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

/** What a search goes by, of each person; who is the same again is not spelt again. */
const searched = new WeakMap();

function textOf(one) {
  const known = searched.get(one);
  if (known !== undefined) return known;
  const text = plain([one.display_name, ...(one.groups ?? []).map((group) => group.name), one.number ?? ""].join(" "));
  searched.set(one, text);
  return text;
}

function List({ data: { items }, query, anew }) {
  const { columns, sort: usual, keep } = useTable();
  const groups = useMemo(() => {
    const all = items.flatMap((one) => one.groups ?? []);
    return [...new Map(all.map((group) => [group.id, group])).values()].sort(byName);
  }, [items]);
  const sort = query.get("sort") ?? usual;
  const order = orderOf(sort);
  const words = plain(query.get("q") ?? "");
  const [group, status] = [query.get("group"), query.get("status")];
  const sorted = useMemo(() => inOrder(items, order), [items, sort, language.value]);
  const shown = useMemo(() => sorted.filter((one) => textOf(one).includes(words)
    && (!group || one.groups?.some((entry) => entry.id === group)) && (!status || status === FORMER || one.status === status)), [sorted, words, group, status]);
  const rows = useRows(shown, [words, group, status, sort].join());
  const picking = usePicking(shown);
  const picked = picking.picked.size > 0 ? sorted.filter((one) => picking.picked.has(one.id)) : [];
  const [printed, print] = usePrinting();
  const set = (name) => (event) => setQuery({ [name]: event.target.value }, { replace: true });
  const turn = (column) => {
    const next = column === order.column && !order.desc ? `-${column}` : column;
    keep({ sort: next });
    setQuery({ sort: next }, { replace: true });
  };
  return html`<div class="filters">
      <input type="search" id="people-search" aria-label=${t("people-search")} placeholder=${t("people-search")} value=${query.get("q") ?? ""} onInput=${set("q")} />
      <select aria-label=${t("group")} value=${group ?? ""} onChange=${set("group")}><option value="">${t("all-groups")}</option>
        ${groups.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select>
      <select aria-label=${t("status")} value=${status ?? ""} onChange=${set("status")}><option value="">${t("any-status")}</option>
        ${Object.keys(STATUS).filter((one) => one !== FORMER || is("admin", "office")).map((one) => html`<option value=${one}>${t(STATUS[one])}</option>`)}</select>
      <button onClick=${() => setQuery({ columns: "1" })}>${t("columns")}</button></div>
    ${picked.length > 0 && html`<${Later} key="bulk" load=${() => import("./people-bulk.js")} view="BulkBar" picked=${picked} former=${status === FORMER}
      unseen=${picked.length - shown.filter((one) => picking.picked.has(one.id)).length} drop=${picking.drop} clear=${picking.clear} print=${() => print(picked)} anew=${anew} />`}
    <p class="print-only">${printed ? t("selected", { n: printed.length }) : [query.get("q"), groups.find((one) => one.id === group)?.name, status && t(STATUS[status] ?? "status")].filter(Boolean).join(" · ")}</p>
    ${items.length === 0 ? html`<${Empty} icon="users" title=${t("people-none")}><p>${t("people-none-hint")}</p><//>`
      : shown.length === 0 && !printed ? html`<${Empty} icon="search" title=${t("find-nobody", { query: query.get("q") ?? "" })} />` : html`
    <${Table} columns=${columns} order=${order} turn=${turn} rows=${printed ?? rows} shown=${shown} picking=${picking} />
    <p class="sub" role="status">${t("people-shown", { n: number((printed ?? shown).length), all: number(items.length) })}</p>`}`;
}

function Table({ columns, order, turn, rows, shown, picking: { picked, on } }) {
  const look = useLook(columns);
  const all = shown.length > 0 && shown.every((one) => picked.has(one.id));
  const head = (column) => {
    const down = column === order.column && order.desc;
    return html`<th key=${column} scope="col" class=${column} aria-sort=${column !== order.column ? null : down ? "descending" : "ascending"}>
      <button class="sort" onClick=${() => turn(column)}>${t(column)}${column === order.column && html`<${Icon} name=${down ? "arrow-down" : "arrow-up"} size=${16} />`}</button></th>`;
  };
  return html`<div class="card table-frame"><table class="people" data-many=${columns.length > 2 ? "" : null} ...${on}><caption class="visually-hidden">${t("people")}</caption><thead><tr>
      <td class="box"><input type="checkbox" value="all" aria-label=${t("select-all")} aria-keyshortcuts="Control+A" checked=${all} indeterminate=${!all && picked.size > 0} /></td>
      ${["name", ...columns].map(head)}</tr></thead>
      <tbody>${rows.map((one) => personRow(one, look, picked.has(one.id)))}</tbody></table></div>`;
}

/** Prints people that are not all in the list now: they are drawn in its place until the paper is out. */
function usePrinting() {
  const [printed, show] = useState(null);
  useEffect(() => {
    if (!printed) return undefined;
    const over = () => show(null);
    addEventListener("afterprint", over);
    print();
    return () => removeEventListener("afterprint", over);
  }, [printed]);
  return [printed, show];
}
