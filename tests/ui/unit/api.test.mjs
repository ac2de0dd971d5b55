// What the pages ask of the server: when it is the same act, tried again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { api } from "../../../assets/api.js";

/** Answers each try with the next of `answers`; "lost" is none. Returns the key of each try. */
function serverOf(answers) {
  const keys = [];
  globalThis.fetch = async (_url, { headers }) => {
    keys.push(headers["idempotency-key"]);
    const answer = answers.shift() ?? {};
    if (answer === "lost") throw new TypeError("network");
    return { status: 200, ok: true, json: async () => answer };
  };
  return keys;
}
const LOST = ["lost", "lost", "lost"];

test("an act whose answer was lost is the same one when it is tried again, and a new one after that", async () => {
  const keys = serverOf([...LOST]);
  await assert.rejects(api.post("/visits", { member_id: "1" }), { status: 0, code: "no_answer" });
  await api.post("/visits", { member_id: "1" });
  await api.post("/visits", { member_id: "1" });
  assert.equal(new Set(keys.slice(0, 4)).size, 1);
  assert.notEqual(keys[4], keys[0]);
});

test("who does something else first does not try again", async () => {
  const keys = serverOf([...LOST]);
  await assert.rejects(api.post("/visits", { member_id: "1" }));
  await api.post("/visits/9/end");
  await api.post("/visits", { member_id: "1" });
  assert.equal(new Set(keys).size, 3);
});

test("what was only read has changed nothing, and is said to have found no connection", async () => {
  serverOf([...LOST]);
  await assert.rejects(api.get("/board"), { status: 0, code: "network" });
});
