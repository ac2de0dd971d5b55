// The habits of the pages, each named by what it promises: those that no other file here proves. Where the
// others are proven:
//   every act by keyboard: in each file, by `tabTo`; the letters and the list of keys: help, people
//   search from everywhere: people; a change shows at once and is rolled back: supervision, link
//   undo, for longer than its toast: supervision, help, group; one question before what is final: devices, help
//   the pill, the age, grey when it is old, coming back for ever: every, link; unit/link
//   empty states: board, rooms; drafts and questions before leaving: drafts
//   looks, large text, narrow windows: every, phone; targets: phone, kiosk; the language in one press: language
//   paper: every; colours that can be read and told apart from their ground: unit/style
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

/** Counts the notes that a page plays. */
const listening = async (context) => {
  await context.addInitScript(() => {
    window.notes = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function counted(...when) {
      window.notes += 1;
      return start.apply(this, when);
    };
  });
};
const notes = (page) => page.evaluate(() => window.notes);
const icon = (page) => page.locator("link[rel=icon]");

test("a new request: tone, row, title and icon at once, the tone once more after two minutes, and never a third time", async ({ visitor }) => {
  const lead = await visitor.context({ role: "admin" });
  const member = await visitor.context({ username: visitor.username("member", 5) });
  await listening(lead);
  const page = await lead.newPage();
  await page.clock.install();
  await page.goto("/help");
  await live(page);
  await expect(icon(page)).not.toHaveAttribute("href", /icon-waiting/);
  const { id } = await visitor.api(member, "POST", "/help-requests", { content: "Wo steht das?" });
  await expect(page.locator(".help-row[data-fresh]")).toHaveCount(1);
  await expect(page).toHaveTitle("(1) Hilfe-Liste · Daybook");
  await expect(icon(page)).toHaveAttribute("href", /\/icon-waiting\.svg$/);
  expect(await notes(page)).toBe(2);
  await page.clock.fastForward("01:55");
  expect(await notes(page)).toBe(2);
  await page.clock.fastForward("00:06");
  expect(await notes(page)).toBe(4);
  await page.clock.fastForward("10:00");
  expect(await notes(page)).toBe(4);
  await visitor.api(member, "POST", `/help-requests/${id}/cancel`);
  await expect(page).toHaveTitle("Hilfe-Liste · Daybook");
  await expect(icon(page)).toHaveAttribute("href", /\/icon\.svg$/);
});

test("a new request: in the quiet hours of a device nothing sounds, and everything else is as always", async ({ visitor }) => {
  const lead = await visitor.context({ role: "admin" });
  const member = await visitor.context({ username: visitor.username("member", 5) });
  await listening(lead);
  const page = await lead.newPage();
  await page.goto("/sessions");
  await page.getByLabel("Von").fill("22");
  await expect(page.getByText("Bitte eine Uhrzeit wie 13:30, von 00:00 bis 23:59.")).toBeVisible();
  await page.getByLabel("Von").fill("22.00");
  await page.getByLabel("Bis", { exact: true }).fill("10:45");
  await accessible(page, "quiet hours");
  await page.reload();
  await expect(page.getByLabel("Von")).toHaveValue("22:00");
  await page.goto("/help");
  await live(page);
  await expect(page.getByRole("button", { name: "Ruhe bis 10:45" })).toBeVisible();
  const { id } = await visitor.api(member, "POST", "/help-requests", { content: "Wo steht das?" });
  await expect(page.locator(".help-row[data-fresh]")).toHaveCount(1);
  await expect(page).toHaveTitle("(1) Hilfe-Liste · Daybook");
  expect(await notes(page)).toBe(0);
  await visitor.api(member, "POST", `/help-requests/${id}/cancel`);
  // The other devices of the same person are not quiet.
  const elsewhere = await visitor.page({ role: "admin" }, "/help");
  await expect(elsewhere.getByRole("button", { name: "Ton an" })).toBeVisible();
});

test("a wall is silent: nothing on it is read aloud by itself, also when its link is lost", async ({ visitor }) => {
  const context = await visitor.context({ role: "admin" });
  const page = await context.newPage();
  await page.goto("/wall");
  await live(page);
  const speaks = () => page.evaluate(() => [...document.querySelectorAll("main [role=status], main [role=alert], main [aria-live]:not([aria-live=off])")].map((one) => one.outerHTML.slice(0, 100)));
  expect(await speaks()).toEqual([]);
  await context.route("**/api/v1/events*", (route) => route.abort());
  await page.reload();
  await expect(page.locator(".stale-note")).toBeVisible();
  expect(await speaks()).toEqual([]);
});

