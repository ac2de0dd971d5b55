// My group: the marks of the day by hand, and that each can be taken back.
import { accessible, expect, live, tabTo, test } from "../house.mjs";

const list = (page, name) => page.getByRole("region", { name });
const row = (page, name, person) => list(page, name).getByRole("button", { name: person });
const toast = (page, text) => page.locator(".toast", { hasText: text });

async function open(context, group) {
  const page = await context.newPage();
  await page.goto(`/groups/${group.id}`);
  await live(page);
  return page;
}

async function mark(page, name, person, label) {
  await row(page, name, person).click();
  await page.getByRole("dialog", { name: person }).getByRole("button", { name: label }).click();
}

test("who was marked as gone by mistake is in the room again by the toast", async ({ visitor }) => {
  const { context, me, group } = await visitor.groupLead();
  const { rooms } = await visitor.api(await visitor.context({ role: "admin" }), "GET", "/board");
  const room = rooms.find((one) => !one.run && one.count === 0);
  const { items: [activity] } = await visitor.api(context, "GET", "/activities?limit=100");
  const run = await visitor.api(context, "POST", "/runs", { activity_id: activity.id, room_id: room.id, staff_ids: [me.person.id] });
  const { on_the_way: [member] } = await visitor.api(context, "GET", `/groups/${group.id}`);
  await visitor.api(context, "POST", "/visits", { member_id: member.member_id, run_id: run.id });
  const page = await open(context, group);
  await expect(row(page, /^Hier/, member.display_name)).toContainText(room.name);
  await mark(page, /^Hier/, member.display_name, "Ist gegangen");
  await expect(row(page, /^Gegangen/, member.display_name)).toBeVisible();
  await toast(page, `${member.display_name}: gegangen`).getByRole("button", { name: "Rückgängig" }).click();
  await expect(row(page, /^Hier/, member.display_name)).toContainText(room.name);
  await visitor.api(context, "POST", `/runs/${run.id}/end`);
  // Who left and was called back in error, too.
  await mark(page, /^Unterwegs/, member.display_name, "Ist gegangen");
  await toast(page, `${member.display_name}: gegangen`).getByRole("button", { name: "Rückgängig" }).click();
  await expect(row(page, /^Unterwegs/, member.display_name)).toBeVisible();
});

test("an absence has its reason on the page of those in charge, and has it again when it was ended in error", async ({ visitor }) => {
  const lead = await visitor.context({ role: "admin" });
  const { items } = await visitor.api(lead, "GET", "/groups?limit=100");
  let found = null;
  for (const group of items) {
    const { absent: [member] } = await visitor.api(lead, "GET", `/groups/${group.id}`);
    if (member) found ??= { group, member };
  }
  const { group, member } = found;
  await visitor.api(lead, "POST", `/attendance/${member.member_id}`, { status: "excused", reason: "beim Zahnarzt" });
  const page = await open(lead, group);
  await expect(row(page, /^Fehlt/, member.display_name)).toContainText("beim Zahnarzt");
  await accessible(page, "a group with an absence");
  await mark(page, /^Fehlt/, member.display_name, "Ist da");
  await expect(row(page, /^Unterwegs/, member.display_name)).toBeVisible();
  await toast(page, `${member.display_name}: anwesend`).getByRole("button", { name: "Rückgängig" }).click();
  await expect(row(page, /^Fehlt/, member.display_name)).toContainText("beim Zahnarzt");
  await visitor.api(lead, "POST", `/attendance/${member.member_id}`, { status: member.status });
});

