// Devices: what a reader is ordered to do, by keyboard, and that the tablet in the room does it.
import { accessible, expect, live, mark, tabTo } from "../house.mjs";
import { tablet, test } from "../tablet.mjs";

/** The lead's page about one tablet, and the tablet. */
async function both(visitor, lead) {
  const kiosk = await tablet(visitor, lead);
  const page = await lead.context.newPage();
  await page.goto("/devices");
  await live(page);
  return { kiosk, page };
}

async function press(page, button) {
  await tabTo(page, button);
  await page.keyboard.press("Enter");
}

test("a reader is restarted at its next sign of life, after one question that can be left", async ({ visitor, lead }) => {
  const { kiosk, page } = await both(visitor, lead);
  const sameLoad = await mark(kiosk);
  const restart = page.getByRole("button", { name: "Neu starten: Bibliothek" });
  const asked = page.getByRole("dialog", { name: "„Bibliothek“ neu starten?" });
  await press(page, restart);
  await accessible(page, "restart");
  await press(page, asked.getByRole("button", { name: "Abbrechen" }));
  await expect(asked).toHaveCount(0);
  await expect(restart).toBeFocused();
  await press(page, restart);
  await press(page, asked.getByRole("button", { name: "Neu starten" }));
  await expect(page.locator(".toast", { hasText: "Bibliothek startet beim nächsten Lebenszeichen neu." })).toBeVisible();

  const loaded = kiosk.waitForEvent("load");
  // A network that comes back is a sign of life.
  await kiosk.evaluate(() => dispatchEvent(new Event("online")));
  await loaded;
  await expect(kiosk.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  expect(await sameLoad()).toBe(false);
  // It has done so, and is not told again.
  const beat = kiosk.waitForResponse((answer) => answer.url().endsWith("/heartbeat"));
  await kiosk.evaluate(() => dispatchEvent(new Event("online")));
  expect((await (await beat).json()).commands).toEqual([]);
});

test("the questions about a key and about shutting a reader out can be left, too", async ({ visitor, lead }) => {
  const { page } = await both(visitor, lead);
  for (const [name, title] of [["Neuer Schlüssel", "Neuer Schlüssel für „Bibliothek“?"], ["Aussperren", "„Bibliothek“ aussperren?"]]) {
    await press(page, page.getByRole("button", { name: `${name}: Bibliothek` }));
    const asked = page.getByRole("dialog", { name: title });
    await press(page, asked.getByRole("button", { name: "Abbrechen" }));
    await expect(asked).toHaveCount(0);
  }
  await press(page, page.getByRole("button", { name: "Neuer Schlüssel: Bibliothek" }));
  await press(page, page.getByRole("dialog").getByRole("button", { name: "Neuer Schlüssel" }));
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.locator(".toast", { hasText: "Bibliothek bekommt einen neuen Schlüssel." })).toBeVisible();
});

test("a scan that nobody could place is looked at once, and stays looked at", async ({ visitor, lead }) => {
  const { kiosk, page } = await both(visitor, lead);
  for (const tag of ["DEB0AAAA", "DEB0BBBB"]) {
    await kiosk.keyboard.type(tag);
    await kiosk.keyboard.press("Enter");
  }
  const rows = page.locator(".part", { hasText: "Buchungen zum Ansehen" }).getByRole("listitem");
  await expect(rows).toHaveCount(2);
  const done = page.waitForResponse((answer) => answer.url().endsWith("/reviewed"));
  const seen = rows.getByRole("button", { name: "Gesehen" });
  await press(page, seen.first());
  expect((await done).status()).toBe(204);
  await expect(rows).toHaveCount(1);
  await expect(seen).toBeFocused();
  await page.reload();
  await expect(rows).toHaveCount(1);
  await press(page, seen);
  await expect(rows).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});
