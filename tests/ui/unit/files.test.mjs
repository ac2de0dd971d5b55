// The house rules of the pages' files; what a first visit may cost is a test of `src/http/assets/mod.rs`.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const assets = fileURLToPath(new URL("../../../assets/", import.meta.url));
const read = (name) => fs.readFileSync(path.join(assets, name));
const modules = fs.readdirSync(assets).filter((name) => name.endsWith(".js"));
const importsOf = (name) => [...String(read(name)).matchAll(/^(?:import|export)[^;]*?from "\.\/([^"]+)"/gms)].map((match) => match[1]);

test("only ui.js knows vendor/, and no noun draws with another noun's views", () => {
  const nouns = ["people", "rooms", "visits", "devices", "help", "tracking", "kiosk"];
  const nounOf = (name) => nouns.find((noun) => name === `${noun}.js` || name.startsWith(`${noun}-`));
  for (const name of modules) {
    for (const other of importsOf(name)) {
      if (other.startsWith("vendor/")) assert.equal(name, "ui.js");
      const [from, to] = [nounOf(name), nounOf(other)];
      if (from && to) assert.equal(from, to, `${name} imports ${other}`);
    }
  }
});

test("there is no script or style inside a page, no address with a scheme, no unsafe sink", () => {
  for (const name of ["index.html", "door.html", "sign-in.html", "setup.html", "pair.html", "kiosk.html", "lost.html"]) {
    const text = String(read(name));
    assert.doesNotMatch(text, /<style|style="|\son[a-z]+="|<script(?![^>]*src=)/, name);
  }
  for (const name of [...modules, "style.css", "screens.css", "kiosk.css"]) {
    const text = String(read(name)).replaceAll("http://www.w3.org/2000/svg", "");
    assert.doesNotMatch(text, /https?:\/\//, name);
    assert.doesNotMatch(text, /innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
  }
});

test("files are short", () => {
  for (const name of [...modules, "style.css", "screens.css", "kiosk.css", ...["de", "en"].flatMap((lang) => ["ftl", "people.ftl", "office.ftl", "kiosk.ftl"].map((end) => `text/${lang}.${end}`))]) {
    assert.ok(String(read(name)).split("\n").length - 1 <= 400, name);
  }
});

test("vendored files are those that PINS names", () => {
  const lines = String(read("vendor/PINS")).trim().split("\n");
  const files = fs.readdirSync(path.join(assets, "vendor")).filter((name) => name !== "PINS").sort();
  assert.deepEqual(lines.map((line) => line.split("  ")[0]), files);
  for (const line of lines) {
    const [name, , sum] = line.split("  ");
    assert.equal(createHash("sha256").update(read(`vendor/${name}`)).digest("hex"), sum, name);
  }
});

test("every icon that a page names is in the sprite", () => {
  const sprite = String(read("vendor/icons.svg"));
  const named = modules.flatMap((name) => [...String(read(name)).matchAll(/(?:icon: |name=|icon=)"([a-z0-9-]+)"/g)].map((match) => match[1]))
    .filter((name) => !["kind", "status"].includes(name));
  assert.deepEqual(named.filter((name) => !sprite.includes(`id="${name}"`)), []);
});
