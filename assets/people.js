// People: the list in scope, finding anyone, one person's card.
import { api } from "./api.js";
import { go, is, me, route, setQuery } from "./here.js";
import { allOf, attempt, Avatar, Confirm, Dialog, Empty, explain, Field, Loaded, PageHead, Skeleton, Status, toast, wholeOf } from "./parts.js";
import { ImportPeople } from "./people-import.js";
import { reducer, Section, stale } from "./store.js";
import { byName, number, plain, t } from "./text.js";
import { html, Icon, useEffect, useMemo, useOnce, useSection, useState, useWatch } from "./ui.js";

/** Why somebody may look up contacts outside the own care. */
const NEEDS = ["accident", "illness", "missing", "pick_up"];

/** Of the list: who came or went is shown at once, the room is read. */
export const reduce = {
  "attendance.checked_in": (list, fact) => withStatus(list, fact.member_id, { status: "present" }),
  "attendance.checked_out": (list, fact) => withStatus(list, fact.member_id, { status: "not_present", room_name: undefined }),
  "visit.started": (list, visit) => withRoom(list, visit),
  "visit.ended": (list, visit) => withStatus(list, visit.member_id, { room_name: undefined, room_id: undefined }),
  "visit.bulk_started": (list) => stale(list),
  "visit.bulk_ended": (list) => stale(list),
  "access.changed": (list) => stale(list),
};

function withStatus(list, id, fields) {
  if (!list.items.some((one) => one.id === id)) return list;
  return { ...list, items: list.items.map((one) => (one.id === id ? { ...one, ...fields } : one)) };
}

function withRoom(list, visit) {
  const room = list.rooms?.find((one) => one.id === visit.room_id)?.name;
  const next = withStatus(list, visit.member_id, { status: "present", room_name: room });
  return next === list || room ? next : stale(next);
}

/** Everyone in scope, with where they are now. */
export function PeoplePage() {
  const section = useSection(useMemo(() => new Section({
    load: async (signal) => {
      const [list, rooms] = await Promise.all([wholeOf("/people", signal), allOf("/rooms", signal)]);
      return { ...list, rooms };
    },
    reduce: reducer(reduce),
  }), []));
  useWatch(route);
  const query = route.value.query;
  const items = section.data?.items ?? [];
  const counts = { members: items.filter((one) => one.role === "member").length, staff: items.filter((one) => one.role && one.role !== "member").length };
  return html`<${PageHead} title=${t("people")} sub=${section.data && t("people-counts", counts)} section=${section}>
      ${is("admin") && html`<button onClick=${() => setQuery({ import: "1" })}><${Icon} name="upload" />${t("import-csv")}</button>
        <button class="primary" onClick=${() => setQuery({ add: "1" })}><${Icon} name="plus" />${t("person-add")}</button>`}
      <button onClick=${() => print()}><${Icon} name="printer" />${t("print")}</button><//>
    <${Loaded} section=${section} rows=${12}>${(data) => html`<${List} items=${data.items} query=${query} />`}<//>
    ${query.get("person") && html`<${PersonCard} id=${query.get("person")} close=${() => setQuery({ person: null })} />`}
    ${query.get("add") && html`<${AddPerson} done=${() => section.refetchSoon()} close=${() => setQuery({ add: null })} />`}
    ${query.get("import") && html`<${ImportPeople} done=${() => section.refetchSoon()} close=${() => setQuery({ import: null })} />`}`;
}

