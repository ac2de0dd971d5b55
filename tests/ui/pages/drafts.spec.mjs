// What was begun in a form is there when one comes back: after a look elsewhere, a reload, a sign-in that
// ended in the middle; for the same person alone. And the browser asks before it goes.
import { accessible, expect, leave, live, newHouse, test } from "../house.mjs";

const PASSWORD = "ein-tag-im-park";
const stored = (page) => page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));

async function signIn(page, username) {
  await expect(page).toHaveURL(/\/sign-in/);
  await page.getByLabel("Benutzername").fill(username);
  await page.getByLabel("Passwort").fill(PASSWORD);
  await page.keyboard.press("Enter");
}

test("a sign-in that ends in the middle costs no word of a request, and shows none to another person", async ({ visitor }) => {
  const [one, other] = [visitor.username("member", 3), visitor.username("member", 4)];
  const page = await visitor.page({ username: one }, "/my-place");
  const asks = [];
  page.on("dialog", (dialog) => {
    asks.push(dialog.type());
    dialog.accept();
  });
  const words = page.getByLabel("Worum geht es?");
  for (const [username, kept] of [[one, "Was heißt Laterne?"], [other, ""]]) {
    await words.click();
    await page.keyboard.type("Was heißt Laterne?");
    const { items } = await visitor.api(page.context(), "GET", "/sessions");
    await visitor.api(page.context(), "DELETE", `/sessions/${items.find((own) => own.current).id}`);
    await signIn(page, username);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mein Platz");
    await expect(words).toHaveValue(kept);
    if (kept) await words.fill("");
  }
  expect(asks).toEqual([]);
  expect(await stored(page)).not.toContain("Laterne");
});

const DIALOGS = [
  ["a room", "/rooms?add=room", "Name", "Werkbank"], ["an activity", "/rooms?add=activity", "Name", "Seifenkisten"], ["a group", "/rooms?add=group", "Name", "Igel"],
  ["the hours", "/rooms?house=hours", "Zu spät", "9:17"], ["a reader", "/devices?add=reader", "Name", "Kellertür"], ["a screen", "/devices?add=display", "Name", "Flur unten"],
];

for (const [what, url, label, text] of DIALOGS) {
  test(`${what}: what was begun stays until it is saved or dropped`, async ({ visitor }) => {
    const page = await visitor.page({ role: "admin" }, url);
    const dialog = page.getByRole("dialog");
    const field = dialog.getByLabel(label).first();
    await expect(field).toBeVisible();
    const before = await field.inputValue();
    await field.fill(text);
    await page.reload();
    await expect(field).toHaveValue(text);
    await expect(dialog.getByText("Noch nicht gespeichert: So weit waren Sie schon.")).toBeVisible();
    await accessible(page, what);
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    await page.goto(url);
    await expect(field).toHaveValue(text);
    await page.context().clearCookies({ name: "daybook" });
    // The page may be on its way to the door by itself.
    await page.goto(url).catch(() => {});
    await signIn(page, visitor.username("admin"));
    await expect(field).toHaveValue(text);
    await dialog.getByRole("button", { name: "Abbrechen" }).click();
    await expect(dialog).toHaveCount(0);
    await page.goto(url);
    await expect(field).toHaveValue(before);
    expect(await stored(page)).not.toContain(text);
  });
}

test("who is in a group and who is in charge of it stay as they were begun, too", async ({ visitor }) => {
  const lead = await visitor.context({ role: "admin" });
  const { items: [group] } = await visitor.api(lead, "GET", "/groups?limit=100");
  const page = await lead.newPage();
  await page.goto(`/rooms?members=${group.id}`);
  const count = page.getByRole("dialog").locator(".count");
  await expect(count).toHaveText(/\d/);
  const before = Number(await count.textContent());
  await page.getByRole("button", { name: / aus der Gruppe|entfernen|herausnehmen/ }).first().click();
  await expect(count).toHaveText(String(before - 1));
  await page.reload();
  await expect(count).toHaveText(String(before - 1));
  await page.getByRole("button", { name: "Abbrechen" }).click();
  await page.goto(`/rooms?members=${group.id}`);
  await expect(count).toHaveText(String(before));

  await page.goto(`/rooms?group=${group.id}`);
  const person = page.getByRole("dialog").getByRole("checkbox").last();
  await person.check();
  await page.reload();
  await expect(person).toBeChecked();
  await page.getByRole("button", { name: "Abbrechen" }).click();
  await page.goto(`/rooms?group=${group.id}`);
  await expect(person).not.toBeChecked();
});

