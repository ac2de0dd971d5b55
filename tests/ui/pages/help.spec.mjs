// Help from both sides: a member asks and sees the place in line and who comes; staff see the
// request at once, claim it, and are done with it. Nothing needs a mouse or a reload.
import { accessible, expect, live, mark, tabTo, test as base } from "../house.mjs";

const OPEN = ["pending", "assigned", "on_hold"];

const test = base.extend({
  // Somebody who looks after a run, and two members who sit in it.
  cast: async ({ visitor }, use) => {
    const staff = await visitor.supervisor();
    const members = await visitor.membersIn(staff, 2);
    await use({ staff, member: members[0], second: members[1] });
    for (const { context } of members) {
      const { request } = await visitor.api(context, "GET", "/help-requests/mine");
      if (request && OPEN.includes(request.status)) await visitor.api(context, "POST", `/help-requests/${request.id}/cancel`);
    }
  },
  // The queue of that colleague, live.
  queue: async ({ cast }, use) => {
    const page = await cast.staff.context.newPage();
    await page.goto("/help");
    await live(page);
    await use(page);
  },
  // The place of the first member, live.
  place: async ({ cast }, use) => {
    const page = await cast.member.context.newPage();
    await openPlace(page);
    await use(page);
  },
});

/** Opens the place of somebody who may have been helped before today. */
async function openPlace(page) {
  await page.goto("/my-place");
  await live(page);
  const again = page.getByRole("button", { name: "Ich brauche wieder Hilfe" });
  await expect(again.or(page.getByLabel("Worum geht es?")).or(said(page)).first()).toBeVisible();
  if (await again.isVisible()) await again.click();
}

const nameOf = (who) => who.me.person.display_name;
const row = (page, who) => page.locator(".help-row[data-row]").filter({ has: page.locator("b", { hasText: nameOf(who) }) });
const said = (page) => page.getByRole("status").and(page.locator(".place-now"));
const toast = (page, text) => page.locator(".toast", { hasText: text });

test("asked, claimed and done: both sides see every step at once, by keyboard alone", async ({ cast, place, queue }) => {
  const loads = [await mark(place), await mark(queue)];
  await expect(queue.getByText("Niemand wartet.")).toBeVisible();
  await tabTo(place, place.getByLabel("Worum geht es?"));
  await place.keyboard.type("Was heißt Laterne?");
  await tabTo(place, place.getByRole("button", { name: "Ich brauche Hilfe" }));
  await place.keyboard.press("Enter");
  await expect(said(place)).toContainText("Du bist als Nächstes dran");
  await expect(place.getByText("Was heißt Laterne?")).toBeVisible();

  await expect(row(queue, cast.member)).toContainText("„Was heißt Laterne?“");
  await expect(row(queue, cast.member)).toContainText(cast.staff.run.room_name);
  await expect(row(queue, cast.member)).toHaveAttribute("data-fresh", "");
  await expect(queue).toHaveTitle("(1) Hilfe-Liste · Daybook");
  await queue.keyboard.press("j");
  await expect(row(queue, cast.member)).toBeFocused();
  await queue.keyboard.press("h");
  await expect(row(queue, cast.member)).toContainText("bei Ihnen");
  await expect(row(queue, cast.member)).toBeFocused();
  await expect(queue).toHaveTitle("Hilfe-Liste · Daybook");
  await expect(said(place)).toContainText(`${nameOf(cast.staff)} kommt zu dir`);

  await queue.keyboard.press("d");
  await expect(queue.getByLabel("Antwort")).toBeFocused();
  await queue.keyboard.type("Ein Licht ");
  await queue.goBack();
  await expect(queue.getByRole("dialog")).toHaveCount(0);
  await expect(row(queue, cast.member)).toBeFocused();
  await queue.keyboard.press("d");
  await expect(queue.getByLabel("Antwort")).toHaveValue("Ein Licht ");
  await queue.keyboard.press("End");
  await queue.keyboard.type("zum Tragen.");
  await tabTo(queue, queue.getByRole("dialog").getByRole("button", { name: "Erledigt" }));
  await queue.keyboard.press("Enter");
  await expect(toast(queue, `${nameOf(cast.member)} als erledigt markiert`)).toBeVisible();
  await expect(row(queue, cast.member)).toHaveCount(0);
  await expect(queue.getByRole("heading", { level: 1 })).toBeFocused();
  await expect(said(place)).toContainText("Erledigt");
  await expect(place.getByText("Ein Licht zum Tragen.")).toBeVisible();
  await place.getByRole("button", { name: "Ich brauche wieder Hilfe" }).click();
  await expect(place.getByLabel("Worum geht es?")).toHaveValue("");
  for (const sameLoad of loads) expect(await sameLoad()).toBe(true);
});

