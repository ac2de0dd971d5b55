// The tokens of style.css: every pair of text and ground is readable in every look, and the two
// ways of being dark are one.
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

const css = fs.readFileSync(new URL("../../../assets/style.css", import.meta.url), "utf8");
const blockAfter = (mark) => {
  const start = css.indexOf(mark);
  assert.ok(start >= 0, mark);
  return css.slice(css.indexOf("{", start + mark.length - 1) + 1, css.indexOf("}", start));
};
const tokensOf = (text) => Object.fromEntries([...text.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map((match) => [match[1], match[2]]));
const light = tokensOf(blockAfter("  :root {"));
const dark = tokensOf(blockAfter("  :root[data-theme=\"dark\"] {"));
const system = tokensOf(blockAfter("    :root[data-theme=\"system\"] {"));
const contrast = { ...light, ...tokensOf(blockAfter("  :root[data-theme=\"contrast\"] {")) };

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ratio(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const grounds = ["bg", "surface", "sunken"];
const states = ["in", "away", "help", "info", "off"];
const pairs = [
  ...grounds.map((ground) => ["text", ground, 7]), ...grounds.map((ground) => ["muted", ground, 4.5]),
  ["on-accent", "accent", 4.5], ["on-accent", "accent-hover", 4.5], ["accent", "bg", 4.5], ["accent", "surface", 4.5], ["accent", "accent-soft", 4.5],
  ["text", "accent-soft", 7], ["muted", "accent-soft", 4.5], ["text", "help-soft", 7], ["muted", "help-soft", 4.5], ["text", "info-soft", 7], ["muted", "info-soft", 4.5],
  ...states.flatMap((state) => [[state, `${state}-soft`, 4.5], [state, "surface", 3]]),
  ["on-status", "help", 4.5], ["help", "surface", 4.5], ["help", "help-soft", 4.5],
  ...grounds.slice(0, 2).flatMap((ground) => [["edge", ground, 3], ["focus", ground, 3]]),
];

for (const [name, tokens] of Object.entries({ light, dark, contrast })) {
  test(`${name}: every pair of colours is readable`, () => {
    const bad = pairs.map(([front, ground, least]) => [front, ground, least, ratio(tokens[front], tokens[ground])]).filter(([, , least, is]) => !(is >= least));
    assert.deepEqual(bad, []);
  });
}

test("dark by choice and dark by system are the same", () => {
  assert.deepEqual(system, dark);
  assert.ok(Object.keys(dark).length > 20);
});

test("high contrast is at least 7 to 1 for every text", () => {
  for (const [front, ground] of pairs.filter(([, , least]) => least >= 4.5)) {
    assert.ok(ratio(contrast[front], contrast[ground]) >= 7, `${front} on ${ground}`);
  }
});

test("colours stand in the tokens only", () => {
  const screens = fs.readFileSync(new URL("../../../assets/screens.css", import.meta.url), "utf8");
  const onScreen = screens.slice(0, screens.indexOf("@layer print"));
  assert.deepEqual(onScreen.match(/#[0-9a-f]{3,8}\b|\brgb\(/g), null);
});

test("nothing glides whose place or size the page has to be laid out for, frame by frame", () => {
  const sheets = ["style.css", "screens.css", "kiosk.css"].map((name) => fs.readFileSync(new URL(`../../../assets/${name}`, import.meta.url), "utf8"));
  const glides = sheets.flatMap((sheet) => [...sheet.matchAll(/transition: ([^;]+);/g)]).flatMap(([, list]) => list.split(","));
  const moved = sheets.flatMap((sheet) => [...sheet.matchAll(/@keyframes [a-z-]+ \{((?:[^{}]*\{[^{}]*\})+)/g)]).flatMap(([, steps]) => [...steps.matchAll(/([a-z-]+):/g)].map(([, name]) => name));
  const names = new Set([...glides.map((glide) => glide.trim().split(" ")[0]), ...moved]);
  for (const harmless of ["none", "background", "background-color", "color", "opacity", "transform"]) names.delete(harmless);
  assert.deepEqual([...names], []);
});
