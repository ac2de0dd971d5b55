// Handing a run over; fetched when somebody asks for it.
import { api } from "./api.js";
import { me } from "./here.js";
import { allOf, attempt, Dialog, Field, toast } from "./parts.js";
import { byName, t } from "./text.js";
import { html, useEffect, useState } from "./ui.js";

/** Gives the run to a colleague, for good or for a while. */
export function HandOver({ run, close }) {
  const [staff, setStaff] = useState([]);
  const [to, setTo] = useState("");
  const [kind, setKind] = useState("hand_over");
  useEffect(() => {
    attempt(async () => setStaff((await allOf("/people?role=staff")).filter((one) => one.id !== me.value.person.id).sort(byName)));
  }, []);
  const give = async (event) => {
    event.preventDefault();
    const done = await attempt(() => api.post("/supervisions", { staff_id: to, run_id: run.id, kind }));
    if (!done) return;
    close();
    toast(t("handed-over", { room: run.room_name, name: staff.find((one) => one.id === to)?.display_name ?? "" }));
  };
  return html`<${Dialog} title=${t("hand-over-title", { room: run.room_name })} close=${close}>
    <form class="form" onSubmit=${give}>
      <${Field} label=${t("hand-over-to")}><select required autofocus value=${to} onChange=${(event) => setTo(event.target.value)}>
        <option value="">${t("choose")}</option>
        ${staff.map((one) => html`<option value=${one.id}>${one.display_name}</option>`)}</select><//>
      <fieldset class="radios"><legend>${t("hand-over-kind")}</legend>
        ${["hand_over", "substitution"].map((one) => html`<label><input type="radio" name="kind" checked=${kind === one}
          onChange=${() => setKind(one)} />${t(`hand-over-${one.replace("_", "-")}`)}</label>`)}</fieldset>
      <div class="dialog-acts"><button type="button" onClick=${close}>${t("cancel")}</button>
        <button class="primary">${t("hand-over")}</button></div></form><//>`;
}
