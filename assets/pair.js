// A screen that waits to be let in: shows its digits until the lead has typed them, and then the
// wall. Nobody sits in front of it, so it asks for ever.
const EVERY_MS = 2_000;

const digits = document.getElementById("digits");
const away = document.getElementById("away");

async function ask() {
  try {
    const answer = await fetch("/api/v1/displays/pairing", {
      method: "POST", headers: { "content-type": "application/json" }, body: "{}", cache: "no-store", credentials: "same-origin",
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const { paired, code } = await answer.json();
    if (paired) return location.replace("/wall");
    const text = `${code.slice(0, 3)} ${code.slice(3)}`;
    if (digits.textContent !== text) digits.textContent = text;
    away.hidden = true;
  } catch {
    away.hidden = false;
  }
  return setTimeout(ask, EVERY_MS);
}

ask();
