// The page Rooms: a new house gets what a run needs, by keyboard, and then the run starts.
import { accessible, expect, leave, live, mark, newHouse, tabTo, test as shared, visiting } from "../house.mjs";

const fresh = shared.extend({
  fresh: async ({}, use) => {
    const house = await newHouse();
    await use(house);
    await leave(house);
  },
  visitor: ({ fresh, browser }, use) => visiting({ ...fresh, sign_ins: [] }, browser, use),
});

/** Opens the new house as its lead. */
async function lead(visitor, house) {
  const page = await visitor.page({}, "/setup");
  await page.getByLabel("Einrichtungscode").fill(house.code);
  await page.getByLabel("Name des Hauses").fill("Schule am Bach");
  await page.getByLabel("Ihr Name").fill("Ada Lang");
  await page.getByLabel("Benutzername").fill("ada");
  await page.getByLabel("Passwort").fill("vier warme graue Steine");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
  return page;
}

/** Presses a button that opens a dialog, and types into the fields in their order. */
async function add(page, button, ...texts) {
  await tabTo(page, page.getByRole("button", { name: button }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: button }).getByLabel("Name")).toBeFocused();
  for (const text of texts) {
    await page.keyboard.type(text);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
}

const line = (page, list, name) => page.getByRole("list", { name: list }).getByRole("listitem").filter({ hasText: name });