test("a request that is half written stays until it is sent, in this tab and for this person", async ({ cast, place }) => {
  const words = place.getByLabel("Worum geht es?");
  const urgent = place.getByLabel("Es ist dringend");
  await words.fill("Was heißt La");
  await urgent.check();
  await place.getByRole("link", { name: "Mein Konto" }).click();
  await expect(place.getByRole("heading", { level: 1 })).toHaveText("Mein Konto");
  await place.getByRole("link", { name: "Mein Platz" }).click();
  await expect(words).toHaveValue("Was heißt La");
  await place.reload();
  await expect(words).toHaveValue("Was heißt La");
  await expect(urgent).toBeChecked();
  expect(await place.evaluate(() => JSON.stringify(localStorage))).not.toContain("Was heißt");

  await place.getByRole("button", { name: "Ich brauche Hilfe" }).click();
  await expect(said(place)).toBeVisible();
  await place.getByRole("button", { name: "Ändern" }).click();
  await words.fill("Was heißt Laterne und was");
  await place.reload();
  await expect(words).toHaveValue("Was heißt Laterne und was");
  await place.getByRole("button", { name: "Abbrechen" }).click();
  await place.reload();
  await expect(place.getByRole("blockquote")).toHaveText("Was heißt La");
  await expect(words).toHaveCount(0);
  await place.getByRole("button", { name: "Nicht mehr nötig" }).click();
  await place.getByRole("dialog").getByRole("button", { name: "Nicht mehr nötig" }).click();
  await expect(words).toHaveValue("");
  await expect(urgent).not.toBeChecked();

  await words.fill("Nur für mich");
  await place.evaluate(() => sessionStorage.setItem("daybook.draft.another-sign-in.ask", "{}"));
  await place.reload();
  await expect(words).toHaveValue("Nur für mich");
  expect(await place.evaluate(() => Object.keys(sessionStorage).length)).toBe(1);
  await place.getByRole("button", { name: "Abmelden" }).click();
  await expect(place).toHaveURL("/sign-in");
  expect(await place.evaluate(() => Object.keys(sessionStorage))).toEqual([]);
  await place.getByLabel("Benutzername").fill(cast.member.username);
  await place.getByLabel("Passwort").fill("ein-tag-im-park");
  await place.keyboard.press("Enter");
  await expect(words).toHaveValue("");
});

test("somebody comes, until it is known who", async ({ cast, place, visitor }) => {
  const { id } = await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Wo steht das?" });
  await expect(said(place)).toContainText("Du bist als Nächstes dran");
  let letThrough;
  const held = new Promise((resolve) => { letThrough = resolve; });
  await place.route("**/help-requests/mine", async (route) => {
    await held;
    await route.continue();
  });
  await visitor.api(cast.staff.context, "POST", `/help-requests/${id}/claim`);
  await expect(said(place).getByRole("heading")).toHaveText("Es kommt jemand zu dir");
  letThrough();
  await expect(said(place).getByRole("heading")).toHaveText(`${nameOf(cast.staff)} kommt zu dir`);
});

