// Times of day: as people type them, and whether it is quiet now.

/** What a person types for a time of day, as the house writes it: 8:05, 8.05 and 805 are 08:05; null for what is none. */
export function timeOfDay(text) {
  const [, hour, minute] = /^([01]?\d|2[0-3])[:.]?([0-5]\d)$/.exec(text.trim()) ?? [];
  return hour ? `${hour.padStart(2, "0")}:${minute}` : null;
}

/** Returns when the quiet hours end in which this moment lies, else null. `hours` is "20:00-06:30", also across midnight, or empty. */
export function quietUntil(hours, now) {
  const [from, to] = hours.split("-");
  if (!to || from === to) return null;
  const quiet = from < to ? from <= now && now < to : from <= now || now < to;
  return quiet ? to : null;
}
