// People: finding anyone as one types, from the list and from everywhere, and the import of a list.
import { accessible, expect, live, tabTo, test } from "../house.mjs";

const bare = (text) => text.normalize("NFD").replace(/\p{Mn}/gu, "").replaceAll("ß", "ss").toLowerCase();

/** Somebody with an umlaut, whose whole name nobody else has. */
async function withUmlaut(visitor, context) {
  const { items } = await visitor.api(context, "GET", "/people?role=member&limit=500");
  return items.find((one) => /[äöü]/.test(one.display_name) && items.filter((other) => bare(other.display_name).includes(bare(one.display_name))).length === 1);
}

const row = (page, name) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: true }) });

test("the list is searched as one types, blind to umlauts, and the search is an address", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const person = await withUmlaut(visitor, page.context());
  const search = page.getByRole("searchbox", { name: "Name oder Gruppe suchen" });
  await tabTo(page, search);
  await page.keyboard.type(bare(person.display_name));
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await expect(row(page, person.display_name)).toBeVisible();
  await expect(page.getByText(/^1 von \d+$/)).toBeVisible();
  await expect(page).toHaveURL(/\/people\?q=/);
  await page.reload();
  await expect(search).toHaveValue(bare(person.display_name));
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await search.fill("xyzxyz");
  await expect(page.getByText("Nichts gefunden für „xyzxyz“.")).toBeVisible();
});

test("a person's card has an address, closes with Escape, and Back leads to it", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const person = await withUmlaut(visitor, page.context());
  await page.getByRole("link", { name: person.display_name }).click();
  await expect(page.getByRole("dialog", { name: person.display_name })).toBeVisible();
  await expect(page).toHaveURL(`/people?person=${person.id}`);
  await accessible(page, "a person's card");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page).toHaveURL("/people");
  await expect(page.getByRole("link", { name: person.display_name })).toBeFocused();
  await page.goBack();
  await expect(page.getByRole("dialog", { name: person.display_name })).toBeVisible();
});

test("what is said while a card is open can be pressed there, and stands on the page when it is closed", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const { items: [person] } = await visitor.api(page.context(), "GET", "/people?role=member&limit=1");
  await page.goto(`/people?person=${person.id}`);
  const card = page.getByRole("dialog", { name: person.display_name });
  await page.route("**/badges", (route) => route.abort());
  await card.getByLabel("Neue Karte").fill("DEB0C0DE");
  await page.keyboard.press("Enter");
  const said = card.locator(".toast", { hasText: "Keine Antwort vom Haus. Vielleicht ist es trotzdem geschehen." });
  await expect(said).toBeVisible();
  await accessible(page, "a toast in a dialog");
  await said.getByRole("button", { name: "Nochmal versuchen" }).click();
  await expect(said).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(card).toHaveCount(0);
  await page.locator(".toast").first().getByRole("button", { name: "Schließen" }).click();
  await expect(page.locator(".toast")).toHaveCount(0);
});

test("what goes from a person's card when it is done leaves the focus in the card", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const { items: [person] } = await visitor.api(page.context(), "GET", "/people?role=member&limit=1");
  await page.goto(`/people?person=${person.id}`);
  const card = page.getByRole("dialog", { name: person.display_name });
  await tabTo(page, card.getByRole("button", { name: "Kontakte zeigen" }));
  await page.keyboard.press("Enter");
  await expect(card.getByRole("heading", { name: "Kontakte" })).toBeVisible();
  await expect(card.getByRole("heading", { level: 2 })).toBeFocused();
});

test("the list shows live where somebody is", async ({ visitor }) => {
  const supervisor = await visitor.supervisor();
  const page = await visitor.page({ role: "admin" }, "/people");
  await live(page);
  const [member] = await visitor.onTheWay(page.context());
  await expect(row(page, member.display_name)).toContainText("Unterwegs");
  const visit = await visitor.api(supervisor.context, "POST", "/visits", { member_id: member.id, run_id: supervisor.run.id });
  await expect(row(page, member.display_name)).toContainText(supervisor.run.room_name);
  await visitor.api(supervisor.context, "POST", `/visits/${visit.visit_id}/undo`);
  await expect(row(page, member.display_name)).toContainText("Unterwegs");
});