test("a run that was half chosen, and a hand-over, are there again", async ({ visitor }) => {
  const { context, run } = await visitor.supervisor();
  const page = await context.newPage();
  await page.goto("/supervision?start=1");
  await page.getByLabel("Raum").selectOption({ index: 2 });
  const room = await page.getByLabel("Raum").inputValue();
  await page.reload();
  await expect(page.getByLabel("Raum")).toHaveValue(room);
  const url = `/supervision?run=${run.id}&ask=give`;
  await page.goto(url);
  const to = page.getByRole("dialog").getByRole("combobox");
  await expect.poll(() => to.locator("option").count()).toBeGreaterThan(1);
  await to.selectOption({ index: 1 });
  const chosen = await to.inputValue();
  await page.reload();
  await expect(to).toHaveValue(chosen);
  await page.getByRole("dialog").getByRole("button", { name: "Abbrechen" }).click();
  await page.goto(url);
  await expect(to).toHaveValue("");
});

/** Loads the page anew, and answers with what the browser has asked before. */
async function asked(page) {
  const dialogs = [];
  const keep = (dialog) => {
    dialogs.push(dialog.type());
    dialog.accept();
  };
  page.on("dialog", keep);
  await page.reload();
  page.off("dialog", keep);
  return dialogs;
}

test("the browser asks before what was typed goes with its page, and not when there is nothing", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/rooms?add=room");
  const name = page.getByRole("dialog").getByLabel("Name");
  await expect(name).toBeFocused();
  await page.keyboard.type("W");
  expect(await asked(page)).toEqual(["beforeunload"]);
  await expect(name).toBeFocused();
  await page.keyboard.press("Backspace");
  expect(await asked(page)).toEqual([]);
  // A secret is stored nowhere.
  await page.goto("/sessions");
  await page.getByLabel("Jetziges Passwort").first().click();
  await page.keyboard.type("geheimnis");
  expect(await stored(page)).not.toContain("geheimnis");
  expect(await asked(page)).toEqual(["beforeunload"]);
  expect(await asked(page)).toEqual([]);
});

test("the first page of a house keeps what was filled in, all but what is secret, and asks before it goes", async ({ visitor }) => {
  const fresh = await newHouse();
  try {
    const page = await visitor.page({}, `${fresh.url}/setup`);
    await page.getByLabel("Einrichtungscode").click();
    await page.keyboard.type("KEIN-CODE");
    await page.getByLabel("Name des Hauses").fill("Hort am See");
    await page.getByLabel("Was für ein Haus").selectOption("club");
    await page.getByLabel("Passwort").fill("geheimnis");
    expect(await stored(page)).not.toMatch(/KEIN-CODE|geheimnis/);
    expect(await asked(page)).toEqual(["beforeunload"]);
    await expect(page.getByLabel("Name des Hauses")).toHaveValue("Hort am See");
    await expect(page.getByLabel("Was für ein Haus")).toHaveValue("club");
    await page.getByLabel("Einrichtungscode").fill(fresh.code);
    await page.getByLabel("Ihr Name").fill("Ada Lang");
    await page.getByLabel("Benutzername").fill("ada");
    await page.getByLabel("Passwort").fill("vier warme graue Steine");
    await page.getByRole("button", { name: "Haus öffnen" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
    await live(page);
    expect(await stored(page)).not.toContain("Hort am See");
  } finally {
    await leave(fresh);
  }
});
