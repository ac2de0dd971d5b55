// Every group of the house, for those who may see them all: the side bar and the search show them.
import { is } from "./here.js";
import { allOf } from "./parts.js";
import { Shared } from "./store.js";
import { byName } from "./text.js";

export const allGroups = new Shared([]);

/** Reads the groups, at the start and whenever there may be others. */
export async function readGroups() {
  if (!is("admin", "office")) return;
  const groups = await allOf("/groups").catch(() => null);
  if (groups) allGroups.set(groups.sort(byName));
}
