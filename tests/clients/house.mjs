// A real house in a directory of its own: killed, stopped, started again on the same port, with a
// badge reader at its door that is held to its promise.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";

// The program refuses settings that it does not know, this one among them.
const { DAYBOOK_BIN: BINARY, ...ENVIRONMENT } = process.env;
const READY_MS = 20_000;
const PASSWORD = "vier warme graue Steine";
const MEMBERS = 60;
/** Between two calls of the reader, in which a few badges are held to it. */
const TAPS_EVERY_MS = 80;

export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Waits until `level` is so; `what` is that in words, or says how far it has come. */
export async function until(what, level, limit = 30_000) {
  const end = Date.now() + limit;
  while (!await level()) {
    if (Date.now() > end) throw new Error(`not in time: ${typeof what === "function" ? what() : what}`);
    await pause(20);
  }
}

export class House {
  /** Founds a house with an admin, members with badges and a reader at the door. */
  static async found() {
    const house = new House();
    house.data = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "daybook-clients-")), "house");
    const init = spawnSync(BINARY, ["init", "--data", house.data, "--json"], { env: ENVIRONMENT, encoding: "utf8" });
    if (init.status !== 0) throw new Error(init.stderr);
    await house.start();
    await house.#furnish(JSON.parse(init.stdout).setup_code);
    return house;
  }

  async start() {
    const args = ["serve", "--data", this.data, "--listen", `127.0.0.1:${this.port ?? 0}`, "--json"];
    const log = fs.openSync(this.log, "a");
    this.child = spawn(BINARY, args, { stdio: ["ignore", "pipe", log], env: ENVIRONMENT });
    fs.closeSync(log);
    const lines = readline.createInterface({ input: this.child.stdout });
    const [line] = await once(lines, "line", { signal: AbortSignal.timeout(READY_MS) });
    this.port = Number(new URL(JSON.parse(line).url).port);
    this.url = `http://127.0.0.1:${this.port}`;
  }

  get log() {
    return path.join(path.dirname(this.data), "log");
  }

  /** How it stands, in words. */
  get said() {
    const state = this.isUp ? "the house is up" : `the house has ended (${this.child.exitCode ?? this.child.signalCode})`;
    return `${state}, and says:\n${fs.readFileSync(this.log, "utf8").split("\n").slice(-30).join("\n")}`;
  }

  get isUp() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async end(signal) {
    if (!this.isUp) return;
    const ended = once(this.child, "exit");
    this.child.kill(signal);
    await ended;
  }

  /** Ends it for good, with its directory. */
  async raze() {
    await this.end("SIGKILL");
    fs.rmSync(path.dirname(this.data), { recursive: true });
  }

  async call(method, url, body, headers = {}) {
    const kind = typeof body === "string" ? "text/csv" : "application/json";
    const answer = await fetch(`${this.url}/api/v1${url}`, {
      method,
      headers: { origin: this.url, "content-type": kind, ...(this.cookie && { cookie: this.cookie }), ...headers },
      body: body && (typeof body === "string" ? body : JSON.stringify(body)),
    });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async #furnish(code) {
    const setup = await this.call("POST", "/setup", {
      code, house_name: "Haus am Bach", profile: "school", zone: "Europe/Berlin", language: "de",
      username: "ada", display_name: "Ada Lang", password: PASSWORD,
    });
    this.cookie = setup.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
    this.tags = Array.from({ length: MEMBERS }, (_, n) => `04AA${String(n).padStart(4, "0")}`);
    const rows = this.tags.map((tag, n) => `Kind;Nr${n};${tag}`);
    await this.call("POST", "/people/import", `Vorname;Nachname;Chip\n${rows.join("\n")}\n`);
    const { code: enrolment } = await (await this.call("POST", "/devices/enrolment-codes", { name: "Door", mode: "toggle" })).json();
    const reader = { code: enrolment, serial: "C1", model: "test", firmware: "1" };
    this.key = (await (await this.call("POST", "/device/enroll", reader)).json()).key;
  }

  async cursor() {
    return (await (await this.call("GET", "/board")).json()).cursor;
  }
}

/** A badge reader that goes on until it is told to stop, and sends again what was not answered. */
export class Reader {
  constructor(house) {
    Object.assign(this, { house, answered: 0, outcomes: {}, stopped: false });
    this.done = this.#work();
  }

  /** Its last scans are answered, when there is a house that can. */
  async stop() {
    this.stopped = true;
    await this.done;
  }

  /** Gives up what is not answered. */
  abandon() {
    this.stopped = true;
    this.done.catch(() => {});
  }

  async #work() {
    for (let n = 0; !this.stopped; n += 1) {
      const tags = [this.#member(2 * n), this.#member(2 * n + 1), `0BAD${n.toString(16).padStart(6, "0")}`];
      const scans = tags.map((tag, at) => ({ scan_id: `scan-${n}-${at}`, tag, age_ms: 0 }));
      await this.#post({ boot_id: "b1", scans });
      await pause(TAPS_EVERY_MS);
    }
  }

  #member(n) {
    return this.house.tags[n % this.house.tags.length];
  }

  async #post(body) {
    for (;;) {
      try {
        const answer = await this.house.call("POST", "/device/scans", body, { authorization: `Bearer ${this.house.key}`, cookie: "" });
        for (const { outcome } of (await answer.json()).results) {
          this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
          this.answered += 1;
        }
        return;
      } catch (error) {
        if (this.stopped && !this.house.isUp) throw error;
        await pause(30);
      }
    }
  }
}
