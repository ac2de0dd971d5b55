// A bad network: a proxy that cuts every stream in the middle of a frame, again and again.
import { once } from "node:events";
import net from "node:net";

/** How many bytes of a stream come through before it is cut. */
const LEAST = 2_000;
const SPREAD = 16_000;
/** No frame ends before one of these bytes, and none in the middle of a line. */
const MIDDLE = (byte) => byte !== 0x0a && byte !== 0x7d;

export class Cutter {
  static async before(port) {
    const cutter = new Cutter();
    Object.assign(cutter, { target: port, cuts: 0, met: 0, bytes: 0, calm: false, open: new Set() });
    cutter.server = net.createServer((client) => cutter.#serve(client));
    cutter.server.listen(0, "127.0.0.1");
    await once(cutter.server, "listening");
    cutter.url = `http://127.0.0.1:${cutter.server.address().port}`;
    return cutter;
  }

  /** How it stands, in words. */
  get said() {
    return `${this.cuts} cuts, ${this.met} connections, ${this.bytes} bytes since the last cut`;
  }

  close() {
    this.server.close();
    this.open.forEach((socket) => socket.destroy());
  }

  #serve(client) {
    this.met += 1;
    const server = net.connect(this.target, "127.0.0.1");
    const both = [client, server];
    const gone = () => both.forEach((socket) => { socket.destroy(); this.open.delete(socket); });
    both.forEach((socket) => { this.open.add(socket); socket.on("error", gone).on("close", gone); });
    let [left, headed] = [Infinity, false];
    client.once("data", (head) => {
      if (/^GET \/api\/v1\/(events|ws)\b/.test(head.toString("latin1"))) left = LEAST + Math.floor(Math.random() * SPREAD);
    });
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => {
      // A browser takes half a head for a whole one, of no event stream, and does not come back.
      const body = headed ? 0 : bytes.indexOf("\r\n\r\n") + "\r\n\r\n".length;
      headed ||= body >= "\r\n\r\n".length;
      const at = this.calm || !headed ? 0 : middle(bytes, body, left);
      left -= bytes.length;
      this.bytes += bytes.length;
      if (at === 0) {
        client.write(bytes);
        return;
      }
      this.cuts += 1;
      this.bytes = 0;
      // The end comes in both ways that networks know: as an end, and as a reset.
      client.write(bytes.subarray(0, at), () => (this.cuts % 2 ? client.end(gone) : client.resetAndDestroy()));
      server.destroy();
    });
  }
}

/** Where in `bytes`, of which those from `body` on are frames, a stream with so many bytes left is
    cut; 0 when not in these. */
function middle(bytes, body, left) {
  if (left >= bytes.length) return 0;
  let at = body + Math.ceil(Math.random() * (bytes.length - body));
  while (at > body && !MIDDLE(bytes[at - 1])) at -= 1;
  return at > body ? at : 0;
}
