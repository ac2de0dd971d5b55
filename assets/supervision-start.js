// The start of a run, and the runs that wait for somebody; fetched when it is opened.
import { api } from "./api.js";
import { PageHead } from "./parts.js";
import { reduce, takeOver } from "./rooms.js";
import { StartRun } from "./rooms-start.js";
import { reducer, Section } from "./store.js";
import { t } from "./text.js";
import { html, Icon, useMemo, useSection } from "./ui.js";

/** What can begin, and what runs without anybody. */
export function NewRun({ started }) {
  const board = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/board", { signal }), reduce: reducer(reduce),
  }), []));
  const running = (board.data?.rooms ?? []).filter((room) => room.run);
  const alone = running.filter((room) => !room.supervised);
  return html`<${PageHead} title=${t("my-supervision")} section=${board} />
    <div class="two-cards"><${StartRun} board=${board.data} started=${started} />
      <section class="card form"><h2>${t("runs-alone")}</h2>
        ${alone.length === 0 ? html`<p class="sub">${board.data && t("runs-alone-none", { n: running.length })}</p>` : html`<ul class="taps">${alone.map((room) => html`<li key=${room.id}>
          <button class="tap" onClick=${() => takeOver(room.run.id)}><${Icon} name="door-open" size=${24} /><span class="who"><b>${room.name}</b><span class="sub">${room.run.activity_name}</span></span>
          <span class="act">${t("take-over")}</span></button></li>`)}</ul>`}</section></div>`;
}
