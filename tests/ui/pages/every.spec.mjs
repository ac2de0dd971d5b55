// What holds for every page: accessible in both looks and both languages, alive, and whole when
// the window is narrow and the text is large.
import { accessible, expect, live, test } from "../house.mjs";

const PAGES = [
  ["/", "admin"], ["/supervision", "staff"], ["/supervision?start=1", "staff"], ["/help", "staff"], ["/help", "office"], ["/my-place", "member"],
  ["/people?group=1", "admin"], ["/rooms", "admin"], ["/devices", "admin"], ["/sessions", "staff"], ["/wall", "admin"], ["/", "office"],
];

for (const [url, role] of PAGES) {
  for (const lang of ["de", "en"]) {
    test(`${url} as ${role} is accessible in ${lang}, light and dark`, async ({ visitor }) => {
      for (const theme of ["light", "dark"]) {
        const page = await visitor.page({ role, lang, theme }, url);
        await expect(page.locator("main h1")).toBeVisible();
        await expect(page.locator(".skeleton")).toHaveCount(0);
        await expect(page.locator("html")).toHaveAttribute("lang", lang);
        await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
        await accessible(page, `${url} ${lang} ${theme}`);
      }
    });
  }

  test(`${url} as ${role} fits 320 pixels and text at 200 %`, async ({ visitor }) => {
    const page = await visitor.page({ role, viewport: { width: 320, height: 640 } }, url);
    await expect(page.locator(".skeleton")).toHaveCount(0);
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 640, height: 800 });
    await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
    expect(await overflow()).toBeLessThanOrEqual(0);
  });
}

test("a group's page is accessible in both looks", async ({ visitor }) => {
  const { username, group } = await visitor.groupLead();
  for (const theme of ["light", "dark"]) {
    const page = await visitor.page({ username, theme }, `/groups/${group.id}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(group.name);
    await accessible(page, theme);
  }
});

test("high contrast is accessible too", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", theme: "contrast" }, "/");
  await live(page);
  await accessible(page);
});

test("the language changes in one press and stays", async ({ visitor }) => {
  const page = await visitor.page({ role: "staff", lang: "de" }, "/help");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hilfe-Liste");
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Help queue");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Help queue");
});

test("the look changes in one press and stays", async ({ visitor }) => {
  const page = await visitor.page({ role: "staff" }, "/");
  await page.getByRole("button", { name: "Dunkel" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

/** Whether what stands there is drawn in grey, it or what it stands in. */
const grey = (part) => part.evaluate((one) => {
  for (let at = one; at; at = at.parentElement) if (getComputedStyle(at).filter === "grayscale(0.8)") return true;
  return false;
});

const OLD = [["/wall", "admin", ".tiles"], ["/wall", "admin", ".wall-body"], ["/", "admin", ".tiles"], ["/my-place", "member", ".place"], ["/my-place", "member", ".my-room"],
  ["/help", "admin", ".queue, .empty"], ["/supervision", "admin", ".run-facts"], ["/supervision", "admin", ".tap"], ["/groups/1", "admin", ".group-list"],
  ["/people", "admin", ".people"], ["/rooms", "admin", ".lists"], ["/devices", "admin", ".readers"]];

for (const [url, role, figures] of OLD) {
  test(`${url} says that it is old when the link is lost, and ${figures} turns grey`, async ({ visitor }) => {
    const context = await visitor.context({ role, viewport: { width: 1280, height: 720 } });
    await context.route("**/api/v1/events*", (route) => route.abort());
    const page = await context.newPage();
    await page.goto(url);
    await expect(page.locator(".stale-note")).toHaveText(/^Keine Verbindung seit \d\d:\d\d\. Die Anzeige kann veraltet sein\.$/);
    const part = page.locator(figures).first();
    await expect.poll(() => grey(part)).toBe(true);
    const head = page.locator("main header").first();
    const { height } = await head.boundingBox();
    if (url === "/wall") expect(await page.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBeLessThanOrEqual(0);
    await context.unrouteAll();
    await live(page);
    await expect(page.locator(".stale-note")).toHaveCount(0);
    // On a wall nothing jumps when its link is lost or back.
    if (url === "/wall") expect((await head.boundingBox()).height).toBe(height);
    await expect.poll(() => grey(part)).toBe(false);
  });
}

for (const theme of ["light", "dark"]) {
  test(`a button is readable while what it asked for is sent, ${theme}`, async ({ visitor }) => {
    const page = await visitor.page({ role: "member", theme }, "/my-place");
    await page.route("**/api/v1/help-requests", () => {});
    const ask = page.getByRole("button", { name: "Ich brauche Hilfe" });
    await ask.click();
    await expect(ask).toBeDisabled();
    await ask.hover({ force: true });
    const [front, ground] = await ask.evaluate((one) => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]);
    const luminance = (colour) => {
      const [r, g, b] = colour.match(/\d+/g).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [high, low] = [luminance(front), luminance(ground)].sort((x, y) => y - x);
    expect((high + 0.05) / (low + 0.05), `${front} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  });
}

for (const [name, label] of [["taken back", "Rückgängig"], ["closed", "Schließen"]]) {
  test(`when a toast is ${name} by keyboard, the focus goes back to where it was`, async ({ visitor }) => {
    const { context, run } = await visitor.supervisor();
    const page = await context.newPage();
    await page.goto(`/supervision?run=${run.id}`);
    await live(page);
    await page.locator("#list-here .tap").first().focus();
    await page.keyboard.press("Enter");
    const toast = page.locator(".toast", { hasText: "ausgecheckt" });
    await expect(toast).toBeVisible();
    await expect(page.locator("#list-here .tap:focus")).toBeEnabled();
    await toast.getByRole("button", { name: label }).focus();
    await page.keyboard.press("Enter");
    await expect(toast).toHaveCount(0);
    await expect(page.locator("#list-here .tap:focus")).toHaveCount(1);
  });
}

test("who comes back by Back is at the link that led away", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/");
  await live(page);
  const room = page.locator(".room h3 a").last();
  await room.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/supervision\?run=/);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
  await page.goBack();
  await expect(room).toBeFocused();
});

