// What a person types for a time of day.
import assert from "node:assert/strict";
import { test } from "node:test";
import { quietUntil, timeOfDay } from "../../../assets/hours.js";

test("times are read as people write them, and are of 24 hours", () => {
  for (const [typed, read] of [
    ["08:15", "08:15"], ["8:15", "08:15"], ["8.15", "08:15"], ["815", "08:15"], ["0815", "08:15"], [" 13:30 ", "13:30"],
    ["1330", "13:30"], ["00:00", "00:00"], ["23:59", "23:59"], ["2359", "23:59"], ["0:05", "00:05"],
  ]) assert.equal(timeOfDay(typed), read, typed);
  for (const typed of ["", "8", "13", "24:00", "2400", "12:60", "1:5", "8:15 pm", "08:15:00", "-8:15", "acht", "8,15", "13:3"]) {
    assert.equal(timeOfDay(typed), null, typed);
  }
});

test("quiet hours hold from their beginning to before their end, also across midnight", () => {
  for (const [hours, now, until] of [
    ["", "10:30", null], ["10:00-11:00", "09:59", null], ["10:00-11:00", "10:00", "11:00"], ["10:00-11:00", "11:00", null],
    ["20:00-06:30", "23:10", "06:30"], ["20:00-06:30", "06:29", "06:30"], ["20:00-06:30", "12:00", null], ["08:00-08:00", "08:00", null],
  ]) assert.equal(quietUntil(hours, now), until, `${hours} ${now}`);
});
