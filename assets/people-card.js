// One person's card: where, which groups, and for those who may, contacts, badges and account.
import { api } from "./api.js";
import { Confirm, Field } from "./forms.js";
import { is, me, route, setQuery } from "./here.js";
import { draftOf } from "./draft.js";
import { allOf, attempt, Avatar, Dialog, explain, Later, Skeleton, Status, toast } from "./parts.js";
import { Where } from "./people-table.js";
import { t } from "./text.js";
import { html, Icon, useEffect, useOnce, useState } from "./ui.js";

/** Why somebody may look up contacts outside the own care. */
const NEEDS = ["accident", "illness", "missing", "pick_up"];

/** One person: where, which groups, and for those who may, card and account. */
export function PersonCard({ id, changed, close }) {
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
  if (person && is("admin") && route.value.query.get("edit")) {
    return html`<${Later} key="edit" load=${() => import("./people-edit.js")} view="EditPerson" person=${person} read=${read} changed=${changed} close=${() => setQuery({ edit: null })} />`;
  }
  return html`<${Dialog} key="card" title=${person?.display_name ?? t("person")} close=${close}>
    ${error && html`<p class="field-error" data-s="help">${explain(error)}</p>`}
    ${!person && !error && html`<${Skeleton} rows=${3} />`}
    ${person && html`<p class="person-now"><${Avatar} name=${person.display_name} />${person.state === "inactive" ? html`<${Status} state="off">${t("state-inactive")}<//>` : html`<${Where} one=${person} />`}
        ${person.role && html`<span class="sub">${t(`role-${person.role}`)}</span>`}
        ${is("admin") && html`<button class="person-edit" onClick=${() => setQuery({ edit: "1" })}><${Icon} name="pencil" />${t(draftOf(`person-${id}`) ? "person-edit-draft" : "person-edit")}</button>`}</p>
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
  if (person.account) return html`<${KnownAccount} person=${person} read=${read} made=${setMade} />`;
  return html`<form class="inline" onSubmit=${open}><${Field} label=${t("account-new")} error=${problem && explain(problem)}>
    <input required maxlength="100" autocomplete="off" value=${username} onInput=${(event) => setUsername(event.target.value)} /><//><button>${t("account-open")}</button></form>`;
}

/** What becomes of an account: a new password for a forgotten one, and whether it may be used. One's own is on *My account*. */
function KnownAccount({ person, read, made }) {
  const [asking, ask] = useState(null);
  const { username, disabled } = person.account;
  const name = person.display_name;
  const change = async (act, body) => {
    const account = await attempt(() => api.patch(`/people/${person.id}/account`, body));
    read();
    if (account?.password) made(account);
    else if (account) toast(t(`account-${act}-done`, { name }));
  };
  const acts = { password: { make_password: true }, close: { disabled: true } };
  return html`<h3>${t("account-of")}</h3><ul class="plain-list"><li><span>${username}</span>
    ${disabled && html`<${Status} state="off">${t("account-closed")}<//>`}
    ${person.id !== me.value.person.id && html`<button onClick=${() => ask("password")}>${t("account-password")}</button>
      ${disabled ? html`<button onClick=${() => change("reopen", { disabled: false })}>${t("account-reopen")}</button>` : html`<button onClick=${() => ask("close")}>${t("account-close")}</button>`}`}</li></ul>
    ${asking && html`<${Confirm} title=${t(`account-${asking}-title`, { name })} text=${t(`account-${asking}-text`, { name })}
      label=${t(`account-${asking}`)} run=${() => change(asking, acts[asking])} close=${() => ask(null)} />`}`;
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