fresh("a new house gets a room and an activity by keyboard, and something runs there", async ({ fresh: house, visitor }) => {
  const page = await lead(visitor, house);
  await page.getByRole("link", { name: "Räume anlegen" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Räume");
  await live(page);
  await accessible(page, "no rooms yet");

  await add(page, "Raum anlegen", "Werkstatt", "12");
  await expect(line(page, "Räume", "Werkstatt")).toContainText("12 Plätze");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Raum anlegen" })).toBeFocused();

  // A name that is taken is refused in words, and costs no typing.
  await add(page, "Raum anlegen", "Werkstatt", "20");
  const dialog = page.getByRole("dialog", { name: "Raum anlegen" });
  await expect(dialog.getByRole("alert")).toHaveText("Ein Raum heißt schon so.");
  await expect(dialog.getByLabel("Plätze")).toHaveValue("20");
  await expect(dialog.getByLabel("Name")).toBeFocused();
  await expect(dialog.getByLabel("Name")).toHaveValue("Werkstatt");
  await accessible(page, "a refused room");
  await page.keyboard.press("End");
  await page.keyboard.type(" 2");
  await page.keyboard.press("Enter");
  await expect(line(page, "Räume", "Werkstatt 2")).toContainText("20 Plätze");

  await add(page, "Aktivität anlegen", "Basteln");
  await expect(line(page, "Aktivitäten", "Basteln")).toBeVisible();

  await page.goto("/supervision");
  await page.getByLabel("Aktivität").selectOption({ label: "Basteln" });
  await page.getByLabel("Raum").selectOption({ label: "Werkstatt · 12 Plätze · frei" });
  await page.getByRole("button", { name: "Jetzt beginnen" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Werkstatt");
});

fresh("a room is renamed, and a group gets somebody in charge", async ({ fresh: house, visitor }) => {
  const page = await lead(visitor, house);
  await visitor.api(page.context(), "POST", "/rooms", { name: "Aula", capacity: 100 });
  await page.goto("/rooms");
  await page.getByRole("button", { name: "Aula ändern" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Große Aula");
  await dialog.getByLabel("Plätze").fill("120");
  await dialog.getByLabel("Art").selectOption({ label: "Hof, Garten" });
  await page.keyboard.press("Tab");
  await dialog.getByRole("button", { name: "Speichern" }).click();
  await expect(line(page, "Räume", "Große Aula")).toContainText("120 Plätze · Hof, Garten");

  await add(page, "Gruppe anlegen", "3a");
  await expect(line(page, "Gruppen", "3a")).toContainText("Klasse · Zuständig: Niemand");
  await page.getByRole("button", { name: "Zuständige von 3a" }).click();
  await expect(page.getByRole("checkbox").first()).toBeFocused();
  await page.getByRole("checkbox", { name: "Ada Lang" }).check();
  await accessible(page, "who is in charge");
  await page.getByRole("button", { name: "Speichern" }).click();
  await expect(line(page, "Gruppen", "3a")).toContainText("Zuständig: Ada Lang");
});

fresh("a group that was made stands in the side bar at once, and gets its members by keyboard", async ({ fresh: house, visitor }) => {
  const page = await lead(visitor, house);
  for (const [given, family] of [["Mia", "Müller"], ["Ben", "Becker"], ["Mira", "Moser"]]) {
    await visitor.api(page.context(), "POST", "/people", { given_name: given, family_name: family, role: "member" });
  }
  await page.goto("/rooms");
  await live(page);
  const sameLoad = await mark(page);
  await add(page, "Gruppe anlegen", "3a");
  await page.getByRole("navigation").getByText("Gruppen", { exact: true }).click();
  await expect(page.getByRole("navigation").getByRole("link", { name: "3a" })).toBeVisible();

  // The page of an empty group leads here too.
  await page.getByRole("navigation").getByRole("link", { name: "3a" }).click();
  await page.getByRole("link", { name: "Aufnehmen" }).click();
  await expect(page.getByRole("dialog", { name: "Mitglieder von 3a" })).toBeVisible();
  await page.keyboard.press("Escape");
  const open = page.getByRole("button", { name: "Mitglieder von 3a" });
  await tabTo(page, open);
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Mitglieder von 3a" });
  const search = dialog.getByRole("combobox", { name: "Aufnehmen" });
  const members = dialog.getByRole("list", { name: "In dieser Gruppe" }).getByRole("listitem");
  await expect(search).toBeFocused();
  await accessible(page, "no members yet");
  await page.keyboard.type("muller");
  await expect(dialog.getByRole("option", { selected: true })).toContainText("Mia Müller");
  await page.keyboard.press("Enter");
  await expect(members).toHaveText([/Mia Müller/]);
  await expect(search).toHaveValue("");
  await page.keyboard.type("m");
  await expect(dialog.getByRole("option")).toHaveText([/Mira Moser/]);
  await accessible(page, "somebody is found");
  await page.keyboard.press("Enter");
  await page.keyboard.type("be");
  await expect(dialog.getByRole("option", { selected: true })).toContainText("Ben Becker");
  await page.keyboard.press("Enter");
  await expect(members).toHaveText([/Ben Becker/, /Mia Müller/, /Mira Moser/]);
  await page.keyboard.type("xyz");
  await expect(dialog.getByText("Nichts gefunden für „xyz“.")).toBeVisible();
  await search.fill("mia");
  await expect(dialog.getByText("Zu „mia“ sind alle schon in dieser Gruppe.")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeVisible();
  await search.fill("");
  await tabTo(page, dialog.getByRole("button", { name: "Mira Moser herausnehmen" }));
  await page.keyboard.press("Enter");
  await expect(members).toHaveText([/Ben Becker/, /Mia Müller/]);
  await expect(search).toBeFocused();
  await tabTo(page, dialog.getByRole("button", { name: "Speichern" }));
  await page.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(open).toBeFocused();

  await page.keyboard.press("Enter");
  await expect(members).toHaveText([/Ben Becker/, /Mia Müller/]);
  await page.keyboard.press("Escape");
  expect(await sameLoad()).toBe(true);
});

fresh("the lead changes the hours by keyboard; what is refused is said at its field and kept", async ({ fresh: house, visitor }) => {
  const page = await lead(visitor, house);
  await page.goto("/rooms");
  const hours = page.getByRole("region", { name: "Zeiten des Hauses" });
  await expect(hours).toContainText("08:15");
  await tabTo(page, page.getByRole("button", { name: "Zeiten ändern" }));
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Zeiten ändern" });
  const late = dialog.getByLabel("Zu spät kommt, wer eintrifft nach");
  const closes = dialog.getByLabel("Der Tag wird geschlossen um");
  await expect(late).toBeFocused();
  await accessible(page, "hours");
  // By the clock of the house in any browser: 24 hours, with or without the colon.
  await late.fill("6 Uhr");
  await page.keyboard.press("Enter");
  await expect(dialog.locator(".field-error")).toHaveText("Bitte eine Uhrzeit wie 13:30, von 00:00 bis 23:59.");
  await expect(late).toBeFocused();
  await expect(late).toHaveValue("6 Uhr");
  await accessible(page, "no time of day");
  await late.fill("1830");
  await page.keyboard.press("Enter");
  await expect(dialog.locator(".field-error")).toHaveText("Das muss früher sein als die Zeit, zu der der Tag geschlossen wird.");
  await expect(late).toBeFocused();
  await closes.fill("18:10");
  await page.keyboard.press("Enter");
  await expect(dialog.locator(".field-error")).toHaveText("Das muss später sein als die Zeit, nach der jemand zu spät kommt.");
  await expect(closes).toBeFocused();
  await expect(late).toHaveValue("18:30");
  await accessible(page, "refused hours");
  await closes.fill("21:00");
  await page.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(hours).toContainText("18:30");
  await expect(hours).toContainText("21:00");
  expect(await visitor.api(page.context(), "GET", "/house")).toMatchObject({ late_after: "18:30", closes_at: "21:00" });
});

fresh("a house without rooms says what is missing: to the lead with the way there, to others whom to ask", async ({ fresh: house, visitor }) => {
  const page = await lead(visitor, house);
  await page.goto("/supervision");
  await expect(page.getByText("Es gibt noch keinen Raum und keine Aktivität.")).toBeVisible();
  await expect(page.getByRole("combobox")).toHaveCount(0);
  await accessible(page, "nothing to start with");
  const person = await visitor.api(page.context(), "POST", "/people", { given_name: "Eva", family_name: "Ernst", role: "staff" });
  const { password } = await visitor.api(page.context(), "POST", `/people/${person.id}/account`, { username: "eva" });
  visitor.house.sign_ins.push({ username: "eva", password, role: "staff" });
  const theirs = await visitor.page({ role: "staff" }, "/supervision");
  await expect(theirs.getByText("Bitte wenden Sie sich an die Leitung")).toBeVisible();
  await expect(theirs.getByRole("link", { name: "Zur Seite „Räume“" })).toHaveCount(0);
  await page.getByRole("link", { name: "Zur Seite „Räume“" }).click();
  await add(page, "Raum anlegen", "Werkstatt", "12");
  await page.goto("/supervision");
  await expect(page.getByText("Es gibt noch keine Aktivität, die beginnen könnte.")).toBeVisible();
});

shared("who is not the lead has no way to the page", async ({ visitor }) => {
  const page = await visitor.page({ role: "staff" }, "/rooms");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Das dürfen Sie nicht.");
  await expect(page.getByRole("navigation").getByRole("link", { name: "Räume" })).toHaveCount(0);
});
