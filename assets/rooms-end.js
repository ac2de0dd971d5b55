// The end of a run; fetched when it is asked for.
import { api } from "./api.js";
import { Confirm } from "./forms.js";
import { attempt, toast } from "./parts.js";
import { reopen } from "./rooms-run.js";
import { t } from "./text.js";
import { html } from "./ui.js";

/** Ends the run after one question, and offers to open it again. */
export function EndRun({ section, close }) {
  const { run, here } = section.data;
  const end = async () => {
    const ended = await attempt(() => api.post(`/runs/${run.id}/end`));
    if (!ended) return;
    section.refetchSoon();
    toast(t("run-ended-toast", { n: ended.ended_visits, room: run.room_name }), { label: t("undo"), run: () => reopen(section) });
  };
  return html`<${Confirm} title=${t("run-end-title", { activity: run.activity_name })} text=${t("run-end-text", { n: here.length })}
    label=${t("run-end")} run=${end} close=${close} />`;
}
