// A person is added and changed by the lead: errors beside the fields, drafts, and what somebody else changes meanwhile.
import { accessible, expect, tabTo, test } from "../house.mjs";

let made = 0;

/** Somebody whom no other test knows; they are gone when the test is over. */
async function somebody(visitor, context, more = {}) {
  made += 1;
  return visitor.api(context, "POST", "/people", { given_name: "Wanda", family_name: `Wandel${made}`, role: "member", ...more });
}

const gone = (visitor, context, person) => visitor.api(context, "PATCH", `/people/${person.id}`, { state: "inactive" });
const dialog = (page, name) => page.getByRole("dialog", { name, exact: true });
const shown = (visitor, page, person) => visitor.api(page.context(), "GET", `/people/${person.id}`);

for (const lang of ["de", "en"]) {
  test(`a person is changed by keyboard alone, what is wrong stands at its field and above, ${lang}`, async ({ visitor }) => {
    const words = lang === "de"
      ? { change: "Ändern", title: (name) => `${name} ändern`, number: "Nummer", given: "Vorname", save: "Speichern", taken: "Diese Nummer gehört schon jemandem.", needed: "Bitte ausfüllen.", undo: "Rückgängig" }
      : { change: "Change", title: (name) => `Change ${name}`, number: "Number", given: "Given name", save: "Save", taken: "Somebody has this number already.", needed: "Please fill in.", undo: "Undo" };
    const page = await visitor.page({ role: "admin", lang }, "/people");
    const person = await somebody(visitor, page.context());
    const other = await somebody(visitor, page.context(), { number: `T-${lang}` });
    await page.goto(`/people?person=${person.id}`);
    await tabTo(page, dialog(page, person.display_name).getByRole("button", { name: words.change, exact: true }));
    await page.keyboard.press("Enter");
    const form = dialog(page, words.title(person.display_name));
    await expect(form.getByLabel(words.given)).toBeFocused();
    await expect(page).toHaveURL(`/people?person=${person.id}&edit=1`);
    await accessible(page, "the form");
    const family = form.locator("#person-family-name");
    for (const one of [form.getByLabel(words.given), family]) await one.fill("");
    await family.press("Enter");
    await expect(form.getByRole("alert")).toContainText(`${words.given}: ${words.needed}`);
    await expect(form.getByLabel(words.given)).toHaveAttribute("aria-invalid", "true");
    await form.getByLabel(words.given).fill("Walli");
    await family.fill(person.family_name);
    await tabTo(page, form.getByLabel(words.number));
    await page.keyboard.type(`T-${lang}`);
    await page.keyboard.press("Enter");
    await expect(form.getByRole("alert")).toBeFocused();
    await expect(form.locator(".field", { hasText: words.number }).locator(".field-error")).toContainText(/\w/);
    await accessible(page, "a form with an error");
    await form.getByRole("alert").getByRole("button", { name: words.number }).press("Enter");
    await expect(form.getByLabel(words.number)).toBeFocused();
    await page.keyboard.press("Control+a");
    await page.keyboard.type(`U-${lang}`);
    await page.keyboard.press("Enter");
    const card = dialog(page, `Walli ${person.family_name}`);
    await expect(card).toBeVisible();
    await expect(page).toHaveURL(`/people?person=${person.id}`);
    expect(await shown(visitor, page, person)).toMatchObject({ given_name: "Walli", number: `U-${lang}` });
    await page.locator(".toast").getByRole("button", { name: words.undo }).click();
    await expect.poll(async () => (await shown(visitor, page, person)).number).toBe(null);
    expect(await shown(visitor, page, person)).toMatchObject({ given_name: "Wanda", display_name: person.display_name });
    for (const one of [person, other]) await gone(visitor, page.context(), one);
  });
}

