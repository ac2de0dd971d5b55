// My supervision: members in and out by key and by tap, taken back, seen by a colleague; a run
// begun, ended and opened again.
import { accessible, expect, live, mark, tabTo, test as base } from "../house.mjs";

const test = base.extend({
  // A run of somebody with a group of their own, for this test alone.
  own: async ({ visitor }, use) => {
    const lead = await visitor.groupLead();
    const { items: [activity] } = await visitor.api(lead.context, "GET", "/activities?limit=100");
    const room = await freeRoom(visitor);
    const run = await visitor.api(lead.context, "POST", "/runs", { activity_id: activity.id, room_id: room.id, staff_ids: [lead.me.person.id] });
    await use({ ...lead, run });
    const { run: now } = await visitor.api(lead.context, "GET", `/runs/${run.id}`);
    if (!now.ended_at) await visitor.api(lead.context, "POST", `/runs/${run.id}/end`);
  },
  // The page of that run, live.
  page: async ({ own }, use) => {
    const page = await own.context.newPage();
    await page.goto(`/supervision?run=${own.run.id}`);
    await live(page);
    await use(page);
  },
});

async function freeRoom(visitor) {
  const { rooms } = await visitor.api(await visitor.context({ role: "admin" }), "GET", "/board");
  return rooms.find((room) => !room.run && room.count === 0);
}

const list = (page, name) => page.getByRole("region", { name });
const row = (page, name, person) => list(page, name).getByRole("button", { name: person });
const size = (page, name) => list(page, name).locator(".count");
const toast = (page, text) => page.locator(".toast", { hasText: text });

/** Somebody whom the run expects, who is in no room: a check-in moves nobody out of a lesson. From the middle: the
    tests of groups send the first and the last of a list home and back, which where the clock stands is the very
    moment at which a run ends later, so that it rightly does not put them back. */
async function someone(visitor, own) {
  const { expected } = await visitor.api(own.context, "GET", `/runs/${own.run.id}`);
  const here = expected.filter((one) => one.status === "present" && !one.room_name);
  return here[Math.floor(here.length / 2)].display_name;
}

test("a member is checked in and out by keyboard alone, and the focus stays in the list", async ({ own, page, visitor }) => {
  const name = await someone(visitor, own);
  const before = Number(await size(page, /^Erwartet/).textContent());
  await tabTo(page, row(page, /^Erwartet/, name));
  await page.keyboard.press("Enter");
  await expect(row(page, /^Hier/, name)).toBeEnabled();
  await expect(size(page, /^Hier/)).toHaveText("1");
  await expect(size(page, /^Erwartet/)).toHaveText(String(before - 1));
  await expect(list(page, /^Erwartet/).locator(".tap:focus")).toHaveCount(1);
  await row(page, /^Hier/, name).focus();
  await page.keyboard.press("Space");
  await expect(row(page, /^Gerade gegangen/, name)).toBeVisible();
  await expect(size(page, /^Hier/)).toHaveText("0");
  await expect(page.locator(":focus")).toHaveCount(1);
});

test("a check-in and a check-out are taken back by the toast and by Ctrl-Z", async ({ own, page, visitor }) => {
  const name = await someone(visitor, own);
  await row(page, /^Erwartet/, name).click();
  await toast(page, `${name} ist jetzt hier`).getByRole("button", { name: "Rückgängig" }).click();
  await expect(row(page, /^Erwartet/, name)).toBeVisible();
  await expect(size(page, /^Hier/)).toHaveText("0");
  await row(page, /^Erwartet/, name).click();
  await expect(row(page, /^Hier/, name)).toBeEnabled();
  await row(page, /^Hier/, name).click();
  await expect(toast(page, `${name} ausgecheckt`)).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(row(page, /^Hier/, name)).toBeVisible();
  await expect(row(page, /^Gerade gegangen/, name)).toHaveCount(0);
});

