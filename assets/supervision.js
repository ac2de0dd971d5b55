// My supervision: the runs that I look after, each with its visits, or the start of one.
import { api } from "./api.js";
import { go, is, route, setQuery } from "./here.js";
import { serverNow } from "./live.js";
import { Empty, Later, Loaded, PageHead } from "./parts.js";
import { Offered } from "./rooms-offered.js";
import { reduce as reduceRuns, reopen, RunFacts, RunTabs } from "./rooms-run.js";
import { reducer, Section } from "./store.js";
import { clock, t } from "./text.js";
import { html, Icon, useMemo, useSection, useWatch } from "./ui.js";
import { isMine, reduce as reduceVisits, RunLists } from "./visits-run.js";

/** My run: who is here, who is expected, who just left. */
export function SupervisionPage() {
  const runs = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/runs?limit=200", { signal }), reduce: reducer(reduceRuns),
  }), []));
  useWatch(route);
  const { query } = route.value;
  const items = runs.data?.items ?? [];
  const own = items.filter(isMine);
  const shown = is("admin") && own.length === 0 ? items : own;
  const starting = query.get("start") || (shown.length === 0 && !query.get("run"));
  const current = query.get("run") ?? shown[0]?.id;
  const started = (run) => {
    runs.refetchSoon();
    go(`/supervision?run=${run.id}`);
  };
  return html`<${Offered} key="offers" />${runs.data && shown.length > 0 && html`<${RunTabs} runs=${shown} current=${starting ? null : current} />`}
    <${Loaded} section=${runs} rows=${8}>${() => (starting ? html`<${Later} key="start" load=${() => import("./supervision-start.js")} view="NewRun" started=${started} />` : html`<${RunPage} key=${current} id=${current} asking=${query.get("ask")} />`)}<//>`;
}

function RunPage({ id, asking }) {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get(`/runs/${id}`, { signal }), reduce: reducer(reduceVisits, reduceRuns),
  }), [id]));
  // The list of runs forgets one that ends; the address does not.
  const ask = (what) => setQuery({ run: id, ask: what });
  const close = () => setQuery({ ask: null });
  const run = section.data?.run;
  const open = run && !run.ended_at;
  const doing = open && asking;
  const canReopen = run?.ended_at && run.undo_until && Date.parse(run.undo_until) > serverNow();
  return html`<${PageHead} title=${run?.room_name ?? t("my-supervision")} sub=${run?.activity_name} section=${section}>
      ${open && html`<button class="primary" data-row="bring" onClick=${() => ask("bring")}><${Icon} name="user-plus" />${t("bring-in")}</button>
        <button data-row="give" onClick=${() => ask("give")}><${Icon} name="users" />${t("hand-over")}</button>
        <button data-row="end" onClick=${() => ask("end")}><${Icon} name="x" />${t("run-end")}</button>`}
      ${canReopen && html`<button class="primary" data-row="reopen" onClick=${() => reopen(section)}><${Icon} name="undo-2" />${t("run-reopen")}</button>`}<//>
    <${Loaded} section=${section} rows=${10}>${() => html`<${RunFacts} run=${run} />
      ${run.ended_at && html`<${Empty} icon="clock" title=${t("run-ended", { time: clock(run.ended_at) })}><a class="button primary" href="/supervision?start=1">${t("run-start")}</a><//>`}
      <${RunLists} section=${section} />`}<//>
    ${doing === "bring" && html`<${Later} key="bring" load=${() => import("./visits-bring.js")} view="BringIn" section=${section} close=${close} />`}
    ${doing === "give" && html`<${Later} key="give" load=${() => import("./rooms-offer.js")} view="HandOver" charge=${{ run_id: id }} what=${run.room_name} held=${run.staff} close=${close} />`}
    ${doing === "end" && html`<${Later} key="end" load=${() => import("./rooms-end.js")} view="EndRun" section=${section} close=${close} />`}`;
}
