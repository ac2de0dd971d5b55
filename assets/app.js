// The frame of every page: who is signed in, which page it is, the way to the others, and the one
// stream underneath. Pages are loaded when they are first opened.
import { api, Problem } from "./api.js";
import { watchWaiting } from "./help-waiting.js";
import { go, is, isStaff, letterKeys, me, readMe, route, setQuery, theme, toDoor, watchRoutes } from "./here.js";
import { backoffMs } from "./link.js";
import { onEvent, startLive } from "./live.js";
import { anew, attempt, Broken, Dialog, explain, LanguageSwitch, StaleNote, Toasts } from "./parts.js";
import { Shared } from "./store.js";
import { byName, language, loadText, setHouse, t } from "./text.js";
import { html, Icon, isTyping, render, useEffect, useErrorBoundary, useKeys, useLayoutEffect, useState, useWatch } from "./ui.js";

/** Path -> who may open it, its module, its view. @type {[RegExp, any, () => Promise<any>, string][]} */
const ROUTES = [
  [/^\/$/, "*", () => import("./board.js"), "BoardPage"],
  [/^\/supervision$/, ["admin", "staff"], () => import("./supervision.js"), "SupervisionPage"],
  [/^\/groups\/(?<id>[^/]+)$/, ["admin", "office", "staff"], () => import("./group.js"), "GroupPage"],
  [/^\/help$/, ["admin", "office", "staff"], () => import("./help.js"), "HelpPage"],
  [/^\/my-place$/, ["member"], () => import("./help-place.js"), "MyPlace"],
  [/^\/people$/, ["admin", "office", "staff"], () => import("./people.js"), "PeoplePage"],
  [/^\/rooms$/, ["admin"], () => import("./rooms-manage.js"), "RoomsPage"],
  [/^\/devices$/, ["admin"], () => import("./devices.js"), "DevicesPage"],
  [/^\/sessions$/, "*", () => import("./people-sessions.js"), "SessionsPage"],
  [/^\/wall$/, "*", () => import("./wall.js"), "WallPage"],
];

/** How many pages fit at the foot of a phone. */
const PHONE_PAGES = 4;

const waiting = new Shared(0);

/** The search, the list of keys and the rest of the pages are open by the address, so that Back closes them. */
const show = (what) => {
  setQuery({ show: what });
  history.replaceState({ ...history.state, shown: true }, "");
};

function find(path) {
  for (const [pattern, roles, load, view] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return { roles, load, view, args: { ...match.groups } };
  }
  return null;
}

/** The pages that this person may open, in the order of the side bar. */
function pagesOf() {
  const { scope } = me.value;
  const page = (may, href, icon, name, more) => (may ? [{ href, icon, name, ...more }] : []);
  return [
    ...page(!is("member"), "/", "house", t("today")),
    ...page(is("member"), "/my-place", "hand", t("my-place")),
    ...page(is("admin", "staff"), "/supervision", "clipboard-list", t("my-supervision"), { badge: me.value.offers, of: t("offers") }),
    ...page(isStaff(), "/help", "hand", t("help-queue"), { badge: waiting.value, of: t("waiting") }),
    ...(isStaff() ? scope?.groups ?? [] : []).slice(0, is("admin", "office") ? 0 : 4).map((group) => ({ href: `/groups/${group.id}`, icon: "users", name: group.name })),
    ...page(isStaff(), "/people", "users", t("people")),
    ...page(is("admin"), "/rooms", "door-open", t("rooms")),
    ...page(is("admin"), "/devices", "nfc", t("devices")),
    ...page(isStaff(), "/wall", "monitor", t("wall"), { minor: true }),
    ...page(true, "/sessions", "settings", t("account"), { minor: true }),
  ];
}

/** The side bar; on a phone a bar at the foot with the first pages, and the rest behind "More". */
function SideBar({ pages }) {
  return html`<nav class="side" aria-label=${t("pages")}>
    <a class="brand" href="/"><${Icon} name="house" size=${24} /><span>${me.value.house.name}</span></a>
    <ul>${pages.map((page, place) => html`<li key=${page.href} class=${place < PHONE_PAGES ? "" : "later"}>
        <${PageLink} page=${page} /></li>`)}
      ${is("admin", "office") && html`<${GroupLinks} />`}
      <li class="more-item"><button class="more" onClick=${() => show("more")}><${Icon} name="menu" /><span>${t("more")}</span></button></li></ul>
    <${Foot} /></nav>`;
}

/** A lead's way to every group. */
function groupPages() {
  return [...me.value.groups].sort(byName).map((group) => ({ href: `/groups/${group.id}`, icon: "users", name: group.name }));
}

function PageLink({ page }) {
  return html`<a href=${page.href} aria-current=${route.value.path === page.href ? "page" : null}>
    ${page.icon && html`<${Icon} name=${page.icon} />`}<span>${page.name}</span>
    ${page.badge > 0 && html`<b class="badge"><span class="visually-hidden">${page.of}: </span>${page.badge}</b>`}</a>`;
}