test("a check-in and a check-out are taken back by their rows for five minutes, once a tap", async ({ own, page, visitor }) => {
  const name = await someone(visitor, own);
  const back = (place) => list(page, place).getByRole("listitem").filter({ hasText: name }).getByRole("button", { name: "Zurücknehmen" });
  const clear = () => page.getByRole("button", { name: "Schließen" }).click();
  await row(page, /^Erwartet/, name).click();
  await clear();
  await row(page, /^Hier/, name).click();
  await clear();
  await expect(back(/^Gerade gegangen/)).toHaveAccessibleDescription(name);
  await accessible(page, "rows that can be taken back");
  await back(/^Gerade gegangen/).dblclick();
  await expect(row(page, /^Hier/, name)).toBeEnabled();
  await expect(row(page, /^Gerade gegangen/, name)).toHaveCount(0);
  await page.reload();
  await live(page);
  await tabTo(page, back(/^Hier/));
  await page.keyboard.press("Enter");
  await expect(row(page, /^Hier/, name)).toHaveCount(0);
  await expect(row(page, /^Erwartet/, name)).toBeVisible();
  await expect(page.locator("main :focus")).toHaveCount(1);
});

test("what was done more than five minutes ago is not offered to be taken back", async ({ own, page, visitor }) => {
  const name = await someone(visitor, own);
  await row(page, /^Erwartet/, name).click();
  const back = list(page, /^Hier/).getByRole("button", { name: "Zurücknehmen" });
  await expect(back).toBeVisible();
  await page.route(`**/api/v1/runs/${own.run.id}`, async (route) => {
    const run = await (await route.fetch()).json();
    await route.fulfill({ json: { ...run, here: run.here.map(({ undo_until: _, ...one }) => one) } });
  });
  await page.reload();
  await expect(row(page, /^Hier/, name)).toBeEnabled();
  await expect(back).toHaveCount(0);
  await page.unrouteAll({ behavior: "wait" });
});

test("a colleague's page shows it live, once, and without a reload", async ({ own, page, visitor }) => {
  const name = await someone(visitor, own);
  const other = await visitor.page({ role: "admin" }, `/supervision?run=${own.run.id}`);
  await live(other);
  const sameLoad = await mark(other);
  await row(page, /^Erwartet/, name).click();
  await expect(row(other, /^Hier/, name)).toHaveCount(1);
  await expect(row(other, /^Erwartet/, name)).toHaveCount(0);
  await expect(size(other, /^Hier/)).toHaveText("1");
  await row(other, /^Hier/, name).click();
  await expect(row(page, /^Gerade gegangen/, name)).toHaveCount(1);
  await expect(size(page, /^Hier/)).toHaveText("0");
  expect(await sameLoad()).toBe(true);
});

test("a check-in that the server refuses is rolled back and says why", async ({ own, page, visitor }) => {
  const name = await someone(visitor, own);
  const lead = await visitor.context({ role: "admin" });
  await visitor.api(lead, "PATCH", `/rooms/${own.run.room_id}`, { capacity: 1 });
  const other = (await visitor.onTheWay(lead)).find((one) => one.display_name !== name);
  const visit = await visitor.api(lead, "POST", "/visits", { member_id: other.id, run_id: own.run.id });
  await expect(row(page, /^Hier/, other.display_name)).toBeVisible();
  await row(page, /^Erwartet/, name).click();
  await expect(toast(page, "Der Raum ist voll.")).toBeVisible();
  await expect(row(page, /^Erwartet/, name)).toBeVisible();
  await expect(row(page, /^Hier/, name)).toHaveCount(0);
  await visitor.api(lead, "POST", `/visits/${visit.visit_id}/undo`);
  await visitor.api(lead, "PATCH", `/rooms/${own.run.room_id}`, { capacity: own.run.capacity });
});

