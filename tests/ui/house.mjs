// What every browser test begins with: a real house on a free port, people who are signed in, and
// an eye on everything that a page must never do.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { AxeBuilder } from "@axe-core/playwright";
import { test as base, expect } from "@playwright/test";

export { expect };

// The program refuses settings that it does not know, this one among them.
const { DAYBOOK_BIN: BINARY, ...ENVIRONMENT } = process.env;
const READY_MS = 120_000;

/** Starts the program and answers with what its first line of JSON says. */
export async function start(args, isReady) {
  const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"], env: ENVIRONMENT });
  const said = [];
  child.stderr.on("data", (text) => said.push(String(text)));
  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready: ${said.join("")}`)), READY_MS);
    const line = (text) => {
      said.push(`${text}\n`);
      const value = isReady(text, said.join(""));
      if (!value) return;
      clearTimeout(timer);
      resolve(value);
    };
    readline.createInterface({ input: child.stdout }).on("line", line);
    readline.createInterface({ input: child.stderr }).on("line", line);
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said.join("")}`)));
  });
  return { child, ...await ready };
}

export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await ended;
  clearTimeout(timer);
}

/** The directories of houses that are still there. */
const dirs = new Set();

// Also when a test could not be begun.
process.on("exit", () => dirs.forEach(remove));

function remove(dir) {
  fs.rmSync(dir, { recursive: true, force: true });
  dirs.delete(dir);
}

/** Makes a directory; [leave] removes it. */
function emptyDir() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "daybook-ui-"));
  dirs.add(dir);
  return dir;
}

/** Ends a new house and removes what it has kept. */
export async function leave({ child, data }) {
  await stop(child);
  remove(path.dirname(data));
}

/** A demo house whose clock stands, or starts, at `from`. */
export function demo({ from = "10:30", data, port = 0, paused = true, speed } = {}) {
  const args = ["demo", "--listen", `127.0.0.1:${port}`, "--json", "--from", from, "--seed", "42"];
  if (paused) args.push("--paused");
  if (speed) args.push("--speed", String(speed));
  if (data) args.push("--data", data);
  return start(args, (line) => (line.startsWith("{") ? JSON.parse(line) : null));
}

/** A house of its own that nobody has set up yet: `{child, url, data, code}`, with a real clock. */
export async function newHouse() {
  const data = path.join(emptyDir(), "house");
  const init = spawnSync(BINARY, ["init", "--data", data, "--json"], { env: ENVIRONMENT, encoding: "utf8" });
  if (init.status !== 0) throw new Error(init.stderr);
  return { ...await serve(data), data, code: JSON.parse(init.stdout).setup_code };
}

/** Serves the house in `data`, at a free port or at the one it had. */
export function serve(data, port = 0) {
  const args = ["serve", "--data", data, "--listen", `127.0.0.1:${port}`, "--json"];
  return start(args, (line) => (line.startsWith("{") ? JSON.parse(line) : null));
}

