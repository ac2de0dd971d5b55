// The house that the pages are measured in: as many people as a house can have, a quarter of them in
// rooms, and readers at the doors that move them on.
import { leave, newHouse } from "../../tests/ui/house.mjs";

const PEOPLE = 2_000;
const PRESENT = 500;
const ROOMS = 20;
const CAPACITY = 200;
const SCANS_A_CALL = 50;
const LEAD = { username: "ada", password: "vier warme graue Steine" };

export class House {
  static async found() {
    const house = new House();
    Object.assign(house, await newHouse(), { scans: 0, keys: [] });
    await house.#furnish();
    return house;
  }

  /** Ends it for good, with its directory. */
  raze() {
    return leave(this);
  }

  async call(method, path, body, headers = {}) {
    const json = typeof body !== "string";
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { origin: this.url, "content-type": json ? "application/json" : "text/csv", ...(this.cookie && { cookie: this.cookie }), ...headers },
      body: body && (json ? JSON.stringify(body) : body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async #json(method, path, body, headers) {
    return (await this.call(method, path, body, headers)).json();
  }

  async #furnish() {
    const setup = await this.call("POST", "/setup", {
      code: this.code, house_name: "Haus am Bach", profile: "school", zone: "Europe/Berlin", language: "de", display_name: "Ada Lang", ...LEAD,
    });
    this.cookie = setup.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
    const { person } = await this.#json("GET", "/me");
    this.tags = Array.from({ length: PEOPLE }, (_, n) => `04AA${String(n).padStart(4, "0")}`);
    const rows = this.tags.map((tag, n) => `Kind${n};Nachname${n % 97};${tag}`);
    await this.call("POST", "/people/import", `Vorname;Nachname;Chip\n${rows.join("\n")}\n`);
    this.runs = [];
    for (let n = 0; n < ROOMS; n += 1) {
      const room = await this.#json("POST", "/rooms", { name: `Raum ${n + 1}`, kind: "room", capacity: CAPACITY });
      const activity = await this.#json("POST", "/activities", { name: `Angebot ${n + 1}`, default_room_id: room.id });
      this.runs.push(await this.#json("POST", "/runs", { activity_id: activity.id, room_id: room.id, staff_ids: [person.id] }));
      this.keys.push(await this.#reader(n, room));
    }
    for (let n = 0; n < PRESENT; n += SCANS_A_CALL) await this.scan((n / SCANS_A_CALL) % ROOMS, this.tags.slice(n, n + SCANS_A_CALL));
    this.place = this.tags.slice(0, PRESENT).map((_, n) => Math.floor(n / SCANS_A_CALL) % ROOMS);
  }

  async #reader(n, room) {
    const { code } = await this.#json("POST", "/devices/enrolment-codes", { name: `Tür ${n + 1}`, mode: "room", room_id: room.id });
    return (await this.#json("POST", "/device/enroll", { code, serial: `B${n}`, model: "bench", firmware: "1" })).key;
  }

  /** Holds badges to the reader of a room; returns what became of each. */
  async scan(room, tags) {
    const scans = tags.map((tag) => {
      this.scans += 1;
      return { scan_id: `scan-${this.scans}`, tag, age_ms: 0 };
    });
    const { results } = await this.#json("POST", "/device/scans", { boot_id: "b1", scans }, { authorization: `Bearer ${this.keys[room]}`, cookie: "" });
    return results;
  }

  /** Moves member number `n` to the next room: two events and, soon after, two figures. */
  async move(n, to = (this.place[n] + 1) % ROOMS) {
    const [{ outcome }] = await this.scan(to, [this.tags[n]]);
    if (!["transferred", "checked_in"].includes(outcome)) throw new Error(`moving ${n}: ${outcome}`);
    this.place[n] = to;
  }

  /** Moves `count` members, so many a second. */
  async bustle(count, aSecond) {
    const begun = Date.now();
    const moves = [];
    for (let n = 0; n < count; n += 1) {
      const wait = begun + (n * 1_000) / aSecond - Date.now();
      if (wait > 0) await new Promise((resolve) => { setTimeout(resolve, wait); });
      moves.push(this.move(n % PRESENT));
    }
    await Promise.all(moves);
  }
}
