// The door: in by keyboard alone, told what is wrong, back to the page that was wanted, out again;
// and all of it without a script.
import { accessible, expect, live, tabTo, test } from "../house.mjs";

const WRONG = "Dieser Name und dieses Passwort gehören nicht zusammen.";

/** Types name and password as somebody does who never touches the mouse. */
async function type(page, { username, password }) {
  await expect(page.getByLabel("Benutzername")).toBeFocused();
  await page.keyboard.type(username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
}

test.describe("sign-in", () => {
  let staff;
  test.beforeEach(({ house }) => { staff = house.sign_ins.find((one) => one.role === "staff"); });

  test("somebody signs in by keyboard alone, and out again", async ({ visitor }) => {
    const page = await visitor.page({}, "/");
    await expect(page).toHaveURL("/sign-in?next=/");
    await type(page, staff);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
    await live(page);
    await tabTo(page, page.getByRole("button", { name: "Abmelden" }));
    await page.keyboard.press("Enter");
    await expect(page.getByRole("button", { name: "Anmelden" })).toBeVisible();
    await page.goto("/people");
    await expect(page).toHaveURL("/sign-in?next=/people");
  });

  test("a wrong password says so, keeps the name and waits for the password", async ({ visitor }) => {
    const page = await visitor.page({}, "/sign-in?next=%2Fhelp");
    await type(page, { ...staff, password: "nicht das richtige" });
    await expect(page.getByRole("alert")).toHaveText(WRONG);
    await expect(page.getByLabel("Benutzername")).toHaveValue(staff.username);
    await expect(page.getByLabel("Passwort")).toBeFocused();
    await expect(page.getByLabel("Passwort")).toHaveValue("");
    await expect(page.getByLabel("Passwort")).toHaveAccessibleDescription(WRONG);
    await page.keyboard.type(staff.password);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL("/help");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hilfe-Liste");
  });

  test("an address that there is none of says so in words, with and without a script", async ({ visitor }) => {
    for (const javaScriptEnabled of [true, false]) {
      const page = await visitor.page({ javaScriptEnabled });
      const answer = await page.goto("/persoenen");
      expect(answer.status()).toBe(404);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("Diese Seite gibt es nicht.");
      if (javaScriptEnabled) await accessible(page, "no such page");
      await page.getByRole("link", { name: "Zum Haus" }).click();
      await expect(page).toHaveURL("/sign-in?next=/");
    }
    const program = await (await visitor.context()).request.get("/persoenen", { headers: { accept: "application/json" } });
    expect([program.status(), (await program.json()).code]).toEqual([404, "route.not_found"]);
  });

  test("a name that nobody has is answered like a wrong password", async ({ visitor }) => {
    const page = await visitor.page({}, "/sign-in");
    await type(page, { username: "niemand", password: staff.password });
    await expect(page.getByRole("alert")).toHaveText(WRONG);
  });

  test("a session that has ended leads to the door and back to the page", async ({ visitor }) => {
    const page = await visitor.page({ username: staff.username }, "/help");
    await live(page);
    await page.context().clearCookies({ name: "daybook" });
    await page.getByRole("link", { name: "Personen" }).click();
    await expect(page).toHaveURL("/sign-in?next=%2Fpeople");
    await type(page, staff);
    await expect(page).toHaveURL("/people");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Personen");
  });

  test("the way back keeps a page's search", async ({ visitor }) => {
    const page = await visitor.page({}, "/people?q=Fuchs&sort=desc");
    await expect(page).toHaveURL(/\/sign-in\?next=/);
    await type(page, staff);
    await expect(page).toHaveURL("/people?q=Fuchs&sort=desc");
    await expect(page.getByRole("searchbox")).toHaveValue("Fuchs");
  });

  test("whoever is signed in does not meet the door", async ({ visitor }) => {
    const page = await visitor.page({ username: staff.username }, "/sign-in?next=%2Fhelp");
    await expect(page).toHaveURL("/help");
  });

  test("without a script one signs in too, and a wrong password is said", async ({ visitor }) => {
    const page = await visitor.page({ javaScriptEnabled: false }, "/sign-in?next=%2Fhelp");
    await page.getByLabel("Benutzername").fill(staff.username);
    await page.getByLabel("Passwort").fill("nicht das richtige");
    await page.getByRole("button", { name: "Anmelden" }).click();
    await expect(page.getByRole("alert")).toHaveText(WRONG);
    await page.getByLabel("Passwort").fill(staff.password);
    await page.getByRole("button", { name: "Anmelden" }).click();
    await expect(page).toHaveURL("/help");
    await expect(page.locator("noscript p")).toContainText("Diese Seite braucht JavaScript.");
  });

  for (const javaScriptEnabled of [true, false]) {
    test(`the door changes its language in one press and keeps the way and the name, ${javaScriptEnabled ? "with" : "without"} scripts`, async ({ visitor }) => {
      const page = await visitor.page({ javaScriptEnabled }, "/sign-in?next=%2Fhelp");
      await page.getByLabel("Benutzername").fill(staff.username);
      await page.getByRole("button", { name: "English" }).click();
      await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
      await expect(page.locator("html")).toHaveAttribute("lang", "en");
      await expect(page.locator("input[name=next]")).toHaveValue("/help");
      await expect(page.getByLabel("User name")).toHaveValue(staff.username);
      await expect(page.getByRole("alert")).toHaveCount(0);
      await page.getByLabel("Password").fill(staff.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page).toHaveURL("/help");
      await expect(page.locator("html")).toHaveAttribute("lang", "en");
    });
  }
});

for (const lang of ["de", "en"]) {
  for (const theme of ["light", "dark"]) {
    test(`the door is accessible in ${lang}, ${theme}, also after a mistake`, async ({ visitor }) => {
      const page = await visitor.page({ lang, theme }, "/sign-in");
      await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
      await accessible(page, "empty");
      await page.keyboard.type("niemand");
      await page.keyboard.press("Tab");
      await page.keyboard.type("nichts");
      await page.keyboard.press("Enter");
      await expect(page.getByRole("alert")).toBeVisible();
      await accessible(page, "after a mistake");
    });
  }
}
