// Help is given: what is said to the member with it.
import { useDraft } from "./draft.js";
import { Field } from "./forms.js";
import { Dialog } from "./parts.js";
import { t } from "./text.js";
import { html, Icon } from "./ui.js";

/** Asks for a word of answer, which may be left empty; what was begun stays until it is sent. */
export function Resolve({ one, act, close }) {
  const [response, setResponse, forget] = useDraft(`answer-${one.id}`, "");
  const leave = () => {
    forget();
    close();
  };
  const done = async (event) => {
    event.preventDefault();
    close();
    if (await act(response ? { response } : {})) forget();
  };
  return html`<${Dialog} title=${t("help-resolve-title", { name: one.display_name })} close=${close}>
    <form class="form" onSubmit=${done}>
      <${Field} label=${t("help-response")} hint=${t("help-response-hint")}>
        <textarea rows="3" maxlength="500" autofocus value=${response} onInput=${(event) => setResponse(event.target.value)}
          onKeyDown=${(event) => event.key === "Enter" && !event.shiftKey && done(event)}></textarea><//>
      <div class="dialog-acts"><button type="button" onClick=${leave}>${t("cancel")}</button>
        <button class="primary"><${Icon} name="check" />${t("help-resolve")}</button></div></form><//>`;
}
