// The house board: several nouns at a glance.
import { api } from "./api.js";
import { DeviceFigures, reduce as devicesReduce } from "./devices-figures.js";
import { HelpFigures, reduce as helpReduce, waitingIn } from "./help-figures.js";
import { is, isStaff } from "./here.js";
import { Loaded, PageHead } from "./parts.js";
import { Attention, reduce as roomsReduce, RoomCards } from "./rooms.js";
import { reducer, Section } from "./store.js";
import { t } from "./text.js";
import { ActivityFeed, OnlineList } from "./tracking.js";
import { html, Icon, useEffect, useMemo, useSection } from "./ui.js";
import { CountTiles, reduce as visitsReduce } from "./visits.js";

/** How often readers say how they are. */
const READERS_MS = 60_000;

/** The office is told no news of readers: it reads their figures as often as there may be other ones. */
function useReaders(section) {
  useEffect(() => {
    const timer = is("office") && setInterval(() => section.refetchSoon(), READERS_MS);
    return () => clearInterval(timer);
  }, [section]);
}

/** The house at a glance. */
export function BoardPage() {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get("/board", { signal }),
    reduce: reducer(visitsReduce, roomsReduce, helpReduce, devicesReduce),
  }), []));
  useReaders(section);
  return html`<${PageHead} title=${t("today")} section=${section}>
      <a class="button" href="/wall"><${Icon} name="monitor" />${t("wall")}</a><//>
    <${Loaded} section=${section} rows=${8}>${(board) => html`
      <${CountTiles} counts=${board.counts} waiting=${waitingIn(board.help)} />
      <div class="board"><section aria-labelledby="board-rooms"><h2 id="board-rooms">${t("rooms")}</h2>
          <${RoomCards} rooms=${board.rooms} linked=${true} /></section>
        <aside>
          <section class="card"><h2>${t("attention")}</h2><${Attention} rooms=${board.rooms} /></section>
          ${board.help && html`<section class="card"><h2><a href=${isStaff() ? "/help" : "/my-place"}>${t("help-queue")}</a></h2><${HelpFigures} board=${board} /></section>`}
          ${board.devices && html`<section class="card"><h2>${is("admin") ? html`<a href="/devices">${t("readers")}</a>` : t("readers")}</h2><${DeviceFigures} devices=${board.devices} /></section>`}
          ${isStaff() && html`<section class="card"><h2>${t("online-now")}</h2><${OnlineList} /></section>`}
          ${is("admin", "staff") && html`<section class="card"><h2>${t("activity")}</h2><${ActivityFeed} /></section>`}
        </aside></div>`}<//>`;
}