test("\"/\" finds a person from every page, by keyboard alone", async ({ visitor }) => {
  const page = await visitor.page({ role: "staff" }, "/help");
  await live(page);
  const person = await withUmlaut(visitor, page.context());
  await page.keyboard.press("/");
  const field = page.getByRole("combobox", { name: "Person, Raum, Gruppe oder Seite" });
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("");
  await page.keyboard.type(bare(person.display_name));
  await expect(page.getByRole("option", { name: person.display_name })).toBeVisible();
  await accessible(page, "the palette");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`/people?person=${person.id}`);
  await expect(page.getByRole("dialog", { name: person.display_name })).toBeVisible();
});

test("Ctrl-K finds pages and groups by arrows, and Escape gives the focus back", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const search = page.getByRole("searchbox", { name: "Name oder Gruppe suchen" });
  await search.focus();
  await page.keyboard.press("/");
  await expect(search).toHaveValue("/");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Suchen" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(search).toBeFocused();
  const { items: [group] } = await visitor.api(page.context(), "GET", "/groups");
  await page.keyboard.press("Control+k");
  await page.keyboard.type(bare(group.name));
  const found = page.getByRole("listbox", { name: "Treffer" });
  await expect(found.getByRole("option", { name: group.name })).toBeVisible();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("gerat");
  await expect(found.getByRole("option", { selected: true })).toHaveText("Geräte");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/devices");
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

test("the rows of the list speak the language that is pressed", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const table = page.locator("table.people");
  await expect(table.getByText("Unterwegs").first()).toBeVisible();
  await page.getByRole("button", { name: "English" }).first().click();
  await expect(table.getByText("On the way").first()).toBeVisible();
  await expect(table.getByText("Unterwegs")).toHaveCount(0);
});

test("of a long list the first rows follow each key at once, and all of it when typing pauses", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const rows = page.locator("table.people tbody tr");
  await expect(page.getByRole("searchbox", { name: "Name oder Gruppe suchen" })).toBeVisible();
  const all = await rows.count();
  await page.evaluate(() => {
    window.drawn = [];
    const draw = () => window.drawn.push(document.querySelectorAll("table.people tbody tr").length);
    new MutationObserver(draw).observe(document.querySelector("table.people"), { childList: true, subtree: true });
  });
  // A letter that nearly all names have.
  await page.getByRole("searchbox", { name: "Name oder Gruppe suchen" }).fill("e");
  await expect.poll(() => page.evaluate(() => window.drawn)).toContain(40);
  await expect.poll(() => rows.count()).toBeGreaterThan(100);
  expect(await rows.count()).toBeLessThanOrEqual(all);
});

test("what is typed before the search is there is what it looks for, and nothing is said to be missing until it is known", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  await live(page);
  const { items: [person] } = await visitor.api(page.context(), "GET", "/people?role=member&limit=1");
  const held = async (url) => {
    const asked = [];
    let free;
    const freed = new Promise((resolve) => { free = resolve; });
    await page.route(url, async (route) => {
      asked.push(route.request().url());
      await freed;
      await route.continue();
    });
    return { asked, free };
  };
  const search = await held("**/palette.js");
  const answers = await held("**/api/v1/people?limit=12&q=*");
  await page.keyboard.type("/?qxq");
  await expect.poll(() => search.asked.length).toBe(1);
  search.free();
  const field = page.getByRole("dialog", { name: "Suchen" }).getByRole("combobox");
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("?qxq");
  await expect.poll(() => answers.asked.length).toBe(1);
  const none = page.getByText("Nichts gefunden");
  await expect(none).toHaveCount(0);
  answers.free();
  await expect(none).toBeVisible();
  await page.keyboard.press("Control+a");
  await page.keyboard.type(person.display_name);
  await expect(page.getByRole("option", { name: person.display_name })).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Schließen" }).click();
  await page.keyboard.press("/");
  await expect(field).toHaveValue("");
  await page.unrouteAll({ behavior: "wait" });
});

