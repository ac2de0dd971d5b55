// Wall screens: from a browser that nobody knows to the wall, by six digits and the keyboard.
import { accessible, expect, live, mark, tabTo, test } from "../house.mjs";

/** A browser that opens the house for the first time, as a screen with a stick does. */
async function screen(visitor) {
  const page = await visitor.page({}, "/");
  await tabTo(page, page.getByRole("link", { name: "Wandanzeige verbinden" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Wandanzeige verbinden");
  await expect(page.locator("#digits")).toHaveText(/^\d{3} \d{3}$/);
  return page;
}

const row = (page, name) => page.getByRole("list", { name: "Wandanzeigen" }).getByRole("listitem").filter({ hasText: name });

test("a screen shows digits, the lead types them, and the wall hangs until the lead shuts it out", async ({ visitor }) => {
  const wall = await screen(visitor);
  await accessible(wall, "digits");
  const digits = await wall.locator("#digits").textContent();
  await wall.reload();
  await expect(wall.locator("#digits")).toHaveText(digits);
  const other = await screen(visitor);
  await expect(other.locator("#digits")).not.toHaveText(digits);

  const lead = await visitor.page({ role: "admin" }, "/devices");
  await tabTo(lead, lead.getByRole("button", { name: "Wandanzeige verbinden" }));
  await lead.keyboard.press("Enter");
  const dialog = lead.getByRole("dialog", { name: "Wandanzeige verbinden" });
  await expect(dialog.getByLabel("Ziffern")).toBeFocused();
  await expect(dialog.locator("code")).toHaveText(/\/pair$/);
  await accessible(lead, "pairing");
  await lead.keyboard.type(digits === "000 000" ? "000 001" : "000 000");
  await lead.keyboard.press("Tab");
  await lead.keyboard.type("Foyer");
  await lead.keyboard.press("Enter");
  await expect(dialog.locator(".field-error")).toHaveText("Diese Ziffern zeigt gerade kein Bildschirm. Bitte noch einmal hinsehen.");
  await expect(dialog.getByLabel("Name")).toHaveValue("Foyer");
  await dialog.getByLabel("Ziffern").fill("");
  await dialog.getByLabel("Ziffern").focus();
  await lead.keyboard.type(digits);
  await lead.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);

  await expect(wall).toHaveURL(/\/wall$/);
  await live(wall);
  await expect(row(lead, "Foyer")).toContainText("zeigt das Haus", { timeout: 20_000 });
  await expect(other).toHaveURL(/\/pair$/);
  await accessible(lead, "a wall screen");
  expect((await wall.context().cookies()).find((one) => one.name === "daybook_display").httpOnly).toBe(true);

  // It is the screen's own: another browser is nobody, and the screen comes back by itself.
  await wall.goto("/people");
  await expect(wall).toHaveURL(/\/wall$/);
  await wall.goto("/pair");
  await expect(wall).toHaveURL(/\/wall$/);
  await live(wall);

  const out = lead.getByRole("button", { name: "Aussperren: Foyer" });
  await tabTo(lead, out);
  await lead.keyboard.press("Enter");
  const asked = lead.getByRole("dialog", { name: "„Foyer“ aussperren?" });
  await tabTo(lead, asked.getByRole("button", { name: "Aussperren" }));
  await lead.keyboard.press("Enter");
  await expect(row(lead, "Foyer")).toHaveCount(0);
  await expect(lead.locator("main :focus")).toHaveCount(1);
  await expect(wall).toHaveURL(/\/pair$/);
  await expect(wall.locator("#digits")).toHaveText(/^\d{3} \d{3}$/);
  await expect(wall.locator("#digits")).not.toHaveText(digits);
});

test("the page of the digits speaks English at one press, and says when the house is away", async ({ visitor }) => {
  const page = await screen(visitor);
  await page.getByRole("link", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Connect a wall screen");
  await accessible(page, "digits in English");
  await page.context().setOffline(true);
  await expect(page.getByRole("alert")).toHaveText("No connection to the house. This screen goes on trying.");
  await page.context().setOffline(false);
  await expect(page.getByRole("alert")).toBeHidden();
});

test("digits that have ended do not stand beside the alert", async ({ visitor }) => {
  const page = await screen(visitor);
  const [shown, away] = [page.locator("#digits"), page.getByRole("alert")];
  const digits = await shown.textContent();
  const busy = (route) => route.fulfill({ status: 503 });
  await page.route("**/displays/pairing", busy);
  await expect(away).toBeVisible();
  await expect(shown).toHaveText(digits);

  await page.route("**/displays/pairing", async (route) => {
    const response = await route.fetch();
    const said = await response.json();
    return route.fulfill({ response, json: { ...said, expires_at: said.server_time } });
  });
  await expect(away).toBeHidden();
  await page.route("**/displays/pairing", busy);
  await expect(shown).toHaveText("··· ···");
  await expect(away).toBeVisible();
  await accessible(page, "digits that have ended");
  await page.unrouteAll();
  await expect(away).toBeHidden();
  await expect(shown).toHaveText(digits);
});

for (const late of [false, true]) {
  const how = late ? ", also one that has heard before it knew how" : "";
  test(`a wall loads itself anew when a night has passed, and is the same wall${how}`, async ({ house, visitor }) => {
    const context = await visitor.context({ viewport: { width: 1920, height: 1080 } });
    await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
    const wall = await context.newPage();
    await wall.clock.install();
    let hear = () => {};
    const heard = late ? new Promise((resolve) => { hear = resolve; }) : Promise.resolve();
    await wall.route("**/wall-renew.js", async (route) => {
      await heard;
      await route.continue();
    });
    const module = wall.waitForResponse("**/wall-renew.js");
    await wall.goto("/wall");
    await live(wall);
    hear();
    await module;
    const sameLoad = await mark(wall);
    await wall.clock.fastForward("01:00:00");
    await live(wall);
    expect(await sameLoad()).toBe(true);
    const loaded = wall.waitForEvent("load");
    await wall.clock.fastForward("24:00:00");
    await loaded;
    await live(wall);
    expect(await sameLoad()).toBe(false);
    await expect(wall).toHaveURL(/\/wall$/);
  });
}
