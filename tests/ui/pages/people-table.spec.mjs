// The table of people as a clerk works with it: order, columns, picking many, acting on them, paper.
import { accessible, expect, live, tabTo, test } from "../house.mjs";

const rows = (page) => page.locator("table.people tbody tr");
const names = (page) => page.locator("table.people tbody th").allTextContents();
const header = (page, name) => page.getByRole("columnheader", { name, exact: true });
const box = (page, name) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: true }) }).getByRole("checkbox");
const bar = (page, name = "Auswahl") => page.getByRole("region", { name });
const dialog = (page, name) => page.getByRole("dialog", { name, exact: true });

/** As many people as are asked for, whom no other test knows, all of one family. */
async function family(visitor, context, name, count, more = {}) {
  const made = [];
  for (let at = 1; at <= count; at += 1) made.push(await visitor.api(context, "POST", "/people", { given_name: `Kind${at}`, family_name: name, role: "member", ...more }));
  return made;
}

async function gone(visitor, context, people) {
  for (const one of people) await visitor.api(context, "PATCH", `/people/${one.id}`, { state: "inactive" });
}

test("every column sorts, up and down, the order is an address and is remembered for this person", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  await expect(header(page, "Name")).toHaveAttribute("aria-sort", "ascending");
  const byName = await names(page);
  await tabTo(page, header(page, "Name").getByRole("button"));
  await page.keyboard.press("Enter");
  await expect(header(page, "Name")).toHaveAttribute("aria-sort", "descending");
  await expect(page).toHaveURL("/people?sort=-name");
  await expect(rows(page)).toHaveCount(byName.length);
  expect(await names(page)).toEqual([...byName].reverse());

  await header(page, "Gruppe").getByRole("button").click();
  await expect(header(page, "Gruppe")).toHaveAttribute("aria-sort", "ascending");
  await expect(header(page, "Name")).not.toHaveAttribute("aria-sort", /./);
  await expect(rows(page)).toHaveCount(byName.length);
  const groups = await page.locator("table.people tbody td.group").allTextContents();
  const order = new Intl.Collator("de", { numeric: true });
  const inGroups = groups.slice(0, 180);
  expect(inGroups).toEqual([...inGroups].sort(order.compare));

  await header(page, "Jetzt").getByRole("button").click();
  await expect(page).toHaveURL("/people?sort=now");
  await expect(rows(page)).toHaveCount(byName.length);
  const where = (await page.locator("table.people tbody td.now").allTextContents()).map((text) => (text === "Nicht da" ? 3 : text === "Unterwegs" ? 2 : 1));
  expect(where).toEqual([...where].sort());
  // One group is enough for axe, which looks at each cell.
  const { items: [group] } = await visitor.api(page.context(), "GET", "/groups");
  await page.goto(`/people?group=${group.id}`);
  await expect(header(page, "Jetzt")).toHaveAttribute("aria-sort", "ascending");
  await accessible(page, "a sorted table");
});

test("columns are chosen, remembered for this person on this device, and the office sees those of the file", async ({ visitor }) => {
  const page = await visitor.page({ role: "office" }, "/");
  const { items: [group] } = await visitor.api(page.context(), "GET", "/groups");
  await page.goto(`/people?group=${group.id}`);
  await expect(page.getByRole("columnheader")).toHaveText(["Name", "Gruppe", "Jetzt"]);
  await page.getByRole("button", { name: "Spalten" }).click();
  await expect(page).toHaveURL(`/people?group=${group.id}&columns=1`);
  const choice = dialog(page, "Spalten");
  for (const name of ["Nummer", "Karten", "Sprache", "Rolle"]) await choice.getByLabel(name).check();
  await choice.getByLabel("Jetzt").uncheck();
  await accessible(page, "the choice of columns");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("columnheader")).toHaveText(["Name", "Gruppe", "Rolle", "Nummer", "Karten", "Sprache"]);
  await expect(page.getByRole("button", { name: "Spalten" })).toBeFocused();
  await accessible(page, "all columns");
  await page.reload();
  await expect(page.getByRole("columnheader")).toHaveText(["Name", "Gruppe", "Rolle", "Nummer", "Karten", "Sprache"]);
  const { items } = await visitor.api(page.context(), "GET", `/people?group_id=${group.id}&limit=1`);
  const line = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: items[0].display_name, exact: true }) });
  await expect(line.locator("td.badges")).toHaveText(String(items[0].badge_count));

  // Somebody else on this device has their own.
  await visitor.signIn(page.context(), visitor.username("admin"));
  await page.goto("/people");
  await expect(page.getByRole("columnheader")).toHaveText(["Name", "Gruppe", "Jetzt"]);
  const staff = await visitor.page({ role: "staff" }, "/people?columns=1");
  await expect(dialog(staff, "Spalten").getByRole("checkbox")).toHaveCount(3);
});

