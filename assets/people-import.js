// Import of people: choose a file, see what would happen, and only then do it.
import { api } from "./api.js";
import { Field } from "./forms.js";
import { readMe } from "./here.js";
import { Dialog, explain, Status, toast } from "./parts.js";
import { LastImport, Undone } from "./people-import-undo.js";
import { hasText, listed, number, t } from "./text.js";
import { html, Icon, useState } from "./ui.js";

const CSV = "text/csv";

/** Upload, preview with every error's row and column, confirm, report. */
export function ImportPeople({ done, close }) {
  const [file, setFile] = useState(null);
  const [report, setReport] = useState(null);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const [undone, setUndone] = useState(null);
  const send = async (bytes, dryRun) => {
    setBusy(true);
    setProblem(null);
    try {
      setReport(await api.post(`/people/import?dry_run=${dryRun}`, bytes, { type: CSV }));
    } catch (error) {
      // What the house holds has changed since the preview: the new complaints are shown.
      if (error.details?.errors) setReport({ ...error.details, dry_run: true });
      setProblem(error);
    }
    setBusy(false);
  };
  // The same file again, corrected meanwhile, is a choice too: of the same name a browser tells only then.
  const forget = (event) => { event.target.value = ""; };
  const choose = async (event) => {
    const chosen = event.target.files[0];
    if (!chosen) return;
    const bytes = await chosen.arrayBuffer();
    setReport(null);
    setUndone(null);
    setFile({ name: chosen.name, bytes });
    await send(bytes, true);
  };
  const confirm = async () => {
    await send(file.bytes, false);
    readMe();
    done();
  };
  const taken = (answer) => {
    setReport(null);
    setUndone(answer);
    readMe();
    done();
  };
  const finish = () => {
    if (report && !report.dry_run) toast(t("import-done", { n: report.new + report.changed }));
    close();
  };
  const good = report?.dry_run && report.errors.length === 0 && report.new + report.changed > 0;
  return html`<${Dialog} title=${t("import-csv")} close=${finish} wide>
    <div class="form">
      <${Field} label=${t("import-file")} hint=${t("import-hint")} error=${problem && explain(problem)}>
        <input type="file" autofocus accept=".csv,text/csv" onClick=${forget} onChange=${choose} disabled=${busy} /><//>
      <p role="status" class="visually-hidden">${busy ? t("loading") : report ? t("import-summary", figures(report)) : ""}</p>
      ${report && html`<${Preview} report=${report} />`}
      ${undone && html`<${Undone} answer=${undone} />`}
      ${!report?.dry_run && html`<${LastImport} report=${report} undone=${taken} />`}
      <div class="dialog-acts"><button onClick=${finish}>${t(undone || (report && !report.dry_run) ? "close" : "cancel")}</button>
        ${report?.dry_run && html`<button class="primary" disabled=${!good || busy} onClick=${confirm}><${Icon} name="check" />
          ${t("import-now", { n: report.new + report.changed })}</button>`}</div></div><//>`;
}

const figures = (report) => ({ fresh: report.new, changed: report.changed, same: report.same, errors: report.errors.length });

/** What is wrong with a cell, in the reader's language. */
function complaint({ code }) {
  const key = (code ?? "").replaceAll(/[._]/g, "-");
  return t(hasText(key) ? key : "import-unreadable");
}

function Preview({ report }) {
  const cell = (state, value, key) => html`<li class="tile small" data-s=${state}><span class="shape" aria-hidden="true"></span><b>${number(value)}</b><span class="tile-label">${t(key)}</span></li>`;
  const { errors } = report;
  const ignored = (report.ignored ?? []).filter(Boolean);
  return html`<ul class="tiles small">${cell("in", report.new, "import-new")}${cell("info", report.changed, "import-changed")}
      ${cell("off", report.same, "import-same")}${cell("help", errors.length, "import-errors")}</ul>
    ${!report.dry_run && html`<p><${Status} state="in">${t("import-done", { n: report.new + report.changed })}<//></p>`}
    ${ignored.length > 0 && html`<p>${t("import-ignored", { n: ignored.length, names: listed(ignored) })}</p>`}
    ${errors.length > 0 && html`<p>${t("import-fix")}</p>
      <div class="table-frame scroll" tabindex="0" role="region" aria-label=${t("import-errors")}><table><thead><tr><th scope="col">${t("row")}</th><th scope="col">${t("column")}</th>
        <th scope="col">${t("value")}</th><th scope="col">${t("problem")}</th></tr></thead>
        <tbody>${errors.map((one) => html`<tr><td>${one.row}</td><td>${one.column}</td><td><code>${one.value}</code></td><td>${complaint(one)}</td></tr>`)}</tbody></table></div>`}`;
}
