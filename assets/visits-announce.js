// Who came to a run and went, for those who do not see its lists; fetched behind them, as the first word is later.
import { t } from "./text.js";
import { html, useEffect, useRef, useState } from "./ui.js";

/** Says once, in a batch, how many came and went. */
export function Announce({ here }) {
  const [text, say] = useState("");
  const before = useRef(null);
  useEffect(() => {
    const now = new Set(here.map((one) => one.member_id));
    const timer = setTimeout(() => {
      const known = before.current;
      before.current = now;
      if (!known) return;
      const came = [...now].filter((id) => !known.has(id)).length;
      const went = [...known].filter((id) => !now.has(id)).length;
      if (came + went > 0) say(t("announce-run", { came, went }));
    }, before.current ? 2500 : 0);
    return () => clearTimeout(timer);
  }, [here]);
  return html`<p class="visually-hidden" role="status">${text}</p>`;
}
