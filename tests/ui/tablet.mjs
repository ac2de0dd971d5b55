// A house with a tablet by a door, and badges that are held to it.
import { expect, leave, newHouse, test as base, visiting } from "./house.mjs";

const PASSWORD = "vier warme graue Steine";

/** Where it is noon now: a house on the real clock has a day's end, and nobody is there after it. */
function zoneOfNoon() {
  const ahead = 12 - new Date().getUTCHours();
  return `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
}

export const MIA = "DEB0C0C0";
export const EVA = "DEB0E5E5";

export const test = base.extend({
  fresh: async ({}, use) => {
    const house = await newHouse();
    await use(house);
    await leave(house);
  },
  visitor: ({ fresh, browser }, use) => visiting({ ...fresh, sign_ins: [] }, browser, use),
  // A house with a lead, a room, an activity, a child and a member of staff, both with badges.
  lead: async ({ fresh, visitor }, use) => {
    const context = await visitor.context({});
    const post = (url, data) => visitor.api(context, "POST", url, data);
    await post("/setup", { code: fresh.code, house_name: "Schule am Bach", profile: "school", zone: zoneOfNoon(), language: "de", username: "ada", display_name: "Ada Lang", password: PASSWORD });
    const room = await post("/rooms", { name: "Bibliothek", capacity: 25 });
    const activity = await post("/activities", { name: "Lesen" });
    const person = async (role, given_name, family_name, tag) => {
      const { id } = await post("/people", { role, given_name, family_name });
      await post(`/people/${id}/badges`, { tag });
      return id;
    };
    const mia = await person("member", "Mia", "Mohn", MIA);
    const eva = await person("staff", "Eva", "Engel", EVA);
    await post(`/people/${eva}/account`, { username: "eva", password: PASSWORD });
    const staff = await visitor.context({});
    await visitor.api(staff, "POST", "/login", { username: "eva", password: PASSWORD });
    await visitor.api(staff, "PUT", "/me/pin", { pin: "2580", password: PASSWORD });
    await use({
      context, room, activity, mia, eva, post, get: (url) => visitor.api(context, "GET", url),
      code: async (more = {}) => (await post("/devices/enrolment-codes", { name: "Bibliothek", mode: "kiosk", room_id: room.id, ...more })).code,
      run: () => post("/runs", { activity_id: activity.id, room_id: room.id, staff_ids: [eva] }),
      here: async () => (await visitor.api(context, "GET", "/board")).rooms[0].count,
    });
  },
});

/** A tablet that has joined the house. */
export async function tablet(visitor, lead, options = {}, more) {
  const page = await visitor.page({ viewport: { width: 1024, height: 768 }, ...options }, `/kiosk#${await lead.code(more)}`);
  await expect(page.locator(".pill[data-s=in]")).toBeVisible();
  await expect(page.locator(".kiosk-foot")).toContainText("25");
  return page;
}

/** Holds a badge to the reader: it types fast and ends with Enter, whatever has the focus. */
export async function hold(page, tag) {
  await page.keyboard.type(tag);
  await page.keyboard.press("Enter");
}

export const tone = (page) => page.locator("main");
