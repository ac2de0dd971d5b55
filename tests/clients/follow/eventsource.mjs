// `eventsource`, the EventSource of browsers for Node.
import { EventSource } from "eventsource";
import { asked, heard } from "./said.mjs";

const { url, cookie, types } = asked();
const source = new EventSource(url, {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, cookie } }),
});
for (const type of types) source.addEventListener(type, (event) => heard(event.lastEventId, type, event.data));