test("anyone in the house is brought in by two letters, by keyboard", async ({ own, page, visitor }) => {
  const [member] = (await visitor.onTheWay(await visitor.context({ role: "admin" }))).slice(-1);
  await tabTo(page, page.getByRole("button", { name: "Jemanden holen" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("searchbox", { name: "Wen?" })).toBeFocused();
  await page.keyboard.type(member.display_name);
  await tabTo(page, page.getByRole("dialog").getByRole("button", { name: member.display_name }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(row(page, /^Hier/, member.display_name)).toBeVisible();
  // The stream may tell it before the answer is there that can be taken back.
  await expect(toast(page, `${member.display_name} ist jetzt hier`)).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(row(page, /^Hier/, member.display_name)).toHaveCount(0);
});

test("a dialog has an address, and Back closes it without leaving the page", async ({ own, page }) => {
  const at = `/supervision?run=${own.run.id}`;
  const dialog = page.getByRole("dialog");
  for (const [button, ask] of [["Jemanden holen", "bring"], ["Übergeben", "give"], ["Beenden", "end"]]) {
    await page.getByRole("button", { name: button }).click();
    await expect(dialog).toBeVisible();
    await expect(page).toHaveURL(`${at}&ask=${ask}`);
    await page.goBack();
    await expect(dialog).toHaveCount(0);
    await expect(page).toHaveURL(at);
    await expect(page.getByRole("heading", { level: 1, name: own.run.room_name })).toBeVisible();
  }
  await page.goto(`${at}&ask=bring`);
  await expect(page.getByRole("searchbox", { name: "Wen?" })).toBeFocused();
});

test("a run is begun by keyboard, ended with all its visits, and opened again with them", async ({ visitor }) => {
  const lead = await visitor.groupLead();
  const room = await freeRoom(visitor);
  const page = await lead.context.newPage();
  await page.goto("/supervision");
  await live(page);
  await page.getByLabel("Aktivität").selectOption({ index: 1 });
  await page.getByLabel("Raum").selectOption(room.id);
  await tabTo(page, page.getByRole("button", { name: "Jetzt beginnen" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: room.name })).toBeVisible();
  const runId = new URL(page.url()).searchParams.get("run");
  const own = { ...lead, run: { id: runId } };
  const name = await someone(visitor, own);
  await row(page, /^Erwartet/, name).click();
  await expect(row(page, /^Hier/, name)).toBeEnabled();

  const other = await visitor.page({ role: "admin" }, `/supervision?run=${runId}`);
  await expect(row(other, /^Hier/, name)).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Beenden" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toContainText("Eine Person wird ausgecheckt.");
  await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Beenden" }));
  await page.keyboard.press("Enter");
  await expect(toast(page, `${room.name} beendet, 1 ausgecheckt`)).toBeVisible();
  await expect(page.getByText(/^Um \d\d:\d\d beendet$/)).toBeVisible();
  await expect(row(other, /^Gerade gegangen/, name)).toBeVisible();
  await expect(size(other, /^Hier/)).toHaveText("0");

  // Where the act stood that is gone, the next one stands: nobody begins at the top of the page.
  await expect(page.getByRole("button", { name: "Wieder öffnen" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(row(page, /^Hier/, name)).toBeEnabled();
  await expect(page.getByRole("button", { name: "Jemanden holen" })).toBeFocused();
  await expect(row(other, /^Hier/, name)).toBeVisible();
  await visitor.api(lead.context, "POST", `/runs/${runId}/end`);
});

test("on a phone the lists are tabs, and a tap checks in", async ({ own, visitor }) => {
  const page = await visitor.page({ username: own.username, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, `/supervision?run=${own.run.id}`);
  await live(page);
  const name = await someone(visitor, own);
  await page.getByRole("tab", { name: /^Erwartet/ }).tap();
  await page.reload();
  await expect(page.getByRole("tab", { name: /^Erwartet/ })).toHaveAttribute("aria-selected", "true");
  await row(page, /^Erwartet/, name).tap();
  await expect(page.getByRole("tab", { name: /^Hier/ })).toContainText("1");
  await page.getByRole("tab", { name: /^Hier/ }).tap();
  await expect(row(page, /^Hier/, name)).toBeEnabled();
});

test("on a phone the way to a new run covers no tab, and arrow keys, Home and End go from list to list", async ({ own, visitor }) => {
  const page = await visitor.page({ username: own.username, viewport: { width: 320, height: 640 } });
  await page.route("**/api/v1/runs?*", async (route) => {
    const runs = await (await route.fetch()).json();
    await route.fulfill({ json: { ...runs, items: runs.items.map((run) => ({ ...run, room_name: "Gruppenraum Füchse und Dachse" })) } });
  });
  await page.goto(`/supervision?run=${own.run.id}`);
  await live(page);
  const [tab, plus] = await Promise.all([".run-tabs [aria-current]", ".tab-plus"].map((one) => page.locator(one).boundingBox()));
  expect(tab.x + tab.width).toBeLessThanOrEqual(plus.x);
  expect(plus.x + plus.width).toBeLessThanOrEqual(320);

  const tabs = page.getByRole("tablist", { name: "Listen dieses Angebots" }).getByRole("tab");
  await tabTo(page, tabs.first());
  for (const [key, place, shown] of [["ArrowRight", 1, "expected"], ["End", 2, "left"], ["ArrowRight", 0, "here"], ["ArrowLeft", 2, "left"], ["ArrowLeft", 1, "expected"], ["Home", 0, "here"]]) {
    await page.keyboard.press(key);
    await expect(tabs.nth(place), key).toBeFocused();
    await expect(tabs.nth(place), key).toHaveAttribute("aria-selected", "true");
    await expect(page.locator(`#list-${shown}`), key).toBeVisible();
  }
  await expect(tabs.and(page.locator("[tabindex='0']"))).toHaveCount(1);
  await accessible(page, "tabs of a phone");
  await page.unrouteAll({ behavior: "wait" });
});

/** Two clicks or touches at the place of `target`, this far apart, wherever the rows go meanwhile. */
async function twice(page, target, apart, how = "mouse") {
  await target.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await target.boundingBox();
  const at = [x + width / 2, y + height / 2];
  const press = () => (how === "touch" ? page.touchscreen.tap(...at) : page.mouse.click(...at));
  await press();
  await page.waitForTimeout(apart);
  await press();
}

/** The words of `texts` that stand in two lines, in part. */
const broken = (texts) => texts.evaluateAll((all) => all.flatMap((one) => [...one.textContent.matchAll(/[^\s-]+-?/g)].filter((word) => {
  const range = document.createRange();
  range.setStart(one.firstChild, word.index);
  range.setEnd(one.firstChild, word.index + word[0].length);
  return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
}).map(([word]) => word)));

test("an act goes below a name before the name's words are broken, however narrow the lists are", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/supervision");
  const { items } = await visitor.api(page.context(), "GET", "/runs?limit=200");
  await page.goto(`/supervision?run=${items.find((run) => run.count > 9).id}`);
  await live(page);
  const rows = page.locator("#list-here .tap:enabled");
  await rows.first().click();
  const left = page.locator("#list-left li", { has: page.locator(".undo") });
  await expect(left).toHaveCount(1);
  await expect(left.locator(".sub")).toHaveText(/^gegangen \d\d:\d\d$/);
  for (const width of [1366, 1024, 390]) {
    await page.setViewportSize({ width, height: 800 });
    for (const list of ["here", "left"]) {
      if (width === 390) await page.locator(`#tab-${list}`).click();
      expect(await broken(page.locator(`#list-${list} .who b`)), `${list} at ${width}`).toEqual([]);
    }
  }
  await left.locator(".undo").click();
  await expect(left).toHaveCount(0);
});

test("a double tap moves one child, and the next one is not touched", async ({ own, page, visitor }) => {
  const taps = (name) => list(page, name).locator(".tap:enabled");
  for (const apart of [60, 280]) {
    const [here, expected] = [await size(page, /^Hier/).textContent(), await size(page, /^Erwartet/).textContent()].map(Number);
    await twice(page, taps(/^Erwartet/).first(), apart);
    await page.waitForTimeout(700);
    await expect(size(page, /^Hier/)).toHaveText(String(here + 1));
    await expect(size(page, /^Erwartet/)).toHaveText(String(expected - 1));
  }
  await twice(page, taps(/^Hier/).first(), 280);
  await page.waitForTimeout(700);
  await expect(size(page, /^Hier/)).toHaveText("1");
  await taps(/^Hier/).first().click();
  await expect(list(page, /^Gerade gegangen/).locator(".tap")).toHaveCount(2);
  await twice(page, taps(/^Gerade gegangen/).first(), 280);
  await page.waitForTimeout(700);
  await expect(size(page, /^Hier/)).toHaveText("1");
  const phone = await visitor.page({ username: own.username, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, `/supervision?run=${own.run.id}`);
  await live(phone);
  await phone.getByRole("tab", { name: /^Erwartet/ }).tap();
  await twice(phone, list(phone, /^Erwartet/).locator(".tap:enabled").first(), 180, "touch");
  await phone.waitForTimeout(700);
  await expect(phone.getByRole("tab", { name: /^Hier/ })).toContainText("2");
});

test("the count in the tab of a run moves with the run", async ({ own, page, visitor }) => {
  const count = page.locator(".run-tabs [aria-current] .count");
  await expect(count).toHaveText("0");
  await row(page, /^Erwartet/, await someone(visitor, own)).click();
  await expect(count).toHaveText("1");
});

test("a run that was ended can be opened again, whichever way led to it", async ({ own }) => {
  const page = await own.context.newPage();
  await page.goto("/supervision");
  await live(page);
  await page.getByRole("button", { name: "Beenden" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Beenden" }).click();
  await expect(page.getByText(/^Um \d\d:\d\d beendet$/)).toBeVisible();
  await page.waitForTimeout(1500);
  await expect(page.getByRole("button", { name: "Wieder öffnen" })).toBeVisible();
  await expect(page.getByText("Niemand ist mehr hier.")).toBeVisible();
  await expect(page.getByText("Tippen Sie unter")).toHaveCount(0);
});

test("who is not in the house or here already is not brought in", async ({ own, page, visitor }) => {
  const name = await someone(visitor, own);
  const { items } = await visitor.api(await visitor.context({ role: "admin" }), "GET", "/people?role=member&limit=500");
  await row(page, /^Erwartet/, name).click();
  await expect(row(page, /^Hier/, name)).toBeEnabled();
  await page.getByRole("button", { name: "Jemanden holen" }).click();
  for (const person of [name, items.find((one) => one.status !== "present").display_name]) {
    await page.getByRole("searchbox", { name: "Wen?" }).fill(person);
    await expect(page.getByRole("dialog").getByRole("button", { name: person }).first()).toBeDisabled();
  }
});

test("where more match than are shown, this is said, until enough letters are typed", async ({ own, page, visitor }) => {
  const name = await someone(visitor, own);
  const said = page.getByText("Das sind die ersten");
  await page.getByRole("button", { name: "Jemanden holen" }).click();
  const field = page.getByRole("searchbox", { name: "Wen?" });
  await expect(field).toBeFocused();
  await page.keyboard.type("li");
  await expect(said).toHaveText("Das sind die ersten 20, es gibt mehr: bitte mehr Buchstaben tippen.");
  await expect(said).toHaveRole("status");
  await expect(page.getByRole("dialog").getByRole("listitem")).toHaveCount(20);
  await accessible(page, "more than are shown");
  await page.keyboard.press("Control+a");
  await page.keyboard.type(name);
  const found = page.getByRole("dialog").getByRole("button", { name });
  await expect(found).toBeEnabled();
  await expect(said).toHaveCount(0);
  await tabTo(page, found);
  await page.keyboard.press("Enter");
  await expect(row(page, /^Hier/, name)).toBeVisible();

  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox")).toBeFocused();
  await page.keyboard.type("li");
  await expect(said).toHaveText(/^Das sind die ersten 12,/);
});
