// What is fetched when it is first needed, and the house does not answer then.
import { accessible, expect, live, mark, test } from "../house.mjs";

const AWAY = "Keine Verbindung zum Haus.";

test("a page that cannot be fetched says so, stays in the house and comes by itself when that is back", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  await live(page);
  await page.context().setOffline(true);
  await page.getByRole("link", { name: "Räume" }).click();
  await expect(page.locator("main .empty")).toContainText(AWAY);
  await accessible(page, "a page that is not there");
  await page.getByRole("button", { name: "Nochmal versuchen" }).click();
  await expect(page.locator(".toast")).toContainText(AWAY);
  await page.context().setOffline(false);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Räume");
  await expect(page).toHaveURL("/rooms");
});

test("who has gone on from a page that did not come keeps what is on the screen when the house is back", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  await live(page);
  await page.context().setOffline(true);
  await page.getByRole("link", { name: "Räume" }).click();
  await expect(page.locator("main .empty")).toContainText(AWAY);
  const same = await mark(page);
  await page.getByRole("link", { name: "Personen" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Personen" })).toBeVisible();
  await page.context().setOffline(false);
  // Whoever was told that the network is back has asked the house before this does.
  await expect.poll(() => page.evaluate(() => fetch("/api/v1/me").then((answer) => answer.status, () => 0))).toBe(200);
  expect(await same()).toBe(true);
});

test("a part that cannot be fetched says so in its place, and is there at the next try", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  await live(page);
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "CSV importieren" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText(AWAY);
  await accessible(page, "a part that is not there");
  await page.context().setOffline(false);
  await dialog.getByRole("button", { name: "Nochmal versuchen" }).click();
  await expect(page.getByRole("dialog").getByLabel(/Datei/)).toBeVisible();
});

test("a search that cannot be fetched says so, and is there at the next try", async ({ visitor }) => {
  const page = await visitor.page({ role: "staff" }, "/help");
  await live(page);
  await page.context().setOffline(true);
  await page.keyboard.press("/");
  await expect(page.locator(".toast")).toContainText(AWAY);
  await page.context().setOffline(false);
  // The browser remembers that a script could not be had: the page is loaded anew.
  const loaded = page.waitForEvent("load");
  await page.locator(".toast").getByRole("button", { name: "Nochmal versuchen" }).click();
  await loaded;
  await live(page);
  await page.keyboard.press("/");
  await expect(page.getByRole("combobox")).toBeFocused();
});