function More({ pages, close }) {
  const links = [...pages.slice(PHONE_PAGES), ...groupPages()];
  return html`<${Dialog} title=${me.value.house.name} close=${close}>
    <ul class="more-list">${links.map((page) => html`<li key=${page.href}><${PageLink} page=${page} /></li>`)}</ul>
    <${Foot} /><//>`;
}

/** A lead sees every group: they fold away. */
function GroupLinks() {
  if (me.value.groups.length === 0) return null;
  const open = route.value.path.startsWith("/groups/");
  return html`<li class="fold later"><details open=${open}><summary><${Icon} name="chevron-right" /><span>${t("groups")}</span></summary>
    <ul>${groupPages().map(({ icon, ...page }) => html`<li key=${page.href}><${PageLink} page=${page} /></li>`)}</ul></details></li>`;
}

function Foot() {
  return html`<div class="foot"><button class="quiet" onClick=${() => show("find")}><${Icon} name="search" /><span>${t("find")}</span><kbd class="for-keys">/</kbd></button>
    <div class="foot-row"><${LanguageSwitch} /><${ThemeSwitch} />
      <button class="bare for-keys" aria-label=${t("shortcuts")} title=${t("shortcuts")} onClick=${() => show("keys")}><${Icon} name="keyboard" /></button></div>
    <div class="foot-row who-am-i"><span class="who"><b>${me.value.person.display_name}</b><span class="sub">${t(`role-${me.value.person.role}`)}</span></span>
      <form method="post" action="/sign-out" onSubmit=${() => forget(null)}><button class="bare" aria-label=${t("sign-out")} title=${t("sign-out")}><${Icon} name="log-out" /></button></form></div></div>`;
}

function ThemeSwitch() {
  useWatch(theme);
  const dark = theme.value === "dark" || (theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  const label = t(dark ? "theme-light" : "theme-dark");
  return html`<button class="bare" aria-label=${label} title=${label} onClick=${() => theme.set(dark ? "light" : "dark")}>
    <${Icon} name=${dark ? "sun" : "moon"} /></button>`;
}

/** A member's home is the own place; says whether it was gone to. */
function goHome() {
  const lost = is("member") && route.value.path === "/";
  if (lost) go("/my-place", { replace: true });
  return lost;
}

/** The open page; its module is fetched the first time. */
function Page() {
  const found = find(route.value.path);
  const [views, setViews] = useState({});
  const [error, forget] = useErrorBoundary();
  const name = found?.view;
  useEffect(() => {
    if (error) forget();
    if (goHome()) return;
    const show = (view) => setViews((before) => ({ ...before, [name]: view }));
    if (name && !views[name]) found.load().then((module) => show(module[name]), () => show(Broken));
    if (views[name] === Broken) askForEver();
  }, [route.value.path, views]);
  const View = error ? Broken : views[name];
  if (View === Broken) return html`<h1 tabindex="-1" class="visually-hidden">${t("problem-page")}</h1><${Broken} title=${error && t("problem-page")} />`;
  const no = !found ? "not-found" : found.roles !== "*" && !is(...found.roles) && "problem-forbidden";
  if (no) return html`<h1 tabindex="-1">${t(no)}</h1><p><a href="/">${t("today")}</a></p>`;
  return View ? html`<${View} key=${route.value.path} ...${found.args} />` : null;
}

function App() {
  useWatch(route);
  useWatch(language);
  useWatch(me);
  const pages = pagesOf();
  useKeys((event) => onKey(event));
  useWaiting();
  const banner = me.value.house.demo && html`<header class="demo">${t("demo-banner")}</header>`;
  if (route.value.path === "/wall") return html`${banner}<${Page} /><${Overlay} pages=${pages} /><${Toasts} />`;
  return html`<a class="skip" href="#main">${t("skip")}</a>${banner}
    <div class="frame"><${SideBar} pages=${pages} /><main id="main"><${LanguageSwitch} /><${StaleNote} /><${Page} /></main></div>
    <${Overlay} pages=${pages} /><${Toasts} />`;
}

function Overlay({ pages }) {
  const shown = route.value.query.get("show");
  const [views, setViews] = useState(null);
  const [typed, setTyped] = useState("");
  const close = () => (history.state?.shown ? history.back() : setQuery({ show: null }, { replace: true }));
  const awaited = ["find", "keys"].includes(shown) && !views;
  useEffect(() => {
    if (!shown) setTyped("");
  }, [shown]);
  // What is typed before the field is there is meant for it, and is no shortcut.
  useLayoutEffect(() => {
    if (!awaited) return undefined;
    const keep = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.key.length > 1) return;
      event.stopPropagation();
      event.preventDefault();
      setTyped((before) => before + event.key);
    };
    addEventListener("keydown", keep, true);
    import("./palette.js").then(setViews, () => {
      close();
      attempt(anew);
    });
    return () => removeEventListener("keydown", keep, true);
  }, [awaited]);
  if (shown === "more") return html`<${More} pages=${pages} close=${close} />`;
  if (!views || !["find", "keys"].includes(shown)) return null;
  return shown === "find" ? html`<${views.Palette} pages=${[...pages, ...groupPages()]} typed=${typed} close=${close} />` : html`<${views.Shortcuts} close=${close} />`;
}

