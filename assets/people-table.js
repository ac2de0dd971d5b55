// The table of people: its columns, its order, a row a person, and which rows are picked.
import { is, me } from "./here.js";
import { Status } from "./parts.js";
import { deviceSetting } from "./store.js";
import { byName, language, number, t } from "./text.js";
import { html, useMemo, useRef, useState, useWatch } from "./ui.js";

const namesOf = (one) => (one.groups ?? []).map((group) => group.name).join(", ");
const onTheWay = (one) => one.role === "member" && one.groups;

/** What stands in each column, in words; a table is sorted by it. */
const WORDS = {
  name: (one) => one.display_name,
  group: namesOf,
  role: (one) => (one.role ? t(`role-${one.role}`) : ""),
  now: (one) => `${one.status !== "present" ? 3 : onTheWay(one) && !one.room_name ? 2 : 1} ${one.room_name ?? ""}`,
  number: (one) => one.number ?? "",
  badges: (one) => number(one.badge_count ?? 0),
  language: (one) => (one.language ? t(`language-${one.language}`) : ""),
};
/** What only lead and office know of everybody. */
const OF_THE_FILE = ["number", "badges", "language"];
export const USUAL = ["group", "now"];

/** The columns that the reader may choose beside the name. */
export const columnsOf = () => Object.keys(WORDS).filter((name) => name !== "name" && (is("admin", "office") || !OF_THE_FILE.includes(name)));

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

let setting = null;

/** What the reader has chosen of the table on this device, and how to `keep` more of it. */
export function useTable() {
  // One for the table and for the choice of its columns; whoever signs in next loads the page anew.
  setting ??= deviceSetting(`people.${me.value.person.id}`, "{}");
  const kept = setting;
  useWatch(kept);
  const { columns, sort } = parsed(kept.value);
  const may = columnsOf();
  const chosen = {
    columns: may.filter((name) => (Array.isArray(columns) ? columns : USUAL).includes(name)), sort: String(sort ?? "name"),
  };
  return { ...chosen, keep: (more) => kept.set(JSON.stringify({ ...chosen, ...more })) };
}

/** Reads a column and a direction, `-` for downwards; what there is not is the name. */
export function orderOf(sort) {
  const column = sort.replace("-", "");
  return { column: ["name", ...columnsOf()].includes(column) ? column : "name", desc: sort.startsWith("-") };
}

/** Returns people in order; whoever has nothing there comes last, and equals come by name. */
export function inOrder(people, { column, desc }) {
  const named = [...people].sort(byName);
  if (column === "name") return desc ? named.reverse() : named;
  const entries = named.map((one) => ({ one, name: WORDS[column](one) }));
  const sign = desc ? -1 : 1;
  entries.sort((a, b) => Number(a.name === "") - Number(b.name === "") || sign * byName(a, b));
  return entries.map(({ one }) => one);
}

/** Where a person is, as far as the viewer may know. */
export function Where({ one }) {
  if (one.status !== "present") return html`<${Status} state="off">${t("not-here")}<//>`;
  if (one.room_name) return html`<${Status} state="in">${one.room_name}<//>`;
  return html`<${Status} state=${onTheWay(one) ? "away" : "in"}>${t(onTheWay(one) ? "on-the-way" : "present")}<//>`;
}

function cell(column, one, columns) {
  if (column === "now") return html`<${Where} one=${one} />`;
  // Who works here mostly has no group: what they do here says more.
  if (column === "group") return namesOf(one) || (one.role && one.role !== "member" && !columns.includes("role") ? t(`role-${one.role}`) : "");
  return WORDS[column](one);
}

/** Rows by whom they show, each with its look: one that is the same again costs nothing to draw. */
const known = new WeakMap();

/**
 * The row of a person; `look` is a new one whenever columns or language are others. The boxes are not
 * the browser's to keep: with each address of a search it would write down the state of all of them.
 */
export function personRow(one, look, picked) {
  const before = known.get(one);
  if (before?.look === look && before.picked === picked) return before.row;
  const row = html`<tr key=${one.id} data-picked=${picked ? "" : null}><td class="box"><input type="checkbox" autocomplete="off" value=${one.id} checked=${picked} aria-labelledby=${`of-${one.id}`} /></td>
    <th scope="row" id=${`of-${one.id}`}><a href=${`/people?person=${one.id}`}>${one.display_name}</a></th>
    ${look.columns.map((column) => html`<td key=${column} class=${column} data-of=${look.labels[column]}>${cell(column, one, look.columns)}</td>`)}</tr>`;
  known.set(one, { look, picked, row });
  return row;
}

/** The look of all rows at one time. */
export function useLook(columns) {
  return useMemo(() => ({ columns, labels: Object.fromEntries(columns.map((name) => [name, t(name)])) }), [columns.join(), language.value]);
}

/** Which people are picked, by a box, a range of them or all that are shown; `on` is what the table listens with. */
export function usePicking(shown) {
  const [picked, set] = useState(new Set());
  const last = useRef(null);
  const change = (people, on) => set((before) => {
    const next = new Set(before);
    for (const { id } of people) next[on ? "add" : "delete"](id);
    return next;
  });
  const pick = (id, on, ranging) => {
    const at = shown.findIndex((one) => one.id === id);
    const from = ranging ? shown.findIndex((one) => one.id === last.current) : -1;
    change(from < 0 ? [{ id }] : shown.slice(Math.min(from, at), Math.max(from, at) + 1), on);
    last.current = id;
  };
  // What was picked last is no beginning of a range any more.
  const clear = () => {
    last.current = null;
    set(new Set());
  };
  const onClick = ({ target, shiftKey }) => {
    const box = target.closest("td.box")?.querySelector("input");
    if (!box) return;
    const on = target === box ? box.checked : !box.checked;
    box.focus();
    if (box.value === "all") change(shown, on);
    else pick(box.value, on, shiftKey);
  };
  const onKeyDown = (event) => {
    if (event.altKey) return;
    const box = event.target.closest("td.box input");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") change(shown, true);
    else if (event.key === "Escape" && picked.size > 0) clear();
    else if (box && event.key === "Enter") document.querySelector(".bulk button")?.focus();
    else if (box && ["ArrowDown", "ArrowUp"].includes(event.key)) step(event, box);
    else return;
    event.preventDefault();
  };
  const step = ({ key, shiftKey, currentTarget }, box) => {
    const boxes = [...currentTarget.querySelectorAll("td.box input")];
    const next = boxes[boxes.indexOf(box) + (key === "ArrowDown" ? 1 : -1)];
    next?.focus();
    if (!shiftKey || !next || next.value === "all") return;
    if (last.current === null && box.value !== "all") pick(box.value, true);
    pick(next.value, true, true);
  };
  return { picked, drop: (people) => change(people, false), clear, on: { onClick, onKeyDown } };
}
