// The house board and the wall: the server's figures, live, and to each role what it may see.
import { accessible, expect, live, mark, test } from "../house.mjs";

const PRESENT = 0, ON_THE_WAY = 1, HELP = 2, NOT_HERE = 3;
const tile = (page, place) => page.getByRole("list", { name: "Das Haus jetzt" }).getByRole("listitem").nth(place);
const figure = (page, place) => tile(page, place).locator("b");
const card = (page, room) => page.getByRole("list", { name: "Räume" }).getByRole("listitem").filter({ has: page.getByRole("heading", { name: room, exact: true }) });

/** The board shows exactly what the server says now. */
async function agrees(page, board) {
  const { counts } = board;
  await expect(figure(page, PRESENT)).toHaveText(String(counts.present));
  await expect(tile(page, PRESENT)).toContainText(`${counts.in_rooms} in Räumen`);
  await expect(figure(page, ON_THE_WAY)).toHaveText(String(counts.in_transit));
  await expect(figure(page, NOT_HERE)).toHaveText(String(counts.expected + counts.absent + counts.left));
  for (const room of board.rooms.filter((one) => one.run)) {
    await expect(card(page, room.name).locator(".room-count")).toHaveText(`${room.count} / ${room.capacity}`);
    await expect(card(page, room.name)).toContainText(room.run.activity_name);
  }
}

test("the board shows the server's counts, that they are live, and their age", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/");
  await live(page);
  await agrees(page, await visitor.api(page.context(), "GET", "/board"));
  await expect(page.locator(".as-of .screen-only")).toHaveText(/^Stand \d\d:\d\d:\d\d$/);
  await expect(page).toHaveTitle(/Heute · Daybook$/);
});

test("a check-in by somebody else moves the tiles and the room's card without a reload", async ({ visitor }) => {
  const supervisor = await visitor.supervisor();
  const page = await visitor.page({ role: "admin" }, "/");
  await live(page);
  const sameLoad = await mark(page);
  const before = await visitor.api(page.context(), "GET", "/board");
  await agrees(page, before);
  const [member] = await visitor.onTheWay(page.context());
  const visit = await visitor.api(supervisor.context, "POST", "/visits", { member_id: member.id, run_id: supervisor.run.id });
  await expect(tile(page, PRESENT)).toContainText(`${before.counts.in_rooms + 1} in Räumen`);
  await expect(figure(page, ON_THE_WAY)).toHaveText(String(before.counts.in_transit - 1));
  await agrees(page, await visitor.api(page.context(), "GET", "/board"));
  await visitor.api(supervisor.context, "POST", `/visits/${visit.visit_id}/undo`);
  await agrees(page, before);
  expect(await sameLoad()).toBe(true);
});

test("who arrives is counted, and who goes home is counted out", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/");
  await live(page);
  const before = await visitor.api(page.context(), "GET", "/board");
  const [member] = await visitor.onTheWay(page.context());
  await visitor.api(page.context(), "POST", `/attendance/${member.id}`, { status: "left" });
  await expect(figure(page, PRESENT)).toHaveText(String(before.counts.present - 1));
  await expect(tile(page, NOT_HERE)).toContainText(`${before.counts.left + 1} gegangen`);
  await visitor.api(page.context(), "POST", `/attendance/${member.id}`, { status: "present" });
  await agrees(page, before);
});

test("a run that begins gets its card, and leaves it when it ends", async ({ visitor }) => {
  const lead = await visitor.groupLead();
  const page = await visitor.page({ role: "admin" }, "/");
  await live(page);
  const [activities, rooms] = [await visitor.api(lead.context, "GET", "/activities?limit=100"), await visitor.api(page.context(), "GET", "/board")];
  const room = rooms.rooms.find((one) => !one.run && one.count === 0);
  await expect(page.locator(".rooms-free")).toContainText(room.name);
  const run = await visitor.api(lead.context, "POST", "/runs", { activity_id: activities.items[0].id, room_id: room.id, staff_ids: [lead.me.person.id] });
  await expect(card(page, room.name)).toContainText(`${run.activity_name} · ${lead.me.person.display_name}`);
  await card(page, room.name).getByRole("link").click();
  await expect(page).toHaveURL(`/supervision?run=${run.id}`);
  await page.goBack();
  await expect(card(page, room.name)).toBeVisible();
  await visitor.api(lead.context, "POST", `/runs/${run.id}/end`);
  await expect(card(page, room.name)).toHaveCount(0);
  await expect(page.locator(".rooms-free")).toContainText(room.name);
});

