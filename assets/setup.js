// The first page of a house works without this. With it, what was filled in is there again when the
// page is, all but what is secret, and the browser asks before it goes.
const KEY = "daybook.draft.setup";
const SECRET = ["code", "password"];

/** @type {HTMLFormElement | null} */
const form = document.querySelector("#house");
/** @returns {HTMLInputElement[]} */
const fields = () => [...form.querySelectorAll("input, select")];
const typed = () => fields().map(({ name, value }) => [name, value]);
const open = () => fields().filter(({ name }) => !SECRET.includes(name));

/** Storage may be off: what is typed then lasts as long as the page. */
function storage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

function begin(house) {
  const first = JSON.stringify(typed());
  let sent = false;
  const changed = () => JSON.stringify(typed()) !== first;
  const kept = storage((all) => JSON.parse(all.getItem(KEY)));
  // What the house has sent back was typed later.
  const empty = ["house_name", "display_name", "username"].every((name) => open().find((field) => field.name === name).value === "");
  if (kept && empty) for (const field of open()) field.value = kept[field.name] ?? field.value;
  house.addEventListener("input", () => storage((all) => all.setItem(KEY, JSON.stringify(Object.fromEntries(open().map(({ name, value }) => [name, value]))))));
  house.addEventListener("submit", () => { sent = true; });
  addEventListener("beforeunload", (event) => {
    if (sent || !changed()) return;
    event.preventDefault();
    event.returnValue = true;
  });
}

if (form) begin(form);
