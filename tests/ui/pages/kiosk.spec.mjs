// The kiosk: a tablet joins by its code, badges are held to it, and nothing is lost or doubled when
// the network, the page or the key goes away.
import { accessible, expect, tabTo } from "../house.mjs";
import { hold, MIA, tablet, test, tone } from "../tablet.mjs";

test("a tablet joins by the code that its lead has made; a wrong one says so and stays", async ({ visitor, lead }) => {
  const page = await visitor.page({}, "/kiosk");
  await expect(page.getByLabel("Anmeldecode")).toBeFocused();
  await page.keyboard.type("AAAA-BBBB-CCCC", { delay: 40 });
  await tabTo(page, page.getByRole("button", { name: "Verbinden" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("Diesen Code kennen wir nicht.");
  await expect(page.getByLabel("Anmeldecode")).toHaveValue("AAAA-BBBB-CCCC");
  await expect(page.getByLabel("Anmeldecode")).toBeFocused();
  await accessible(page, "a wrong code");
  await page.getByLabel("Anmeldecode").fill((await lead.code()).toLowerCase());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  await expect(page.locator(".kiosk-name")).toHaveText("Bibliothek");
  await expect(page.locator(".kiosk-foot")).toContainText("0 von 25 Plätzen belegt");
  await accessible(page, "nobody there");
  // The key is the tablet's own: a reload asks for nothing.
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  const [device] = (await lead.get("/devices")).items;
  expect(device).toMatchObject({ mode: "kiosk", room_name: "Bibliothek", state: "online", queue_depth: 0, model: "Tablet" });
  const used = await visitor.page({}, `/kiosk#${await lead.code()}`);
  await expect(used.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  expect(used.url()).not.toContain("#");
});

test("a badge checks a child in and out; one that nobody knows says so", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hallo Mia!");
  await expect(tone(page)).toHaveAttribute("data-tone", "in");
  await expect(page.getByText("Du bist jetzt hier: Bibliothek.")).toBeVisible();
  await accessible(page, "ok");
  expect(await lead.here()).toBe(1);
  // The next one need not wait until the answer is gone.
  await hold(page, "DEB0FFFF");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Diese Karte kennen wir noch nicht.");
  await expect(tone(page)).toHaveAttribute("data-tone", "help");
  await accessible(page, "unknown");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  await expect(page.locator(".kiosk-foot")).toContainText("1 von 25 Plätzen belegt");
  await expect(page.locator("body")).not.toContainText("Mia");
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Tschüss Mia!");
  expect(await lead.here()).toBe(0);
});

test("a badge that is held twice at once is one tap", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  const sent = [];
  page.on("request", (request) => request.url().endsWith("/scans") && sent.push(...request.postDataJSON().scans));
  await hold(page, MIA);
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hallo Mia!");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  expect(sent).toHaveLength(1);
  expect(await lead.here()).toBe(1);
});

test("a badge that the house will never take is refused on the screen, and the next one counts", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  // A reader that is set to another keyboard than the tablet; the test's keyboard has no such keys.
  await page.evaluate(() => {
    for (const key of [..."ÄÖÜß§§", "Enter"]) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Diese Karte wurde nicht angenommen.");
  await expect(page.getByText("Bitte melde dich bei einer Betreuungsperson.")).toBeVisible();
  await expect(tone(page)).toHaveAttribute("data-tone", "help");
  await accessible(page, "refused");
  await expect(page.locator(".kiosk-foot")).toContainText("1 Karte wurde nicht angenommen. Bitte im Büro melden.");
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hallo Mia!");
  expect(await lead.here()).toBe(1);
});

test("without a card the number is typed, by keys on the screen or by keyboard alone", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  await tabTo(page, page.getByRole("button", { name: "Nummer eingeben" }));
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Nummer deiner Karte")).toBeFocused();
  await accessible(page, "number");
  await page.keyboard.type(MIA, { delay: 60 });
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hallo Mia!");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  await page.getByRole("button", { name: "Nummer eingeben" }).click();
  for (const key of `${MIA}1`) await page.getByRole("button", { name: key, exact: true }).click();
  await page.getByRole("button", { name: "Letzte löschen" }).click();
  await expect(page.getByLabel("Nummer deiner Karte")).toHaveValue(MIA);
  await page.getByRole("button", { name: "Fertig" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Tschüss Mia!");
});

test("a full memory says so before and when it is full, refuses aloud, and loses nothing that it took", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  const context = page.context();
  const [device] = (await lead.get("/devices")).items;
  await visitor.api(lead.context, "PATCH", `/devices/${device.id}`, { buffer_max: 100 });
  // A tablet that starts fetches what it is told to be.
  const told = page.waitForResponse((answer) => answer.url().endsWith("/config") && answer.ok());
  await page.reload();
  await told;
  await context.setOffline(true);
  const tags = Array.from({ length: 99 }, (_, place) => `DEB0FF${place.toString(16).padStart(4, "0").toUpperCase()}`);
  const foot = page.locator(".kiosk-foot");
  for (const tag of tags) await hold(page, tag);
  await expect(foot).toContainText("99 Karten auf diesem Tablet gespeichert", { timeout: 15_000 });
  await expect(foot).toContainText("Nur noch Platz für 1 Karte. Bitte im Büro melden.");
  await accessible(page, "nearly full");
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Auf diesem Tablet gespeichert.");
  await hold(page, "DEB0EEEE");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Dieses Tablet kann keine Karte mehr speichern.");
  await expect(page.getByText("Bitte melde dich bei einer Betreuungsperson.")).toBeVisible();
  await expect(tone(page)).toHaveAttribute("data-tone", "help");
  await accessible(page, "full");
  await expect(foot).toContainText("Kein Platz mehr für weitere Karten. Bitte im Büro melden.");
  await expect(foot).toContainText("100 Karten auf diesem Tablet gespeichert");

  const sent = [];
  page.on("request", (request) => request.url().endsWith("/scans") && sent.push(...request.postDataJSON().scans));
  await context.setOffline(false);
  await expect(foot.locator(".pill")).toHaveCount(0, { timeout: 20_000 });
  expect(sent.map(({ tag }) => tag)).toEqual([...tags, MIA]);
  expect(await lead.here()).toBe(1);
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Tschüss Mia!");
});

test("200 scans without a network, and a power cut: all arrive, once, in the order of tapping", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  const context = page.context();
  await context.setOffline(true);
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Auf diesem Tablet gespeichert.");
  await expect(page.getByText("Wir geben es weiter, sobald das Netz wieder da ist.")).toBeVisible();
  await expect(tone(page)).toHaveAttribute("data-tone", "info");
  await accessible(page, "saved");
  const tags = Array.from({ length: 199 }, (_, place) => `DEB0FF${place.toString(16).padStart(4, "0").toUpperCase()}`);
  for (const tag of tags) await hold(page, tag);
  await expect(page.locator(".kiosk-foot")).toContainText("200 Karten auf diesem Tablet gespeichert", { timeout: 15_000 });
  await expect(page.locator(".pill[data-s=away]")).toContainText("Keine Verbindung seit");
  await accessible(page, "offline");

  // The page comes back before the interface does; the first call is cut after it was sent.
  await page.close();
  await context.route("**/api/v1/device/**", (route) => route.abort());
  await context.setOffline(false);
  const next = await context.newPage();
  await next.goto("/kiosk");
  await expect(next.locator(".kiosk-foot")).toContainText("200 Karten auf diesem Tablet gespeichert");
  expect((await lead.get("/scans/review?limit=500")).items).toHaveLength(0);
  const sent = [];
  let cut = true;
  await context.unroute("**/api/v1/device/**");
  await context.route("**/api/v1/device/scans", async (route) => {
    sent.push(route.request().postDataJSON().scans);
    const answer = await route.fetch();
    if (!cut) return route.fulfill({ response: answer });
    cut = false;
    return route.abort();
  });
  await hold(next, "DEB0FFFFFF");
  await expect.poll(() => sent.map((scans) => scans.length), { timeout: 20_000 }).toEqual([100, 100, 100, 1]);
  await expect(next.locator(".kiosk-foot")).toBeVisible();
  await expect(next.locator(".kiosk-foot .pill")).toHaveCount(0);

  expect(sent[1].map((scan) => scan.scan_id)).toEqual(sent[0].map((scan) => scan.scan_id));
  const order = sent.slice(1).flat();
  expect(order.map((scan) => scan.tag)).toEqual([MIA, ...tags, "DEB0FFFFFF"]);
  expect(order.map((scan) => scan.seq)).toEqual(order.map((_, place) => order[0].seq + place));
  const { items } = await lead.get("/scans/review?limit=500");
  expect(items.map((one) => one.scan_id).sort()).toEqual(order.slice(1).map((scan) => scan.scan_id).sort());
  expect(await lead.here()).toBe(1);
});

test("a tablet that is shut out keeps its scans, says so, and joins anew", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  const [device] = (await lead.get("/devices")).items;
  await lead.post(`/devices/${device.id}/revoke`);
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Auf diesem Tablet gespeichert.");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Bitte im Büro melden");
  await expect(page.locator(".kiosk-foot")).toContainText("1 Karte auf diesem Tablet gespeichert");
  await accessible(page, "shut out");
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Bitte im Büro melden");
  await hold(page, "DEB0FFFF");
  await expect(page.getByText("Bitte sag im Büro Bescheid.")).toBeVisible();
  await expect(page.locator(".kiosk-foot")).toContainText("2 Karten auf diesem Tablet gespeichert");
  expect(await lead.here()).toBe(0);
  await tabTo(page, page.getByRole("button", { name: "Neu verbinden" }));
  await page.keyboard.press("Enter");
  await page.getByLabel("Anmeldecode").fill(await lead.code());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  await expect(page.locator(".kiosk-foot")).toContainText("1 von 25 Plätzen belegt");
  expect(await lead.here()).toBe(1);
});

