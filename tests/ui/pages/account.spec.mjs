// Accounts: one's own PIN for the kiosk, and an account for somebody who came with the import.
import { accessible, expect, tabTo, test } from "../house.mjs";

test("staff set their PIN by keyboard; what is refused is said at its field and kept", async ({ house, visitor }) => {
  const page = await visitor.page({ role: "staff" }, "/sessions");
  const { password } = house.sign_ins.find((one) => one.username === visitor.username("staff"));
  const form = page.locator("form").filter({ has: page.getByRole("heading", { name: "PIN für das Terminal" }) });
  const pin = form.getByLabel("Neue PIN");
  const type = async (digits, secret) => {
    await pin.focus();
    await pin.fill("");
    await page.keyboard.type(digits);
    await page.keyboard.press("Tab");
    await form.getByLabel("Jetziges Passwort").fill("");
    await page.keyboard.type(secret);
    await page.keyboard.press("Enter");
  };
  await tabTo(page, pin);
  await type("1234", password);
  await expect(form.locator(".field-error")).toHaveText("Vier bis acht Ziffern, und keine Reihe wie 1234 oder 1111.");
  await expect(pin).toHaveValue("1234");
  await type("2580", "nicht das richtige");
  await expect(form.locator(".field-error")).toHaveText("Das jetzige Passwort stimmt nicht.");
  await accessible(page, "my account");
  await type("2580", password);
  await expect(page.getByText("Ihre PIN gilt ab jetzt.")).toBeVisible();
  await expect(pin).toHaveValue("");
  await expect(form.locator(".field-error")).toHaveCount(0);
});

test("a wrong present password is said at its own field, a weak new one at the other", async ({ visitor }) => {
  const page = await visitor.page({ role: "staff" }, "/sessions");
  const form = page.locator("form").filter({ has: page.getByRole("heading", { name: "Passwort ändern" }) });
  const field = (label) => form.locator("label").filter({ hasText: label });
  const type = async (current, fresh) => {
    await form.getByLabel("Jetziges Passwort").fill(current);
    await form.getByLabel("Neues Passwort").fill(fresh);
    await page.keyboard.press("Enter");
  };
  await type("nicht das richtige", "vier warme graue Steine");
  await expect(field("Jetziges Passwort")).toContainText("Das jetzige Passwort stimmt nicht.");
  await expect(form.locator(".field-error")).toHaveCount(1);
  await type("nicht das richtige", "0123456789");
  await expect(field("Neues Passwort")).toContainText("leicht zu erraten");
  await expect(form.locator(".field-error")).toHaveCount(1);
});

test("a member has no PIN, and no form for one", async ({ visitor }) => {
  const page = await visitor.page({ role: "member" }, "/sessions");
  await expect(page.getByRole("heading", { name: "Passwort ändern" }).first()).toBeVisible();
  await expect(page.getByRole("heading", { name: "PIN für das Terminal" })).toHaveCount(0);
});

test("a sign-in elsewhere that could not be ended goes on, and nothing else is said", async ({ visitor }) => {
  const who = { username: visitor.username("staff") };
  await visitor.context(who);
  const page = await visitor.page(who, "/sessions");
  const others = page.locator(".rows > li").filter({ has: page.getByRole("button", { name: "Beenden" }) });
  await expect(others.first()).toBeVisible();
  const before = await others.count();
  await page.route("**/api/v1/sessions/*", (route) => route.abort());
  await others.first().getByRole("button").click();
  await expect(page.locator(".toast", { hasText: "Keine Antwort vom Haus. Vielleicht ist es trotzdem geschehen." })).toBeVisible();
  await expect(others).toHaveCount(before);
  await expect(page.locator(".toast")).toHaveCount(1);
  await page.unrouteAll();
  await page.getByRole("button", { name: "Nochmal versuchen" }).click();
  await expect(others).toHaveCount(before - 1);
});

test("sign-ins elsewhere are ended by keyboard, and the focus goes on to the next", async ({ visitor }) => {
  const who = { username: visitor.username("staff", 1) };
  for (let count = 0; count < 2; count += 1) await visitor.context(who);
  const page = await visitor.page(who, "/sessions");
  const others = page.locator(".rows").getByRole("button", { name: "Beenden" });
  await expect(others.first()).toBeVisible();
  await tabTo(page, others.first());
  for (let left = await others.count(); left > 0; left -= 1) {
    await expect(others).toHaveCount(left);
    await expect(page.locator(".rows button:focus")).toHaveCount(1);
    await page.keyboard.press("Enter");
  }
  await expect(others).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

test("the lead opens an account for a member, who signs in with it", async ({ house, visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const { items } = await visitor.api(page.context(), "GET", "/people?role=member&limit=500");
  const known = [];
  for (const one of items.slice(-12)) known.push(await visitor.api(page.context(), "GET", `/people/${one.id}`));
  const member = known.find((one) => !one.account);
  await page.goto(`/people?person=${member.id}`);
  const card = page.getByRole("dialog", { name: member.display_name });
  const name = `kind-${member.id}`;
  await card.getByLabel("Benutzername").fill(name);
  await page.keyboard.press("Enter");
  const password = await card.locator("code").textContent();
  await accessible(page, "an account that was opened");
  const theirs = await visitor.context();
  const answer = await theirs.request.post("/api/v1/login", { data: { username: name, password }, headers: { origin: house.url } });
  expect(answer.status(), await answer.text()).toBe(200);
});
