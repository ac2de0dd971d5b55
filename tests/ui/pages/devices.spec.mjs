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

test("what alarms of a reader is told live, and gone when it is well", async ({ fresh, visitor, lead }) => {
  const say = async (path, body, key) => {
    const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
    const answer = await fetch(`${fresh.url}/api/v1/device/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.ok).toBe(true);
    return answer.json();
  };
  const { key } = await say("enroll", { code: await lead.code({ name: "Turnhalle" }), serial: "1", model: "RC522", firmware: "1.0" });
  const beat = (boot, more) => say("heartbeat", { boot_id: boot, firmware: "1.0", uptime_s: 1, queue_depth: 0, last_seq: 1, ...more }, key);
  await beat("b0");
  const page = await lead.context.newPage();
  await page.goto("/devices");
  await live(page);
  const row = page.getByRole("row", { name: /Turnhalle/ });
  await expect(row).toContainText("online");
  const [late, wrong, restarts] = ["Buchungen stauen sich", "Uhr geht 3.600 s falsch", "startet immer wieder neu"];
  for (const none of [late, wrong, restarts]) await expect(row).not.toContainText(none);

  await beat("b0", { queue_depth: 3, oldest_age_s: 600 });
  await expect(row).toContainText(late);
  await beat("b0", { device_time: new Date(Date.now() + 3_600_000).toISOString() });
  await expect(row).toContainText(wrong);
  await expect(row).not.toContainText(late);
  for (const boot of ["b1", "b2", "b3", "b4", "b5"]) await beat(boot, { device_time: new Date().toISOString() });
  await expect(row).toContainText(restarts);
  await expect(row).not.toContainText("Uhr geht");
  await accessible(page, "alarms of a reader");
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
