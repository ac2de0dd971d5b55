// Import of people: choose a file, see what would happen, and only then do it.
import { api } from "./api.js";
import { Field } from "./forms.js";
import { readMe } from "./here.js";
import { Dialog, explain, Status, toast } from "./parts.js";
import { Columns, Rows, sameColumns } from "./people-import-columns.js";
import { LastImport, Undone } from "./people-import-undo.js";
import { hasText, listed, number, t } from "./text.js";
import { html, Icon, useOnce, useRef, useState } from "./ui.js";

const CSV = "text/csv";

/** Upload, column match, preview with every error's row and column, confirm, report, undo. */
export function ImportPeople({ done, close }) {
  const [file, setFile] = useState(null);
  const [matches, setMatches] = useState({});
  const [report, setReport] = useState(null);
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const [undone, setUndone] = useState(null);
  const turn = useRef(0);
  /** Asks what the file would do, or does it; the newest answer counts. */
  const send = async (bytes, said, dryRun) => {
    const mine = ++turn.current;
    setBusy(true);
    setProblem(null);
    let [answer, failure] = [null, null];
    try {
      answer = await api.post(pathOf(said, dryRun), bytes, { type: CSV });
    } catch (error) {
      // What the house holds has changed since the preview: the new complaints are shown.
      if (error.details?.errors) answer = { ...error.details, dry_run: true };
      failure = error;
    }
    if (mine !== turn.current) return null;
    if (answer) setReport(answer);
    setProblem(failure);
    setBusy(false);
    return answer;
  };
  // The same file again, corrected meanwhile, is a choice too: of the same name a browser tells only then.
  const forget = (event) => { event.target.value = ""; };
  const choose = async (event) => {
    const chosen = event.target.files[0];
    if (!chosen) return;
    setUndone(null);
    const before = report?.columns ?? [];
    setReport(null);
    // What is previewed is what is imported, whatever becomes of the file meanwhile.
    const bytes = await chosen.arrayBuffer();
    setFile({ bytes });
    const fresh = await send(bytes, {}, true);
    const holds = fresh && Object.keys(matches).length > 0 && sameColumns(fresh.columns, before);
    if (holds) await send(bytes, matches, true);
    else setMatches({});
  };
  const match = (letter, field) => {
    const said = { ...matches, [`[${letter}]`]: field };
    setMatches(said);
    send(file.bytes, said, true);
  };
  const confirm = useOnce(async () => {
    await send(file.bytes, matches, false);
    readMe();
    done();
  });
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
        <input type="file" autofocus accept=".csv,text/csv" onClick=${forget} onChange=${choose} /><//>
      <p role="status" class="visually-hidden">${busy ? t("loading") : report ? t("import-summary", figures(report)) : ""}</p>
      ${report?.dry_run && report.columns.length > 0 && html`<${Columns} columns=${report.columns} match=${match} />`}
      ${report && html`<${Preview} report=${report} />`}
      ${report?.errors.length === 0 && report.rows.length > 0 && html`<${Rows} rows=${report.rows} all=${report.new + report.changed} />`}
      ${undone && html`<${Undone} answer=${undone} />`}
      ${!report?.dry_run && html`<${LastImport} report=${report} undone=${taken} />`}
      <div class="dialog-acts"><button onClick=${finish}>${t(undone || (report && !report.dry_run) ? "close" : "cancel")}</button>
        ${report?.dry_run && html`<button class="primary" disabled=${!good || busy} onClick=${confirm}><${Icon} name="check" />
          ${t("import-now", { n: report.new + report.changed })}</button>`}</div></div><//>`;
}

/** Where a file is sent, with what was said of its columns. */
function pathOf(said, dryRun) {
  const columns = Object.keys(said).length > 0 ? `&columns=${encodeURIComponent(JSON.stringify(said))}` : "";
  return `/people/import?dry_run=${dryRun}${columns}`;
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
    ${!report.dry_run && ignored.length > 0 && html`<p>${t("import-ignored", { n: ignored.length, names: listed(ignored) })}</p>`}
    ${errors.length > 0 && html`<p>${t("import-fix")}</p>
      <div class="table-frame scroll" tabindex="0" role="region" aria-label=${t("import-errors")}><table><thead><tr><th scope="col">${t("row")}</th><th scope="col">${t("column")}</th>
        <th scope="col">${t("value")}</th><th scope="col">${t("problem")}</th></tr></thead>
        <tbody>${errors.map((one) => html`<tr><td>${one.row}</td><td>${one.column}</td><td><code>${one.value}</code></td><td>${complaint(one)}</td></tr>`)}</tbody></table></div>`}`;
}