test("Ctrl-K finds rooms and what can be done, for those who may do it", async ({ visitor }) => {
  const { context, run } = await visitor.supervisor();
  const staff = await context.newPage();
  await staff.goto("/help");
  await live(staff);
  const search = async (page, words) => {
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("combobox")).toBeFocused();
    await page.keyboard.type(words);
  };
  const found = (page) => page.getByRole("listbox", { name: "Treffer" });
  await search(staff, run.room_name);
  await expect(found(staff).getByRole("option", { name: run.room_name }).first()).toContainText(run.activity_name);
  await staff.keyboard.press("Enter");
  await expect(staff).toHaveURL(`/supervision?run=${run.id}`);
  await search(staff, "importieren");
  await expect(staff.getByText("Nichts gefunden für „importieren“.")).toBeVisible();
  await staff.keyboard.press("Control+a");
  await staff.keyboard.type("jetzt beginnen");
  await staff.keyboard.press("Enter");
  await expect(staff).toHaveURL("/supervision?start=1");

  const lead = await visitor.page({ role: "admin" }, "/");
  await live(lead);
  await search(lead, "importieren");
  await expect(found(lead).getByRole("option", { selected: true })).toHaveText("CSV importieren");
  await lead.keyboard.press("Enter");
  await expect(lead).toHaveURL("/people?import=1");
  await expect(lead.getByRole("dialog", { name: "CSV importieren" })).toBeVisible();
});

