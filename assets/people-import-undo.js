// The newest import that can still be undone: what it did, the question before, and what came of it.
import { api } from "./api.js";
import { Confirm } from "./forms.js";
import { attempt, Status } from "./parts.js";
import { clock, longDay, number, t } from "./text.js";
import { html, Icon, useEffect, useState } from "./ui.js";

const when = (time) => t("import-when", { day: longDay(time), time: clock(time) });

/** Reads it anew with each `report`; `undone(answer)` is told of an undo. */
export function LastImport({ report, undone }) {
  const [last, setLast] = useState(null);
  const [asks, ask] = useState(false);
  const read = () => api.get("/people/imports?limit=1").then((list) => setLast(list.items[0]), () => {});
  useEffect(() => {
    read();
  }, [report?.import_id]);
  const undo = async () => {
    const answer = await attempt(() => api.post(`/people/imports/${last.id}/undo`));
    await read();
    if (answer) undone(answer);
  };
  if (!last) return null;
  const counts = { fresh: number(last.new), changed: number(last.changed) };
  return html`<p class="import-last"><span>${t("import-last", { ...counts, when: when(last.at), by: last.by_name ?? t("import-by-command") })}
      <span class="sub">${t("import-undo-until", { when: when(last.undo_until) })}</span></span>
      <button onClick=${() => ask(true)}><${Icon} name="undo-2" />${t("import-undo")}</button></p>
    ${asks && html`<${Confirm} title=${t("import-undo-ask")} text=${t("import-undo-text", { ...counts, when: when(last.at) })}
      label=${t("import-undo")} run=${undo} close=${() => ask(false)} />`}`;
}

/** What an undo did, and what it left. */
export function Undone({ answer }) {
  const { gone, restored, inactive, kept } = answer;
  return html`<p role="status"><${Status} state="in">${t("import-undone", { gone: number(gone), restored: number(restored) })}<//></p>
    ${inactive > 0 && html`<p>${t("import-undone-inactive", { n: inactive })}</p>`}
    ${kept > 0 && html`<p>${t("import-undone-kept", { n: kept })}</p>`}`;
}