test("what ticks on my place is read aloud by nobody, and after an hour it is hours", async ({ cast, place, visitor }) => {
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Wie lange noch?" });
  await expect(said(place)).toContainText("Du bist als Nächstes dran");
  // What a screen reader would say: words that change in a region which speaks.
  await place.evaluate(() => {
    window.spoken = [];
    window.ticks = new Set();
    new MutationObserver((changes) => changes.forEach(({ target }) => {
      const at = target.parentElement;
      window.ticks.add(document.querySelector(".place-now p:last-child")?.textContent);
      if (at?.closest("[aria-live], [role=status], [role=alert], [role=timer]")?.matches("[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]")) window.spoken.push(target.data);
    })).observe(document.body, { subtree: true, characterData: true });
  });
  await expect.poll(() => place.evaluate(() => window.ticks.size)).toBeGreaterThan(2);
  expect(await place.evaluate(() => window.spoken)).toEqual([]);

  await place.route("**/help-requests/mine", async (route) => {
    const mine = await (await route.fetch()).json();
    const created = new Date(Date.parse(mine.as_of) - 3_725_000).toISOString();
    await route.fulfill({ json: { ...mine, request: { ...mine.request, created_at: created } } });
  });
  await place.reload();
  await expect(said(place)).toContainText(/Du wartest seit 1:02:\d\d h\./);
});

test("who claims second is told who has it", async ({ cast, place, visitor }) => {
  const { id } = await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Ich finde die Seite nicht" });
  await expect(said(place)).toBeVisible();
  const page = await visitor.page({ role: "admin" }, "/help");
  await live(page);
  // The colleague is a moment faster than this page's claim.
  await page.route("**/claim", async (route) => {
    await visitor.api(cast.staff.context, "POST", `/help-requests/${id}/claim`);
    await route.continue();
  });
  await row(page, cast.member).getByRole("button", { name: "Ich helfe" }).click();
  await expect(toast(page, `${nameOf(cast.staff)} hilft schon.`)).toBeVisible();
  await expect(row(page, cast.member)).toContainText(`bei ${nameOf(cast.staff)}`);
  await expect(row(page, cast.member).getByRole("button", { name: "Ich helfe" })).toHaveCount(0);
  await expect(said(place)).toContainText(`${nameOf(cast.staff)} kommt zu dir`);
});

test("an urgent request goes first, and the one that waited sees the new place", async ({ cast, place, queue, visitor }) => {
  await tabTo(place, place.getByRole("button", { name: "Ich brauche Hilfe" }));
  await place.keyboard.press("Enter");
  await expect(said(place)).toContainText("Du bist als Nächstes dran");
  await expect(row(queue, cast.member)).toContainText(cast.staff.run.room_name);
  const other = await cast.second.context.newPage();
  await openPlace(other);
  await expect(other.getByText("Eine Person wartet vor dir.")).toBeVisible();
  await other.getByLabel("Es ist dringend").check();
  await other.getByRole("button", { name: "Ich brauche Hilfe" }).click();
  await expect(said(other)).toContainText("Du bist als Nächstes dran");
  await expect(said(place)).toContainText("Du bist Nummer 2");
  await expect(queue.locator(".help-row b")).toHaveText([nameOf(cast.second), nameOf(cast.member)]);
  await expect(row(queue, cast.second)).toContainText("Dringend");
  await expect(queue).toHaveTitle("(2) Hilfe-Liste · Daybook");
  await accessible(queue, "a queue with an urgent request");
  await accessible(other, "a place in line");
  await visitor.api(cast.second.context, "POST", `/help-requests/${(await visitor.api(cast.second.context, "GET", "/help-requests/mine")).request.id}/cancel`);
  await expect(said(place)).toContainText("Du bist als Nächstes dran");
});

test("who is not in charge sees an urgent request, and no other", async ({ cast, visitor }) => {
  const page = await visitor.page({ username: await bystander(visitor) }, "/help");
  await live(page);
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Nicht dringend" });
  await visitor.api(cast.second.context, "POST", "/help-requests", { content: "Nasenbluten", priority: "urgent" });
  await expect(row(page, cast.second)).toContainText("Nasenbluten");
  await expect(row(page, cast.member)).toHaveCount(0);
  // The badge says how many wait in this list; the lead's, how many in the house.
  const badge = (of) => of.locator(".side").getByRole("link", { name: /^Hilfe-Liste/ }).locator(".badge");
  const lead = await visitor.page({ role: "admin" }, "/people");
  await expect(badge(lead)).toHaveText("Warten: 2");
  await expect(badge(page)).toHaveText("Warten: 1");
  await expect(page).toHaveTitle("(1) Hilfe-Liste · Daybook");
});

