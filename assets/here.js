// Who is signed in on this page, and which page it is. Every filter, tab and dialog is a URL.
import { api } from "./api.js";
import { deviceSetting, Shared } from "./store.js";

/** The answer of GET /me. */
export const me = new Shared(null);

/** Reads anew who this is and what they may see. */
export async function readMe() {
  me.set(await api.get("/me").catch(() => me.value));
}

/** {path, query: URLSearchParams} */
export const route = new Shared(read());

/** Whether the page is on its way to the door, since the sign-in has ended. */
export const toDoor = new Shared(false);

/** Settings of this device. */
export const THEMES = ["system", "light", "dark", "contrast"];
export const theme = deviceSetting("theme", "system");
export const letterKeys = deviceSetting("letterKeys", "on");
export const sound = deviceSetting("sound", "on");
/** When nothing sounds, as "20:00-06:30"; empty for never. */
export const quiet = deviceSetting("quiet", "");

export function is(...roles) {
  return roles.includes(me.value?.person.role);
}

/** Whether the person works here: of the roles that may look after members. */
export function isStaff() {
  return is("admin", "office", "staff");
}

/** Opens a page of this app. */
export function go(url, { replace = false } = {}) {
  const leaving = { ...history.state, scroll: scrollY, focus: nameOf(document.activeElement) };
  history.replaceState(leaving, "");
  history[replace ? "replaceState" : "pushState"]({ scroll: 0 }, "", url);
  const before = route.value.path;
  route.set(read());
  if (before !== route.value.path) arrive();
}

/** How the link that led away is found again. */
const nameOf = (one) => (one?.matches("main a[href]") ? `main a[href="${CSS.escape(one.getAttribute("href"))}"]` : undefined);

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
    if (before !== route.value.path) arrive(event.state ?? {});
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

/** A page whose module and content are fetched first is not there yet; this many frames are waited for it. */
const ARRIVE_FRAMES = 300;

/**
 * Puts the focus on the new page's heading, so that a screen reader starts there. Who comes back is
 * where they were, as soon as that is there, unless they have gone on meanwhile.
 */
function arrive({ scroll = 0, focus = "" } = {}) {
  const path = route.value.path;
  let at = null;
  const look = (left) => {
    if (route.value.path !== path || left === 0 || (at !== null && scrollY !== at)) return;
    const heading = document.querySelector("main h1");
    if (heading && at === null) heading.focus({ preventScroll: true });
    if (heading) {
      scrollTo(0, scroll);
      at = scrollY;
    }
    const held = focus && document.querySelector(focus);
    if (heading && at >= scroll - 1 && (held || !focus)) {
      if (held && document.activeElement === heading) held.focus({ preventScroll: true });
      return;
    }
    requestAnimationFrame(() => look(left - 1));
  };
  requestAnimationFrame(() => requestAnimationFrame(() => look(ARRIVE_FRAMES)));
}

function read() {
  if (typeof location === "undefined") return { path: "/", query: new URLSearchParams() };
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}
