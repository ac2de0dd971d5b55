// Who belongs to a group: found as one types, taken in, taken out, and saved in one go.
import { api } from "./api.js";
import { Begun, useDraft } from "./draft.js";
import { allOf, attempt, Dialog, explain, Skeleton } from "./parts.js";
import { byName, number, t } from "./text.js";
import { html, Icon, useEffect, useRef, useState } from "./ui.js";

const WAIT_MS = 80;
/** So many are offered at once. */
const SHOWN = 8;

/** The dialog of a group's members. */
export function Members({ group, done, close }) {
  const [members, setMembers] = useState(null);
  useEffect(() => {
    attempt(async () => setMembers(await allOf(`/people?role=member&group_id=${group.id}`)));
  }, []);
  return html`<${Dialog} title=${t("members-edit", { name: group.name })} close=${close}>
    ${members ? html`<${Edit} group=${group} before=${members.map(nameOf)} done=${done} close=${close} />` : html`<${Skeleton} rows=${4} />`}<//>`;
}

const nameOf = ({ id, display_name }) => ({ id, display_name });

function Edit({ group, before, done, close }) {
  const [members, setMembers, forget, begun] = useDraft(`members-${group.id}`, before);
  const [problem, setProblem] = useState(null);
  const field = useRef(null);
  useEffect(() => field.current?.focus(), []);
  const add = (one) => setMembers([...members, nameOf(one)]);
  const remove = (one) => {
    setMembers(members.filter((other) => other.id !== one.id));
    field.current?.focus();
  };
  const save = async (event) => {
    event.preventDefault();
    try {
      await api.put(`/groups/${group.id}/members`, { member_ids: members.map((one) => one.id) });
      forget();
      done(group);
    } catch (error) {
      setProblem(error);
    }
  };
  const leave = () => {
    forget();
    close();
  };
  return html`<form class="form" onSubmit=${save}><${Begun} begun=${begun} />
    ${problem && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <${Search} field=${field} members=${members} add=${add} />
      <section><h3>${t("members-of")} <span class="count" role="status">${number(members.length)}</span></h3>
        ${members.length === 0 ? html`<p class="sub">${t("group-empty")}</p>` : html`<ul class="plain-list members" aria-label=${t("members-of")}>
          ${[...members].sort(byName).map((one) => html`<li key=${one.id}><span class="who">${one.display_name}</span>
            <button type="button" class="bare" aria-label=${t("members-remove", { name: one.display_name })} onClick=${() => remove(one)}><${Icon} name="x" /></button></li>`)}</ul>`}</section>
    <div class="dialog-acts"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("save")}</button></div></form>`;
}

/** Finds who is not in the group yet; arrows move, Enter takes in, and the field is free for the next. */
function Search({ field, members, add }) {
  const [query, setQuery] = useState("");
  const [found, setFound] = useState(null);
  const [at, setAt] = useState(0);
  const list = useRef(null);
  useEffect(() => {
    setAt(0);
    setFound(null);
    if (query.trim() === "") return undefined;
    const ask = new AbortController();
    const timer = setTimeout(() => {
      api.get(`/people?role=member&limit=50&q=${encodeURIComponent(query)}`, { signal: ask.signal }).then(setFound, () => {});
    }, WAIT_MS);
    return () => {
      clearTimeout(timer);
      ask.abort();
    };
  }, [query]);
  const others = (found?.items ?? []).filter((one) => !members.some((other) => other.id === one.id));
  const shown = others.slice(0, SHOWN);
  const take = (one) => {
    add(one);
    setQuery("");
    field.current?.focus();
  };
  const onKey = (event) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, shown.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter" && query.trim() !== "") shown[at] && take(shown[at]);
    else return;
    event.preventDefault();
  };
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  return html`<div><label class="field"><span class="label">${t("members-add")}</span><span class="hint">${t("members-hint")}</span>
      <input type="search" ref=${field} role="combobox" aria-expanded=${shown.length > 0} aria-controls="members-found" autocomplete="off"
        aria-activedescendant=${shown[at] ? `members-found-${at}` : null} value=${query} onInput=${(event) => setQuery(event.target.value)} onKeyDown=${onKey} /></label>
    <ul class="palette" id="members-found" role="listbox" aria-label=${t("find-results")} ref=${list}>${shown.map((one, place) => html`
      <li key=${one.id} id=${`members-found-${place}`} role="option" aria-selected=${place === at} onClick=${() => take(one)} onMouseMove=${() => setAt(place)}>
        <span class="who">${one.display_name}</span><span class="sub">${(one.groups ?? []).map((other) => other.name).join(", ")}</span></li>`)}</ul>
    ${found && (others.length > SHOWN || (shown.length > 0 && found.next_cursor)) && html`<p class="sub" role="status">${t("find-more", { n: shown.length })}</p>`}
    ${found && shown.length === 0 && html`<p class="sub" role="status">${found.items.length > 0 ? t("members-all-in", { query }) : t("find-nobody", { query })}</p>`}</div>`;
}
