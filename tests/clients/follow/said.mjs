// What a follower is asked, and how it says what it has heard: a line of JSON for each event.

export function asked() {
  const { FOLLOW_URL: url, FOLLOW_COOKIE: cookie, FOLLOW_TYPES: types } = process.env;
  return { url, cookie, types: types.split(",") };
}

/** Says that an event was heard. Half an event is no JSON, and ends the follower. */
export function heard(id, type, data) {
  const event = JSON.parse(data);
  // Passing state has no id and is not compared.
  if (event.id) process.stdout.write(`${JSON.stringify({ id, type, whole: event.id === id })}\n`);
}
