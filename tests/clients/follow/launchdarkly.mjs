// `launchdarkly-eventsource`, a parser and a reconnect of its own.
import { EventSource } from "launchdarkly-eventsource";
import { asked, heard } from "./said.mjs";

const { url, cookie, types } = asked();
const source = new EventSource(url, { headers: { cookie }, readTimeoutMillis: 45_000 });
// Without a listener an error ends the process, as it does with every emitter of Node.
source.on("error", () => {});
for (const type of types) source.addEventListener(type, (event) => heard(event.lastEventId, type, event.data));
