// My account: the devices that are signed in as me, the password, the PIN, and how this device behaves.
import { api } from "./api.js";
import { useUnsaved } from "./draft.js";
import { Field } from "./forms.js";
import { is, isStaff, letterKeys, me, quiet, sound, theme, THEMES } from "./here.js";
import { timeOfDay } from "./hours.js";
import { Ago, attempt, Empty, explain, Loaded, PageHead, Status, toast } from "./parts.js";
import { Section } from "./store.js";
import { t } from "./text.js";
import { html, Icon, useKeptFocus, useMemo, useOnce, useSection, useState, useWatch } from "./ui.js";

export function SessionsPage() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/sessions?limit=200", { signal }),
  }), []));
  useKeptFocus();
  const end = async (one) => {
    const done = await attempt(() => section.optimistic(
      (list) => ({ ...list, items: list.items.filter((item) => item.id !== one.id) }),
      async () => (await api.del(`/sessions/${one.id}`)) ?? true));
    if (done) toast(t("session-ended"));
  };
  return html`<${PageHead} title=${t("account")} sub=${me.value.person.display_name} />
    <section><h2>${t("sessions")}</h2><p class="sub">${t("sessions-hint")}</p>
      <${Loaded} section=${section} rows=${3}>${({ items }) => (items.length === 0 ? html`<${Empty} title=${t("nobody")} />` : html`
        <ul class="card rows">${items.map((one) => html`<li key=${one.id} tabindex=${one.current ? 0 : null}>
          <${Icon} name="monitor" size=${24} />
          <span class="who"><b>${one.device || t("session-unknown")}</b><span class="sub">${t("session-since")} <${Ago} at=${one.created_at} /> · ${t("session-seen")} <${Ago} at=${one.last_seen_at} /></span></span>
          ${one.current ? html`<${Status} state="in">${t("session-this")}<//>` : html`<button data-row=${one.id} onClick=${() => end(one)}><${Icon} name="log-out" />${t("session-end")}</button>`}</li>`)}</ul>`)}<//></section>
    ${(section.data || section.error) && html`<div class="two-cards"><${Password} />${!is("member") && html`<${Pin} />`}<${ThisDevice} /></div>`}`;
}

const CURRENT = { autocomplete: "current-password" };

/** One's own password: the present one, and the one to come. */
function Password() {
  return html`<${SecretForm} title=${t("password-change")} path="/me/password" label=${t("password-change")} done=${t("password-changed")} fields=${[
    { name: "current", label: t("password-current"), input: CURRENT },
    { name: "new", label: t("password-new"), hint: t("password-hint"), input: { minlength: 8, autocomplete: "new-password" } },
  ]} />`;
}

/** The number that proves at a kiosk that the badge is in its owner's hand. */
function Pin() {
  return html`<${SecretForm} title=${t("pin")} use=${t("pin-use")} path="/me/pin" label=${t("pin-save")} done=${t("pin-set")} fields=${[
    { name: "pin", label: t("pin-new"), hint: t("pin-hint"), input: { inputmode: "numeric", pattern: "[0-9]{4,8}", maxlength: 8, autocomplete: "off" } },
    { name: "password", label: t("password-current"), input: CURRENT },
  ]} />`;
}

/** Puts two secrets to `path`. What is refused is kept, and said at its field, else at the present password. */
function SecretForm({ title, use, path, fields, label, done }) {
  const empty = Object.fromEntries(fields.map(({ name }) => [name, ""]));
  const [form, setForm] = useState(empty);
  const [problem, setProblem] = useState(null);
  // A secret is kept nowhere: that is asked about, and not stored.
  useUnsaved(Object.values(form).some((secret) => secret !== ""));
  const at = fields.find(({ name }) => name === problem?.field) ?? fields.find(({ input }) => input === CURRENT);
  const change = useOnce(async () => {
    try {
      await api.put(path, form);
      setForm(empty);
      setProblem(null);
      toast(done);
    } catch (error) {
      setProblem(error);
    }
  });
  return html`<form class="card form" onSubmit=${change}><h2>${title}</h2>${use && html`<p class="sub">${use}</p>`}
    ${fields.map((field) => html`<${Field} key=${field.name} label=${field.label} hint=${field.hint} error=${problem && field === at && explain(problem)}>
      <input type="password" required ...${field.input} value=${form[field.name]} onInput=${(event) => setForm({ ...form, [field.name]: event.target.value })} /><//>`)}
    <button class="primary">${label}</button></form>`;
}

/** What this browser can and cannot do, in words, and its switches. */
function ThisDevice() {
  useWatch(letterKeys);
  useWatch(sound);
  useWatch(theme);
  const flip = (shared) => () => shared.set(shared.value === "on" ? "off" : "on");
  const can = [["device-secure", window.isSecureContext], ["device-sound", "AudioContext" in window], ["device-share", "BroadcastChannel" in window]];
  return html`<section class="card form"><h2>${t("this-device")}</h2>
    <${Field} label=${t("theme")}><select value=${theme.value} onChange=${(event) => theme.set(event.target.value)}>
      ${THEMES.map((one) => html`<option value=${one}>${t(`theme-${one}`)}</option>`)}</select><//>
    <label class="check"><input type="checkbox" checked=${sound.value === "on"} onChange=${flip(sound)} /><span>${t("setting-sound")}</span></label>
    ${isStaff() && html`<${Quiet} />`}
    <label class="check"><input type="checkbox" checked=${letterKeys.value === "on"} onChange=${flip(letterKeys)} /><span>${t("setting-keys")}</span></label>
    <dl class="figures">${can.map(([key, yes]) => html`<div><dt>${t(key)}</dt><dd>${t(yes ? "yes" : "no")}</dd></div>`)}</dl></section>`;
}

/** When nothing sounds here: kept as soon as both times are ones, or neither is there. */
function Quiet() {
  const [form, setForm] = useState(() => quiet.value.split("-"));
  const set = (at) => ({ target }) => {
    const next = form.length > 1 ? [...form] : ["", ""];
    next[at] = target.value;
    setForm(next);
    const read = next.map(timeOfDay);
    if (next.every((text) => text.trim() === "")) quiet.set("");
    else if (read.every(Boolean)) quiet.set(read.join("-"));
  };
  const wrong = form.some((text) => text.trim() !== "" && !timeOfDay(text));
  const field = (label, at) => html`<label class="field"><span class="label">${label}</span>
    <input class="time" inputmode="numeric" autocomplete="off" maxlength="5" value=${form[at] ?? ""} onInput=${set(at)} /></label>`;
  return html`<fieldset><legend>${t("quiet")}</legend><p class="sub">${t("quiet-hint")}</p>
    <div class="quiet">${field(t("quiet-from"), 0)}${field(t("quiet-to"), 1)}</div>
    ${wrong && html`<p class="field-error" data-s="help">${t("no-time-of-day")}</p>`}</fieldset>`;
}
