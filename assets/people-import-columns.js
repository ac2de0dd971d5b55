// What each column of an imported file is taken for, and how somebody says otherwise.
import { hasText, listed, t } from "./text.js";
import { html, Icon, useState } from "./ui.js";

const ONCE = ["given_name", "family_name", "name", "display_name", "number", "role", "language"];
/** These can stand in a file several times, with a number from the second on. */
const SEVERAL = ["class", "care", "ward", "badge", "contact", "phone", "relation", "may_fetch", "emergency"];
const FIELDS = [...ONCE, ...SEVERAL.flatMap((field) => [field, `${field}_2`, `${field}_3`])];

/** The name of a field, such as "Telefon 2". */
function named(field) {
  const [, word, number] = field.match(/^(.*?)(?:_(\d))?$/);
  const key = `import-field-${word.replaceAll("_", "-")}`;
  return [hasText(key) ? t(key) : word, number].filter(Boolean).join(" ");
}

/** Says whether two files have the same columns: what was said of the one then holds for the other. */
export function sameColumns(columns, others) {
  const headings = (list) => JSON.stringify(list.map((one) => [one.letter, one.heading]));
  return headings(columns) === headings(others);
}

/** One line a column: its heading, the first value in it, and what it is taken for. */
export function Columns({ columns, match }) {
  const read = columns.filter((one) => one.field).length;
  // Open where there is something to say; it does not close under whoever says it.
  const [opens] = useState(read < columns.length);
  return html`<details open=${opens}><summary><${Icon} name="chevron-right" size=${16} />${t("import-columns", { n: read, all: columns.length })}</summary>
    <ul class="import-columns">${columns.map((one) => html`<li key=${one.letter}><label>
      <span><b>${one.heading || t("import-column", { letter: one.letter })}</b>${one.example && html` <span class="sub">${t("import-example", { value: one.example })}</span>`}</span>
      <select value=${one.field ?? "ignore"} onChange=${(event) => match(one.letter, event.target.value)}>
        <option value="ignore">${t("import-field-none")}</option>
        ${[...new Set([...FIELDS, ...[one.field].filter(Boolean)])].map((field) => html`<option value=${field}>${named(field)}</option>`)}</select></label></li>`)}</ul></details>`;
}

/** Whom the file would make or change, and in what. */
export function Rows({ rows, all }) {
  return html`<details><summary><${Icon} name="chevron-right" size=${16} />${t(rows.length < all ? "import-rows-some" : "import-rows", { n: rows.length, all })}</summary>
    <div class="table-frame scroll" tabindex="0" role="region" aria-label=${t("import-rows", { n: rows.length })}><table><thead><tr><th scope="col">${t("row")}</th><th scope="col">${t("name")}</th><th scope="col">${t("import-what")}</th></tr></thead>
      <tbody>${rows.map((one) => html`<tr key=${one.row}><td>${one.row}</td><td>${one.name}</td>
        <td>${one.person_id ? t("import-row-changed", { what: listed(one.changes.map(named)) }) : t("import-new")}</td></tr>`)}</tbody></table></div></details>`;
}