test("a wall has a look of its own: dark, light, high contrast, as its device", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/wall");
  await live(page);
  const look = page.getByRole("combobox", { name: "Aussehen" });
  await tabTo(page, look);
  for (const theme of ["dark", "contrast", "system", "light"]) {
    await look.selectOption(theme);
    await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
    await accessible(page, theme);
  }
  await look.selectOption("dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  // What belongs to the people at a desk stays as it was.
  const desk = await visitor.page({ role: "admin" }, "/");
  await expect(desk.locator("html")).toHaveAttribute("data-theme", "light");
});

const SCREENS = [["/", "admin"], ["/supervision", "admin"], ["/groups/1", "admin"], ["/help", "admin"], ["/my-place", "member"], ["/people", "admin"], ["/rooms", "admin"], ["/devices", "admin"], ["/sessions", "admin"], ["/wall", "admin"]];

for (const [url, role] of SCREENS) {
  test(`${url} shows grey lines only when it takes a while, and nothing jumps when the content comes`, async ({ visitor }) => {
    for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
      const context = await visitor.context({ role, viewport });
      const page = await context.newPage();
      await page.addInitScript(() => {
        window.shift = 0;
        new PerformanceObserver((list) => {
          for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
        }).observe({ type: "layout-shift", buffered: true });
      });
      let open = () => {};
      const held = new Promise((resolve) => { open = resolve; });
      await page.route(/\/api\/v1\/(?!me$|events)/, async (route) => {
        await held;
        await route.continue();
      });
      await page.goto(url);
      await expect(page.locator(".skeleton i").first()).toBeVisible();
      open();
      await expect(page.locator(".skeleton")).toHaveCount(0);
      await expect(page.locator("main h1")).toBeVisible();
      if (url !== "/sessions") await live(page);
      expect(await page.evaluate(() => window.shift), `${viewport.width}`).toBeLessThan(0.05);
      await page.unrouteAll({ behavior: "ignoreErrors" });
      await context.close();
    }
  });
}

test("where the reader's own colours are forced, every state keeps its shape, every bar its fill, and what is chosen is seen", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", forcedColors: "active" }, "/");
  await live(page);
  const [ground, ...fills] = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor,
    ...[...document.querySelectorAll(".tile:not([data-s=off]) .shape, .room:not([data-empty]) .bar i")].map((one) => getComputedStyle(one).backgroundColor),
    ...[...document.querySelectorAll(".pill:not([data-s=off])")].map((one) => getComputedStyle(one, "::before").backgroundColor)]);
  expect(fills.length).toBeGreaterThan(4);
  const opaque = /^rgb\(/;
  for (const fill of fills) {
    expect(fill).toMatch(opaque);
    expect(fill).not.toBe(ground);
  }
  await page.goto("/groups/1?only=absent");
  const chip = page.locator(".chip[aria-pressed=true]");
  await expect(chip).toHaveCSS("border-top-width", "3px");
  await expect(page.locator(".chip[aria-pressed=false]").first()).toHaveCSS("border-top-width", "1px");
});

test("without movement nothing moves: no animation, no transition", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/");
  await live(page);
  const moving = () => page.evaluate(() => [...document.querySelectorAll("*")].flatMap((one) => ["", "::before", "::after"].map((part) => getComputedStyle(one, part || null)))
    .filter((style) => style.animationName !== "none" || !/^0s(, 0s)*$/.test(style.transitionDuration)).length);
  expect(await moving()).toBe(0);
  await page.emulateMedia({ reducedMotion: "no-preference" });
  expect(await moving()).toBeGreaterThan(0);
});

/** What is open has an address: Back closes it and leaves the page where it was; the address opens it. */
async function opens(page, url, press, address, what) {
  await page.goto(url);
  await live(page);
  await press(page);
  await expect(what(page)).toBeVisible();
  await expect(page).toHaveURL(address);
  await page.goBack();
  await expect(what(page)).toHaveCount(0);
  await expect(page).toHaveURL(url);
  await page.goto(address);
  await expect(what(page)).toBeVisible();
}