/** Somebody who looks after no group and no run now. */
async function bystander(visitor) {
  for (const { username } of visitor.house.sign_ins.filter((one) => one.role === "staff")) {
    const { scope } = await visitor.api(await visitor.context({ username }), "GET", "/me");
    if (scope.groups.length + scope.runs.length === 0) return username;
  }
  throw new Error("everybody looks after somebody");
}

test("what a new request says is being fetched, and nobody is told that it says nothing", async ({ cast, queue, visitor }) => {
  const held = [];
  let hold = true;
  await queue.route("**/help-requests?limit=500", async (route) => {
    if (hold) await new Promise((go) => held.push(go));
    await route.continue();
  });
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "" });
  const busy = row(queue, cast.member).locator("[aria-busy=true]");
  await expect(busy).toHaveText("Lädt");
  await expect(row(queue, cast.member)).not.toContainText("Keine Nachricht");
  await accessible(queue, "a request whose words are being fetched");
  hold = false;
  for (const go of held) go();
  await expect(busy).toHaveCount(0);
  await expect(row(queue, cast.member)).toContainText(cast.staff.run.room_name);
});

test("the office sees the figures of the queue, live, and asks for no list", async ({ cast, visitor }) => {
  const page = await visitor.page({ role: "office" });
  const asked = [];
  page.on("request", (one) => one.url().includes("/help-requests") && asked.push(one.url()));
  page.on("console", (one) => one.type() === "error" && asked.push(one.text()));
  await page.goto("/help");
  await live(page);
  const figure = (label) => page.locator("dt", { hasText: label }).locator("+ dd");
  await expect(figure("Warten")).toHaveText("0");
  await expect(figure("Längste Wartezeit")).toHaveText("–");
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Nur für die Aufsicht" });
  await expect(figure("Warten")).toHaveText("1");
  // Nobody is told each second how long somebody waits: it grows by itself.
  await expect(figure("Längste Wartezeit")).toHaveText(/^0:(0[2-9]|[1-5]\d)$/);
  await expect(page.getByRole("button", { name: /^Ton/ })).toHaveCount(0);
  await expect(page.getByText("Das Büro sieht die Zahlen der Liste, nicht die Bitten.")).toBeVisible();
  await expect(page.locator("main")).not.toContainText("Nur für die Aufsicht");
  await accessible(page, "the queue in figures");
  expect(asked).toEqual([]);
});

test("a claim is put back by the toast, and the member waits again", async ({ cast, place, queue, visitor }) => {
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Der Ton geht nicht" });
  await row(queue, cast.member).getByRole("button", { name: "Ich helfe" }).click();
  await expect(said(place)).toContainText(`${nameOf(cast.staff)} kommt zu dir`);
  await toast(queue, `Sie helfen: ${nameOf(cast.member)}`).getByRole("button", { name: "Rückgängig" }).click();
  await expect(row(queue, cast.member).getByRole("button", { name: "Ich helfe" })).toBeVisible();
  await expect(said(place)).toContainText("Du bist als Nächstes dran");
});

