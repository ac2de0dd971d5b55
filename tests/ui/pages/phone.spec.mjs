// What a phone needs: targets for a finger, nothing cut at the edge, and no word about keys.
import { expect, live, test } from "../house.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const NARROW = { ...PHONE, viewport: { width: 320, height: 640 } };
const PAGES = [["/", "admin"], ["/supervision", "admin"], ["/supervision?start=1", "staff"], ["/help", "staff"], ["/my-place", "member"],
  ["/people", "admin"], ["/rooms", "admin"], ["/devices", "admin"], ["/sessions", "staff"], ["/sign-in", null], ["/pair", null]];

/** What can be pressed and is less than 44 pixels high or wide; a card's link is as large as its card, a box as its cell. */
const small = (page) => page.evaluate(() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter((one) => {
  const box = (one.closest("label, td.box") ?? one).getBoundingClientRect();
  const after = getComputedStyle(one, "::after");
  const covers = after.position === "absolute" && after.content !== "none";
  return box.width > 1 && !covers && !one.closest(".skip, .visually-hidden") && (box.height < 43.5 || box.width < 43.5);
}).map((one) => one.outerHTML.slice(0, 120)));

/** What runs out of the window, or out of what scrolls beside it. */
const cut = (page) => page.evaluate(() => [...document.querySelectorAll("main *, nav.side *")].filter((one) => {
  const box = one.getBoundingClientRect();
  if (box.width < 2 || one.closest(".visually-hidden, .run-tabs, thead")) return false;
  return box.right > innerWidth + 0.5 || (one.matches(".table-frame") && one.scrollWidth > one.clientWidth);
}).map((one) => one.outerHTML.slice(0, 120)));

for (const [url, role] of PAGES) {
  test(`${url} fits a finger, and nothing is cut at 390 and 320 pixels`, async ({ visitor }) => {
    for (const device of [PHONE, NARROW]) {
      const page = await visitor.page({ ...device, ...(role && { role }) }, url);
      await expect(page.locator("main h1")).toBeVisible();
      await expect(page.locator(".skeleton")).toHaveCount(0);
      expect(await small(page)).toEqual([]);
      expect(await cut(page)).toEqual([]);
      if (url === "/pair") await expect(page.locator("#digits")).toHaveText(/\d/);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(device.viewport.width);
    }
  });
}

const LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenfabrik";

for (const [url, role] of [...PAGES.slice(0, 9), ["/groups/1", "admin"], ["/people?person=", "admin"], ["/wall", "admin"]]) {
  test(`${url} as ${role} is whole at 320 pixels when everything has the longest name`, async ({ visitor }) => {
    const context = await visitor.context({ ...NARROW, role });
    const { person } = await visitor.api(context, "GET", "/me");
    await context.route(/api\/v1\/(?!events)/, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replaceAll(/"(display_name|room_name|activity_name|group_name|name)":"[^"]*"/g, `"$1":"${LONG}"`);
      await route.fulfill({ response, body });
    });
    const page = await context.newPage();
    await page.goto(url.endsWith("=") ? url + person.id : url);
    await expect(page.locator("main h1")).toBeVisible();
    await expect(page.locator(".skeleton")).toHaveCount(0);
    const tap = page.locator(".tap:visible:enabled").first();
    if (url === "/supervision") {
      await tap.tap();
      await expect(page.locator(".toast")).toBeVisible();
    }
    expect(await cut(page)).toEqual([]);
    expect(await page.locator(".toast *, dialog *").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.outerHTML.slice(0, 120)))).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    if (url === "/supervision") {
      const undone = page.waitForResponse((answer) => answer.url().endsWith("/undo"));
      await page.getByRole("button", { name: "Rückgängig" }).tap();
      await undone;
    }
    await context.unrouteAll({ behavior: "wait" });
  });
}

test("on a narrow phone the way to a new run is whole, and so is every word of the bar", async ({ visitor }) => {
  const page = await visitor.page({ ...NARROW, role: "admin", lang: "en" }, "/supervision");
  await live(page);
  const box = await page.locator(".tab-plus").boundingBox();
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(320);
  // A word that is broken stands on more lines than the text has words.
  const broken = await page.locator("nav.side > ul > li > a > span").evaluateAll((all) => all.filter((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const lines = new Set([...range.getClientRects()].map((rect) => Math.round(rect.top))).size;
    return one.offsetParent && (lines > one.textContent.split(" ").length || one.scrollWidth > one.parentElement.clientWidth);
  }).map((one) => one.textContent));
  expect(broken).toEqual([]);
});

