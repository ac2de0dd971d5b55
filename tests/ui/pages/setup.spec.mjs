// The first run of a new house: a code, one form, and whoever has typed it is the lead.
import { accessible, expect, leave, live, newHouse, tabTo, test as base, visiting } from "../house.mjs";

const test = base.extend({
  fresh: async ({}, use) => {
    const house = await newHouse();
    await use(house);
    await leave(house);
  },
  // Visits the new house and not the one that all tests share.
  visitor: ({ fresh, browser }, use) => visiting({ ...fresh, sign_ins: [] }, browser, use),
});

const PASSWORD = "vier warme graue Steine";

/** Fills the form by keyboard alone, from the field for the code on. */
async function type(page, { code, house = "Schule am Bach", name = "Ada Lang", username = "ada", password = PASSWORD }) {
  await expect(page.getByLabel("Einrichtungscode")).toBeFocused();
  await page.keyboard.type(code);
  await page.keyboard.press("Tab");
  await page.keyboard.type(house);
  for (const [label, text] of [["Ihr Name", name], ["Benutzername", username], ["Passwort", password]]) {
    await tabTo(page, page.getByLabel(label));
    await page.keyboard.type(text);
  }
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Haus öffnen" })).toBeFocused();
  await page.keyboard.press("Enter");
}

test("the house is set up by keyboard alone, and who did it is the lead", async ({ fresh, visitor }) => {
  const page = await visitor.page({}, "/");
  await expect(page).toHaveURL("/setup");
  await type(page, fresh);
  await expect(page).toHaveURL("/");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
  await expect(page.getByRole("link", { name: "Schule am Bach" })).toBeVisible();
  await live(page);
  const me = await visitor.api(page.context(), "GET", "/me");
  expect(me.person).toMatchObject({ display_name: "Ada Lang", role: "admin" });
  expect(me.house).toMatchObject({ name: "Schule am Bach", profile: "school", zone: "Europe/Berlin", language: "de", demo: false });
  // What is empty says what will be there.
  await expect(page.getByText("Noch keine Räume")).toBeVisible();
  await expect(page.locator(".all-well .pill[data-s=off]")).toHaveText("Gerade läuft nichts");
  await accessible(page, "the first board");
  await page.goto("/supervision?start=1");
  await expect(page.locator("section", { has: page.getByRole("heading", { name: "Ohne Aufsicht" }) })).toContainText("Gerade läuft nichts.");
});

test("the wall of a house without rooms has no button of the lead's, and says so in its middle", async ({ fresh, visitor }) => {
  const page = await visitor.page({}, "/");
  await type(page, fresh);
  await expect(page.getByRole("link", { name: "Räume anlegen" })).toBeVisible();
  await page.goto("/wall");
  const empty = page.locator(".wall-body > .empty");
  await expect(empty).toContainText("Noch keine Räume");
  await expect(empty.getByRole("link")).toHaveCount(0);
  const [body, first, last] = await Promise.all([empty, empty.locator("> :first-child"), empty.locator("> :last-child")].map((one) => one.boundingBox()));
  const [above, below] = [first.y - body.y, body.y + body.height - last.y - last.height];
  expect(Math.abs(above - below)).toBeLessThan(8);
});

test("a wrong code says so and costs no typing; the code is good in small letters", async ({ fresh, visitor }) => {
  const page = await visitor.page({}, "/setup");
  await type(page, { code: "AAAA-BBBB-CCCC" });
  await expect(page.getByRole("alert")).toContainText("Das ist nicht der Code.");
  await expect(page.getByLabel("Name des Hauses")).toHaveValue("Schule am Bach");
  await expect(page.getByLabel("Benutzername")).toHaveValue("ada");
  await expect(page.getByLabel("Einrichtungscode")).toBeFocused();
  await page.keyboard.press("Control+a");
  await page.keyboard.type(fresh.code.toLowerCase().replaceAll("-", ""));
  await tabTo(page, page.getByLabel("Passwort"));
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
});

test("a time zone that is none, and a password that is the name, are named", async ({ fresh, visitor }) => {
  const page = await visitor.page({}, "/setup");
  await page.getByLabel("Zeitzone").fill("Europa/Bielefeld");
  await page.getByLabel("Einrichtungscode").focus();
  await type(page, fresh);
  await expect(page.getByRole("alert")).toHaveText("Diese Zeitzone ist nicht bekannt.");
  await page.getByLabel("Zeitzone").fill("Europe/Berlin");
  await page.getByLabel("Passwort").fill("Schule am Bach");
  await page.getByRole("button", { name: "Haus öffnen" }).click();
  await expect(page.getByRole("alert")).toContainText("Dieses Passwort ist leicht zu erraten.");
  expect((await visitor.api(page.context(), "GET", "/setup")).needed).toBe(true);
});

