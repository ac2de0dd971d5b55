// The first page of a house works without this. With it, what was filled in is there again when the
// page is, all but what is secret, and the browser asks before it goes.
const DRAFT = "daybook.draft.setup";
const SECRET = ["code", "password"];

/** @param {HTMLFormElement} form */
function keepDraft(form) {
  /** @type {HTMLInputElement[]} */
  const fields = Array.from(form.querySelectorAll("input, select"));
  const kept = fields.filter(({ name }) => !SECRET.includes(name));
  const typed = () => JSON.stringify(fields.map(({ value }) => value));
  const first = typed();
  let sent = false;
  // Storage may be off: what is typed then lasts as long as the page.
  const storage = (use) => {
    try {
      return use(sessionStorage);
    } catch {
      return null;
    }
  };
  const draft = storage((all) => JSON.parse(all.getItem(DRAFT)));
  // What the house has sent back was typed later.
  const fresh = fields.every(({ name, value }) => value === "" || !["house_name", "display_name", "username"].includes(name));
  if (draft && fresh) for (const field of kept) field.value = draft[field.name] ?? field.value;
  const keep = () => storage((all) => all.setItem(DRAFT, JSON.stringify(Object.fromEntries(kept.map(({ name, value }) => [name, value])))));
  form.addEventListener("input", keep);
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("beforeunload", (event) => {
    if (sent || typed() === first) return;
    event.preventDefault();
    event.returnValue = true;
  });
}

document.querySelectorAll("form").forEach(keepDraft);
