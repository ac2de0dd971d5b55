// Hand-over between colleagues: one asks, the other accepts or declines, by keyboard alone; until
// then nothing has changed.
import { accessible, expect, live, tabTo, test as base } from "../house.mjs";

const test = base.extend({
  // Two colleagues, the first with a run in a room that was free.
  pair: async ({ visitor }, use) => {
    const giver = await visitor.groupLead();
    const { items: [activity] } = await visitor.api(giver.context, "GET", "/activities?limit=100");
    const { rooms } = await visitor.api(await visitor.context({ role: "admin" }), "GET", "/board");
    const room = rooms.find((one) => !one.run && one.count === 0);
    const run = await visitor.api(giver.context, "POST", "/runs", { activity_id: activity.id, room_id: room.id, staff_ids: [giver.me.person.id] });
    const { username } = visitor.house.sign_ins.find((one) => one.role === "staff" && one.username !== giver.username);
    const context = await visitor.context({ username });
    await use({ giver, run, taker: { username, context, me: await visitor.api(context, "GET", "/me") } });
    const lead = await visitor.context({ role: "admin" });
    const { run: now } = await visitor.api(lead, "GET", `/runs/${run.id}`);
    if (!now.ended_at) await visitor.api(lead, "POST", `/runs/${run.id}/end`);
  },
});

/** Colleagues who have nothing to do with this group. */
async function strangers(visitor, group, count) {
  const lead = await visitor.context({ role: "admin" });
  const { staff } = await visitor.api(lead, "GET", `/groups/${group}`);
  const found = [];
  for (const { username } of visitor.house.sign_ins.filter((one) => one.role === "staff").reverse()) {
    const context = await visitor.context({ username });
    const me = await visitor.api(context, "GET", "/me");
    if (staff.every((one) => one.id !== me.person.id)) found.push({ username, context, me });
    if (found.length === count) return { lead, held: staff.map((one) => one.id), found };
  }
  throw new Error("everybody has that group");
}

const toast = (page, text) => page.locator(".toast", { hasText: text });
const offers = (page) => page.getByRole("list", { name: "Offene Übergaben" });
const badge = (page) => page.locator(".side .badge", { hasText: "Offene Übergaben" });

async function open(who, path) {
  const page = await who.context.newPage();
  await page.goto(path);
  await live(page);
  return page;
}

async function ask({ giver, run, taker }) {
  const page = await open(giver, `/supervision?run=${run.id}`);
  await tabTo(page, page.getByRole("button", { name: "Übergeben" }));
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Sie bleiben zuständig, bis die andere Person zusagt.");
  await dialog.getByRole("combobox").selectOption(taker.me.person.id);
  await tabTo(page, dialog.getByRole("button", { name: "Fragen" }));
  await page.keyboard.press("Enter");
  await expect(toast(page, `${taker.me.person.display_name} ist gefragt`)).toBeVisible();
  await expect(offers(page)).toContainText("Bis zur Zusage bleiben Sie zuständig.");
  return page;
}