test("\"?\" lists the keys", async ({ visitor }) => {
  const page = await visitor.page({ role: "staff" }, "/help");
  await live(page);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Tasten" })).toContainText("Personen, Räume und Seiten suchen");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("who comes back to the list is where they were, and its head stays in sight", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  await expect(page.locator("tbody tr").nth(200)).toBeAttached();
  await page.evaluate(() => scrollTo(0, 3000));
  await expect.poll(() => page.evaluate(() => document.querySelector("thead th").getBoundingClientRect().top)).toBeGreaterThanOrEqual(0);
  await expect(page.getByRole("columnheader", { name: "Gruppe" })).toBeInViewport();
  await page.locator(".side").getByRole("link", { name: "Geräte" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Geräte");
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
  expect(await page.evaluate(() => scrollY)).toBe(0);
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Personen");
  await expect.poll(() => page.evaluate(() => Math.round(scrollY))).toBe(3000);
});

test("on a phone every column of the list is whole", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", viewport: { width: 390, height: 844 } }, "/people");
  await expect(page.locator("tbody tr").first()).toBeVisible();
  const over = await page.locator(".table-frame").evaluate((frame) => frame.scrollWidth - frame.clientWidth);
  expect(over).toBeLessThanOrEqual(0);
});

test("a card that was blocked by mistake is valid again, and one in the wrong hands goes to others", async ({ visitor }) => {
  const lead = await visitor.page({ role: "admin" }, "/people");
  const [one, other] = (await visitor.api(lead.context(), "GET", "/people?role=member&limit=2")).items;
  const card = (page, person) => page.getByRole("dialog", { name: person.display_name });
  const item = (page, person) => card(page, person).getByRole("listitem").filter({ hasText: "…C0FE" });
  const give = async (person) => {
    await lead.goto(`/people?person=${person.id}`);
    await card(lead, person).getByLabel("Neue Karte").fill("DEB0C0FE");
    await lead.keyboard.press("Enter");
  };
  await give(one);
  await expect(item(lead, one)).toContainText("gültig");
  await accessible(lead, "cards");
  await item(lead, one).getByRole("button", { name: "Sperren" }).click();
  await expect(item(lead, one)).toContainText("gesperrt");
  await lead.locator(".toast", { hasText: "Karte …C0FE ist gesperrt." }).getByRole("button", { name: "Rückgängig" }).click();
  await expect(item(lead, one)).toContainText("gültig");

  // The office cannot unblock: it is asked first.
  const office = await visitor.page({ role: "office" }, `/people?person=${one.id}`);
  await item(office, one).getByRole("button", { name: "Sperren" }).click();
  const asked = office.getByRole("dialog", { name: "Karte …C0FE sperren?" });
  await expect(asked).toContainText("Nur die Leitung kann sie wieder freigeben.");
  await office.keyboard.press("Escape");
  await expect(asked).toHaveCount(0);
  await expect(item(office, one)).toContainText("gültig");
  await item(office, one).getByRole("button", { name: "Sperren" }).click();
  await asked.getByRole("button", { name: "Sperren" }).click();
  await expect(item(office, one)).toContainText("gesperrt");
  await expect(item(office, one).getByRole("button")).toHaveCount(0);

  await lead.reload();
  await item(lead, one).getByRole("button", { name: "Freigeben" }).click();
  await expect(item(lead, one)).toContainText("gültig");
  await give(other);
  await expect(lead.locator(".toast", { hasText: "Diese Karte gehört schon jemandem." })).toBeVisible();
  await lead.goto(`/people?person=${one.id}`);
  await item(lead, one).getByRole("button", { name: "Zurücknehmen" }).click();
  await lead.getByRole("dialog", { name: "Karte …C0FE zurücknehmen?" }).getByRole("button", { name: "Zurücknehmen" }).click();
  await expect(item(lead, one)).toHaveCount(0);
  await give(other);
  await expect(item(lead, other)).toContainText("gültig");
  await item(lead, other).getByRole("button", { name: "Zurücknehmen" }).click();
  await lead.getByRole("dialog", { name: "Karte …C0FE zurücknehmen?" }).getByRole("button", { name: "Zurücknehmen" }).click();
  await expect(item(lead, other)).toHaveCount(0);
});

test("a double tap adds somebody once", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people?add=1");
  const found = async () => (await visitor.api(page.context(), "GET", "/people?q=Doppelbaum")).items;
  const dialog = page.getByRole("dialog", { name: "Person anlegen" });
  await dialog.getByLabel("Vorname").fill("Dora");
  await dialog.getByLabel("Nachname").fill("Doppelbaum");
  let letThrough;
  const held = new Promise((resolve) => { letThrough = resolve; });
  await page.route("**/api/v1/people", async (route) => {
    await held;
    await route.continue();
  });
  await dialog.getByRole("button", { name: "Speichern" }).dblclick();
  letThrough();
  await expect(page.getByRole("dialog", { name: "Dora Doppelbaum" })).toBeVisible();
  await page.unrouteAll({ behavior: "wait" });
  expect(await found()).toHaveLength(1);
  for (const one of await found()) await visitor.api(page.context(), "PATCH", `/people/${one.id}`, { state: "inactive" });
});