test("what was begun is asked for before it is lost, kept as a draft, and thrown away on demand", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const person = await somebody(visitor, page.context());
  await page.goto(`/people?person=${person.id}&edit=1`);
  const form = dialog(page, `${person.display_name} ändern`);
  const question = dialog(page, "Noch nicht gespeichert");
  await form.getByLabel("Nummer").fill("77");
  await page.keyboard.press("Escape");
  await expect(question).toBeVisible();
  await accessible(page, "the question");
  await page.keyboard.press("Escape");
  await expect(question).toHaveCount(0);
  await expect(form.getByLabel("Nummer")).toHaveValue("77");

  // The browser asks before the tab goes.
  const asked = [];
  page.once("dialog", async (one) => {
    asked.push(one.type());
    await one.accept();
  });
  await page.reload();
  expect(asked).toEqual(["beforeunload"]);
  await expect(form.getByLabel("Nummer")).toHaveValue("77");
  await form.getByRole("button", { name: "Schließen" }).click();
  await question.getByRole("button", { name: "Entwurf behalten" }).click();
  const card = dialog(page, person.display_name);
  await card.getByRole("button", { name: "Entwurf fortsetzen" }).click();
  await expect(form.getByLabel("Nummer")).toHaveValue("77");
  await form.getByRole("button", { name: "Abbrechen" }).click();
  await question.getByRole("button", { name: "Verwerfen" }).click();
  await card.getByRole("button", { name: "Ändern", exact: true }).click();
  await expect(form.getByLabel("Nummer")).toHaveValue("");
  await page.keyboard.press("Escape");
  await expect(card).toBeVisible();
  await page.goBack();
  await expect(form).toBeVisible();
  // Back asks nothing: what was begun is kept.
  await form.getByLabel("Nummer").fill("78");
  await page.goBack();
  await expect(card.getByRole("button", { name: "Entwurf fortsetzen" })).toBeVisible();
  await gone(visitor, page.context(), person);
});

test("who is signed out meanwhile is not held by a form, and finds it again after signing in", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people?add=1");
  const form = dialog(page, "Person anlegen");
  // By the keys: of who has touched nothing no browser asks anything.
  await expect(form.getByLabel("Vorname")).toBeFocused();
  await page.keyboard.type("Nele");
  const asked = [];
  page.on("dialog", async (one) => {
    asked.push(one.type());
    await one.accept();
  });
  const { session_id: session } = await visitor.api(page.context(), "GET", "/me");
  await visitor.api(page.context(), "DELETE", `/sessions/${session}`);
  await expect(page).toHaveURL(/\/sign-in/);
  expect(asked).toEqual([]);
  await visitor.signIn(page.context(), visitor.username("admin"));
  await page.goto("/people?add=1");
  await expect(form.getByLabel("Vorname")).toHaveValue("Nele");
});

test("what two change at once is lost to neither: the second sees it and decides", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const person = await somebody(visitor, page.context());
  await page.goto(`/people?person=${person.id}&edit=1`);
  const form = dialog(page, `${person.display_name} ändern`);
  await form.getByLabel("Nummer").fill("M-1");
  await visitor.api(page.context(), "PATCH", `/people/${person.id}`, { number: "M-2", language: "en" });
  await form.getByRole("button", { name: "Speichern" }).click();
  await expect(form.getByRole("alert")).toContainText("Jemand anders hat diese Person inzwischen geändert.");
  await expect(form.getByLabel("Nummer")).toHaveValue("M-1");
  await expect(form.locator(".field", { hasText: "Nummer" }).locator(".hint")).toHaveText("Inzwischen hat hier jemand anders etwas geändert. Jetzt gilt: M-2");
  await expect(form.getByLabel("Sprache")).toHaveValue("en");
  expect(await shown(visitor, page, person)).toMatchObject({ number: "M-2", language: "en" });
  await form.getByRole("button", { name: "Speichern" }).click();
  await expect(dialog(page, person.display_name)).toBeVisible();
  expect(await shown(visitor, page, person)).toMatchObject({ number: "M-1", language: "en" });
  await gone(visitor, page.context(), person);
});