test("the screen is kept awake, again when the page has been away, and the memory is asked to last", async ({ visitor, lead }) => {
  const context = await visitor.context({});
  await context.addInitScript(() => {
    window.asked = [];
    if (navigator.wakeLock) navigator.wakeLock.request = async (kind) => window.asked.push(kind);
    if (navigator.storage) navigator.storage.persist = async () => { window.lasts = true; };
  });
  const page = await context.newPage();
  await page.goto(`/kiosk#${await lead.code()}`);
  await expect(page.locator(".pill[data-s=in]")).toBeVisible();
  await expect.poll(() => page.evaluate(() => window.asked)).toEqual(["screen"]);
  expect(await page.evaluate(() => window.lasts)).toBe(true);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  expect(await page.evaluate(() => window.asked)).toEqual(["screen", "screen"]);
});

test("the lead's orders are carried out: a sign of life, another language, a new key", async ({ visitor, lead }) => {
  const page = await tablet(visitor, lead);
  const [device] = (await lead.get("/devices")).items;
  const beat = () => page.evaluate(() => dispatchEvent(new Event("online")));
  await lead.post(`/devices/${device.id}/commands`, { kind: "identify" });
  await beat();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hier bin ich.");
  await visitor.api(lead.context, "PATCH", `/devices/${device.id}`, { lang: "en" });
  await beat();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hold your card here");
  await lead.post(`/devices/${device.id}/roll-key`);
  await beat();
  await expect.poll(async () => (await lead.get(`/devices/${device.id}`)).key_prefix).not.toBe(device.key_prefix);
  await page.reload();
  await expect(page.locator(".pill[data-s=in]")).toBeVisible();
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Nothing takes place here now.");
  await expect(tone(page)).toHaveAttribute("data-tone", "away");
});