function onKey(event) {
  const find = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
  if (!find && (isTyping(event) || letterKeys.value !== "on")) return;
  if (find || event.key === "/") show("find");
  else if (event.key === "?") show("keys");
  else return;
  event.preventDefault();
}

/** Keeps the number of waiting requests in the side bar and in the tab's title. */
function useWaiting() {
  useEffect(() => {
    if (isStaff()) watchWaiting(waiting);
  }, []);
  useWatch(waiting);
  useEffect(() => {
    const bare = document.title.replace(/^\(\d+\) /, "");
    document.title = waiting.value > 0 ? `(${waiting.value}) ${bare}` : bare;
  });
}

/** What somebody has begun to write (draft.js) does not stay in a tab that somebody else uses next. */
function forget(person) {
  try {
    const foreign = (key) => key.startsWith("daybook.draft.") && !key.startsWith(`daybook.draft.${person}.`);
    for (const key of Object.keys(sessionStorage).filter(foreign)) sessionStorage.removeItem(key);
  } catch { /* storage may be off: then nothing was kept */ }
}

/**
 * Nobody sits at a wall screen that was shut out: the way to the wall leads it to new digits. Others
 * find what they have begun again when they have signed in, and so are not asked whether to leave it.
 */
function toSignIn() {
  if (is("display")) return location.assign("/wall");
  if (toDoor.value) return undefined;
  toDoor.set(true);
  return location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function showTheme() {
  document.documentElement.dataset.theme = theme.value;
  document.cookie = `daybook_theme=${theme.value}; path=/; max-age=31536000; samesite=lax`;
}

const isWall = () => location.pathname === "/wall";

/** Loads the page anew once the house answers: a wall has no hands. Who has gone on meanwhile is left in peace. */
async function askForEver() {
  const { path } = route.value;
  for (let failures = 1, status = 0; status === 0 || status === 429 || status >= 500; failures += 1) {
    await new Promise((go) => {
      setTimeout(go, backoffMs(failures, Math.random));
      addEventListener("online", go, { once: true });
    });
    if (route.value.path !== path) return;
    status = await api.get("/me").then(() => 200, (problem) => problem.status);
  }
  if (route.value.path === path) location.reload();
}

/** Shows what went wrong instead of an empty page. */
function Boot({ problem, house }) {
  useWatch(language);
  return html`<main id="main" class="boot"><${LanguageSwitch} /><h1>${house}</h1><${Broken} title=${explain(problem)} />${isWall() && html`<p role="status">${t("link-reconnecting")}</p>`}<${Toasts} /></main>`;
}

/** A wall screen is nobody: it knows the house from its shell. */
function wallScreen(problem, { house, profile, zone, demo }) {
  if (problem.status !== 403) throw problem;
  return {
    person: { id: "", display_name: "", role: "display" }, session_id: "display",
    house: { name: house, profile, zone, demo: demo !== undefined }, groups: [],
  };
}

async function start() {
  const root = document.getElementById("app");
  theme.watch(showTheme);
  showTheme();
  const text = loadText(document.documentElement.lang).then(() => true, () => false);
  try {
    me.set(await api.get("/me").catch((problem) => wallScreen(problem, root.dataset)));
    if (!await text) throw new Problem(0);
  } catch (problem) {
    if (problem.status === 401) return toSignIn();
    if (await text) {
      root.replaceChildren();
      render(html`<${Boot} problem=${problem} house=${root.dataset.house} />`, root);
    }
    return (isWall() || problem.status === 0) && askForEver();
  }
  forget(me.value.person.id);
  setHouse(me.value.house);
  watchRoutes((path) => find(path) !== null);
  goHome();
  startLive(me.value.session_id, toSignIn);
  onEvent((event) => {
    const { type } = event;
    if (type === "access.changed" || type.startsWith("supervision.") || type.startsWith("run.")) readMeSoon();
    if (type.startsWith("supervision.offer")) import("./rooms-offer.js").then(({ tell }) => tell(event));
  });
  root.replaceChildren();
  return render(html`<${App} />`, root);
}

let reading = null;

/** Reads anew what this person may see, once per burst. */
function readMeSoon() {
  reading ??= setTimeout(() => {
    reading = null;
    readMe();
  }, 500);
}

start();
