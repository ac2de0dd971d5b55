// How a badge reader and a wall screen join the house; fetched when one of them is added.
import { api } from "./api.js";
import { Begun, useDraft, useUnsaved } from "./draft.js";
import { Field } from "./forms.js";
import { serverNow } from "./live.js";
import { allOf, attempt, Dialog, explain, Status, toast } from "./parts.js";
import { byName, t, wait } from "./text.js";
import { html, useEffect, useOnce, useState, useTick } from "./ui.js";

const MODES = ["door_in", "door_out", "toggle", "room", "kiosk"];

/** Makes a single-use code that a new reader types or scans within its time. */
export function Enrol({ close }) {
  const [rooms, setRooms] = useState([]);
  const [form, setForm, forget, begun] = useDraft("reader", { name: "", mode: "room", room_id: "" });
  const [code, setCode] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    attempt(async () => setRooms((await allOf("/rooms")).sort(byName)));
  }, []);
  const set = (name) => (event) => setForm({ ...form, [name]: event.target.value });
  const make = useOnce(async () => {
    const { room_id: room, ...rest } = form;
    try {
      setCode(await api.post("/devices/enrolment-codes", room ? { ...rest, room_id: room } : rest));
      forget();
    } catch (error) {
      setProblem(error);
    }
  });
  const leave = () => {
    forget();
    close();
  };
  if (code) return html`<${Dialog} title=${t("enrol-code")} close=${close}><${Code} code=${code} again=${() => setCode(null)} /></${Dialog}>`;
  return html`<${Dialog} title=${t("device-add")} close=${close}><form class="form" onSubmit=${make}><${Begun} begun=${begun} />
    ${problem && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <${Field} label=${t("device-name")} hint=${t("device-name-hint")}><input required autofocus maxlength="80" value=${form.name} onInput=${set("name")} /><//>
    <${Field} label=${t("device-mode")}><select value=${form.mode} onChange=${set("mode")}>${MODES.map((one) => html`<option value=${one}>${t(`mode-${one}`)}</option>`)}</select><//>
    <${Field} label=${t("room")}><select required=${form.mode === "room"} value=${form.room_id} onChange=${set("room_id")}><option value="">${t("no-room")}</option>
      ${rooms.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select><//>
    <div class="dialog-acts"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("enrol-make")}</button></div></form><//>`;
}

function Code({ code, again }) {
  useTick(1000);
  const left = (Date.parse(code.expires_at) - serverNow()) / 1000;
  return html`<p>${t("enrol-hint")}</p><p class="code"><code>${code.code}</code></p>
    <p>${t("enrol-tablet")} <a href=${`/kiosk#${code.code}`} target="_blank" rel="noopener">${`${location.host}/kiosk#${code.code}`}</a></p>
    ${left > 0 ? html`<p class="sub">${t("enrol-expires", { wait: wait(left) })}</p>`
      : html`<p><${Status} state="away">${t("enrol-expired")}<//> <button onClick=${again}>${t("enrol-again")}</button></p>`}`;
}

/** Lets the screen in that shows these digits. */
export function Pair({ done, close }) {
  const [{ name }, setName, forget, begun] = useDraft("screen", { name: "" });
  // The digits are soon others: they are not kept.
  const [code, setCode] = useState("");
  useUnsaved(code !== "");
  const [problem, setProblem] = useState(null);
  const leave = () => {
    forget();
    close();
  };
  const pair = useOnce(async () => {
    try {
      const paired = await api.post("/displays/pair", { code, name });
      done();
      leave();
      toast(t("display-paired", { name: paired.name }));
    } catch (error) {
      setProblem(error);
    }
  });
  const errorOf = (name) => problem?.field === name && explain(problem);
  return html`<${Dialog} title=${t("display-pair")} close=${close}><form class="form" onSubmit=${pair}>
    ${problem && !problem.field && html`<p class="field-error" data-s="help" role="alert">${explain(problem)}</p>`}
    <${Begun} begun=${begun} /><p>${t("display-pair-open")}</p><p class="code small"><code>${location.host}/pair</code></p>
    <${Field} label=${t("display-code")} hint=${t("display-code-hint")} error=${errorOf("code")}><input required autofocus inputmode="numeric" maxlength="7" pattern="[0-9]{3} ?[0-9]{3}" autocomplete="off" value=${code} onInput=${(event) => setCode(event.target.value)} /><//>
    <${Field} label=${t("name")} hint=${t("display-name-hint")} error=${errorOf("name")}><input required maxlength="80" autocomplete="off" value=${name} onInput=${(event) => setName({ name: event.target.value })} /><//>
    <div class="dialog-acts"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("display-connect")}</button></div></form><//>`;
}
