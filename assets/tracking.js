// Tracking: who is signed in now, and what happened lately in one's own scope.
import { api } from "./api.js";
import { Ago, Avatar, Empty, Loaded, Status } from "./parts.js";
import { reducer, Section, stale } from "./store.js";
import { byName, hasText, number, t } from "./text.js";
import { html, useMemo, useSection } from "./ui.js";

const FEED_MAX = 12;
const SHOWN_MAX = 8;

/** Of the list of who is online. A list that is told is of one topic, of a group or of those who work here; one's own is of all of them. */
export const reduce = {
  "presence.list_changed": (list) => stale(list),
  "presence.updated": (list) => stale(list),
  "user.status_changed": (list) => stale(list),
  "account.signed_in": (list) => stale(list),
  "account.signed_out": (list, fact) => stale({ ...list, users: list.users.filter((one) => one.person_id !== fact.user_id) }),
};

/** Of the activity feed; what was done is never pushed, only that it was. */
export const reduceFeed = {
  "activity.tracked": (feed, fact, event) => {
    const item = { id: event.id, person_id: fact.user_id, display_name: fact.display_name, event_type: fact.event_type, book_id: fact.book_id, at: event.ts };
    if (feed.items.some((one) => one.id === item.id)) return feed;
    const next = { ...feed, items: [item, ...feed.items].slice(0, FEED_MAX) };
    return item.display_name ? next : stale(feed);
  },
};

/** Who works here and is signed in now. */
export function OnlineList() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/online", { signal }), reduce: reducer(reduce),
  }), []));
  return html`<${Loaded} section=${section} rows=${3}>${({ users }) => {
    const staff = users.filter((one) => one.role !== "member").sort(byName);
    const members = users.length - staff.length;
    return html`${staff.length === 0 && html`<p class="sub">${t("nobody")}</p>`}
    <ul class="plain-list people-list">${staff.slice(0, SHOWN_MAX).map((one) => html`<li key=${one.person_id}>
      <${Avatar} name=${one.display_name} /><span class="who"><b>${one.display_name}</b><span class="sub">${t(`role-${one.role}`)}</span></span>
      <${Status} state=${one.status === "online" ? "in" : "away"}>${t(`user-${one.status}`)}<//></li>`)}</ul>
    ${staff.length > SHOWN_MAX && html`<p class="sub">${t("and-more", { n: number(staff.length - SHOWN_MAX) })}</p>`}
    ${members > 0 && html`<p class="sub">${t("online-members", { n: members })}</p>`}`;
  }}<//>`;
}

/** What members did lately, newest first. */
export function ActivityFeed() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get(`/activity?limit=${FEED_MAX}`, { signal }), reduce: reducer(reduceFeed),
  }), []));
  return html`<${Loaded} section=${section} rows=${3}>${({ items }) => (items.length === 0
    ? html`<${Empty} icon="clock" title=${t("activity-none")} />` : html`
    <ul class="plain-list feed" tabindex="0" aria-label=${t("activity")}>${items.slice(0, FEED_MAX).map((one) => html`<li key=${one.id}>
      <span class="who"><b>${one.display_name}</b><span class="sub">${activityName(one.event_type)} · <${Ago} at=${one.at} /></span></span></li>`)}</ul>`)}<//>`;
}

function activityName(type) {
  const key = `activity-${type.toLowerCase().replaceAll(/[._]/g, "-")}`;
  return hasText(key) ? t(key) : type.replaceAll(/[._]/g, " ").toLowerCase();
}