test("groups and nickname are changed, and a group that somebody else gave meanwhile stays", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const person = await somebody(visitor, page.context());
  const { items: [first, second] } = await visitor.api(page.context(), "GET", "/groups");
  await page.goto(`/people?person=${person.id}&edit=1`);
  const form = dialog(page, `${person.display_name} ändern`);
  await form.getByLabel(first.name, { exact: true }).check();
  await form.getByLabel("Anzeigename").fill("Wandi");
  await visitor.api(page.context(), "PATCH", `/people/${person.id}/groups`, { added: [second.id] });
  await form.getByRole("button", { name: "Speichern" }).click();
  await expect(dialog(page, "Wandi")).toBeVisible();
  const now = await shown(visitor, page, person);
  expect(now.groups.map((group) => group.id).sort()).toEqual([first.id, second.id].sort());
  await expect(page.locator("tbody").getByRole("link", { name: "Wandi" })).toHaveCount(1);
  await gone(visitor, page.context(), person);
});

test("who leaves for good is asked for once, with all that ends, and is found and taken in again", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const person = await somebody(visitor, page.context());
  await visitor.api(page.context(), "POST", `/attendance/${person.id}`, { status: "present" });
  await page.goto(`/people?person=${person.id}&edit=1`);
  const form = dialog(page, `${person.display_name} ändern`);
  await form.getByLabel("Zugehörigkeit").selectOption("ausgeschieden");
  await expect(form.locator(".note")).toContainText("verlässt das Haus sofort und wird ausgecheckt.");
  await accessible(page, "a form that says what follows");
  await form.getByRole("button", { name: "Speichern" }).click();
  const sure = dialog(page, `${person.display_name} wirklich so ändern?`);
  await page.keyboard.press("Escape");
  await expect(sure).toHaveCount(0);
  expect((await shown(visitor, page, person)).state).toBe("active");
  await form.getByRole("button", { name: "Speichern" }).click();
  await sure.getByRole("button", { name: "Speichern" }).click();
  await expect(dialog(page, person.display_name)).toContainText("ausgeschieden");
  expect(await shown(visitor, page, person)).toMatchObject({ state: "inactive", status: "not_present" });
  await page.keyboard.press("Escape");
  await expect(page.locator("tbody").getByRole("link", { name: person.display_name })).toHaveCount(0);
});

test("a new person is drafted, refused with what is missing, and in a group at once", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people?add=1");
  const { items: [group] } = await visitor.api(page.context(), "GET", "/groups");
  const form = dialog(page, "Person anlegen");
  await form.getByLabel("Vorname").fill("Nele");
  await form.getByRole("combobox", { name: /^Gruppe/ }).selectOption(group.name);
  page.once("dialog", (one) => one.accept());
  await page.reload();
  await expect(form.getByLabel("Vorname")).toHaveValue("Nele");
  await form.getByRole("button", { name: "Speichern" }).click();
  await expect(form.getByRole("alert")).toContainText("Nachname: Bitte ausfüllen.");
  await accessible(page, "a new person without a name");
  await form.getByLabel("Nachname").fill("Neuling");
  await form.getByLabel("Nummer").fill("N-1");
  await page.keyboard.press("Enter");
  await expect(dialog(page, "Nele Neuling")).toContainText(group.name);
  await page.goto("/people?add=1");
  await expect(form.getByLabel("Vorname")).toHaveValue("");
  for (const one of (await visitor.api(page.context(), "GET", "/people?q=Neuling")).items) await gone(visitor, page.context(), one);
});

test("nobody but the lead changes anybody", async ({ visitor }) => {
  const page = await visitor.page({ role: "office" }, "/people");
  const { items: [person] } = await visitor.api(page.context(), "GET", "/people?role=member&limit=1");
  await page.goto(`/people?person=${person.id}&edit=1`);
  await expect(dialog(page, person.display_name)).toBeVisible();
  await expect(page.getByRole("button", { name: "Ändern", exact: true })).toHaveCount(0);
});