const file = (text) => ({ name: "kinder.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
const figure = (page, label) => page.getByRole("dialog").locator(".tile", { hasText: label }).locator("b");

test("a list is tried first, its errors are named by row and column, then it is taken over once", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const found = async () => (await visitor.api(page.context(), "GET", "/people?q=Quittenbaum")).items;
  await page.getByRole("button", { name: "CSV importieren" }).click();
  await expect(page).toHaveURL("/people?import=1");
  const dialog = page.getByRole("dialog", { name: "CSV importieren" });
  const chosen = dialog.getByLabel("Datei");
  await chosen.setInputFiles(file("Vorname;Nachname;Rolle\nUlla;Quittenbaum;Kind\nUdo;Quittenbaum;König\n"));
  await expect(figure(page, "Fehler")).toHaveText("1");
  await expect(dialog.locator("tbody tr td")).toHaveText(["3", "Rolle", "König", "Diese Rolle ist nicht bekannt. Möglich sind Kind, Personal und Büro."]);
  await expect(dialog.getByRole("button", { name: "importieren" })).toBeDisabled();
  await accessible(page, "a preview with an error");

  // The same file is chosen again when it has been corrected: the browser must take that for news.
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), chosen.click()]);
  expect(await chosen.evaluate((input) => input.value)).toBe("");
  const right = file("Vorname;Nachname;Rolle\nUlla;Quittenbaum;Kind\nUdo;Quittenbaum;Kind\n");
  await chooser.setFiles(right);
  await expect(figure(page, "neu")).toHaveText("2");
  await expect(dialog.getByRole("table")).toHaveCount(0);
  await dialog.getByText("Wer neu ist oder sich ändert (2)").click();
  await expect(dialog.locator("tbody tr").last().locator("td")).toHaveText(["3", "Udo Quittenbaum", "neu"]);
  await accessible(page, "a preview with its rows");
  expect(await found()).toEqual([]);
  await tabTo(page, dialog.getByRole("button", { name: "2 importieren" }));
  await page.keyboard.press("Enter");
  await expect(dialog.getByText("2 importiert")).toBeVisible();
  await chosen.setInputFiles(right);
  await expect(figure(page, "gleich")).toHaveText("2");
  await expect(dialog.getByRole("button", { name: "importieren" })).toBeDisabled();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL("/people");
  await page.getByRole("searchbox").fill("quittenbaum");
  await expect(page.locator("tbody tr")).toHaveCount(2);
  for (const one of await found()) await visitor.api(page.context(), "PATCH", `/people/${one.id}`, { state: "inactive" });
});

test("an import is undone from its report, and from the dialog when it is opened again", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people?import=1");
  const found = async () => (await visitor.api(page.context(), "GET", "/people?q=Erlenbusch")).items;
  const dialog = page.getByRole("dialog", { name: "CSV importieren" });
  const question = page.getByRole("dialog", { name: "Import rückgängig machen?" });
  const undo = dialog.getByRole("button", { name: "Import rückgängig machen" });
  const take = async () => {
    await dialog.getByLabel("Datei").setInputFiles(file("Vorname;Nachname\nUlla;Erlenbusch\nUdo;Erlenbusch\n"));
    await dialog.getByRole("button", { name: "2 importieren" }).click();
    await expect(dialog.getByText("2 importiert")).toBeVisible();
  };
  await take();
  await expect(dialog).toContainText(/Zuletzt importiert am .*: 2 neu, 0 geändert\./);
  await accessible(page, "a report that can be undone");
  await tabTo(page, undo);
  await page.keyboard.press("Enter");
  await expect(question).toContainText("2 neu, 0 geändert");
  await accessible(page, "the question before an undo");
  await page.keyboard.press("Escape");
  expect(await found()).toHaveLength(2);
  await undo.click();
  await question.getByRole("button", { name: "Import rückgängig machen" }).click();
  await expect(dialog.getByText("Rückgängig gemacht: 2 entfernt, 0 wie vorher")).toBeVisible();
  expect(await found()).toEqual([]);

  await take();
  await visitor.api(page.context(), "PATCH", `/people/${(await found())[0].id}`, { display_name: "U. Erlenbusch" });
  await page.goto("/people?import=1");
  await undo.click();
  await question.getByRole("button", { name: "Import rückgängig machen" }).click();
  await expect(dialog).toContainText("Rückgängig gemacht: 1 entfernt, 0 wie vorher");
  await expect(dialog).toContainText("Eine Person ist jetzt inaktiv, weil inzwischen mehr von ihr bekannt ist.");
  await expect(dialog.getByRole("button", { name: "Schließen" }).last()).toBeVisible();
  expect(await found()).toEqual([]);
});

