// The EventSource and the WebSocket of Chromium, in a page of the house.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));

export const isThere = executablePath !== undefined;

export function launch() {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath, args });
}

/** Opens a page of the house at `origin`, signed in, and lets `follow` run in it. */
export async function page(browser, origin, cookie, follow, asked) {
  const context = await browser.newContext({ baseURL: origin });
  const cookies = cookie.split("; ").map((pair) => pair.split("="));
  await context.addCookies(cookies.map(([name, value]) => ({ name, value, url: origin })));
  const opened = await context.newPage();
  // A page without a stream of its own.
  await opened.goto("/api/v1/me");
  await opened.evaluate(follow, asked);
  return opened;
}

/** Runs in the page. */
export function followByEventSource({ after, types }) {
  window.heard = [];
  window.fatal = 0;
  const source = new EventSource(`/api/v1/events?after=${after}`);
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) window.fatal += 1; };
  for (const type of types) {
    source.addEventListener(type, (event) => {
      const { id } = JSON.parse(event.data);
      // Passing state has no id and is not compared.
      if (id) window.heard.push({ id: event.lastEventId, type, whole: id === event.lastEventId });
    });
  }
}

/** Runs in the page. A WebSocket comes back by what its page does. */
export function followByWebSocket({ after, types }) {
  window.heard = [];
  window.fatal = 0;
  let last = after;
  const open = () => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/api/v1/ws?after=${last}`);
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (!message.id || !types.includes(message.type)) return;
      last = message.id;
      window.heard.push({ id: message.id, type: message.type, whole: true });
    };
    socket.onclose = ({ code }) => {
      // Refused for good; 1001 and 1006 are ends to come back from.
      if (code === 1008 || code === 1002) window.fatal += 1;
      setTimeout(open, 200 + Math.random() * 800);
    };
  };
  open();
}