/** Watches a page for what must never happen: errors, and breaches of the content policy. */
function watch(context, breaches) {
  context.on("page", (page) => {
    page.on("pageerror", (error) => breaches.push(`error: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      if (/Content Security Policy|TrustedHTML|TrustedScript|Trusted Type/i.test(text)) breaches.push(text);
    });
  });
}

/** Members of whom an earlier test has seen that they sit elsewhere: nobody asks again. */
const absent = new Set();

export class Visitor {
  constructor(house, browser, breaches) {
    Object.assign(this, { house, browser, breaches, contexts: [] });
  }

  /** A browser of its own, signed in as somebody of this role. */
  async context({ role, username, lang = "de", theme = "light", ...options } = {}) {
    const context = await this.browser.newContext({ baseURL: this.house.url, locale: "de-DE", timezoneId: "Europe/Berlin", reducedMotion: "reduce", ...options });
    this.contexts.push(context);
    watch(context, this.breaches);
    await context.addCookies([
      { name: "daybook_lang", value: lang, url: this.house.url }, { name: "daybook_theme", value: theme, url: this.house.url },
    ]);
    await context.addInitScript((look) => {
      if (location.protocol === "http:" && !localStorage.getItem("daybook.theme")) localStorage.setItem("daybook.theme", look);
    }, theme);
    if (role || username) await this.signIn(context, username ?? this.username(role));
    return context;
  }

  /** A page of a browser of its own. */
  async page(who, url) {
    const context = await this.context(who);
    const page = await context.newPage();
    if (url) await page.goto(url);
    return page;
  }

  username(role, at = 0) {
    return this.house.sign_ins.filter((one) => one.role === role).at(at).username;
  }

  async signIn(context, username) {
    const { password } = this.house.sign_ins.find((one) => one.username === username);
    const answer = await context.request.post("/api/v1/login", { data: { username, password }, headers: { origin: this.house.url } });
    expect(answer.status(), await answer.text()).toBe(200);
    return answer.json();
  }

  /** Calls the API as the person of this browser. */
  async api(context, method, url, data) {
    const answer = await context.request.fetch(`/api/v1${url}`, { method, data, headers: { origin: this.house.url } });
    expect(answer.ok(), `${method} ${url}: ${await answer.text()}`).toBe(true);
    return answer.status() === 204 ? null : answer.json();
  }

  /** Somebody who looks after a run now, with that run. */
  async supervisor() {
    for (const { username } of this.house.sign_ins.filter((one) => one.role === "staff")) {
      const context = await this.context({ username });
      const me = await this.api(context, "GET", "/me");
      if (me.scope.runs.length > 0) return { username, context, me, run: me.scope.runs[0] };
      await context.close();
    }
    throw new Error("nobody looks after a run at this time of the day");
  }

  /** Somebody with a group of their own. */
  async groupLead() {
    for (const { username } of this.house.sign_ins.filter((one) => one.role === "staff")) {
      const context = await this.context({ username });
      const me = await this.api(context, "GET", "/me");
      if (me.scope.groups.length > 0) return { username, context, me, group: me.scope.groups[0] };
      await context.close();
    }
    throw new Error("nobody has a group");
  }

  /** Members with an account who sit in the supervisor's run now, as `{username, context, me}`. */
  async membersIn(supervisor, count = 1) {
    const { here } = await this.api(supervisor.context, "GET", `/runs/${supervisor.run.id}`);
    const found = [];
    for (const { username } of this.house.sign_ins.filter((one) => one.role === "member" && !absent.has(one.username))) {
      const context = await this.context({ username });
      const me = await this.api(context, "GET", "/me");
      if (here.some((one) => one.member_id === me.person.id)) found.push({ username, context, me });
      else absent.add(username);
      if (found.length === count) return found;
    }
    throw new Error(`fewer than ${count} who sit there have an account`);
  }

  /** Members who are in the house and in no room. */
  async onTheWay(context) {
    const { items } = await this.api(context, "GET", "/people?role=member&limit=500");
    return items.filter((one) => one.status === "present" && !one.room_name);
  }

  async close() {
    for (const context of this.contexts) await context.close();
  }
}

/** Lends `use` a visitor of `house`, and afterwards sees to it that no page broke a rule. */
export async function visiting(house, browser, use) {
  const breaches = [];
  const visitor = new Visitor(house, browser, breaches);
  await use(visitor);
  await visitor.close();
  expect(breaches).toEqual([]);
}

export const test = base.extend({
  // One house for all tests of a run; each test brings its own people and leaves no trap behind.
  house: [async ({}, use) => {
    const house = await demo();
    await use(house);
    await stop(house.child);
  }, { scope: "worker", timeout: READY_MS }],

  visitor: ({ house, browser }, use) => visiting(house, browser, use),
});

/** No violation of WCAG 2.2 A and AA, nor of good practice, on what is shown now. */
export async function accessible(page, name = "") {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map((one) => `${name} ${one.id}: ${one.help}\n  ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join("\n  ")}`);
  expect(found).toEqual([]);
}

/** The link is up and the page has its content. */
export async function live(page) {
  await expect(page.locator(".pill[data-s=in]", { hasText: "Live" }).first()).toBeVisible();
}

/** Goes to `target` by the Tab key, as somebody without a mouse has to. */
export async function tabTo(page, target, most = 80) {
  await expect(target).toBeVisible();
  for (let pressed = 0; pressed < most; pressed += 1) {
    if (await target.evaluate((node) => node === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`not reached by ${most} times Tab`);
}

/** Marks a page, so that a later look can tell whether it was loaded anew. */
export async function mark(page) {
  await page.evaluate(() => { window.sameLoad = true; });
  return () => page.evaluate(() => window.sameLoad === true);
}