/** Words that stand on more lines than one. */
const brokenIn = (all) => all.flatMap((one) => {
  const text = one.firstChild;
  return [...text.data.matchAll(/[^\s-]+/g)].filter(({ 0: word, index }) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    return new Set([...range.getClientRects()].map((rect) => Math.round(rect.top))).size > 1;
  }).map(({ 0: word }) => word);
});

test("no word of where somebody is gets broken in the list of people", async ({ visitor }) => {
  for (const device of [PHONE, NARROW]) {
    for (const lang of ["de", "en"]) {
      const page = await visitor.page({ ...device, role: "admin", lang }, "/people");
      const chips = page.locator(".people td .pill");
      await expect(chips.first()).toBeVisible();
      expect(await chips.evaluateAll(brokenIn), `${device.viewport.width} ${lang}`).toEqual([]);
    }
  }
});

test("beside the side bar a table breaks none of its chips", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", viewport: { width: 920, height: 800 } });
  for (const [url, chips] of [["/people", ".people td .pill"], ["/devices", ".readers td .pill"]]) {
    await page.goto(url);
    await expect(page.locator(chips).first()).toBeVisible();
    expect(await page.locator(chips).evaluateAll(brokenIn), url).toEqual([]);
  }
});

test("on a narrow phone a wall screen's row has its name beside its sign, and its state below", async ({ visitor }) => {
  const page = await visitor.page({ ...NARROW, role: "admin" }, "/devices");
  const row = page.locator(".display-row").first();
  const [all, name, state, button] = await Promise.all([row, row.locator(".who"), row.locator(".pill"), row.getByRole("button")].map((one) => one.boundingBox()));
  expect(name.width).toBeGreaterThan(all.width / 2);
  expect(state.y).toBeGreaterThanOrEqual(name.y + name.height - 1);
  expect(button.x).toBeGreaterThan(name.x + name.width - 1);
});

test("keys are spoken of where there are keys", async ({ visitor }) => {
  const phone = await visitor.page({ ...PHONE, role: "staff" }, "/help");
  await live(phone);
  await expect(phone.getByText(/J \/ K/)).toBeHidden();
  const desk = await visitor.page({ role: "staff" }, "/help");
  await live(desk);
  await expect(desk.getByText(/J \/ K/)).toBeVisible();
});

test("a room's card is one large link to its run", async ({ visitor }) => {
  const page = await visitor.page({ ...PHONE, role: "admin" }, "/");
  await live(page);
  const card = page.locator(".room").filter({ has: page.getByRole("link") }).first();
  const box = await card.boundingBox();
  await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height - 12);
  await expect(page).toHaveURL(/\/supervision\?run=/);
});

test("what somebody does in the house is one word in the list of people", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", viewport: { width: 390, height: 844 } }, "/people");
  const cell = page.getByRole("cell", { name: "Betreuung", exact: true }).first();
  await expect(cell).toBeVisible();
  expect(await cell.evaluate((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return range.getClientRects().length;
  })).toBe(1);
});

test("English times are British", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", lang: "en" }, "/devices");
  await expect(page.locator(".ago").filter({ hasText: /\d hrs? ago/ }).first()).toBeVisible();
  await expect(page.getByText(/hr\. ago|min\. ago/)).toHaveCount(0);
});

test("in the help queue nobody's initials stand alone in a row, and the wait is at the edge", async ({ visitor }) => {
  const context = await visitor.context({ role: "staff", ...NARROW });
  await context.route("**/api/v1/help-requests?limit=500", async (route) => {
    const queue = await (await route.fetch()).json();
    const one = { member_id: "1", status: "pending", content: "Ich finde die Seite nicht", room_name: "Hausaufgabenraum", created_at: queue.as_of, rev: 1 };
    const items = [{ ...one, id: "a", display_name: "Friederike von der Brunnenthal-Burg", priority: "urgent" }, { ...one, id: "b", display_name: "Milan Ährenhäuser-Tannenhöfer", priority: "normal" }];
    await route.fulfill({ json: { ...queue, items, waiting: 2 } });
  });
  const page = await context.newPage();
  await page.goto("/help");
  const rows = page.locator(".help-row");
  await expect(rows).toHaveCount(2);
  const found = await rows.evaluateAll((all) => all.map((row) => {
    const [avatar, who, wait] = [".avatar", ".who", ".wait"].map((part) => row.querySelector(part).getBoundingClientRect());
    return { beside: who.left > avatar.right && who.top < avatar.bottom, edge: Math.round(row.getBoundingClientRect().right - wait.right) };
  }));
  expect(found).toEqual([{ beside: true, edge: 12 }, { beside: true, edge: 12 }]);
  expect(await cut(page)).toEqual([]);
  await context.unrouteAll({ behavior: "wait" });
});
