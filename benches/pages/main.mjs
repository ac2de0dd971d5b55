// Measures the pages in a Chromium without a screen, against the goals of their design: what a first
// visit costs, how soon an event is painted, how long a tap takes, what a wall costs while much happens,
// and whether memory stays flat.
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { House } from "./house.mjs";
import { firstPaint, forget, watch } from "./probe.mjs";

const { chromium } = createRequire(new URL("../../tests/ui/house.mjs", import.meta.url))("@playwright/test");
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** What there is to be painted, and where, of the pages that are watched. */
const RUN = { kinds: ["visit.started", "visit.ended"], within: "main" };
const WALL = { kinds: ["room.occupancy_changed"], within: ".rooms" };
const VISITS = ["/", "/supervision", "/help", "/people", "/rooms", "/devices", "/sessions", "/wall"];
const PAINTS = 200;
const BUSTLE = { moves: 1_000, aSecond: 25 };
const MOVES = 5_000;
const TAPS = 20;

const sorted = (list) => [...list].sort((a, b) => a - b);
const quantile = (list, q) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * q))];
const middle = (list) => quantile(list, 0.5);
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Notes a figure beside what it must not be over. */
function note(what, figure, most, unit) {
  const shown = Number.isInteger(figure) ? figure : figure.toFixed(figure < 10 ? 2 : 0);
  console.log(`${what}  |  ${shown} ${unit}  |  ${most} ${unit}  |  ${figure <= most ? "met" : "MISSED"}`);
}

class Bench {
  constructor(house, browser) {
    Object.assign(this, { house, browser });
  }

  /** A page of a browser without a cache, signed in as the lead. */
  async page(probe, viewport = { width: 1280, height: 800 }) {
    const context = await this.browser.newContext({ baseURL: this.house.url, viewport, locale: "de-DE" });
    const cookies = this.house.cookie.split("; ").map((pair) => pair.split("="));
    await context.addCookies(cookies.map(([name, value]) => ({ name, value, url: this.house.url })));
    if (probe) await context.addInitScript(watch, probe);
    const page = await context.newPage();
    page.devtools = await context.newCDPSession(page);
    await page.devtools.send("Performance.enable");
    return page;
  }

  async open(url, probe, viewport) {
    const page = await this.page(probe, viewport);
    await page.goto(url);
    await page.locator(".pill[data-s=in]").first().waitFor();
    return page;
  }

  async metrics(page) {
    const { metrics } = await page.devtools.send("Performance.getMetrics");
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  }

  /** Seconds of processor of all renderers. */
  async renderers() {
    const { processInfo } = await this.devtools.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  }

  async firstVisits() {
    for (const url of VISITS) {
      const page = await this.page();
      await page.devtools.send("Network.enable");
      let [bytes, requests] = [0, 0];
      page.devtools.on("Network.responseReceived", () => { requests += 1; });
      page.devtools.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
      await page.goto(url);
      await page.locator(".pill[data-s=in]").first().waitFor();
      note(`first visit of ${url}: over the wire`, bytes / 1024, 90, "KiB");
      note(`first visit of ${url}: requests`, requests, 12, "");
      await page.context().close();
    }
  }

  async firstPaints() {
    for (const [rate, most] of [[1, 300], [6, 1_000]]) {
      const times = [];
      for (let n = 0; n < 5; n += 1) {
        const page = await this.page();
        await page.devtools.send("Emulation.setCPUThrottlingRate", { rate });
        await page.goto("/");
        await page.waitForFunction(firstPaint);
        times.push(await page.evaluate(firstPaint));
        await page.context().close();
      }
      note(`first paint of /, ${rate === 1 ? "as it is" : `${rate} times slower`}, middle of 5`, middle(times), most, "ms");
    }
  }

  /** One event at a time, each painted before the next. */
  async paints() {
    const run = await this.open(`/supervision?run=${this.house.runs[0].id}`, RUN);
    await run.evaluate(forget);
    for (let n = 0; n < PAINTS; n += 1) {
      const member = n % 40;
      await this.house.move(member, this.house.place[member] === 0 ? 1 : 0);
      await run.waitForFunction((count) => window.seen.painted.length >= count, n + 1);
    }
    const { painted } = await run.evaluate(() => window.seen);
    note("event to paint, a run, p95", quantile(painted, 0.95), 50, "ms");
    note("event to paint, a run, p99", quantile(painted, 0.99), 100, "ms");
    await run.context().close();
  }

