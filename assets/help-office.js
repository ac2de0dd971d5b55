// The queue as the office sees it; fetched by nobody else.
import { api } from "./api.js";
import { HelpFigures, reduce } from "./help-figures.js";
import { Loaded, PageHead } from "./parts.js";
import { reducer, Section } from "./store.js";
import { t } from "./text.js";
import { html, useMemo, useSection } from "./ui.js";

/** What the office sees: how many wait and how long, and no request. */
export function Figures() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/board", { signal }), reduce: reducer(reduce),
  }), []));
  return html`<${PageHead} title=${t("help-queue")} section=${section} />
    <${Loaded} section=${section} rows=${3}>${(board) => html`<div class="card queue-figures"><${HelpFigures} board=${board} /></div>
      <p class="sub">${t("help-office")}</p>`}<//>`;
}
