// Find anything: people, rooms, groups, pages, acts. `/` or Ctrl-K opens it, arrows move, Enter goes.
import { api } from "./api.js";
import { go, is, isStaff, me } from "./here.js";
import { Avatar, Dialog, Status } from "./parts.js";
import { plain, t } from "./text.js";
import { html, Icon, useEffect, useMemo, useRef, useState } from "./ui.js";

const WAIT_MS = 80;

/** What can be done at once from anywhere: who may, where it is, its icon, its name. */
const ACTS = [
  [["admin", "staff"], "/supervision?start=1", "plus", "run-start-now"],
  [["admin"], "/people?add=1", "user-plus", "person-add"], [["admin"], "/people?import=1", "upload", "import-csv"],
  [["admin"], "/rooms?add=room", "door-open", "room-add"], [["admin"], "/rooms?add=activity", "clipboard-list", "activity-add"],
  [["admin"], "/rooms?add=group", "users", "group-add"], [["admin"], "/rooms?house=hours", "clock", "hours-edit"],
  [["admin"], "/devices?add=reader", "nfc", "device-add"], [["admin"], "/devices?add=display", "monitor", "display-pair"],
];

/** The page about a room: that of its run, where the reader may open it, else the board with its card. */
function roomPage({ id, name, run }) {
  const opens = run && (is("admin") || me.value.scope?.runs?.some((one) => one.id === run.id));
  return { key: `r${id}`, href: opens ? `/supervision?run=${run.id}` : "/", icon: "door-open", name, sub: run?.activity_name };
}

/** `typed` is what came while this module was on its way. */
export function Palette({ pages, typed, close }) {
  const [query, setQuery] = useState(typed);
  const [people, setPeople] = useState([]);
  const [more, setMore] = useState(null);
  const [answered, setAnswered] = useState("");
  const [at, setAt] = useState(0);
  const [rooms, setRooms] = useState([]);
  const list = useRef(null);
  useEffect(() => {
    if (isStaff()) api.get("/board").then((board) => setRooms(board.rooms.map(roomPage)), () => {});
  }, []);
  useEffect(() => {
    setAt(0);
    if (query.trim().length < 2 || is("member", "display")) {
      setPeople([]);
      setMore(null);
      setAnswered(query);
      return undefined;
    }
    const ask = new AbortController();
    const timer = setTimeout(() => {
      api.get(`/people?limit=12&q=${encodeURIComponent(query)}`, { signal: ask.signal })
        .then((page) => {
          setPeople(page.items);
          setMore(page.next_cursor);
          setAnswered(query);
        }, () => {});
    }, WAIT_MS);
    return () => {
      clearTimeout(timer);
      ask.abort();
    };
  }, [query]);
  const found = useMemo(() => {
    const words = plain(query);
    const named = (all) => all.filter((one) => plain(one.name).includes(words));
    const acts = ACTS.filter(([roles]) => is(...roles)).map(([, href, icon, key]) => ({ key: href, href, icon, name: t(key) }));
    return [
      ...people.map((one) => ({ key: `p${one.id}`, href: `/people?person=${one.id}`, name: one.display_name, person: one })),
      ...(words ? named(rooms) : []), ...named(pages).map((page) => ({ ...page, key: page.href })), ...named(acts),
    ];
  }, [people, pages, rooms, query]);
  // Back leads to the page, and not to the search.
  const open = (entry) => go(entry.href, { replace: true });
  const onKey = (event) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, found.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter" && found[at]) open(found[at]);
    else return;
    event.preventDefault();
  };
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  return html`<${Dialog} title=${t("find")} close=${close}>
    <input type="search" class="palette-field" autofocus role="combobox" aria-expanded="true" aria-controls="found" aria-label=${t("find-label")}
      aria-activedescendant=${found[at] ? `found-${at}` : null} placeholder=${t("find-label")} value=${query}
      onInput=${(event) => setQuery(event.target.value)} onKeyDown=${onKey} autocomplete="off" />
    <ul class="palette" id="found" role="listbox" aria-label=${t("find-results")} ref=${list}>${found.map((entry, place) => html`
      <li key=${entry.key} id=${`found-${place}`} role="option" aria-selected=${place === at} onClick=${() => open(entry)} onMouseMove=${() => setAt(place)}>
        ${entry.person ? html`<${Avatar} name=${entry.name} />` : html`<${Icon} name=${entry.icon} />`}
        <span class="who">${entry.name}${entry.sub && html`<span class="sub">${entry.sub}</span>`}</span>${entry.person && html`<${Presence} one=${entry.person} />`}</li>`)}</ul>
    <p class="visually-hidden" role="status">${t("find-count", { n: found.length })}</p>
    ${more && html`<p class="sub" role="status">${t("find-more", { n: people.length })}</p>`}
    ${query.trim().length >= 2 && answered === query && found.length === 0 && html`<p class="sub">${t("find-nobody", { query })}</p>`}<//>`;
}

function Presence({ one }) {
  const here = one.status === "present";
  return html`<${Status} state=${here ? "in" : "off"}>${here ? one.room_name ?? t("present") : t("not-here")}<//>`;
}

const KEYS = [["/", "key-find"], ["Ctrl K", "key-find"], ["?", "key-help"], ["J  K", "key-move"], ["H", "key-claim"], ["D", "key-done"], ["Ctrl A", "key-all"], ["Enter", "key-bar"], ["Ctrl Z", "key-undo"], ["Esc", "key-close"]];

/** What `?` shows. */
export function Shortcuts({ close }) {
  return html`<${Dialog} title=${t("shortcuts")} close=${close}><dl class="figures keys">${KEYS.map(([key, text]) => html`
    <div key=${key}><dt>${t(text)}</dt><dd>${key.split(/\s+/).map((one) => html`<kbd>${one}</kbd> `)}</dd></div>`)}</dl>
    <p class="sub">${t("shortcuts-hint")}</p><//>`;
}