function List({ items, query }) {
  const groups = useMemo(() => {
    const all = items.flatMap((one) => one.groups ?? []);
    return [...new Map(all.map((group) => [group.id, group])).values()].sort(byName);
  }, [items]);
  const words = plain(query.get("q") ?? "");
  const [group, status, desc] = [query.get("group"), query.get("status"), query.get("sort") === "desc"];
  const shown = useMemo(() => {
    const match = (one) => plain(`${one.display_name} ${(one.groups ?? []).map((entry) => entry.name).join(" ")}`).includes(words)
      && (!group || one.groups?.some((entry) => entry.id === group)) && (!status || one.status === status);
    const sorted = items.filter(match).sort(byName);
    return desc ? sorted.reverse() : sorted;
  }, [items, words, group, status, desc]);
  const set = (name) => (event) => setQuery({ [name]: event.target.value }, { replace: true });
  return html`<div class="filters">
      <input type="search" id="people-search" aria-label=${t("people-search")} placeholder=${t("people-search")} value=${query.get("q") ?? ""} onInput=${set("q")} />
      <select aria-label=${t("group")} value=${group ?? ""} onChange=${set("group")}><option value="">${t("all-groups")}</option>
        ${groups.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select>
      <select aria-label=${t("status")} value=${status ?? ""} onChange=${set("status")}><option value="">${t("any-status")}</option>
        <option value="present">${t("present")}</option><option value="not_present">${t("not-here")}</option></select></div>
    ${items.length === 0 ? html`<${Empty} icon="users" title=${t("people-none")}><p>${t("people-none-hint")}</p><//>`
      : shown.length === 0 ? html`<${Empty} icon="search" title=${t("find-nobody", { query: query.get("q") ?? "" })} />` : html`
    <div class="card table-frame"><table class="people"><caption class="visually-hidden">${t("people")}</caption><thead><tr>
      <th scope="col" aria-sort=${desc ? "descending" : "ascending"}><button class="sort" onClick=${() => setQuery({ sort: desc ? null : "desc" }, { replace: true })}>
        ${t("name")}<${Icon} name=${desc ? "arrow-down" : "arrow-up"} size=${16} /></button></th>
      <th scope="col">${t("group")}</th><th scope="col">${t("now")}</th></tr></thead>
      <tbody>${shown.map(PersonRow)}</tbody></table></div>
    <p class="sub" role="status">${t("people-shown", { n: number(shown.length), all: number(items.length) })}</p>`}`;
}

function PersonRow(one) {
  return html`<tr key=${one.id}><th scope="row"><a href=${`/people?person=${one.id}`}>${one.display_name}</a></th>
    <td>${(one.groups ?? []).map((group) => group.name).join(", ") || (one.role && one.role !== "member" ? t(`role-${one.role}`) : "")}</td>
    <td><${Where} one=${one} /></td></tr>`;
}

/** Where a person is, as far as the viewer may know. */
export function Where({ one }) {
  if (one.status !== "present") return html`<${Status} state="off">${t("not-here")}<//>`;
  if (one.room_name) return html`<${Status} state="in">${one.room_name}<//>`;
  return html`<${Status} state=${one.role === "member" && one.groups ? "away" : "in"}>${t(one.role === "member" && one.groups ? "on-the-way" : "present")}<//>`;
}

/** One person: where, which groups, and for those who may, card and account. */
export function PersonCard({ id, close }) {
  const [person, setPerson] = useState(null);
  const [error, setError] = useState(null);
  const read = () => api.get(`/people/${id}`).then(setPerson, setError);
  useEffect(() => {
    read();
  }, [id]);
  const run = me.value.scope?.runs?.[0];
  const bring = useOnce(async () => {
    const visit = await attempt(() => api.post("/visits", { member_id: id, run_id: run.id }));
    if (!visit) return;
    close();
    toast(t("checked-in", { name: person.display_name, room: run.room_name }), { label: t("undo"), run: () => attempt(() => api.post(`/visits/${visit.visit_id}/undo`)) });
  });
  return html`<${Dialog} title=${person?.display_name ?? t("person")} close=${close}>
    ${error && html`<p class="field-error" data-s="help">${explain(error)}</p>`}
    ${!person && !error && html`<${Skeleton} rows=${3} />`}
    ${person && html`<p class="person-now"><${Avatar} name=${person.display_name} /><${Where} one=${person} />
        ${person.role && html`<span class="sub">${t(`role-${person.role}`)}</span>`}</p>
      ${person.groups?.length > 0 && html`<p>${t("group")}: ${person.groups.map((group, at) => html`${at > 0 && ", "}<a href=${`/groups/${group.id}`}>${group.name}</a>`)}</p>`}
      ${!person.groups && html`<p class="sub">${t("out-of-scope")}</p>`}
      ${person.badges && html`<${Badges} person=${person} read=${read} />`}
      ${person.role === "member" && html`<${Contacts} person=${person} />`}
      ${is("admin") && html`<${Account} person=${person} read=${read} />`}
      ${run && person.role === "member" && html`<div class="dialog-acts"><button class="primary" onClick=${bring}><${Icon} name="log-in" />${t("bring-into", { room: run.room_name })}</button></div>`}`}<//>`;
}

/** Whom to call. That somebody looked is written down, so it is read only when asked for. */
function Contacts({ person }) {
  const [contacts, setContacts] = useState(null);
  const [reason, setReason] = useState(null);
  const read = async (why) => {
    try {
      setContacts(await allOf(`/people/${person.id}/contacts${why ? `?reason=${why}` : ""}`));
    } catch (problem) {
      if (problem.code === "contacts.reason_needed") setReason(problem);
      else toast(explain(problem), null, "problem");
    }
  };
  if (reason && !contacts) {
    return html`<h3>${t("contacts")}</h3><p class="sub">${t("contacts-reason")}</p><div class="dialog-acts">
      ${NEEDS.map((need) => html`<button key=${need} onClick=${() => read(need)}>${t(`need-${need}`)}</button>`)}</div>`;
  }
  if (!contacts) return html`<p><button onClick=${() => read()}>${t("contacts-show")}</button></p>`;
  return html`<h3>${t("contacts")}</h3>${contacts.length === 0 && html`<p class="sub">${t("contacts-none")}</p>`}
    <ul class="plain-list">${contacts.map((one) => html`<li key=${one.id}><b>${one.name}</b>
      <span class="sub">${[one.relation, one.phone].filter(Boolean).join(" · ")}</span>
      ${one.may_fetch && html`<${Status} state="in">${t("contact-may-fetch")}<//>`}${one.emergency && html`<${Status} state="info">${t("contact-emergency")}<//>`}</li>`)}</ul>`;
}