test("a mark is taken back from its row when the toast is gone, by keyboard, and the focus stays with the child", async ({ visitor }) => {
  const { context, group } = await visitor.groupLead();
  const { on_the_way: children } = await visitor.api(context, "GET", `/groups/${group.id}`);
  const { display_name: name } = children.at(-1);
  const page = await open(context, group);
  await expect(page.locator(".undo")).toHaveCount(0);
  await mark(page, /^Unterwegs/, name, "Ist gegangen");
  await expect(row(page, /^Gegangen/, name)).toBeFocused();
  await toast(page, `${name}: gegangen`).getByRole("button", { name: "Schließen" }).click();
  // Also after one has looked elsewhere.
  await page.getByRole("link", { name: "Heute" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
  await page.goBack();
  const undo = list(page, /^Gegangen/).getByRole("button", { name: "Zurücknehmen" });
  await expect(undo).toHaveCount(1);
  await expect(undo).toHaveAccessibleDescription(name);
  await accessible(page, "a mark that can be taken back");
  await tabTo(page, undo);
  await page.keyboard.press("Enter");
  await expect(row(page, /^Unterwegs/, name)).toBeFocused();
  await expect(page.locator(".undo")).toHaveCount(0);
});

test("what was marked is not offered to be taken back after five minutes, nor when something else came after it", async ({ visitor }) => {
  const { context, group } = await visitor.groupLead();
  const { on_the_way: children } = await visitor.api(context, "GET", `/groups/${group.id}`);
  const { display_name: name, member_id: id } = children.at(-1);
  const page = await open(context, group);
  const undo = page.locator(".undo");
  await mark(page, /^Unterwegs/, name, "Ist gegangen");
  await expect(undo).toHaveCount(1);
  await visitor.api(context, "POST", `/attendance/${id}`, { status: "present" });
  await expect(row(page, /^Unterwegs/, name)).toBeVisible();
  await expect(undo).toHaveCount(0);
  await page.clock.install();
  await mark(page, /^Unterwegs/, name, "Ist gegangen");
  await expect(undo).toHaveCount(1);
  await page.clock.fastForward("05:15");
  await expect(undo).toHaveCount(0);
  await visitor.api(context, "POST", `/attendance/${id}`, { status: "present" });
});

test("a child's marks have an address, and Back closes them", async ({ visitor }) => {
  const { context, group } = await visitor.groupLead();
  const { on_the_way: children } = await visitor.api(context, "GET", `/groups/${group.id}`);
  const { display_name: name, member_id: id } = children.at(-1);
  const page = await open(context, group);
  await row(page, /^Unterwegs/, name).click();
  await expect(page).toHaveURL(`/groups/${group.id}?mark=${id}`);
  await page.goBack();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(row(page, /^Unterwegs/, name)).toBeFocused();
  await page.goto(`/groups/${group.id}?mark=${id}`);
  await expect(page.getByRole("dialog", { name })).toBeVisible();
});

test("the office finds every group, marks who is sick, and is not told where anybody is", async ({ visitor }) => {
  const lead = await visitor.context({ role: "admin" });
  const { items } = await visitor.api(lead, "GET", "/groups?limit=100");
  let found = null;
  for (const group of items) {
    const { absent: [member], here } = await visitor.api(lead, "GET", `/groups/${group.id}`);
    if (member && here.length > 0) found ??= { group, member, here };
  }
  const { group, member, here: [child] } = found;
  await visitor.api(lead, "POST", `/attendance/${member.member_id}`, { status: "expected" });
  const page = await visitor.page({ role: "office" }, "/");
  await page.getByText("Gruppen", { exact: true }).click();
  await page.getByRole("link", { name: group.name, exact: true }).click();
  await expect(row(page, /^Hier/, child.display_name)).not.toContainText(child.room_name);
  await expect(page.getByRole("button", { name: /^Unterwegs/ })).toHaveCount(0);
  await row(page, /^Noch nicht da/, member.display_name).click();
  const dialog = page.getByRole("dialog", { name: member.display_name });
  await dialog.getByLabel("Grund").fill("krank");
  await dialog.getByRole("button", { name: "Ist entschuldigt" }).click();
  await expect(row(page, /^Fehlt/, member.display_name)).toContainText("krank");
  await accessible(page, "a group as the office sees it");
  await toast(page, member.display_name).getByRole("button", { name: "Rückgängig" }).click();
  await expect(row(page, /^Noch nicht da/, member.display_name)).toBeVisible();
  await visitor.api(lead, "POST", `/attendance/${member.member_id}`, { status: member.status });
});
