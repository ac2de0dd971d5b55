// The link: a server that goes away and comes back, many tabs, a session that is ended elsewhere.
// Against a house of its own, because this one is killed.
import { expect, leave, live, newHouse, serve, stop, test as base, visiting } from "../house.mjs";

const LEAD = { username: "ada", password: "vier warme graue Steine", role: "admin" };
/** What a page may take to be right again after its server has come back. */
const SOON = { timeout: 8_000 };

/** A zone in which it is about noon now, so that no day begins or closes during a test. */
function noon() {
  const ahead = 12 - new Date().getUTCHours();
  return `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
}

const test = base.extend({
  own: async ({}, use) => {
    const house = { ...await newHouse(), sign_ins: [LEAD] };
    const { role, ...account } = LEAD;
    const answer = await fetch(`${house.url}/api/v1/setup`, {
      method: "POST", headers: { "content-type": "application/json", origin: house.url },
      body: JSON.stringify({ ...account, display_name: "Ada Lang", code: house.code, house_name: "Haus am Bach", profile: "school", zone: noon(), language: "de" }),
    });
    expect(answer.status, role).toBe(201);
    house.kill = async (how) => {
      if (how === "SIGTERM") return stop(house.child);
      const gone = new Promise((resolve) => { house.child.once("exit", resolve); });
      house.child.kill(how);
      return gone;
    };
    house.comeBack = async () => Object.assign(house, await serve(house.data, new URL(house.url).port));
    await use(house);
    await leave(house);
  },
  visitor: ({ own, browser }, use) => visiting(own, browser, use),
  // Another client of the same person, with a run and five members in the house.
  scene: async ({ visitor }, use) => {
    const client = await visitor.context({ role: "admin" });
    const call = (...args) => visitor.api(client, ...args);
    const me = await call("GET", "/me");
    const room = await call("POST", "/rooms", { name: "Werkstatt", capacity: 20 });
    const activity = await call("POST", "/activities", { name: "Werken" });
    const run = await call("POST", "/runs", { activity_id: activity.id, room_id: room.id, staff_ids: [me.person.id] });
    const members = [];
    for (const name of ["Anna", "Ben", "Cem", "Dora", "Elif"]) {
      members.push(await call("POST", "/people", { given_name: name, family_name: "Muster", role: "member" }));
    }
    await use({ client, call, run, members, enter: (member) => call("POST", "/visits", { member_id: member.id, run_id: run.id }) });
  },
});

const here = (page, member) => page.locator("#list-here .tap", { hasText: member.display_name });
const pill = (page) => page.locator(".page-head .pill").first();

for (const how of ["SIGKILL", "SIGTERM"]) {
  test(`a server that ends by ${how} and comes back: said at once, live again, nothing missing, nothing twice`, async ({ own, scene, visitor }) => {
    const [anna, ben, cem, dora] = scene.members;
    await scene.enter(anna);
    const stay = await scene.enter(ben);
    const context = await visitor.context({ role: "admin" });
    const [page, board] = [await context.newPage(), await context.newPage()];
    await board.goto("/");
    await page.goto(`/supervision?run=${scene.run.id}`);
    await live(page);
    await live(board);
    await expect(here(page, anna)).toHaveCount(1);

    await own.kill(how);
    await expect(pill(page)).toContainText("Verbindet neu…", { timeout: 3_000 });
    await expect(pill(page)).toHaveAttribute("data-s", "away");
    await expect(page.getByText(/^Keine Verbindung seit \d\d:\d\d\. Die Anzeige kann veraltet sein\.$/)).toBeVisible();
    await own.comeBack();
    await scene.enter(cem);
    await scene.call("POST", `/visits/${stay.visit_id}/end`);
    await expect(page.locator(".pill[data-s=in]", { hasText: "Live" })).toBeVisible(SOON);
    await expect(page.getByText(/^Keine Verbindung seit/)).toHaveCount(0);
    await expect(here(page, cem)).toHaveCount(1);
    await expect(here(page, ben)).toHaveCount(0);
    await expect(page.locator("#list-left .tap", { hasText: ben.display_name })).toHaveCount(1);
    await expect(page.locator("#list-here .count")).toHaveText("2");
    await expect(board.locator(".room-count")).toHaveText("2 / 20", SOON);
    // What comes after is heard once, too.
    await scene.enter(dora);
    await expect(here(page, dora)).toHaveCount(1);
    await expect(page.locator("#list-here .tap")).toHaveCount(3);
    await expect(board.locator(".room-count")).toHaveText("3 / 20");
  });
}

test("who begins and ends an own run is not told that the link is lost", async ({ visitor, scene }) => {
  const page = await visitor.page({ role: "admin" }, "/");
  await live(page);
  await page.evaluate(() => {
    window.said = new Set();
    const look = () => document.querySelectorAll(".page-head .pill:first-of-type, .stale-note").forEach((one) => window.said.add(one.textContent));
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  const opened = () => page.waitForRequest((request) => request.url().includes("/api/v1/events"), SOON);
  // The second stream is a short one.
  for (let count = 0; count < 2; count += 1) {
    const again = opened();
    await scene.call("POST", `/runs/${scene.run.id}/${count === 0 ? "end" : "reopen"}`);
    await again;
  }
  await page.waitForTimeout(3_000);
  await live(page);
  expect([...await page.evaluate(() => [...window.said])].filter((text) => /Verbind/.test(text))).toEqual([]);
});

test("what is done while the server is away is taken back, says why, and can be tried again", async ({ own, scene, visitor }) => {
  const [anna] = scene.members;
  await scene.enter(anna);
  const page = await visitor.page({ role: "admin" }, `/supervision?run=${scene.run.id}`);
  await live(page);
  await own.kill("SIGKILL");
  await here(page, anna).click();
  const toast = page.locator(".toast", { hasText: "Keine Antwort vom Haus. Vielleicht ist es trotzdem geschehen." });
  await expect(toast).toBeVisible();
  await expect(here(page, anna)).toBeVisible();
  await toast.hover();
  await own.comeBack();
  await toast.getByRole("button", { name: "Nochmal versuchen" }).click();
  await expect(page.locator("#list-left .tap", { hasText: anna.display_name })).toBeVisible(SOON);
});

test("eight tabs of one browser are all live, on one stream, also when the first one closes", async ({ scene, visitor }) => {
  const context = await visitor.context({ role: "admin" });
  const streams = new Set();
  context.on("request", (request) => request.url().includes("/api/v1/events") && streams.add(request));
  context.on("requestfinished", (request) => streams.delete(request));
  context.on("requestfailed", (request) => streams.delete(request));
  const tabs = [];
  for (let count = 0; count < 8; count += 1) {
    const tab = await context.newPage();
    await tab.goto(`/supervision?run=${scene.run.id}`);
    tabs.push(tab);
  }
  for (const tab of tabs) await live(tab);
  await scene.enter(scene.members[0]);
  for (const tab of tabs) await expect(here(tab, scene.members[0])).toHaveCount(1);
  await expect.poll(() => streams.size).toBe(1);

  await tabs.shift().close();
  await scene.enter(scene.members[1]);
  for (const tab of tabs) await expect(here(tab, scene.members[1])).toHaveCount(1, SOON);
  for (const tab of tabs) await live(tab);
});

test("a session that is ended elsewhere leads every tab to the door", async ({ scene, visitor }) => {
  const context = await visitor.context({ role: "admin" });
  const { session_id: session } = await visitor.api(context, "GET", "/me");
  const tabs = [await context.newPage(), await context.newPage()];
  for (const tab of tabs) {
    await tab.goto(`/supervision?run=${scene.run.id}`);
    await live(tab);
  }
  await scene.call("DELETE", `/sessions/${session}`);
  for (const tab of tabs) await expect(tab).toHaveURL(/\/sign-in\?next=%2Fsupervision%3Frun%3D/, SOON);
  // The session that did it goes on.
  await scene.call("GET", "/me");
});

test("a wall loads itself anew when its house comes back with other pages, and once alone", async ({ own, visitor }) => {
  const wall = await visitor.page({ role: "admin" }, "/wall");
  await live(wall);
  const loads = [];
  wall.on("request", (request) => request.isNavigationRequest() && loads.push(request.url()));
  const answered = () => wall.waitForResponse((answer) => answer.url().endsWith("/wall") && answer.request().resourceType() === "fetch", SOON);
  const comeBack = async () => {
    await own.kill("SIGTERM");
    const asked = answered();
    await own.comeBack();
    await asked;
    await live(wall);
  };
  await comeBack();
  expect(loads, "the same pages").toHaveLength(0);
  // What the wall looks at says that there are others; what it is loaded with then stays the same.
  await wall.route("**/wall", async (route) => {
    if (route.request().resourceType() !== "fetch") return route.continue();
    const response = await route.fetch();
    return route.fulfill({ response, body: (await response.text()).replaceAll(/\/a\/\w+\//g, "/a/0123456789ab/") });
  });
  const again = wall.waitForEvent("load");
  await comeBack();
  await again;
  await live(wall);
  await comeBack();
  expect(loads, "once for the same reason").toHaveLength(1);
});