test("a house has the hours of its kind where the fields stay empty, and else its own", async ({ fresh, visitor }) => {
  const page = await visitor.page({}, "/setup");
  await expect(page.getByText("Schule 08:15; Hort, Ganztag 13:30; Klinik 09:00.")).toBeVisible();
  await page.getByLabel("Was für ein Haus").selectOption("club");
  // A plain field: no browser shows 12 hours there, and what is no time does not leave the page.
  const closes = page.getByLabel("Der Tag wird geschlossen um");
  for (const [text, wrong] of [["9 pm", true], ["24:00", true], ["9:5", true], ["", false], ["9:00", false], ["09:00", false]]) {
    await closes.fill(text);
    expect(await closes.evaluate((field) => field.validity.patternMismatch), text).toBe(wrong);
  }
  await expect(closes).toHaveAttribute("title", "Stunde und Minute, wie 8:30 oder 13:30, von 00:00 bis 23:59.");
  await page.getByLabel("Einrichtungscode").focus();
  await type(page, { ...fresh, house: "Hort am Bach" });
  await expect(page.getByRole("alert")).toContainText("Beides sind Uhrzeiten");
  await expect(page.getByLabel("Der Tag wird geschlossen um")).toHaveValue("09:00");
  await page.getByLabel("Der Tag wird geschlossen um").fill("19:30");
  await page.getByLabel("Passwort").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
  const house = await visitor.api(page.context(), "GET", "/house");
  expect(house).toMatchObject({ profile: "club", late_after: "13:30", closes_at: "19:30" });
});

test("another language costs no typing but the password, with and without scripts", async ({ fresh, visitor }) => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await visitor.page({ javaScriptEnabled }, "/setup");
    await page.getByLabel("Einrichtungscode").fill(fresh.code);
    await page.getByLabel("Name des Hauses").fill("Hort „Bär & Co“");
    await page.getByLabel("Was für ein Haus").selectOption("club");
    await page.getByLabel("Der Tag wird geschlossen um").fill("18:30");
    await page.getByLabel("Benutzername").fill("ada");
    await page.getByLabel("Passwort").fill(PASSWORD);
    await tabTo(page, page.getByRole("button", { name: "English" }));
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Set up this house");
    await expect(page.locator("html")).toHaveAttribute("lang", "en");
    const typed = { "Set-up code": fresh.code, "Name of the house": "Hort „Bär & Co“", "What kind of house": "club", "The day is closed at": "18:30", "User name": "ada", Password: "", "Language of the house": "en" };
    for (const [label, value] of Object.entries(typed)) await expect(page.getByLabel(label)).toHaveValue(value);
    expect(await page.content()).not.toContain(PASSWORD);
    if (javaScriptEnabled) await accessible(page, "another language");
    // What was chosen for the house, and is not just the page's own, stays.
    await page.getByLabel("Language of the house").selectOption("de");
    await page.getByRole("button", { name: "Deutsch" }).click();
    await expect(page.getByLabel("Sprache des Hauses")).toHaveValue("de");
    await page.goto("/setup");
    await expect(page.locator("html")).toHaveAttribute("lang", "de");
  }
});

test("a house that is set up cannot be set up again, and its lead signs in", async ({ fresh, visitor }) => {
  const page = await visitor.page({}, "/setup");
  await type(page, fresh);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
  const other = await visitor.page({}, "/setup");
  await expect(other.getByRole("alert")).toHaveText("Dieses Haus ist schon eingerichtet.");
  await expect(other.getByLabel("Einrichtungscode")).toHaveCount(0);
  await other.getByRole("link", { name: "Anmelden" }).click();
  await expect(other.getByLabel("Benutzername")).toBeFocused();
  await other.keyboard.type("ada");
  await other.keyboard.press("Tab");
  await other.keyboard.type(PASSWORD);
  await other.keyboard.press("Enter");
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Heute");
});

test("the form is accessible in both languages and looks, and fits a phone", async ({ visitor }) => {
  for (const lang of ["de", "en"]) {
    for (const theme of ["light", "dark"]) {
      const page = await visitor.page({ lang, theme, viewport: { width: 320, height: 640 } }, "/setup");
      await expect(page.locator("html")).toHaveAttribute("lang", lang);
      await accessible(page, `${lang} ${theme}`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
    }
  }
});
