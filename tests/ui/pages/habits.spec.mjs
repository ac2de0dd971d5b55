// The habits of the pages, each named by what it promises: those that no other file here proves.
import { accessible, expect, live, tabTo, test } from "../house.mjs";

const EXACT = /\d\d:\d\d:\d\d$/;
const shown = (time) => time.evaluate((one) => one.innerText);

test("relative time: the row that has the focus says exactly when, and paper does, without a stop of its own", async ({ visitor }) => {
  const lead = await visitor.context({ role: "admin" });
  const { items } = await visitor.api(lead, "GET", "/groups?limit=100");
  const page = await lead.newPage();
  await page.goto(`/groups/${items[0].id}`);
  await live(page);
  const rows = page.locator(".tap:has(.ago)");
  const [first, second] = [rows.nth(0), rows.nth(1)];
  await expect(second).toBeVisible();
  expect(await shown(first.locator(".ago"))).not.toMatch(EXACT);
  await tabTo(page, first);
  expect(await shown(first.locator(".ago"))).toMatch(/^\d\d:\d\d:\d\d$/);
  expect(await shown(second.locator(".ago"))).not.toMatch(EXACT);
  await page.keyboard.press("Tab");
  await expect(second).toBeFocused();
  expect(await shown(first.locator(".ago"))).not.toMatch(EXACT);
  expect(await shown(second.locator(".ago"))).toMatch(EXACT);
  await accessible(page, "a row that says exactly when");
  await page.emulateMedia({ media: "print" });
  for (const row of [first, second]) expect(await shown(row.locator(".ago"))).toMatch(/^\d\d\.\d\d\.\d{4}, \d\d:\d\d:\d\d$/);
});

test("relative time: a list without buttons is one stop, and a tap on a time says it exactly", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/");
  await live(page);
  const feed = page.getByRole("list", { name: "Aktivität" });
  await tabTo(page, feed);
  const times = feed.locator(".ago");
  for (const time of [times.first(), times.last()]) expect(await shown(time)).toMatch(EXACT);
  await page.keyboard.press("Shift+Tab");
  expect(await shown(times.first())).not.toMatch(EXACT);

  const phone = await visitor.page({ role: "admin", hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } }, "/devices");
  await live(phone);
  const seen = phone.locator(".readers .ago").first();
  expect(await shown(seen)).not.toMatch(EXACT);
  await seen.tap();
  expect(await shown(seen)).toMatch(EXACT);
  expect(await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
});
