// Bringing somebody into a run who is anywhere in the house; fetched when it is opened.
import { api } from "./api.js";
import { Field } from "./forms.js";
import { Avatar, Dialog, explain, Status } from "./parts.js";
import { t } from "./text.js";
import { html, useEffect, useState } from "./ui.js";
import { checkIn } from "./visits-run.js";

const NOBODY = { items: [] };

/** Finds anyone who is in the house and brings them into the run. */
export function BringIn({ section, close }) {
  const [query, search] = useState("");
  const [{ items: found, next_cursor: more, answered }, setFound] = useState(NOBODY);
  const [error, setError] = useState(null);
  useEffect(() => {
    const ask = new AbortController();
    const timer = setTimeout(async () => {
      if (query.trim().length < 2) return setFound(NOBODY);
      try {
        const page = await api.get(`/people?role=member&limit=20&q=${encodeURIComponent(query)}`, { signal: ask.signal });
        setFound({ ...page, answered: query });
        setError(null);
      } catch (problem) {
        if (!ask.signal.aborted) setError(explain(problem));
      }
      return undefined;
    }, 120);
    return () => {
      clearTimeout(timer);
      ask.abort();
    };
  }, [query]);
  const here = new Set(section.data.here.map((one) => one.member_id));
  const can = (one) => one.status === "present" && !here.has(one.id);
  const bring = (one) => {
    close();
    checkIn(section, { member_id: one.id, display_name: one.display_name, group_name: one.groups?.[0]?.name });
  };
  return html`<${Dialog} title=${t("bring-in")} close=${close}><${Field} label=${t("bring-in-label")} hint=${t("bring-in-hint")} error=${error}>
      <input type="search" autofocus value=${query} onInput=${(event) => search(event.target.value)} /><//>
    <p class="sub" role="status">${more && t("find-more", { n: found.length })}</p>
    <ul class="taps group-list">${[...found].sort((a, b) => Number(can(b)) - Number(can(a))).map((one) => html`<li key=${one.id}>
      <button class="tap" disabled=${!can(one)} onClick=${() => bring(one)}><${Avatar} name=${one.display_name} />
        <span class="who"><b>${one.display_name}</b></span>
        <${Status} state=${one.status === "present" ? "in" : "off"}>${one.room_name ?? t(one.status === "present" ? "present" : "not-here")}<//>
      </button></li>`)}</ul>
    ${query.trim().length >= 2 && answered === query && found.length === 0 && !error && html`<p class="sub">${t("find-nobody", { query })}</p>`}<//>`;
}
