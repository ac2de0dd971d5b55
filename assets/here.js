// Who is signed in on this page, and which page it is. Every filter, tab and dialog is a URL.
import { deviceSetting, Shared } from "./store.js";

/** The answer of GET /me. */
export const me = new Shared(null);

/** {path, query: URLSearchParams} */
export const route = new Shared(read());

/** Settings of this device. */
export const theme = deviceSetting("theme", "system");
export const letterKeys = deviceSetting("letterKeys", "on");
export const sound = deviceSetting("sound", "on");

export function is(...roles) {
  return roles.includes(me.value?.person.role);
}

/** Whether the person works here: of the roles that may look after members. */
export function isStaff() {
  return is("admin", "office", "staff");
}

/** Opens a page of this app. */
export function go(url, { replace = false } = {}) {
  const leaving = { ...history.state, scroll: scrollY };
  history.replaceState(leaving, "");
  history[replace ? "replaceState" : "pushState"]({ scroll: 0 }, "", url);
  const before = route.value.path;
  route.set(read());
  if (before !== route.value.path) arrive(0);
}

/** Changes fields of the query; `null` removes one. */
export function setQuery(fields, options) {
  const query = new URLSearchParams(route.value.query);
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(route.value.path + (text ? `?${text}` : ""), options);
}

/** Follows links and the Back button without loading the shell again. */
export function watchRoutes(known) {
  history.scrollRestoration = "manual";
  addEventListener("popstate", (event) => {
    const before = route.value.path;
    route.set(read());
    if (before !== route.value.path) arrive(event.state?.scroll ?? 0);
  });
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest?.("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!anchor || !plain || anchor.target || anchor.hasAttribute("download")) return;
    const url = new URL(anchor.href);
    if (url.origin !== location.origin || !known(url.pathname)) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}

/** A page whose module is fetched first has no heading yet; this many frames are waited for it. */
const ARRIVE_FRAMES = 300;

/** Puts the focus on the new page's heading, so that a screen reader starts there. */
function arrive(scroll) {
  const path = route.value.path;
  const look = (left) => {
    const heading = document.querySelector("main h1");
    if (route.value.path !== path) return;
    if (!heading && left > 0) return void requestAnimationFrame(() => look(left - 1));
    heading?.focus({ preventScroll: true });
    scrollTo(0, scroll);
  };
  requestAnimationFrame(() => requestAnimationFrame(() => look(ARRIVE_FRAMES)));
}

function read() {
  if (typeof location === "undefined") return { path: "/", query: new URLSearchParams() };
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}