test("the lead sees rooms, help, readers, who is signed in and what goes on", async ({ visitor }) => {
  const page = await visitor.page({ role: "admin" }, "/");
  for (const name of ["Bitte ansehen", "Hilfe-Liste", "Lesegeräte", "Jetzt angemeldet", "Aktivität"]) {
    await expect(page.getByRole("heading", { level: 2, name })).toBeVisible();
  }
});

test("the office sees the readers, not what members do, and no way into a run", async ({ visitor }) => {
  const page = await visitor.page({ role: "office" }, "/");
  await live(page);
  await expect(page.getByRole("heading", { level: 2, name: "Lesegeräte" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 2, name: "Aktivität" })).toHaveCount(0);
  await expect(page.getByRole("list", { name: "Räume" }).getByRole("link")).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Meine Aufsicht" })).toHaveCount(0);
  // The page of the readers is the lead's.
  await expect(page.getByRole("link", { name: "Lesegeräte" })).toHaveCount(0);
});

test("the figures of the readers go on for the office, which is told no news of them", async ({ visitor }) => {
  const page = await visitor.page({ role: "office" });
  await page.clock.install();
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 2, name: "Lesegeräte" })).toBeVisible();
  await page.route("**/api/v1/board", async (route) => {
    const answer = await route.fetch();
    const board = await answer.json();
    const devices = { ...board.devices, offline: 1, unheard: [{ name: "Hoftor", state: "offline" }] };
    await route.fulfill({ response: answer, json: { ...board, devices } });
  });
  await page.clock.runFor(65_000);
  await expect(page.getByText("Hoftor")).toBeVisible();
});

test("staff see no readers, and the way into their own run alone", async ({ visitor }) => {
  const { username, run } = await visitor.supervisor();
  const page = await visitor.page({ username }, "/");
  await live(page);
  await expect(page.getByRole("heading", { level: 2, name: "Lesegeräte" })).toHaveCount(0);
  await expect(page.getByRole("list", { name: "Räume" }).getByRole("link")).toHaveText([run.room_name]);
});

/** Tiles whose words or figure run out of them. */
const cutTiles = (page) => page.locator(".tile").evaluateAll((tiles) => tiles.filter((one) => {
  const box = one.getBoundingClientRect();
  const inner = box.right - parseFloat(getComputedStyle(one).paddingRight);
  const text = Math.max(...[...one.querySelectorAll("b, .tile-label, .tile-detail")].map((part) => part.getBoundingClientRect().right));
  return box.right > innerWidth || text > inner + 0.5 || one.scrollWidth > one.clientWidth;
}).map((one) => one.innerText));

/** Cards of rooms that are cut at the edge of the screen, or cut their words. */
const cutRooms = (cards) => cards.evaluateAll((all) => all.filter((one) => {
  const box = one.getBoundingClientRect();
  const parts = [...one.querySelectorAll("h3, .room-count, .bar, .room-foot")].filter((part) => part.offsetParent).map((part) => part.getBoundingClientRect());
  return box.bottom > innerHeight || parts.some((part) => part.bottom > box.bottom || part.right > box.right) || one.scrollHeight > one.clientHeight;
}).map((one) => one.innerText));

for (const [url, width] of [["/", 390], ["/", 1280], ["/wall", 390], ["/wall", 1280]]) {
  test(`every figure of ${url} is whole at ${width} pixels`, async ({ visitor }) => {
    const page = await visitor.page({ role: "admin", viewport: { width, height: 844 } }, url);
    await live(page);
    await expect(tile(page, NOT_HERE)).toBeVisible();
    expect(await cutTiles(page)).toEqual([]);
  });
}

