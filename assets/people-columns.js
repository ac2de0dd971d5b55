// Which columns the table of people has, for this reader on this device.
import { Dialog } from "./parts.js";
import { columnsOf, USUAL, useTable } from "./people-table.js";
import { t } from "./text.js";
import { html } from "./ui.js";

export function Columns({ close }) {
  const { columns, keep } = useTable();
  const flip = (name) => keep({ columns: columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name] });
  return html`<${Dialog} title=${t("columns")} close=${close}><p class="sub">${t("columns-hint")}</p>
    ${columnsOf().map((name) => html`<label key=${name} class="check"><input type="checkbox" checked=${columns.includes(name)} onChange=${() => flip(name)} /><span>${t(name)}</span></label>`)}
    <div class="dialog-acts"><button onClick=${() => keep({ columns: USUAL })}>${t("columns-usual")}</button><button class="primary" onClick=${close}>${t("close")}</button></div><//>`;
}