test("rows are picked by box, by Shift and by Ctrl-A, by mouse and by keyboard alone", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  await live(page);
  const boxes = page.locator("table.people tbody td.box input");
  await boxes.nth(2).click();
  await boxes.nth(5).click({ modifiers: ["Shift"] });
  await expect(bar(page)).toContainText("4 ausgewählt");
  await page.locator("table.people tbody td.box").nth(3).click({ position: { x: 2, y: 2 } });
  await expect(bar(page)).toContainText("3 ausgewählt");
  await bar(page).getByRole("button", { name: "Aufheben" }).click();
  await expect(bar(page)).toHaveCount(0);
  await expect(page.getByRole("checkbox", { name: "Alle in der Liste auswählen" })).toBeFocused();

  // What is shown, and no more; what was picked before a search stays.
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(bar(page)).toContainText("3 ausgewählt");
  const first = (await names(page))[0];
  const all = await rows(page).count();
  await page.keyboard.press("Control+a");
  await expect(bar(page)).toContainText(`${all} ausgewählt`);
  await page.keyboard.press("Escape");
  await expect(bar(page)).toHaveCount(0);
  // After that a range begins anew.
  await boxes.nth(7).click({ modifiers: ["Shift"] });
  await expect(bar(page)).toContainText("1 ausgewählt");
  await page.keyboard.press("Escape");
  await box(page, first).click();
  await page.getByRole("searchbox").fill("xyzxyz");
  await expect(bar(page)).toContainText("1 davon nicht in dieser Liste");
  await page.getByRole("searchbox").fill("");
  await page.getByRole("searchbox").fill(first);
  await expect(box(page, first)).toBeChecked();
  await accessible(page, "a selection");
  await box(page, first).press("Enter");
  await expect(bar(page).getByRole("button").first()).toBeFocused();
});

for (const [lang, words] of Object.entries({
  de: { bar: "Auswahl", move: "In Gruppe …", title: "3 Personen in eine Gruppe verschieben", group: "Gruppe", now: "Verschieben", said: (name) => `3 Personen sind jetzt in ${name}.`, undo: "Rückgängig", back: "Zurückgenommen: 3", all: "Alle in der Liste auswählen" },
  en: { bar: "Selection", move: "To group …", title: "Move 3 people to a group", group: "Group", now: "Move", said: (name) => `3 people are in ${name} now.`, undo: "Undo", back: "Taken back: 3", all: "Select all in the list" },
})) {
  test(`many are moved into a group, out of their own of its kind, and back, ${lang}`, async ({ visitor }) => {
    const page = await visitor.page({ role: "admin", lang }, "/people");
    const { items: groups } = await visitor.api(page.context(), "GET", "/groups?limit=100");
    const [from, to] = groups.filter((group) => group.kind === "care");
    const other = groups.find((group) => group.kind === "class");
    const people = await family(visitor, page.context(), `Umzug${lang}`, 3);
    for (const one of people) await visitor.api(page.context(), "PATCH", `/people/${one.id}/groups`, { added: [from.id, other.id] });
    const groupsNow = async () => Promise.all(people.map(async (one) => (await visitor.api(page.context(), "GET", `/people/${one.id}`)).groups.map((group) => group.id).sort().join()));
    const [before, after] = [[from.id, other.id], [to.id, other.id]].map((ids) => Array(3).fill([...ids].sort().join()));
    await page.goto(`/people?q=umzug${lang}`);
    await page.getByRole("checkbox", { name: words.all }).check();
    await bar(page, words.bar).getByRole("button", { name: words.move }).click();
    const choice = dialog(page, words.title);
    await choice.getByLabel(words.group).selectOption(to.name);
    await accessible(page, "the choice of a group");
    await choice.getByRole("button", { name: words.now }).click();
    const toast = page.locator(".toast", { hasText: words.said(to.name) });
    await expect(toast).toBeVisible();
    await expect(bar(page, words.bar)).toHaveCount(0);
    expect(await groupsNow()).toEqual(after);
    await expect(rows(page).first().locator("td.group")).toContainText(to.name);
    await toast.getByRole("button", { name: words.undo }).click();
    await expect(page.locator(".toast", { hasText: words.back })).toBeVisible();
    expect(await groupsNow()).toEqual(before);
    await gone(visitor, page.context(), people);
  });
}