test("what a tile says of its figure stands below it, in two lines at most, and nothing of nobody", async ({ visitor }) => {
  for (const lang of ["de", "en"]) {
    const page = await visitor.page({ role: "admin", lang, viewport: { width: 1280, height: 800 } });
    await page.route("**/api/v1/board", async (route) => {
      const board = await (await route.fetch()).json();
      await route.fulfill({ json: { ...board, counts: { ...board.counts, present: 1888, in_rooms: 1777, expected: 120, absent: 113, left: 115 } } });
    });
    await page.goto("/");
    const details = page.locator(".tile-detail");
    await expect(details).toHaveCount(4);
    const found = await page.locator(".tile").evaluateAll((tiles) => tiles.map((one) => {
      const detail = one.querySelector(".tile-detail").getBoundingClientRect();
      return { lines: Math.round(detail.height / 17.5), below: detail.top >= one.querySelector("b").getBoundingClientRect().bottom - 1 };
    }));
    for (const { lines, below } of found) expect(lines <= 2 && below, JSON.stringify(found)).toBe(true);
    await page.unrouteAll({ behavior: "wait" });
    await page.reload();
    await expect(details.last()).not.toHaveText(/(^|\D)0 /);
  }
});

test("a wall of the demo says that it is one, and its line shows long initials and whole places", async ({ house, visitor }) => {
  for (const [width, height, least] of [[1280, 720, 4], [1024, 768, 2], [1920, 1080, 8]]) {
    const context = await visitor.context({ viewport: { width, height } });
    await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
    await context.route("**/api/v1/help-requests/places*", async (route) => {
      const places = await (await route.fetch()).json();
      const items = Array.from({ length: 8 }, (_, at) => ({ position: at + 1, initials: "F. v. d. B.", priority: at < 4 ? "urgent" : "normal", wait_s: 754 }));
      await route.fulfill({ json: { ...places, items } });
    });
    const wall = await context.newPage();
    await wall.goto("/wall");
    await expect(wall.getByText("Demo-Haus. Alle Namen sind erfunden.")).toBeVisible();
    await expect(wall.locator(".places li")).toHaveCount(8);
    const seen = await wall.locator(".places").evaluate((list) => {
      const box = list.getBoundingClientRect();
      const rows = [...list.children].map((row) => row.getBoundingClientRect()).filter((row) => row.left < box.right - 1);
      const lines = [...list.querySelectorAll("b, .wait")].map((one) => one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).fontSize));
      return { rows: rows.length, cut: rows.filter((row) => row.bottom > box.bottom + 1 || row.right > box.right + 1).length, lines: Math.max(...lines) };
    });
    expect(seen.rows).toBeGreaterThanOrEqual(least);
    expect(seen.cut).toBe(0);
    expect(seen.lines).toBeLessThan(2);
    await accessible(wall, `${width}`);
    await context.unrouteAll({ behavior: "wait" });
  }
});

