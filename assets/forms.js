// What is filled in, and what is asked before it is done. Most pages open without.
import { Dialog } from "./parts.js";
import { t } from "./text.js";
import { html } from "./ui.js";

/** Asks once before what cannot be undone; the question names the thing. */
export function Confirm({ title, text, label, run, close }) {
  const act = () => {
    close();
    run();
  };
  return html`<${Dialog} title=${title} close=${close}><p>${text}</p>
    <div class="dialog-acts"><button onClick=${close}>${t("cancel")}</button>
    <button class="danger" onClick=${act}>${label}</button></div><//>`;
}

/** A field with its label above, a hint, and its error beside it. */
export function Field({ label, hint, error, children }) {
  return html`<label class="field"><span class="label">${label}</span>
    ${hint && html`<span class="hint">${hint}</span>`}${children}
    ${error && html`<span class="field-error" data-s="help">${error}</span>`}</label>`;
}
