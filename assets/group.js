// My group: who is in charge of it, where its members are, and giving it to a colleague.
import { api } from "./api.js";
import { is, me, route, setQuery } from "./here.js";
import { Empty, Later, Loaded, PageHead } from "./parts.js";
import { Offered } from "./rooms-offered.js";
import { reducer, Section } from "./store.js";
import { listed, t } from "./text.js";
import { html, Icon, useMemo, useSection, useWatch } from "./ui.js";
import { GroupLists, reduce } from "./visits-group.js";

/** Staff give what is theirs, the lead gives all. */
const mayGive = (staff) => is("admin") || staff.some((one) => one.id === me.value.person.id);

export function GroupPage({ id }) {
  const section = useSection(useMemo(() => new Section({
    load: (signal) => api.get(`/groups/${id}`, { signal }), reduce: reducer(reduce),
  }), [id]));
  useWatch(route);
  const giving = route.value.query.get("ask") === "give";
  const { group, staff = [] } = section.data ?? {};
  const sub = staff.length > 0 && t("with-staff", { names: listed(staff.map((one) => one.display_name)) });
  const empty = html`<${Empty} icon="users" title=${t("group-empty")}>${is("admin") && html`<a class="button primary" href=${`/rooms?members=${id}`}>${t("members-add")}</a>`}<//>`;
  return html`<${Offered} group=${id} />
    <${PageHead} title=${group?.name ?? t("my-group")} sub=${sub} section=${section}>
      ${group && mayGive(staff) && html`<button onClick=${() => setQuery({ ask: "give" })}><${Icon} name="users" />${t("hand-over")}</button>`}
      <button onClick=${() => print()}><${Icon} name="printer" />${t("print")}</button><//>
    <${Loaded} section=${section} rows=${10}>${() => html`<${GroupLists} section=${section} empty=${empty} />`}<//>
    ${group && giving && html`<${Later} load=${() => import("./rooms-offer.js")} view="HandOver" charge=${{ group_id: id }} what=${group.name} held=${staff} close=${() => setQuery({ ask: null })} />`}`;
}