test("what did not work is said with whom and why, and they stay picked", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const people = await family(visitor, page.context(), "Gemischt", 2);
  const [colleague] = await family(visitor, page.context(), "Gemischt", 1, { role: "staff" });
  const { items: [group] } = await visitor.api(page.context(), "GET", "/groups");
  await page.goto("/people?q=gemischt");
  await page.getByRole("checkbox", { name: "Alle in der Liste auswählen" }).check();
  await bar(page).getByRole("button", { name: "In Gruppe …" }).click();
  await dialog(page, "3 Personen in eine Gruppe verschieben").getByLabel("Gruppe").selectOption(group.name);
  await page.getByRole("button", { name: "Verschieben" }).click();
  await expect(bar(page)).toContainText("2 erledigt, 1 fehlgeschlagen");
  await expect(bar(page).getByRole("button", { name: "Zeigen" })).toBeFocused();
  await expect(bar(page)).toContainText("1 ausgewählt");
  await accessible(page, "a result with a failure");
  await bar(page).getByRole("button", { name: "Zeigen" }).click();
  await expect(dialog(page, "Fehlgeschlagen: 1").getByRole("listitem")).toHaveText(`${colleague.display_name}Diese Gruppe gibt es nicht, oder die Rolle passt nicht: nur Kinder sind in Gruppen.`);
  await accessible(page, "who failed");
  await page.keyboard.press("Escape");
  await bar(page).getByRole("button", { name: "Rückgängig" }).click();
  await expect.poll(async () => (await visitor.api(page.context(), "GET", `/people/${people[0].id}`)).groups).toEqual([]);
  await gone(visitor, page.context(), [...people, colleague]);
});

test("what takes long is stopped: who was not reached stays picked, and what was done can be undone", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const people = await family(visitor, page.context(), "Anhalt", 6);
  const { items: [group] } = await visitor.api(page.context(), "GET", "/groups");
  let free;
  const freed = new Promise((resolve) => { free = resolve; });
  const asked = [];
  await page.route("**/api/v1/people/*/groups", async (route) => {
    asked.push(route.request().url());
    await freed;
    await route.continue();
  });
  await page.goto("/people?q=anhalt");
  await page.getByRole("checkbox", { name: "Alle in der Liste auswählen" }).check();
  await bar(page).getByRole("button", { name: "In Gruppe …" }).click();
  await dialog(page, "6 Personen in eine Gruppe verschieben").getByLabel("Gruppe").selectOption(group.name);
  await page.getByRole("button", { name: "Verschieben" }).click();
  await expect.poll(() => asked.length).toBe(4);
  await expect(bar(page).getByRole("progressbar")).toHaveText("0 von 6 …");
  await accessible(page, "while it is under way");
  await expect(bar(page).getByRole("button", { name: "Anhalten" })).toBeFocused();
  await page.keyboard.press("Enter");
  free();
  await expect(bar(page)).toContainText("2 ausgewählt");
  const toast = page.locator(".toast", { hasText: `4 Personen sind jetzt in ${group.name}.` });
  await toast.getByRole("button", { name: "Rückgängig" }).click();
  await expect(page.locator(".toast", { hasText: "Zurückgenommen: 4" })).toBeVisible();
  expect(asked).toHaveLength(8);
  await page.unrouteAll({ behavior: "wait" });
  await gone(visitor, page.context(), people);
});

test("many leave for good: asked once with their number, taken in again, found among the former", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const people = await family(visitor, page.context(), "Abgang", 3);
  await visitor.api(page.context(), "POST", `/attendance/${people[0].id}`, { status: "present" });
  await page.goto("/people?q=abgang");
  const leave = async () => {
    await page.getByRole("checkbox", { name: "Alle in der Liste auswählen" }).check();
    await bar(page).getByRole("button", { name: "Ausscheiden …" }).click();
    return dialog(page, "3 Personen als ausgeschieden markieren?");
  };
  const asked = await leave();
  await expect(asked).toContainText("Eine Person ist gerade im Haus und wird ausgecheckt.");
  await accessible(page, "the question");
  await asked.getByRole("button", { name: "Abbrechen" }).click();
  await expect(bar(page)).toContainText("3 ausgewählt");
  await bar(page).getByRole("button", { name: "Ausscheiden …" }).click();
  await asked.getByRole("button", { name: "Ausscheiden …" }).click();
  const toast = page.locator(".toast", { hasText: "3 Personen sind ausgeschieden." });
  await expect(toast).toBeVisible();
  await expect(rows(page)).toHaveCount(0);
  await toast.getByRole("button", { name: "Wieder aufnehmen" }).click();
  await expect(rows(page)).toHaveCount(3);
  await (await leave()).getByRole("button", { name: "Ausscheiden …" }).click();
  await expect(rows(page)).toHaveCount(0);

  await page.getByLabel("Status").selectOption("ausgeschieden");
  await expect(page).toHaveURL("/people?q=abgang&status=inactive");
  await expect(rows(page)).toHaveCount(3);
  await page.reload();
  await expect(rows(page)).toHaveCount(3);
  await accessible(page, "the former");
  await page.getByRole("checkbox", { name: "Alle in der Liste auswählen" }).check();
  await bar(page).getByRole("button", { name: "Wieder aufnehmen" }).click();
  await expect(page.locator(".toast", { hasText: "3 Personen gehören wieder zum Haus." })).toBeVisible();
  await expect(rows(page)).toHaveCount(0);
  await gone(visitor, page.context(), people);
});