test("the page of the readers gives the address that a tablet opens", async ({ visitor, lead }) => {
  const page = await lead.context.newPage();
  await page.goto("/devices?add=reader");
  await page.getByLabel("Name").fill("Bibliothek");
  await page.getByLabel("Was es tut").selectOption({ label: "Kiosk" });
  await page.getByRole("combobox", { name: "Raum", exact: true }).selectOption({ label: "Bibliothek" });
  await page.getByRole("button", { name: "Code erzeugen" }).click();
  const link = page.getByRole("dialog").getByRole("link");
  await expect(link).toHaveText(/\/kiosk#[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  await accessible(page, "a code");
  const tablet = await visitor.page({}, await link.getAttribute("href"));
  await expect(tablet.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
});

test("an answer that comes much later is shown to nobody", async ({ visitor, lead }) => {
  const page = await tablet(visitor, lead);
  await page.clock.install();
  await page.route("**/device/scans", (route) => route.abort());
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Auf diesem Tablet gespeichert.");
  // In steps that are shorter than what a call may take.
  const pass = () => page.clock.fastForward(5_000);
  for (let n = 0; n < 3; n += 1) await pass();
  await page.evaluate(() => {
    new MutationObserver(() => { window.toned ||= document.querySelector("main").hasAttribute("data-tone"); })
      .observe(document.querySelector("main"), { attributes: true });
  });
  await page.unroute("**/device/scans");
  await expect(async () => {
    await pass();
    await expect(page.locator(".kiosk-foot .pill")).toHaveCount(0, { timeout: 500 });
  }).toPass({ timeout: 15_000 });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  expect(await page.evaluate(() => window.toned)).toBeFalsy();
});

test("twenty seconds after the last touch everything is at its start, the language too", async ({ visitor, lead }) => {
  const page = await tablet(visitor, lead);
  await page.clock.install();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("button", { name: "Staff" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What would you like to do?");
  await page.clock.fastForward(20_000);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
});

test("the language changes in one press, the answers too", async ({ visitor, lead }) => {
  await lead.run();
  const page = await tablet(visitor, lead);
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hold your card here");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await hold(page, MIA);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hello Mia!");
});

test("the language changes in one press while the network is away, and goes back by itself", async ({ visitor, lead }) => {
  const page = await tablet(visitor, lead);
  const fetched = () => page.evaluate(() => performance.getEntriesByType("resource").filter(({ name, responseEnd }) => name.endsWith("en.kiosk.ftl") && responseEnd > 0).length);
  await expect.poll(fetched).toBe(1);
  await page.clock.install();
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Hold your card here");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await page.clock.fastForward(20_000);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Karte hier anhalten");
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
});

test("field, keys and what ends the step stand edge below edge, and every key is 72 pixels wide and high", async ({ visitor, lead }) => {
  const page = await tablet(visitor, lead);
  await page.getByRole("button", { name: "Nummer eingeben" }).click();
  for (const [width, height] of [[1280, 800], [1024, 768], [768, 1024], [360, 740], [320, 640]]) {
    await page.setViewportSize({ width, height });
    const boxes = await page.locator(".kiosk-field, .pad, .kiosk-ends").evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ left, right }) => `${Math.round(left)} ${Math.round(right)}`));
    if (width > 352) expect(new Set(boxes).size, `${width}: ${boxes}`).toBe(1);
    const keys = await page.locator(".pad button").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));
    expect(keys).toHaveLength(17);
    for (const key of keys) expect(Math.min(key.width, key.height), `${width}: ${JSON.stringify(key)}`).toBeGreaterThanOrEqual(72);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
    if (width > height) expect(await page.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBeLessThanOrEqual(0);
  }
});

test("it is accessible in both languages and looks, fits a phone, and has large keys", async ({ visitor, lead }) => {
  for (const lang of ["de", "en"]) {
    for (const theme of ["light", "dark", "contrast"]) {
      const page = await tablet(visitor, lead, { theme, viewport: { width: 320, height: 640 } });
      if (lang === "en") await page.getByRole("button", { name: "English" }).click();
      await expect(page.locator("html")).toHaveAttribute("lang", lang);
      await accessible(page, `${lang} ${theme}`);
      for (const label of [null, /Nummer eingeben|Type its number/, /Team|Staff/]) {
        if (label) await page.getByRole("button", { name: label }).click();
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
        const small = await page.getByRole("button").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 72).map((one) => one.textContent));
        expect(small).toEqual([]);
        if (label) await page.keyboard.press("Escape");
      }
      await page.context().close();
    }
  }
});
