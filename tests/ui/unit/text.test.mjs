// The catalogues: the same keys and variables in both languages, and every key that a page names.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FluentBundle, FluentResource } from "../../../assets/vendor/fluent.js";

const assets = fileURLToPath(new URL("../../../assets/", import.meta.url));
const read = (name) => fs.readFileSync(path.join(assets, name), "utf8");
const keysOf = (text) => [...text.matchAll(/^([a-z][a-z0-9_-]*) =/gm)].map((match) => match[1]);
const ENDINGS = ["ftl", "people.ftl", "office.ftl", "kiosk.ftl"];
const allOf = (lang) => ENDINGS.map((end) => read(`text/${lang}.${end}`)).join("\n");
const bundleOf = (lang) => {
  const bundle = new FluentBundle(lang, { useIsolating: false });
  for (const end of ENDINGS) {
    assert.deepEqual(bundle.addResource(new FluentResource(read(`text/${lang}.${end}`))), []);
  }
  return bundle;
};
const sources = fs.readdirSync(assets).filter((name) => name.endsWith(".js")).map(read).join("\n");

for (const kind of ["", ".office", ".kiosk", ".door"]) {
  test(`de${kind}.ftl and en${kind}.ftl say the same things with the same variables`, () => {
    const [de, en] = ["de", "en"].map((lang) => read(`text/${lang}${kind}.ftl`));
    assert.deepEqual(keysOf(de), keysOf(en));
    assert.equal(new Set(keysOf(de)).size, keysOf(de).length);
    const variables = (text) => text.split(/\n(?=[a-z])/).map((entry) => [...new Set(entry.match(/\$[a-z]+/g) ?? [])].sort().join());
    assert.deepEqual(variables(de), variables(en));
  });
}

test("the pages ask of a new password what the server asks", () => {
  const file = (name) => fs.readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8");
  const [, least] = /PASSWORD_MIN: usize = (\d+);/.exec(file("src/domain/people/rules.rs"));
  for (const page of ["assets/setup.html", "assets/people-sessions.js"]) {
    assert.deepEqual([...file(page).matchAll(/minlength(?:="|: )(\d+)/g)].map((match) => match[1]), [least], page);
  }
  for (const [lang, word, number] of [["de", "mindestens (\\S+) Zeichen", "acht"], ["en", "at least (\\S+) characters", "eight"]]) {
    const said = ["ftl", "people.ftl", "office.ftl", "door.ftl"].flatMap((end) => [...file(`assets/text/${lang}.${end}`).matchAll(new RegExp(word, "gi"))]);
    assert.deepEqual(said.map((match) => match[1]), Array(4).fill(number), lang);
  }
});

test("every key that a page names is there, in every shape of a made-up key", () => {
  const keys = new Set(keysOf(allOf("en")));
  const named = [...sources.matchAll(/\bt\("([a-z0-9_-]+)"/g)].map((match) => match[1]);
  assert.ok(named.length > 150);
  assert.deepEqual(named.filter((key) => !keys.has(key)), []);
  const started = [...sources.matchAll(/\bt\(`([a-z-]+)\$\{/g)].map((match) => match[1]);
  assert.deepEqual(started.filter((start) => ![...keys].some((key) => key.startsWith(start))), []);
});

test("every text can be formatted, for one, none and many, in every kind of house", () => {
  for (const lang of ["de", "en"]) {
    const bundle = bundleOf(lang);
    for (const key of keysOf(allOf(lang))) {
      for (const profile of ["school", "club", "clinic"]) {
        for (const n of [0, 1, 7]) {
          const names = ["count", "capacity", "time", "day", "when", "by", "gone", "restored", "letter", "value", "name", "names", "page", "room", "activity", "query", "detail", "wait", "status", "text", "what", "tag"];
          const args = { profile, n, came: n, went: n, all: n, fresh: n, changed: n, same: n, errors: n, expected: n, absent: n, left: n, members: n, staff: n, hours: n };
          for (const name of names) args[name] = "X";
          const errors = [];
          const text = bundle.formatPattern(bundle.getMessage(key).value, args, errors);
          assert.deepEqual(errors, [], `${lang} ${key}`);
          assert.ok(text.trim().length > 0, `${lang} ${key}`);
        }
      }
    }
  }
});

/** What is refused where no page asks, and what a page does not answer with a sentence. */
const UNSAID = ["contacts.reason_needed", "device.enroll_code_wrong", "device.enroll_code_used", "setup.done"];

test("whatever the server may refuse with a code of its own, a page can say", () => {
  const root = path.join(assets, "../src");
  const files = fs.readdirSync(root, { recursive: true }).filter((name) => name.endsWith(".rs") && !name.startsWith("demo"));
  const source = files.map((name) => fs.readFileSync(path.join(root, name), "utf8")).join("\n");
  const refused = [...source.matchAll(/(?:conflict\(\s*|(?:Conflict|Gone) \{\s*code: )"([a-z_.]+)"/g)].map((match) => match[1]);
  assert.ok(refused.length > 20);
  const keys = new Set(keysOf(allOf("en")));
  const unsaid = [...new Set(refused)].filter((code) => !keys.has(`problem-${code.replaceAll(/[._]/g, "-")}`));
  assert.deepEqual(unsaid.filter((code) => !UNSAID.includes(code)), []);
  const complaints = [...source.matchAll(/"(import\.[a-z_]+)"/g)].map((match) => match[1].replaceAll(/[._]/g, "-"));
  assert.ok(complaints.length > 20);
  assert.deepEqual(complaints.filter((key) => !keys.has(key) && !keys.has(`problem-${key}`)), []);
  assert.doesNotMatch(sources.replace("this.detail = body.detail", ""), /problem\.detail\b/);
});

test("the system neither shouts nor blames", () => {
  for (const lang of ["de", "en"]) {
    const text = allOf(lang);
    assert.deepEqual(text.split("\n").filter((line) => /!/.test(line)), []);
    const said = text.split("\n").map((line) => line.replace(/^[a-z0-9-]+ = /, ""));
    assert.deepEqual(said.filter((line) => /\b(invalid|illegal|error occurred|ungültig|falsche Eingabe)\b/i.test(line)), []);
  }
});