  /** 500 people in rooms, 50 events a second: the wall, and what it costs. */
  async wall() {
    const wall = await this.open("/wall", WALL, { width: 1920, height: 1080 });
    await pause(2_000);
    await wall.evaluate(forget);
    const [before, cpu, begun] = [await this.metrics(wall), await this.renderers(), Date.now()];
    await this.house.bustle(BUSTLE.moves, BUSTLE.aSecond);
    const seconds = (Date.now() - begun) / 1_000;
    const [after, seen] = [await this.metrics(wall), await wall.evaluate(() => window.seen)];
    console.log(`wall: ${(2 * BUSTLE.moves / seconds).toFixed(0)} events a second for ${seconds.toFixed(0)} s, ${(seen.frames / seconds).toFixed(0)} frames a second reach it`);
    note("wall: main thread", ((after.TaskDuration - before.TaskDuration) * 1_000) / seconds, 100, "ms a second");
    note("wall: renderers", (await this.renderers() - cpu) / seconds, 0.2, "processors");
    note("wall: event to paint, p95", quantile(seen.painted, 0.95), 300, "ms");
    note("wall: longest task", Math.max(0, ...seen.long), 100, "ms");
    note("wall: layout shift", seen.shift, 0.05, "");
    await wall.context().close();
  }

  /** The board while 5,000 members change rooms: what is left after a cleaning. */
  async memory() {
    const board = await this.open("/", RUN);
    const clean = async () => {
      for (let n = 0; n < 3; n += 1) await board.devtools.send("HeapProfiler.collectGarbage");
      return this.metrics(board);
    };
    await this.house.bustle(500, 100);
    const before = await clean();
    await this.house.bustle(MOVES, 100);
    await pause(2_000);
    const after = await clean();
    note(`board: heap after ${MOVES} moves (${(before.JSHeapUsedSize / 2 ** 20).toFixed(1)} MiB before)`, after.JSHeapUsedSize / before.JSHeapUsedSize, 1.1, "times");
    note(`board: nodes after ${MOVES} moves (${before.Nodes} before)`, after.Nodes / before.Nodes, 1.1, "times");
    const { long } = await board.evaluate(() => window.seen);
    note("board: longest task, 200 events a second", Math.max(0, ...long), 100, "ms");
    await board.context().close();
  }

  /** Checks children out by tap, and takes it back, on a tablet that is six times slower. */
  async taps() {
    for (const [rate, most, room] of [[1, 50, 2], [6, 200, 3]]) {
      const run = await this.open(`/supervision?run=${this.house.runs[room].id}`, RUN);
      await run.devtools.send("Emulation.setCPUThrottlingRate", { rate });
      await run.evaluate(forget);
      for (let n = 0; n < TAPS; n += 1) {
        await run.locator("#list-here button.tap:enabled").first().click();
        await pause(150);
      }
      const { taps } = await run.evaluate(() => window.seen);
      note(`tap to paint, a run, ${rate === 1 ? "as it is" : `${rate} times slower`}, longest of ${taps.length}`, Math.max(...taps), most, "ms");
      await run.context().close();
    }
  }

  async search() {
    const people = await this.open("/people", RUN);
    await people.locator("#people-search").waitFor();
    await pause(1_000);
    await people.evaluate(forget);
    for (const letter of "Kind12") {
      await people.locator("#people-search").press(letter);
      await pause(300);
    }
    const { taps } = await people.evaluate(() => window.seen);
    note("key to paint, a search among 2,000 people, longest", Math.max(...taps), 50, "ms");
    await people.context().close();
  }

  async all() {
    this.devtools = await this.browser.newBrowserCDPSession();
    for (const part of [this.firstVisits, this.firstPaints, this.paints, this.taps, this.search, this.wall, this.memory]) await part.call(this);
  }
}

console.log("what  |  measured  |  at most  |");
const house = await House.found();
const browser = await chromium.launch({ executablePath, args });
try {
  await new Bench(house, browser).all();
} finally {
  await browser.close();
  await house.raze();
}
