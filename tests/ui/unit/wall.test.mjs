// When a wall loads itself anew, without a browser and without waiting for a night.
import assert from "node:assert/strict";
import { test } from "node:test";
import { localMinute, Renewal } from "../../../assets/wall-renew.js";

/** A wall that has met its house, which answers with what `made.offered` says from now on. */
async function wall(local, offered = "v1") {
  const made = { local, offered: "v1", asked: 0, reloads: 0, last: null };
  made.renewal = new Renewal({
    own: "v1", local: () => made.local,
    offered: async () => {
      made.asked += 1;
      return made.offered;
    },
    first: (reason) => {
      const fresh = made.last !== reason;
      made.last = reason;
      return fresh;
    },
    reload: () => { made.reloads += 1; },
  });
  made.at = async (time) => {
    made.local = time;
    await made.renewal.look();
    return made.reloads;
  };
  await made.renewal.back();
  return Object.assign(made, { offered, asked: 0 });
}

test("a wall is loaded anew at half past three, once, and asks the house at no other time", async () => {
  const one = await wall("2026-11-20 10:00");
  for (const time of ["2026-11-20 10:01", "2026-11-20 23:59", "2026-11-21 03:29"]) assert.equal(await one.at(time), 0);
  assert.equal(one.asked, 0);
  assert.equal(await one.at("2026-11-21 03:30"), 1);
  assert.equal(await one.at("2026-11-21 03:31"), 1);
  assert.equal(await one.at("2026-11-22 03:29"), 1);
  assert.equal(await one.at("2026-11-22 07:00"), 2, "it slept at half past three");
});

test("a wall that was hung up in the night has its own half past three", async () => {
  const one = await wall("2026-11-20 01:00");
  assert.equal(await one.at("2026-11-20 03:29"), 0);
  assert.equal(await one.at("2026-11-20 03:30"), 1);
});

test("a wall whose own clock is wrong waits until it knows that of its house", async () => {
  const one = { local: "1970-01-01 00:00", reloads: 0 };
  const renewal = new Renewal({ own: "v1", local: () => one.local, offered: async () => "v1", first: () => true, reload: () => { one.reloads += 1; } });
  await renewal.look();
  one.local = "2026-11-20 10:00";
  await renewal.look();
  await renewal.back();
  assert.equal(one.reloads, 0);
  one.local = "2026-11-21 03:30";
  await renewal.look();
  assert.equal(one.reloads, 1);
});

test("a clock that is put back loads nothing, and no night counts twice", async () => {
  const one = await wall("2026-11-20 03:29");
  assert.equal(await one.at("2026-11-20 03:30"), 1);
  for (const time of ["2026-11-20 03:29", "2026-11-20 03:30", "2026-11-19 12:00"]) assert.equal(await one.at(time), 1);
});

test("without an answer of the house the wall stays as it is, and goes on asking", async () => {
  const one = await wall("2026-11-20 10:00", null);
  assert.equal(await one.at("2026-11-21 03:30"), 0);
  assert.equal(await one.at("2026-11-21 03:31"), 0);
  assert.equal(one.asked, 2);
  one.offered = "v1";
  assert.equal(await one.at("2026-11-21 04:10"), 1);
});

test("other pages are loaded when the house is back, the same ones are not", async () => {
  const one = await wall("2026-11-20 10:00");
  await one.renewal.back();
  assert.deepEqual([one.asked, one.reloads], [1, 0]);
  one.offered = null;
  await one.renewal.back();
  one.offered = "v2";
  assert.equal(await one.at("2026-11-20 10:01"), 1, "it asks until it has an answer");
});

test("pages that a reload does not bring are loaded once, and not for ever", async () => {
  const one = await wall("2026-11-20 10:00", "v2");
  for (let n = 0; n < 5; n += 1) await one.renewal.back();
  assert.equal(one.reloads, 1);
});

test("the night is that of the house, also where its clock changes", () => {
  assert.equal(localMinute(Date.parse("2026-11-20T02:30:00Z"), "Europe/Berlin"), "2026-11-20 03:30");
  assert.equal(localMinute(Date.parse("2026-03-29T01:30:00Z"), "Europe/Berlin"), "2026-03-29 03:30");
  assert.equal(localMinute(Date.parse("2026-03-29T00:59:00Z"), "Europe/Berlin"), "2026-03-29 01:59");
  assert.equal(localMinute(Date.parse("2026-11-19T23:00:00Z"), "Europe/Berlin"), "2026-11-20 00:00");
});
