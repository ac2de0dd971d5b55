// Where the open offers of supervision stand on a page; their list is fetched when there is one.
import { is, me } from "./here.js";
import { Later } from "./parts.js";
import { html, useWatch } from "./ui.js";

/** What colleagues ask of the reader, and what the reader has asked of them; of one group alone where it is named. */
export function Offered({ group }) {
  useWatch(me);
  const { offers, offered } = me.value;
  return is("admin", "staff") && offers + offered > 0 && html`<${Later} load=${() => import("./rooms-offer.js")} view="Offers" group=${group} />`;
}
