// Clients that others have written follow a stream of the real program while badges are scanned,
// the network cuts them in the middle of frames and the program is killed and stopped again and
// again. Each must hear everything, once, in the order of the log.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import readline from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import * as browser from "./browser.mjs";
import { House, Reader, until } from "./house.mjs";
import { Cutter } from "./proxy.mjs";

const ROUNDS = 10;
/** Answered scans between two ends of the program. */
const SCANS_A_ROUND = 90;
/** Each client must have been cut so often at the least, or the test has tested nothing. */
const CUTS_LEAST = 10;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const paper = readFileSync(here("../../docs/events.md"), "utf8");
/** Every type of the catalogue that is a fact; what is told without an id is not compared. */
const TYPES = [...new Set([...paper.matchAll(/^\| `([a-z]+\.[a-z_]+)` \| [PCS] \|/gm)].map((match) => match[1]))];

const hasPython = process.env.CLIENTS_PYTHON !== undefined
  && spawnSync(process.env.CLIENTS_PYTHON, ["-c", "import httpx_sse"]).status === 0;

const FOLLOWERS = {
  "eventsource, from npm": { program: ["node", here("follow/eventsource.mjs")] },
  "launchdarkly-eventsource, from npm": { program: ["node", here("follow/launchdarkly.mjs")] },
  "httpx-sse, from PyPI": { program: [process.env.CLIENTS_PYTHON, here("follow/httpx_follow.py")], skip: !hasPython && "no Python with pip here" },
  "the EventSource of Chromium": { inPage: browser.followByEventSource, skip: !browser.isThere && "no Chromium here" },
  "the WebSocket of Chromium": { inPage: browser.followByWebSocket, skip: !browser.isThere && "no Chromium here" },
};

/** Starts a follower behind a network of its own. */
async function follow(one, house, cursor, chromium) {
  one.network = await Cutter.before(house.port);
  if (one.inPage) {
    one.page = await browser.page(chromium, one.network.url, house.cookie, one.inPage, { after: cursor, types: TYPES });
    return;
  }
  one.heard = [];
  const [program, ...args] = one.program;
  one.child = spawn(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env, FOLLOW_COOKIE: house.cookie, FOLLOW_TYPES: TYPES.join(","),
      FOLLOW_URL: `${one.network.url}/api/v1/events?after=${cursor}`,
    },
  });
  readline.createInterface({ input: one.child.stdout }).on("line", (line) => one.heard.push(JSON.parse(line)));
}

/** Looks what a follower has heard by now. */
async function look(one) {
  if (one.page) Object.assign(one, await one.page.evaluate(() => ({ heard: window.heard, fatal: window.fatal })));
  return one.heard;
}

/** How the followers, the reader and the house stand, in words. */
function state(followers, scanner, house) {
  const ended = ({ child }) => child && (child.exitCode ?? child.signalCode);
  const of = (one) => `${one.network.said}, ${one.heard?.length ?? "?"} events heard, given up ${one.fatal ?? ended(one) ?? 0}`;
  return [...followers.map(of), `${scanner.answered} scans answered`, house.said].join("\n");
}

/** Reads the log from `cursor` on to its end, over a good network, without any library. */
async function log(house, cursor) {
  const end = await house.cursor();
  const answer = await fetch(`${house.url}/api/v1/events?after=${cursor}`, { headers: { cookie: house.cookie } });
  const events = [];
  let text = "";
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const { id, event: type } = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
      if (id && TYPES.includes(type)) events.push({ id, type, whole: true });
      if (id === end && type !== "stream.connected") return events;
    }
  }
  throw new Error("the log has ended before its end");
}

describe("clients that others have written", () => {
  let house, chromium, scanner, expected;
  const followers = Object.values(FOLLOWERS).filter((one) => !one.skip);

  before(async () => {
    house = await House.found();
    if (browser.isThere) chromium = await browser.launch();
    const cursor = await house.cursor();
    for (const one of followers) await follow(one, house, cursor, chromium);
    scanner = new Reader(house);
    for (let round = 0; round < ROUNDS; round += 1) {
      const enough = scanner.answered + SCANS_A_ROUND;
      await until(() => `scans are answered\n${state(followers, scanner, house)}`, () => scanner.answered >= enough);
      await house.end(round % 2 ? "SIGTERM" : "SIGKILL");
      await house.start();
    }
    const cut = async () => {
      await Promise.all(followers.map(look));
      return followers.every((one) => one.network.cuts >= CUTS_LEAST);
    };
    await until(() => `everybody was cut\n${state(followers, scanner, house)}`, cut, 60_000);
    await scanner.stop();
    for (const one of followers) one.network.calm = true;
    expected = await log(house, cursor);
  }, { timeout: 110_000 });

  after(async () => {
    // Or it would call for ever, where the rounds have failed, and the test would not end.
    scanner?.abandon();
    for (const one of followers) {
      one.child?.kill("SIGKILL");
      one.network?.close();
    }
    await chromium?.close();
    await house?.raze();
  });

  it("the log holds what the reader was told, and nothing else", () => {
    const count = (type) => expected.filter((event) => event.type === type).length;
    assert.equal(count("scan.unknown"), scanner.outcomes.unknown_tag);
    assert.equal(count("attendance.checked_in"), scanner.outcomes.checked_in);
    assert.ok(expected.length > ROUNDS * SCANS_A_ROUND * 0.5, `${expected.length} events`);
  });

  for (const [name, one] of Object.entries(FOLLOWERS)) {
    it(`${name}: everything, once, in order`, { skip: one.skip }, async (t) => {
      const last = expected.at(-1).id;
      for (const end = Date.now() + 30_000; (await look(one)).at(-1)?.id !== last && Date.now() < end;) {
        await new Promise((resolve) => { setTimeout(resolve, 100); });
      }
      t.diagnostic(`${one.heard.length} events, cut ${one.network.cuts} times in the middle of a frame`);
      assert.deepEqual(one.heard, expected);
      assert.equal(one.fatal ?? 0, 0, "given up by itself");
    });
  }
});
