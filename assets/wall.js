// The wall: the house at a glance for whoever passes, without names.
import { api } from "./api.js";
import { stayAwake } from "./awake.js";
import { HelpFigures, reduce as helpReduce, waitingIn } from "./help-figures.js";
import { Line } from "./help-line.js";
import { is, me, theme, THEMES } from "./here.js";
import { keepOpen, serverNow, setPace } from "./live.js";
import { AsOf, Loaded, Pill, StaleNote, LanguageSwitch } from "./parts.js";
import { reduce as roomsReduce, RoomCards } from "./rooms.js";
import { reducer, Section } from "./store.js";
import { clock, longDay, t } from "./text.js";
import { html, Icon, useEffect, useMemo, useSection, useTick, useWatch } from "./ui.js";
import { CountTiles, reduce as visitsReduce } from "./visits.js";

const WALL_PACE_MS = 250;

/** The wall: counts, rooms, help figures and whose turn it is; no names, four paints a second. */
export function WallPage() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/board", { signal }), reduce: reducer(visitsReduce, roomsReduce, helpReduce),
  }), []));
  useTick(1000);
  useEffect(() => {
    setPace(WALL_PACE_MS);
    keepOpen(true);
    document.documentElement.classList.add("is-wall");
    document.title = t("title", { page: t("wall") });
    const sleep = stayAwake();
    const renewing = import("./wall-renew.js").then(({ renewWall }) => renewWall(), () => () => {});
    return () => {
      renewing.then((stop) => stop());
      sleep();
      setPace(0);
      keepOpen(false);
      document.documentElement.classList.remove("is-wall");
    };
  }, []);
  return html`<main id="main" class="wall"><header class="wall-head"><h1 tabindex="-1">${me.value.house.name}</h1><${Pill} silent /><${StaleNote} silent /><${AsOf} section=${section} />
      <span class="wall-day">${longDay(serverNow())}</span><b class="wall-clock">${clock(serverNow())}</b>
      <div class="wall-acts"><${LanguageSwitch} /><${Look} />${!is("display") && html`<a class="button" href="/"><${Icon} name="x" />${t("wall-leave")}</a>`}</div></header>
    <${Loaded} section=${section} rows=${8}>${(board) => html`
      <${CountTiles} counts=${board.counts} waiting=${waitingIn(board.help)} details=${false} />
      <h2 class="visually-hidden">${t("rooms")}</h2><div class="wall-body"><${RoomCards} rooms=${board.rooms.map(nameless)} />
        <section class="card wall-help" data-s=${waitingIn(board.help) > 0 ? "help" : null}><h2>${t("help")}</h2><${HelpFigures} board=${board} />
          ${is("admin", "display") && html`<${Line} />`}
          ${waitingIn(board.help) === 0 && html`<p class="sub">${t("help-empty")}</p>`}</section></div>`}<//></main>`;
}

/** How this screen looks; nobody is signed in there who could say it elsewhere. */
function Look() {
  useWatch(theme);
  return html`<select aria-label=${t("theme")} value=${theme.value} onChange=${(event) => theme.set(event.target.value)}>
    ${THEMES.map((one) => html`<option value=${one}>${t(`theme-${one}`)}</option>`)}</select>`;
}

/** A wall hangs where visitors pass: rooms and activities, never people or who is not there. */
function nameless(room) {
  return room.run ? { ...room, supervised: true, run: { ...room.run, staff: [] } } : room;
}