test("what was marked as done by mistake, or put aside, comes back by the toast", async ({ cast, place, queue, visitor }) => {
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Noch nicht fertig" });
  const undo = (text) => toast(queue, text).getByRole("button", { name: "Rückgängig" });
  await row(queue, cast.member).getByRole("button", { name: "Ich helfe" }).click();
  await row(queue, cast.member).getByRole("button", { name: "Anhalten" }).click();
  await undo(`${nameOf(cast.member)} ist angehalten`).click();
  await expect(row(queue, cast.member)).toContainText("bei Ihnen");
  await row(queue, cast.member).getByRole("button", { name: "Erledigt" }).click();
  await queue.getByLabel("Antwort").fill("Fertig");
  await queue.getByRole("dialog").getByRole("button", { name: "Erledigt" }).click();
  await expect(said(place)).toContainText("Erledigt");
  await expect(row(queue, cast.member)).toHaveCount(0);
  await undo(`${nameOf(cast.member)} als erledigt markiert`).click();
  await expect(row(queue, cast.member)).toContainText("bei Ihnen");
  await expect(row(queue, cast.member)).toContainText("„Noch nicht fertig“");
  await expect(said(place)).toContainText(`${nameOf(cast.staff)} kommt zu dir`);
});

test("what was marked as done by mistake comes back from its row when the toast is gone, by keyboard, for five minutes", async ({ cast, queue, visitor }) => {
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Doch nicht fertig" });
  await row(queue, cast.member).getByRole("button", { name: "Ich helfe" }).click();
  await row(queue, cast.member).getByRole("button", { name: "Erledigt" }).click();
  await queue.getByRole("dialog").getByRole("button", { name: "Erledigt" }).click();
  await expect(row(queue, cast.member)).toHaveCount(0);
  await queue.reload();
  const done = queue.locator(".help-row", { hasText: nameOf(cast.member) }).first();
  await expect(queue.getByRole("heading", { name: "Eben erledigt" })).toBeVisible();
  await accessible(queue, "what is just done");
  await tabTo(queue, done.getByRole("button", { name: "Rückgängig" }));
  await queue.keyboard.press("Enter");
  await expect(row(queue, cast.member)).toContainText("„Doch nicht fertig“");
  await expect(row(queue, cast.member)).toContainText("bei Ihnen");
  await expect(queue.getByRole("heading", { name: "Eben erledigt" })).toHaveCount(0);
  await expect(queue.locator(":focus")).not.toHaveCount(0);
  // Later than five minutes the house refuses, and nothing is offered.
  await row(queue, cast.member).getByRole("button", { name: "Erledigt" }).click();
  await queue.getByRole("dialog").getByRole("button", { name: "Erledigt" }).click();
  await expect(queue.getByRole("heading", { name: "Eben erledigt" })).toBeVisible();
  await queue.route("**/help-requests?status=resolved*", async (route) => {
    const response = await route.fetch();
    const page = await response.json();
    await route.fulfill({ response, json: { ...page, items: page.items.map((one) => ({ ...one, undo_until: page.as_of })) } });
  });
  await queue.reload();
  await live(queue);
  await expect(queue.getByText(/heute geholfen/)).toBeVisible();
  await expect(queue.getByRole("heading", { name: "Eben erledigt" })).toHaveCount(0);
  await queue.unrouteAll({ behavior: "wait" });
});

test("what became of a request that was asked in another tab is shown in both", async ({ cast, visitor }) => {
  const { context } = cast.member;
  const help = async () => {
    const { id } = await visitor.api(context, "POST", "/help-requests", { content: "" });
    await visitor.api(cast.staff.context, "POST", `/help-requests/${id}/claim`);
    return () => visitor.api(cast.staff.context, "POST", `/help-requests/${id}/resolve`, { response: "Schau auf Seite 5" });
  };
  await (await help())();
  const other = await context.newPage();
  await openPlace(other);
  await expect(other.getByLabel("Worum geht es?")).toBeVisible();
  const done = await help();
  await expect(said(other)).toContainText("kommt zu dir");
  await done();
  await expect(said(other)).toContainText("Erledigt");
  await expect(other.getByRole("blockquote")).toHaveText("Schau auf Seite 5");
});