test("an import whose answer is lost is done once, also when it is confirmed again with two taps", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people?import=1");
  const dialog = page.getByRole("dialog", { name: "CSV importieren" });
  const confirm = dialog.getByRole("button", { name: "2 importieren" });
  const keys = [];
  let cut = true;
  const isConfirmed = (url) => url.pathname.endsWith("/people/import") && url.searchParams.get("dry_run") === "false";
  await page.route(isConfirmed, async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (!cut) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await dialog.getByLabel("Datei").setInputFiles(file("Vorname;Nachname\nUlla;Weidenried\nUdo;Weidenried\n"));
  await confirm.click();
  await expect(dialog.locator(".field-error")).toBeVisible({ timeout: 20_000 });
  cut = false;
  await confirm.dblclick();
  await expect(dialog.getByText("2 importiert")).toBeVisible();
  await page.unrouteAll({ behavior: "wait" });
  expect(keys).toHaveLength(4);
  expect(new Set(keys).size).toBe(1);
  expect((await visitor.api(page.context(), "GET", "/people?q=Weidenried")).items).toHaveLength(2);
  const { items } = await visitor.api(page.context(), "GET", "/people/imports");
  expect(items[0].new).toBe(2);

  // In a second tab it has been undone meanwhile: the first says so, and nothing is undone twice.
  await visitor.api(page.context(), "POST", `/people/imports/${items[0].id}/undo`, {});
  await dialog.getByRole("button", { name: "Import rückgängig machen" }).click();
  await page.getByRole("dialog", { name: "Import rückgängig machen?" }).getByRole("button", { name: "Import rückgängig machen" }).click();
  await expect(dialog.getByText("Rückgängig gemacht: 2 entfernt, 0 wie vorher")).toBeVisible();
  expect((await visitor.api(page.context(), "GET", "/people?q=Weidenried")).items).toEqual([]);
});

test("the preview names the columns that are not read", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people?import=1");
  const dialog = page.getByRole("dialog", { name: "CSV importieren" });
  await dialog.getByLabel("Datei").setInputFiles(file("Vorname;Nachname;Geburtstag;;Klase\nIda;Birkenzweig;31.02.2017;;1a\n"));
  await expect(figure(page, "neu")).toHaveText("1");
  await expect(dialog.getByText("Spalten: 2 von 4 werden gelesen")).toBeVisible();
  const unread = dialog.getByRole("listitem").filter({ has: page.locator("option:checked", { hasText: "wird nicht gelesen" }) });
  await expect(unread.locator("b")).toHaveText(["Geburtstag", "Klase"]);
});

test("a column that is called otherwise is matched by keyboard, and what was said holds for the corrected file", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people?import=1");
  const dialog = page.getByRole("dialog", { name: "CSV importieren" });
  const kind = dialog.getByLabel(/^Kind/);
  await dialog.getByLabel("Datei").setInputFiles(file("Kind;Stamm;Rolle\n\"Ulmenhain, Ulla\";9q;König\n"));
  await expect(dialog.locator("tbody tr td").last()).toHaveText("Es fehlt eine Spalte mit Namen. Bitte oben zuordnen.");
  await tabTo(page, kind);
  await page.keyboard.type("ganzer");
  await expect(dialog.locator("tbody tr td").last()).toHaveText(/^Diese Rolle ist nicht bekannt/);
  await expect(kind).toBeFocused();
  await dialog.getByLabel(/^Stamm/).selectOption("Klasse");
  await expect(dialog.getByText("Spalten: 3 von 3 werden gelesen")).toBeVisible();
  await expect(dialog.getByLabel(/^Stamm/)).toBeVisible();
  await accessible(page, "columns that are matched");

  await dialog.getByLabel("Datei").setInputFiles(file("Kind;Stamm;Rolle\n\"Ulmenhain, Ulla\";9q;Kind\n"));
  await dialog.getByRole("button", { name: "1 importieren" }).click();
  await expect(dialog.getByText("1 importiert")).toBeVisible();
  const [ulla] = (await visitor.api(page.context(), "GET", "/people?q=Ulmenhain")).items;
  expect([ulla.display_name, ulla.groups.map((group) => group.name)]).toEqual(["Ulla Ulmenhain", ["9q"]]);
  const { items } = await visitor.api(page.context(), "GET", "/people/imports");
  await visitor.api(page.context(), "POST", `/people/imports/${items[0].id}/undo`, {});

  // Another file is read by its own headings.
  await dialog.getByLabel("Datei").setInputFiles(file("Kind;Rolle\n\"Ulmenhain, Ulla\";Kind\n"));
  await expect(dialog.locator("tbody tr td").last()).toHaveText("Es fehlt eine Spalte mit Namen. Bitte oben zuordnen.");
});

