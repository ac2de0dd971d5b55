// Every screen speaks the other language at one press, on a phone too; what is pressed covers nothing.
import { expect, leave, newHouse, test } from "../house.mjs";

const PHONE = { hasTouch: true, isMobile: true };
const WIDTHS = [320, 360, 390];
const SHELL = [
  ["/", "admin", "Heute", "Today"], ["/supervision", "staff", /./, /./], ["/supervision?start=1", "staff", "Meine Aufsicht", "My supervision"], ["/groups/1", "admin", "1a", "1a"],
  ["/help", "staff", "Hilfe-Liste", "Help queue"], ["/help", "office", "Hilfe-Liste", "Help queue"], ["/my-place", "member", "Mein Platz", "My place"], ["/people", "admin", "Personen", "People"],
  ["/rooms", "admin", "Räume", "Rooms"], ["/devices", "admin", "Geräte", "Devices"], ["/sessions", "staff", "Mein Konto", "My account"],
  ["/devices", "member", "Das dürfen Sie nicht.", "You may not do this."],
];

/** What lies under the button: text, or what can be pressed. */
const under = (button) => button.evaluate((one) => {
  const box = one.getBoundingClientRect();
  const meets = ({ left, right, top, bottom }) => left < box.right - 0.5 && right > box.left + 0.5 && top < box.bottom - 0.5 && bottom > box.top + 0.5;
  return [...document.querySelectorAll("main *, .demo")].filter((other) => {
    if (one.contains(other) || other.contains(one) || other.closest(".visually-hidden")) return false;
    const range = document.createRange();
    return [...other.childNodes].some((node) => {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) return false;
      range.selectNodeContents(node);
      return [...range.getClientRects()].some(meets);
    }) || (other.matches("a[href], button, input, select") && meets(other.getBoundingClientRect()));
  }).map((other) => other.outerHTML.slice(0, 120));
});

async function isWhole(page, button) {
  const { width, height } = await button.boundingBox();
  expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
  expect(await under(button)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
}

for (const [url, role, german, english] of SHELL) {
  test(`${url} as ${role} changes its language at one press on a phone`, async ({ visitor }) => {
    for (const width of WIDTHS) {
      const page = await visitor.page({ ...PHONE, role, viewport: { width, height: 640 } }, url);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(german);
      await expect(page.locator(".skeleton")).toHaveCount(0);
      await isWhole(page, page.getByRole("button", { name: "English", exact: true }));
      await page.getByRole("button", { name: "English", exact: true }).tap();
      await expect(page.locator("html")).toHaveAttribute("lang", "en");
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(english);
      await isWhole(page, page.getByRole("button", { name: "Deutsch", exact: true }));
      await page.context().close();
    }
  });
}

/** Every word is two fifths longer, as those of a third language may be; what is filled in stays. */
const longer = (text) => text.replaceAll(/^([a-z0-9-]+ = )(.+)$/gm, (line, key, words) => key + words.replaceAll(/\{.*?\}|\p{L}+/gu, (word) => (word.startsWith("{") ? word : word + "n".repeat(Math.ceil(word.length * 0.4)))));

for (const [url, role] of SHELL) {
  test(`the language of ${url} as ${role} covers nothing when words are long, text is large or the link is lost`, async ({ visitor }) => {
    const context = await visitor.context({ ...PHONE, role, viewport: { width: 320, height: 640 } });
    await context.route("**/text/de*.ftl", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: longer(await response.text()) });
    });
    await context.route("**/api/v1/events*", (route) => route.abort());
    const page = await context.newPage();
    await page.goto(url);
    await expect(page.locator("main h1")).toBeVisible();
    await expect(page.locator(".stale-note")).toBeVisible();
    const button = page.locator("main > .language-switch");
    await isWhole(page, button);
    await page.setViewportSize({ width: 640, height: 800 });
    await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
    await isWhole(page, button);
    await context.unrouteAll({ behavior: "wait" });
  });
}

const DOORS = [["/sign-in", "Anmelden", "Sign in"], ["/pair", "Wandanzeige verbinden", "Connect a wall screen"], ["/persoenen", "Diese Seite gibt es nicht.", "There is no such page."]];

for (const [url, german, english] of DOORS) {
  test(`${url} changes its language at one press on a phone, and stays where it is`, async ({ visitor }) => {
    for (const width of WIDTHS) {
      const page = await visitor.page({ ...PHONE, viewport: { width, height: 640 } }, url);
      await expect(page.locator("main")).toContainText(german);
      // Where something may be typed it is a button of the form, which keeps that.
      const other = page.getByRole(url === "/sign-in" ? "button" : "link", { name: "English" });
      await isWhole(page, other);
      await other.tap();
      await expect(page.locator("main")).toContainText(english);
      expect(new URL(page.url()).pathname).toBe(url);
      if (url !== "/sign-in") expect(new URL(page.url()).searchParams.has("lang")).toBe(false);
    }
  });
}

test("the first page of a new house changes its language at one press on a phone", async ({ visitor }) => {
  const fresh = await newHouse();
  try {
    for (const width of WIDTHS) {
      const page = await visitor.page({ ...PHONE, viewport: { width, height: 640 } }, `${fresh.url}/setup`);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Dieses Haus einrichten");
      await page.getByRole("button", { name: "English" }).tap();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Set up this house");
      await page.context().close();
    }
  } finally {
    await leave(fresh);
  }
});

test("a kiosk changes its language at one press on a phone", async ({ visitor }) => {
  for (const width of WIDTHS) {
    const page = await visitor.page({ ...PHONE, viewport: { width, height: 640 } }, "/kiosk");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Dieses Tablet verbinden");
    await page.getByRole("button", { name: "English" }).tap();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Connect this tablet");
    await page.context().close();
  }
});

test("a wall changes its language at one press: by a finger, by mouse and by keyboard", async ({ visitor }) => {
  const finger = await visitor.page({ ...PHONE, role: "admin", viewport: { width: 390, height: 844 } }, "/wall");
  await expect(finger.locator(".wall-acts")).toHaveCSS("opacity", "1");
  await finger.getByRole("button", { name: "English" }).tap();
  await expect(finger.getByText("Present").first()).toBeVisible();
  const wall = await visitor.page({ role: "admin", viewport: { width: 1920, height: 1080 } }, "/wall");
  const acts = wall.locator(".wall-acts");
  await expect(acts).toHaveCSS("opacity", "0");
  await wall.mouse.move(600, 600);
  await expect(acts).toHaveCSS("opacity", "1");
  await wall.getByRole("button", { name: "English" }).click();
  await expect(wall.getByText("Present").first()).toBeVisible();
  await wall.getByRole("button", { name: "Deutsch" }).focus();
  await wall.keyboard.press("Enter");
  await expect(wall.getByText("Anwesend").first()).toBeVisible();
});

test("beside the side bar the language stands once", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/");
  await expect(page.getByRole("button", { name: "English" })).toHaveCount(1);
});

test("a language that does not come says so, and stays as it is on the next page", async ({ visitor }) => {
  const context = await visitor.context({ role: "staff" });
  await context.route("**/text/en*.ftl", (route) => route.abort());
  const page = await context.newPage();
  await page.goto("/help");
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.locator(".toast")).toHaveText(/Das hat nicht geklappt/);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hilfe-Liste");
});
