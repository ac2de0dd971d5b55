// What staff do at a kiosk, with card or user name and a PIN, and what a child's badge does meanwhile.
import { accessible, expect, tabTo } from "../house.mjs";
import { EVA, hold, MIA, tablet, test, tone } from "../tablet.mjs";

test("staff begin and end a run with card and PIN, by keyboard alone", async ({ visitor, lead }) => {
  const page = await tablet(visitor, lead);
  await tabTo(page, page.getByRole("button", { name: "Team" }));
  await page.keyboard.press("Enter");
  await accessible(page, "what");
  await tabTo(page, page.getByRole("button", { name: "Lesen" }));
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Benutzername")).toBeFocused();
  await accessible(page, "who");
  await hold(page, EVA);
  await expect(page.getByLabel("Ihre PIN")).toBeFocused();
  await accessible(page, "pin");
  await page.keyboard.type("0852", { delay: 60 });
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("Person und PIN gehören nicht zusammen.");
  await page.keyboard.type("2580", { delay: 60 });
  await expect(page.getByRole("button", { name: "Fertig" })).toBeEnabled();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Lesen hat begonnen.");
  await expect(page.getByText("Jetzt: Lesen")).toBeVisible();
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hallo Mia!");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");

  await page.getByRole("button", { name: "Team" }).click();
  await page.getByRole("button", { name: "Lesen beenden" }).click();
  await page.getByLabel("Benutzername").pressSequentially("eva", { delay: 60 });
  await page.keyboard.press("Enter");
  for (const key of "2580") await page.getByRole("button", { name: key, exact: true }).click();
  await page.getByRole("button", { name: "Fertig" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Lesen ist beendet.");
  await expect(page.getByText("1 Person ist damit gegangen.")).toBeVisible();
  expect(await lead.here()).toBe(0);
});

test("a child's badge that was taken for that of staff is said not to have counted", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  const heading = page.getByRole("heading", { level: 1 });
  const ask = async () => {
    await page.getByRole("button", { name: "Team" }).click();
    await page.getByRole("button", { name: "Lesen beenden" }).click();
    await expect(page.getByLabel("Benutzername")).toBeFocused();
  };
  await ask();
  await hold(page, MIA);
  await expect(page.getByLabel("Ihre PIN")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(heading).toHaveText("Diese Karte wurde nicht gezählt.");
  await expect(page.getByText("Bitte noch einmal anhalten.")).toBeVisible();
  await expect(tone(page)).toHaveAttribute("data-tone", "away");
  await accessible(page, "not counted");
  await hold(page, MIA);
  await expect(heading).toHaveText("Hallo Mia!");
  await expect(heading).toHaveText("Karte hier anhalten");
  expect(await lead.here()).toBe(1);

  // Somebody else is answered first.
  await ask();
  await hold(page, MIA);
  await expect(page.getByLabel("Ihre PIN")).toBeFocused();
  await hold(page, "DEB0FFFF");
  await expect(heading).toHaveText("Diese Karte kennen wir noch nicht.");
  await expect(heading).toHaveText("Diese Karte wurde nicht gezählt.");
  await expect(heading).toHaveText("Karte hier anhalten");

  // Whoever is served by holding it again, or has typed a name, is told nothing.
  await ask();
  await hold(page, MIA);
  await expect(page.getByLabel("Ihre PIN")).toBeFocused();
  await hold(page, MIA);
  await expect(heading).toHaveText("Tschüss Mia!");
  await expect(heading).toHaveText("Karte hier anhalten");
  await ask();
  await page.keyboard.type("eva", { delay: 60 });
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Zurück" }).click();
  await expect(heading).toHaveText("Karte hier anhalten");
});

test("five wrong PINs lock it, and the screen says for how long", async ({ visitor, lead }) => {
  const page = await tablet(visitor, lead);
  await page.getByRole("button", { name: "Team" }).click();
  await page.getByRole("button", { name: "Lesen" }).click();
  await expect(page.getByLabel("Benutzername")).toBeFocused();
  // A slow reader types like a person: the field takes the number of a badge as well.
  await page.keyboard.type(EVA, { delay: 90 });
  await page.keyboard.press("Enter");
  for (let wrong = 0; wrong < 6; wrong += 1) {
    await page.getByLabel("Ihre PIN").fill("0852");
    await expect(page.getByRole("button", { name: "Fertig" })).toBeEnabled();
    const answered = page.waitForResponse("**/privileged");
    await page.keyboard.press("Enter");
    await answered;
    await expect(page.getByLabel("Ihre PIN")).toHaveValue("");
  }
  await expect(page.getByRole("alert")).toContainText("Diese PIN ist für 15 Minuten gesperrt.");
});