test("staff find no import, and of those out of their care see only whether they are here", async ({ visitor }) => {
  const { username } = await visitor.groupLead();
  const page = await visitor.page({ username }, "/people");
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "CSV importieren" })).toHaveCount(0);
  const { items } = await visitor.api(page.context(), "GET", "/people?limit=500");
  const other = items.find((one) => !one.groups && one.status === "present");
  await expect(row(page, other.display_name).first().getByRole("cell")).toHaveText(["", "", "Anwesend"]);
});

test("who has forgotten the password gets a new one from the lead, and an account is closed and opened again", async ({ visitor }) => {
  const lead = await visitor.page({ role: "admin" }, "/people");
  const person = await visitor.api(lead.context(), "POST", "/people", { given_name: "Orla", family_name: "Quint", role: "staff" });
  const { password: first } = await visitor.api(lead.context(), "POST", `/people/${person.id}/account`, { username: "orla.quint" });
  const card = lead.getByRole("dialog", { name: "Orla Quint" });
  await lead.goto(`/people?person=${person.id}`);
  await card.getByRole("button", { name: "Neues Passwort" }).click();
  await lead.getByRole("dialog", { name: "Neues Passwort für Orla Quint?" }).getByRole("button", { name: "Neues Passwort" }).click();
  await expect(card).toContainText("Passwort von orla.quint. Es wird nur dieses eine Mal gezeigt.");
  const password = await card.locator("code").textContent();
  await accessible(lead, "a new password");
  expect(password).not.toBe(first);
  const other = await visitor.page();
  const signIn = async (word) => {
    await other.goto("/sign-in");
    await other.getByLabel("Benutzername").fill("orla.quint");
    await other.getByLabel("Passwort", { exact: true }).fill(word);
    await other.keyboard.press("Enter");
  };
  await signIn(first);
  await expect(other.getByRole("alert")).toBeVisible();
  await signIn(password);
  await expect(other.getByRole("navigation").first()).toBeVisible();

  await lead.reload();
  await expect(card).not.toContainText(password);
  await card.getByRole("button", { name: "Konto sperren" }).click();
  await lead.getByRole("dialog", { name: "Konto von Orla Quint sperren?" }).getByRole("button", { name: "Konto sperren" }).click();
  await expect(card).toContainText("gesperrt");
  await accessible(lead, "a closed account");
  await expect(other).toHaveURL(/\/sign-in/);
  await signIn(password);
  await expect(other.getByRole("alert")).toBeVisible();
  await card.getByRole("button", { name: "Konto freigeben" }).click();
  await expect(card.getByRole("button", { name: "Konto sperren" })).toBeVisible();
  await signIn(password);
  await expect(other.getByRole("navigation").first()).toBeVisible();

  // One's own is changed on the page for it.
  const own = (await visitor.api(lead.context(), "GET", "/me")).person;
  await lead.goto(`/people?person=${own.id}`);
  await expect(lead.getByRole("dialog", { name: own.display_name })).toContainText("Konto");
  await expect(lead.getByRole("button", { name: "Neues Passwort" })).toHaveCount(0);
});