for (const [width, height] of [[1280, 800], [1920, 1080], [1024, 768], [1080, 1920]]) {
  test(`a wall of ${width} by ${height} shows every room whole, without scrolling`, async ({ house, visitor }) => {
    const context = await visitor.context({ viewport: { width, height } });
    await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
    const { rooms } = await visitor.api(context, "GET", "/board");
    const wall = await context.newPage();
    await wall.goto("/wall");
    await live(wall);
    const cards = wall.locator(".room");
    await expect(cards).toHaveCount(rooms.length);
    expect(rooms.length).toBeGreaterThan(12);
    expect(await cutRooms(cards)).toEqual([]);
    expect(await wall.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBeLessThanOrEqual(0);
    await expect(wall.locator(".wall-help dd").nth(1)).toHaveText("–");
  });
}

test("the largest house has every figure and every room whole, in the order of their numbers", async ({ house, visitor }) => {
  const context = await visitor.context({ viewport: { width: 1280, height: 800 } });
  await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
  const names = Array.from({ length: 60 }, (_, at) => (at % 5 ? `Raum ${100 + at}` : `Naturwissenschaftsraum ${at}`));
  await context.route("**/api/v1/board", async (route) => {
    const board = await (await route.fetch()).json();
    const rooms = [...names].sort().map((name, at) => ({ ...board.rooms[0], id: `r${at}`, name, count: 29 + (at % 2), capacity: 30, run: { id: `u${at}`, activity_id: "1", activity_name: "Mathematik 12", staff: [], started_at: board.as_of } }));
    await route.fulfill({ json: { ...board, rooms, counts: { ...board.counts, present: 1900, in_rooms: 1600, in_transit: 1300 } } });
  });
  const wall = await context.newPage();
  await wall.goto("/wall");
  const cards = wall.locator(".room");
  await expect(cards).toHaveCount(60);
  for (const [width, height] of [[1280, 800], [1920, 1080], [1080, 1920]]) {
    await wall.setViewportSize({ width, height });
    expect(await cutTiles(wall), `${width}`).toEqual([]);
    expect(await cutRooms(cards), `${width}`).toEqual([]);
    expect(await wall.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBeLessThanOrEqual(0);
  }
  const shown = await cards.locator("h3").allTextContents();
  expect(shown.slice(0, 3)).toEqual(["Naturwissenschaftsraum 0", "Naturwissenschaftsraum 5", "Naturwissenschaftsraum 10"]);
  expect(shown.at(-1)).toBe("Raum 159");
  await context.unrouteAll({ behavior: "wait" });
});

test("a member who opens the board is at the own place", async ({ visitor }) => {
  const page = await visitor.page({ role: "member" }, "/");
  const isAtHome = async () => {
    await expect(page).toHaveURL("/my-place");
    await expect(page.getByRole("heading", { level: 1, name: "Mein Platz" })).toBeVisible();
  };
  await isAtHome();
  // The house's name leads to the board, which is not for members, from every page.
  await page.getByRole("link", { name: "Mein Konto" }).click();
  await expect(page).toHaveURL("/sessions");
  await page.getByRole("link", { name: "Grundschule am Park" }).click();
  await isAtHome();
});

test("a wall keeps its screen awake, again when it has been away, and lets it sleep when one leaves it", async ({ visitor }) => {
  const context = await visitor.context({ role: "admin" });
  await context.addInitScript(() => {
    window.locks = [];
    if (!navigator.wakeLock) return;
    navigator.wakeLock.request = async (kind) => {
      window.locks.push(kind);
      return { release: () => window.locks.push("released") };
    };
  });
  const page = await context.newPage();
  await page.goto("/wall");
  await live(page);
  const locks = () => page.evaluate(() => window.locks);
  await expect.poll(locks).toEqual(["screen"]);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect.poll(locks).toEqual(["screen", "screen"]);
  await page.getByRole("link", { name: "Verlassen" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Heute");
  await expect.poll(locks).toEqual(["screen", "screen", "released"]);
});

test("a wall screen shows the counts live, by its own key, and nobody's name", async ({ house, visitor }) => {
  const context = await visitor.context({ viewport: { width: 1920, height: 1080 } });
  await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
  const lead = await visitor.context({ role: "admin" });
  const wall = await context.newPage();
  await wall.goto("/wall");
  await live(wall);
  const before = await visitor.api(lead, "GET", "/board");
  await expect(figure(wall, PRESENT)).toHaveText(String(before.counts.present));
  await expect(figure(wall, HELP)).toHaveText(/^\d+$/);
  for (const { run } of before.rooms.filter((one) => one.run)) {
    await expect(wall.getByRole("main")).toContainText(run.activity_name);
    for (const name of run.staff) await expect(wall.getByRole("main")).not.toContainText(name);
  }
  const [member] = await visitor.onTheWay(lead);
  await visitor.api(lead, "POST", `/attendance/${member.id}`, { status: "left" });
  await expect(figure(wall, PRESENT)).toHaveText(String(before.counts.present - 1));
  await visitor.api(lead, "POST", `/attendance/${member.id}`, { status: "present" });
  await expect(figure(wall, PRESENT)).toHaveText(String(before.counts.present));
  await accessible(wall, "wall");
});

for (const [what, path, answer] of [["who it is", "**/api/v1/me", (route) => route.abort()], ["who it is, of a house that is busy", "**/api/v1/me", (route) => route.fulfill({ status: 503 })],
  ["its words", "**/text/de.ftl", (route) => route.abort()]]) {
  test(`a wall that cannot read ${what} when it starts asks by itself until it can`, async ({ house, visitor }) => {
    const context = await visitor.context({ viewport: { width: 1280, height: 720 } });
    await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
    let refused = 0;
    await context.route(path, (route) => {
      refused += 1;
      return answer(route);
    });
    const wall = await context.newPage();
    await wall.goto("/wall");
    if (path.endsWith("/me")) {
      await expect(wall.getByText("Verbindet neu…")).toBeVisible();
      await expect(wall.getByRole("button", { name: "Nochmal versuchen" })).toBeVisible();
      await accessible(wall, "a wall without its house");
      const before = refused;
      await expect.poll(() => refused, { timeout: 15_000 }).toBeGreaterThan(before);
    }
    await expect.poll(() => refused).toBeGreaterThan(0);
    await context.unroute(path);
    await expect(wall.locator(".wall-clock")).toBeVisible({ timeout: 15_000 });
    await live(wall);
  });
}

test("a wall whose house goes away while it loads is loaded anew once the house is back, and not before", async ({ house, visitor }) => {
  const context = await visitor.context({ viewport: { width: 1280, height: 720 } });
  await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
  let [away, asked] = [false, 0];
  await context.route("**/*", (route) => {
    away ||= route.request().url().endsWith("/wall.js");
    if (away) asked += 1;
    return away ? route.abort() : route.continue();
  });
  const wall = await context.newPage();
  await wall.goto("/wall");
  await expect.poll(() => asked, { timeout: 15_000 }).toBeGreaterThan(6);
  expect(wall.url()).toBe(`${house.url}/wall`);
  await context.unroute("**/*");
  await expect(wall.locator(".wall-clock")).toBeVisible({ timeout: 30_000 });
});

test("a wall screen shows a run that begins, and no more when it has ended", async ({ house, visitor }) => {
  const context = await visitor.context({ viewport: { width: 1920, height: 1080 } });
  await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
  const lead = await visitor.groupLead();
  const wall = await context.newPage();
  await wall.goto("/wall");
  await live(wall);
  const [activities, { rooms }] = [await visitor.api(lead.context, "GET", "/activities?limit=100"), await visitor.api(lead.context, "GET", "/board")];
  const room = rooms.find((one) => !one.run && one.count === 0);
  const shown = wall.getByRole("listitem").filter({ has: wall.getByRole("heading", { name: room.name, exact: true }) });
  await expect(shown).toBeVisible();
  const run = await visitor.api(lead.context, "POST", "/runs", { activity_id: activities.items[0].id, room_id: room.id, staff_ids: [lead.me.person.id] });
  await expect(shown).toContainText(run.activity_name);
  await visitor.api(lead.context, "POST", `/runs/${run.id}/end`);
  await expect(shown).not.toContainText(run.activity_name);
});

test("a wall screen shows whose turn it is by initials, as it changes, and no name", async ({ house, visitor }) => {
  const context = await visitor.context({ viewport: { width: 1920, height: 1080 } });
  await visitor.api(context, "POST", "/displays/sign-in", { token: house.displays[0].key });
  const [first, second] = await visitor.membersIn(await visitor.supervisor(), 2);
  const wall = await context.newPage();
  await wall.goto("/wall");
  await live(wall);
  const places = wall.getByRole("list", { name: "Warten" }).getByRole("listitem");
  await expect(places).toHaveCount(0);
  const letters = ({ me }) => me.person.display_name.split(" ").map((word) => `${[...word][0]}.`).join(" ");
  const asked = await visitor.api(first.context, "POST", "/help-requests", { content: "Was heißt Laterne?" });
  await expect(places.locator("b")).toHaveText([letters(first)]);
  const urgent = await visitor.api(second.context, "POST", "/help-requests", { content: "", priority: "urgent" });
  await expect(places.locator("b")).toHaveText([letters(second), letters(first)]);
  await expect(places.first()).toContainText("Dringend");
  for (const one of [first, second]) await expect(wall.getByRole("main")).not.toContainText(one.me.person.display_name);
  await expect(wall.getByRole("main")).not.toContainText("Laterne");
  await accessible(wall, "wall with a queue");
  await visitor.api(second.context, "POST", `/help-requests/${urgent.id}/cancel`);
  await visitor.api(first.context, "POST", `/help-requests/${asked.id}/cancel`);
  await expect(places).toHaveCount(0);
});