test("no box is the browser's to keep: a page that is loaded anew has nobody picked", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  const boxes = page.locator("table.people tbody td.box input");
  await boxes.nth(1).click();
  await expect(bar(page)).toBeVisible();
  expect(await boxes.evaluateAll((all) => all.every((one) => one.autocomplete === "off"))).toBe(true);
  await page.reload();
  await expect(boxes.nth(1)).not.toBeChecked();
  await expect(bar(page)).toHaveCount(0);
});

test("office and staff print who is picked, and change nobody", async ({ visitor }) => {
  for (const role of ["office", "staff"]) {
    const page = await visitor.page({ role }, "/people");
    await page.locator("table.people tbody td.box input").first().click();
    await expect(bar(page).getByRole("button")).toHaveText(["Drucken", "Aufheben"]);
    const state = page.getByLabel("Status").getByRole("option", { name: "ausgeschieden" });
    await expect(state).toHaveCount(role === "office" ? 1 : 0);
  }
});

test("on paper stand those who are picked, in the chosen columns, with title, time and pages", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/people");
  await live(page);
  await page.evaluate(() => { window.print = () => { window.printing = (window.printing ?? 0) + 1; }; });
  const all = await rows(page).count();
  const picked = (await names(page)).slice(1, 4);
  for (const name of picked) await box(page, name).click();
  // Also who is not in the list at the moment.
  await page.getByRole("searchbox").fill(picked[0]);
  await expect(rows(page)).toHaveCount(1);
  await bar(page).getByRole("button", { name: "Drucken" }).click();
  await expect.poll(() => page.evaluate(() => window.printing)).toBe(1);
  await page.emulateMedia({ media: "print" });
  expect(await names(page)).toEqual(picked);
  for (const hidden of [bar(page), page.locator(".filters"), page.locator("td.box").first(), page.locator(".side")]) await expect(hidden).toBeHidden();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("3 ausgewählt").and(page.locator("p.print-only"))).toBeVisible();
  await expect(page.locator(".as-of .print-only")).toHaveText(/\d{4}, \d\d:\d\d:\d\d$/);
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
  expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(1);
  await page.emulateMedia({ media: "screen" });
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("searchbox").fill("");
  await expect(rows(page)).toHaveCount(all);
  expect(await page.evaluate(() => [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).some((rule) => /counter\(pages?\)/.test(rule.cssText)))).toBe(true);
  const whole = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
  expect(whole.match(/\/Type \/Page\b/g).length).toBeGreaterThan(4);
});

test("on a phone all that the table has can be reached, and the bar covers no way out", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin", viewport: { width: 360, height: 740 } }, "/people?columns=1");
  for (const name of ["Nummer", "Karten", "Rolle"]) await dialog(page, "Spalten").getByLabel(name).check();
  await page.keyboard.press("Escape");
  await header(page, "Karten").getByRole("button").click();
  await expect(page).toHaveURL(/sort=badges/);
  await page.getByRole("searchbox").fill("Vogel");
  await page.locator("table.people tbody td.box input").first().click();
  await expect(bar(page)).toBeVisible();
  const foot = await page.locator(".side").boundingBox();
  const over = await bar(page).boundingBox();
  expect(over.y + over.height).toBeLessThanOrEqual(foot.y);
  expect(over.height).toBeLessThanOrEqual(150);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  expect(await page.locator(".table-frame").evaluate((frame) => frame.scrollWidth - frame.clientWidth)).toBeLessThanOrEqual(0);
  await accessible(page, "on a phone");
});