test("a double tap asks once, and of one answer nobody is told that it came too late", async ({ pair, visitor }) => {
  const { giver, run, taker } = pair;
  const page = await open(giver, `/supervision?run=${run.id}`);
  await page.getByRole("button", { name: "Übergeben" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox").selectOption(taker.me.person.id);
  await dialog.getByRole("button", { name: "Fragen" }).dblclick();
  await expect(toast(page, `${taker.me.person.display_name} ist gefragt`)).toBeVisible();
  await expect(page.locator(".toast")).toHaveCount(1);
  const theirs = await open(taker, "/supervision");
  await offers(theirs).getByRole("button", { name: "Ablehnen" }).dblclick();
  await expect(toast(theirs, "Abgelehnt")).toBeVisible();
  await expect(theirs.locator(".toast")).toHaveCount(1);
  const { items } = await visitor.api(giver.context, "GET", "/supervision-offers");
  expect(items).toEqual([]);
});

test("who is asked hears of it on any page and accepts by keyboard; only then it changes hands", async ({ pair }) => {
  const { giver, taker, run } = pair;
  // On another page than the one that is about it.
  const theirs = await open(taker, "/people");
  const page = await ask(pair);
  const said = toast(theirs, `${giver.me.person.display_name} möchte Ihnen eine Aufsicht übergeben.`);
  await expect(said).toBeVisible();
  await expect(badge(theirs)).toContainText("1");
  await said.getByRole("button", { name: "Ansehen" }).click();
  await expect(offers(theirs)).toContainText(`${giver.me.person.display_name} möchte Ihnen übergeben`);
  await expect(offers(theirs)).toContainText(run.room_name);
  await accessible(theirs, "asked");
  await accessible(page, "asking");
  await expect(page.getByText(`mit ${giver.me.person.display_name}`)).toBeVisible();

  await tabTo(theirs, offers(theirs).getByRole("button", { name: "Übernehmen" }));
  await theirs.keyboard.press("Enter");
  await expect(theirs.getByRole("heading", { level: 1, name: run.room_name })).toBeVisible();
  await expect(theirs.getByText(`mit ${taker.me.person.display_name}`)).toBeVisible();
  await expect(offers(theirs)).toHaveCount(0);
  await expect(badge(theirs)).toHaveCount(0);
  await expect(theirs.getByRole("heading", { level: 1 })).toBeFocused();
  await expect(toast(page, `${taker.me.person.display_name} hat übernommen.`)).toBeVisible();
  await expect(offers(page)).toHaveCount(0);
});

test("what is declined or withdrawn leaves everything as it was, on both pages", async ({ pair, visitor }) => {
  const { giver, taker, run } = pair;
  const theirs = await open(taker, "/supervision");
  let page = await ask(pair);
  await tabTo(theirs, offers(theirs).getByRole("button", { name: "Ablehnen" }));
  await theirs.keyboard.press("Enter");
  await expect(toast(page, `${taker.me.person.display_name} hat abgelehnt. Sie bleiben zuständig.`)).toBeVisible();
  await expect(offers(page)).toHaveCount(0);
  await expect(offers(theirs)).toHaveCount(0);
  await page.close();
  page = await ask(pair);
  await expect(offers(theirs)).toBeVisible();
  await tabTo(page, offers(page).getByRole("button", { name: "Zurückziehen" }));
  await page.keyboard.press("Enter");
  await expect(offers(page)).toHaveCount(0);
  await expect(offers(theirs)).toHaveCount(0);
  const { run: now } = await visitor.api(giver.context, "GET", `/runs/${run.id}`);
  expect(now.staff.map((one) => one.id)).toEqual([giver.me.person.id]);
});

test("a group is given where it stands: one asks, the other accepts, and what is no longer one's own goes from the screen", async ({ pair, visitor }) => {
  const { giver } = pair;
  const { id, name } = giver.me.scope.groups[0];
  const { lead, found: [taker] } = await strangers(visitor, id, 1);
  const theirs = await open(taker, "/supervision");
  const page = await open(giver, `/groups/${id}`);
  const children = page.locator(".group-list .tap b");
  await expect(children.first()).toBeVisible();
  const [child] = await children.allTextContents();
  await tabTo(page, page.getByRole("button", { name: "Übergeben" }));
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: `${name} übergeben` });
  await expect(dialog.getByRole("combobox", { name: /^An/ })).toBeFocused();
  await expect(dialog.getByRole("combobox", { name: /^Von/ })).toHaveCount(0);
  await expect(dialog.locator("option", { hasText: giver.me.person.display_name })).toHaveCount(0);
  await accessible(page, "giving a group");
  await dialog.getByRole("combobox", { name: /^An/ }).selectOption(taker.me.person.id);
  await tabTo(page, dialog.getByRole("button", { name: "Fragen" }));
  await page.keyboard.press("Enter");
  await expect(toast(page, `${taker.me.person.display_name} ist gefragt: ${name}.`)).toBeVisible();
  await expect(offers(page)).toContainText("Bis zur Zusage bleiben Sie zuständig.");
  await accessible(page, "a group that is offered");

  await tabTo(theirs, offers(theirs).getByRole("button", { name: "Übernehmen" }));
  await theirs.keyboard.press("Enter");
  await expect(theirs).toHaveURL(`/groups/${id}`);
  await expect(theirs.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(theirs.getByRole("main")).toContainText(child);
  await expect(page.getByRole("main")).toContainText("Das dürfen Sie nicht.");
  await expect(page.getByRole("main")).not.toContainText(child);
  await accessible(page, "given");
  await visitor.api(lead, "POST", "/supervisions", { group_id: id, staff_id: giver.me.person.id, from_id: taker.me.person.id, kind: "hand_over" });
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByRole("main")).toContainText(child);
});

test("of a group that several have the lead says whose part is given", async ({ pair, visitor }) => {
  const { id, name } = pair.giver.me.scope.groups[0];
  const { lead, held: before, found } = await strangers(visitor, id, 2);
  const [one, other] = found.map(({ me }) => me.person);
  await visitor.api(lead, "PUT", `/groups/${id}/staff`, { staff_ids: [...before, one.id] });
  const page = await lead.newPage();
  await page.goto(`/groups/${id}`);
  await live(page);
  await page.getByRole("button", { name: "Übergeben" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: /^Von/ }).selectOption(one.id);
  await dialog.getByRole("combobox", { name: /^An/ }).selectOption(other.id);
  await dialog.getByRole("button", { name: "Übergeben" }).click();
  await expect(toast(page, `${name} ist jetzt bei ${other.display_name}`)).toBeVisible();
  const now = (await visitor.api(lead, "GET", `/groups/${id}`)).staff.map(({ id: person }) => person);
  expect(now.sort()).toEqual([...before, other.id].sort());
  await visitor.api(lead, "PUT", `/groups/${id}/staff`, { staff_ids: before });
});

test("the lead decides at once", async ({ pair, visitor }) => {
  const { taker, run } = pair;
  const page = await visitor.page({ role: "admin" }, `/supervision?run=${run.id}`);
  await live(page);
  await page.getByRole("button", { name: "Übergeben" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Ganz: wer bisher zuständig war, ist es nicht mehr");
  await dialog.getByRole("combobox").selectOption(taker.me.person.id);
  await dialog.getByRole("button", { name: "Übergeben" }).click();
  await expect(toast(page, `${run.room_name} ist jetzt bei ${taker.me.person.display_name}`)).toBeVisible();
  await expect(page.getByText(`mit ${taker.me.person.display_name}`)).toBeVisible();
});