/** The account of somebody who works here; a password that the house makes is shown once. */
function Account({ person, read }) {
  const [username, setUsername] = useState("");
  const [made, setMade] = useState(null);
  const [problem, setProblem] = useState(null);
  const open = useOnce(async () => {
    try {
      setMade(await api.post(`/people/${person.id}/account`, { username }));
      read();
    } catch (error) {
      setProblem(error);
    }
  });
  if (made?.password) return html`<h3>${t("account-of")}</h3><p>${t("account-made", { name: made.username })}</p><p class="code small"><code>${made.password}</code></p>`;
  if (person.account) return html`<h3>${t("account-of")}</h3><p>${person.account.username}</p>`;
  return html`<form class="inline" onSubmit=${open}><${Field} label=${t("account-new")} error=${problem && explain(problem)}>
    <input required maxlength="100" autocomplete="off" value=${username} onInput=${(event) => setUsername(event.target.value)} /><//><button>${t("account-open")}</button></form>`;
}

/** What becomes of a card: the office blocks a lost one, the lead lets it open doors again or takes it back. */
function Badges({ person, read }) {
  const [tag, setTag] = useState("");
  const [asking, ask] = useState(null);
  const give = useOnce(async () => {
    if (!await attempt(() => api.post(`/people/${person.id}/badges`, { tag }))) return;
    setTag("");
    read();
  });
  const change = async (badge, act, back) => {
    const done = await attempt(async () => (await (act === "take-back" ? api.del(`/badges/${badge.id}`) : api.post(`/badges/${badge.id}/${act}`))) ?? true);
    read();
    if (done) toast(t(`badge-${act}-done`, { tag: badge.tag_suffix }), back && { label: t("undo"), run: () => change(badge, back) });
  };
  const block = (badge) => (is("admin") ? change(badge, "block", "unblock") : ask({ badge, act: "block" }));
  const button = (act, run) => html`<button key=${act} onClick=${run}>${t(`badge-${act}`)}</button>`;
  return html`<h3>${t("badges")}</h3>
    <ul class="plain-list">${person.badges.map((badge) => html`<li key=${badge.id}><span>…${badge.tag_suffix}</span>
      <${Status} state=${badge.state === "active" ? "in" : "off"}>${t(`badge-${badge.state}`)}<//>
      ${badge.state === "active" && is("admin", "office") && button("block", () => block(badge))}
      ${badge.state !== "active" && is("admin") && button("unblock", () => change(badge, "unblock", "block"))}
      ${is("admin") && button("take-back", () => ask({ badge, act: "take-back" }))}</li>`)}</ul>
    ${asking && html`<${Confirm} title=${t(`badge-${asking.act}-title`, { tag: asking.badge.tag_suffix })} text=${t(`badge-${asking.act}-text`, { name: person.display_name })}
      label=${t(`badge-${asking.act}`)} run=${() => change(asking.badge, asking.act)} close=${() => ask(null)} />`}
    ${is("admin", "office") && html`<form class="inline" onSubmit=${give}><${Field} label=${t("badge-new")} hint=${t("badge-new-hint")}>
      <input required value=${tag} onInput=${(event) => setTag(event.target.value)} autocomplete="off" /><//><button>${t("badge-give")}</button></form>`}`;
}

function AddPerson({ done, close }) {
  const [form, setForm] = useState({ given_name: "", family_name: "", role: "member" });
  const [problem, setProblem] = useState(null);
  const set = (name) => (event) => setForm({ ...form, [name]: event.target.value });
  const add = useOnce(async () => {
    try {
      const person = await api.post("/people", form);
      done();
      go(`/people?person=${person.id}`, { replace: true });
    } catch (error) {
      setProblem(error);
    }
  });
  const errorOf = (name) => problem?.field === name && explain(problem);
  return html`<${Dialog} title=${t("person-add")} close=${close}><form class="form" onSubmit=${add}>
    ${problem && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    ${["given_name", "family_name"].map((name, at) => html`<${Field} label=${t(name.replace("_", "-"))} error=${errorOf(name)}>
      <input required autofocus=${at === 0} maxlength="100" value=${form[name]} onInput=${set(name)} /><//>`)}
    <${Field} label=${t("role")} error=${errorOf("role")}><select value=${form.role} onChange=${set("role")}>
      ${["member", "staff", "office", "admin"].map((role) => html`<option value=${role}>${t(`role-${role}`)}</option>`)}</select><//>
    <div class="dialog-acts"><button type="button" onClick=${close}>${t("cancel")}</button><button class="primary">${t("save")}</button></div></form><//>`;
}