test("every dialog is an address: the search, the keys, the questions about a reader", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/help");
  await live(page);
  await opens(page, "/help", () => page.keyboard.press("/"), "/help?show=find", () => page.getByRole("dialog", { name: "Suchen" }));
  await opens(page, "/help", () => page.keyboard.press("?"), "/help?show=keys", () => page.getByRole("dialog"));
  const reader = page.getByRole("button", { name: /^Neu starten: / }).first();
  await page.goto("/devices");
  await reader.click();
  await expect(page.getByRole("dialog")).toBeVisible();
  const address = new URL(page.url());
  expect(address.searchParams.get("order")).toBe("reboot");
  await opens(page, "/devices", () => reader.click(), address.pathname + address.search, () => page.getByRole("dialog"));
});

test("who closes the search and goes back leaves the page, and does not meet the search again", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/rooms");
  await live(page);
  await page.getByRole("link", { name: "Hilfe-Liste" }).first().click();
  await expect(page).toHaveURL("/help");
  await page.keyboard.press("/");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL("/help");
  await page.keyboard.press("/");
  await page.getByRole("combobox").fill("Geräte");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/devices");
  await page.goBack();
  await expect(page).toHaveURL("/help");
  await page.goBack();
  await expect(page).toHaveURL("/rooms");
});

test("on a phone Back closes the rest of the pages and stays", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } }, "/help");
  await live(page);
  await opens(page, "/help", () => page.getByRole("button", { name: "Mehr" }).tap(), "/help?show=more", () => page.getByRole("dialog"));
});

test("a filter of a run and a question on my place are addresses", async ({ visitor }) => {
  const { context, run } = await visitor.supervisor();
  const page = await context.newPage();
  await page.goto(`/supervision?run=${run.id}`);
  await live(page);
  const rows = page.locator("#list-here .tap");
  const all = await rows.count();
  const name = await rows.first().locator("b").textContent();
  await page.getByLabel("Nach Namen filtern").fill(name);
  await expect.poll(() => rows.count()).toBeLessThan(all);
  await page.reload();
  await expect(page.getByLabel("Nach Namen filtern")).toHaveValue(name);
  await expect.poll(() => rows.count()).toBeGreaterThan(0);
  expect(await rows.count()).toBeLessThan(all);

  const member = await visitor.context({ username: visitor.username("member", 6) });
  const { id } = await visitor.api(member, "POST", "/help-requests", { content: "Wo steht das?" });
  const place = await member.newPage();
  await opens(place, "/my-place", () => place.getByRole("button", { name: "Nicht mehr nötig" }).click(), "/my-place?ask=cancel", () => place.getByRole("dialog"));
  await opens(place, "/my-place", () => place.getByRole("button", { name: "Ändern" }).click(), "/my-place?ask=edit", () => place.getByLabel("Worum geht es?"));
  await visitor.api(member, "POST", `/help-requests/${id}/cancel`);
});

/** What shows where the focus is: the outline of what has it, or of what it draws over itself. */
const outline = () => {
  const at = document.activeElement;
  if (at === document.body) return null;
  const widths = [null, "::after"].map((part) => getComputedStyle(at, part)).filter(({ outlineStyle }) => outlineStyle !== "none").map(({ outlineWidth }) => parseFloat(outlineWidth));
  return { what: at.outerHTML.slice(0, 120), width: Math.max(0, ...widths) };
};

for (const [url, role] of SCREENS) {
  test(`${url}: by the Tab key the focus is always seen, 3 pixels wide, in every look`, async ({ visitor }) => {
    for (const [theme, forcedColors] of [["light", "none"], ["contrast", "none"], ["dark", "active"]]) {
      const page = await visitor.page({ role, theme, forcedColors }, url);
      await expect(page.locator("main h1")).toBeVisible();
      await expect(page.locator(".skeleton")).toHaveCount(0);
      for (let stop = 0; stop < 25; stop += 1) {
        await page.keyboard.press("Tab");
        const seen = await page.evaluate(outline);
        if (seen) expect(seen.width, `${theme} ${forcedColors}: ${seen.what}`).toBeGreaterThanOrEqual(3);
      }
      await page.context().close();
    }
  });
}