test("on paper a run says which list is which, and of what day; and nothing of the screen", async ({ visitor }) => {
  const { context, run } = await visitor.supervisor();
  const page = await context.newPage();
  await page.setViewportSize({ width: 794, height: 1123 });
  await page.goto(`/supervision?run=${run.id}`);
  await live(page);
  await page.emulateMedia({ media: "print" });
  for (const name of [/^Hier/, /^Erwartet/, /^Gerade gegangen/]) await expect(page.getByRole("heading", { level: 2, name })).toBeVisible();
  await expect(page.locator(".as-of .print-only")).toBeVisible();
  await expect(page.locator(".as-of .print-only")).toHaveText(/^Stand \d\d\.\d\d\.\d{4}, \d\d:\d\d:\d\d$/);
  for (const part of [".run-tabs", ".page-head .pill", ".page-head .acts"]) await expect(page.locator(part).first()).toBeHidden();
});

test("what is printed from a dark screen is dark on white", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", theme: "dark" }, "/");
  await live(page);
  await page.emulateMedia({ media: "print" });
  const colours = () => page.evaluate(() => [...document.querySelectorAll(".tile .shape, .bar i")].map((one) => getComputedStyle(one)).map(({ backgroundColor: ground, borderTopColor: edge }) => (ground === "rgba(0, 0, 0, 0)" ? edge : ground)));
  await expect.poll(async () => (await colours()).length).toBeGreaterThan(4);
  for (const colour of await colours()) {
    const [r, g, b] = colour.match(/[\d.]+/g).map(Number);
    expect(0.2126 * r + 0.7152 * g + 0.0722 * b, colour).toBeLessThan(140);
  }
});

test("a page that is not there, and one that is not for me, say so", async ({ visitor }) => {
  const page = await visitor.page({ role: "member" }, "/devices");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Das dürfen Sie nicht.");
  await accessible(page);
});
