// A screen that waits to be let in: shows its digits until the lead has typed them, and then the
// wall. Nobody sits in front of it, so it asks for ever.
const EVERY_MS = 2_000;
const NO_DIGITS = "··· ···";

const digits = document.getElementById("digits");
const away = document.getElementById("away");

/** When the digits on the screen end, by the counter of this page: the screen's clock may be wrong. */
let endsAt = -Infinity;

function show(text) {
  if (digits.textContent !== text) digits.textContent = text;
}

async function ask() {
  try {
    const answer = await fetch("/api/v1/displays/pairing", {
      method: "POST", headers: { "content-type": "application/json" }, body: "{}", cache: "no-store", credentials: "same-origin",
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const { server_time: now, paired, code, expires_at: end } = await answer.json();
    if (paired) return location.replace("/wall");
    endsAt = performance.now() + Date.parse(end) - Date.parse(now);
    show(`${code.slice(0, 3)} ${code.slice(3)}`);
    away.hidden = true;
  } catch {
    away.hidden = false;
    if (performance.now() >= endsAt) show(NO_DIGITS);
  }
  return setTimeout(ask, EVERY_MS);
}

ask();