test("a member changes the words, then takes the request back after one question", async ({ cast, place, queue, visitor }) => {
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Ich habe eine Frage" });
  await expect(row(queue, cast.member)).toContainText("Ich habe eine Frage");
  await place.getByRole("button", { name: "Ändern" }).click();
  await place.getByLabel("Worum geht es?").fill("Ich habe zwei Fragen");
  await place.getByRole("button", { name: "Speichern" }).click();
  await expect(place.getByRole("blockquote")).toHaveText("Ich habe zwei Fragen");
  await expect(row(queue, cast.member)).toContainText("Ich habe zwei Fragen");
  await tabTo(place, place.getByRole("button", { name: "Nicht mehr nötig" }));
  await place.keyboard.press("Enter");
  await expect(place.getByRole("dialog")).toContainText("Du verlierst deinen Platz in der Reihe.");
  await expect(place.getByRole("dialog", { name: "Deine Bitte zurückziehen?" }).getByRole("button", { name: "Behalten" })).toBeVisible();
  await tabTo(place, place.getByRole("dialog").getByRole("button", { name: "Nicht mehr nötig" }));
  await place.keyboard.press("Enter");
  await expect(toast(place, "Deine Bitte ist zurückgezogen.")).toBeVisible();
  await expect(place.getByRole("button", { name: "Ich brauche Hilfe" })).toBeVisible();
  await expect(row(queue, cast.member)).toHaveCount(0);
});

test("single letters do nothing in a field, and can be switched off", async ({ cast, queue, visitor }) => {
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "" });
  await expect(row(queue, cast.member)).toBeVisible();
  await queue.evaluate(() => localStorage.setItem("daybook.letterKeys", "off"));
  await queue.reload();
  await row(queue, cast.member).focus();
  await queue.keyboard.press("h");
  await queue.keyboard.press("?");
  await expect(queue.getByRole("dialog")).toHaveCount(0);
  await queue.keyboard.press("Control+k");
  await expect(queue.getByRole("dialog", { name: "Suchen" })).toBeVisible();
  await queue.keyboard.type("h?");
  await expect(queue.getByRole("combobox")).toHaveValue("h?");
  await queue.keyboard.press("Escape");
  await expect(row(queue, cast.member).getByRole("button", { name: "Ich helfe" })).toBeVisible();
});

test("a member sees the room that the house has it in, and that it has left", async ({ cast, place, visitor }) => {
  const where = place.locator(".my-room");
  await expect(where).toContainText(`Du bist hier: ${cast.staff.run.room_name}`);
  const { here } = await visitor.api(cast.staff.context, "GET", `/runs/${cast.staff.run.id}`);
  const visit = here.find((one) => one.member_id === cast.member.me.person.id);
  await visitor.api(cast.staff.context, "POST", `/visits/${visit.visit_id}/end`);
  await expect(where).toHaveText("Du bist im Haus");
  await visitor.api(cast.staff.context, "POST", `/visits/${visit.visit_id}/undo`);
  await expect(where).toContainText(cast.staff.run.room_name);
  await accessible(place, "my place with its room");
});

test("a second touch on “Ich helfe” does not put the child back", async ({ cast, visitor }) => {
  await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Wie geht das?" });
  const phone = await visitor.page({ username: cast.staff.username, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, "/help");
  await live(phone);
  // Where the row goes depends on the others: as soon as a second touch comes, none of its acts may answer.
  await phone.evaluate(() => addEventListener("click", () => setTimeout(() => {
    window.answering = document.querySelectorAll(".help-row .acts button:enabled").length;
  }, 180), { once: true }));
  const claim = row(phone, cast.member).getByRole("button", { name: "Ich helfe" });
  await claim.tap();
  await expect.poll(() => phone.evaluate(() => window.answering)).toBe(0);
  await expect(row(phone, cast.member)).toContainText("bei Ihnen");
  await expect(row(phone, cast.member).getByRole("button", { name: "Zurücklegen" })).toBeEnabled();
});

test("who is on hold stands under a heading of that name", async ({ cast, queue, visitor }) => {
  const { id } = await visitor.api(cast.member.context, "POST", "/help-requests", { content: "Später" });
  for (const act of ["claim", "hold"]) await visitor.api(cast.staff.context, "POST", `/help-requests/${id}/${act}`);
  await expect(queue.getByRole("heading", { name: "Angehalten" })).toBeVisible();
  await expect(queue.getByRole("heading", { name: "Hilfe ist da" })).toHaveCount(0);
});
