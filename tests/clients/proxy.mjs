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
    Object.assign(cutter, { target: port, cuts: 0, calm: false, open: new Set() });
    cutter.server = net.createServer((client) => cutter.#serve(client));
    cutter.server.listen(0, "127.0.0.1");
    await once(cutter.server, "listening");
    cutter.url = `http://127.0.0.1:${cutter.server.address().port}`;
    return cutter;
  }

  close() {
    this.server.close();
    this.open.forEach((socket) => socket.destroy());
  }

  #serve(client) {
    const server = net.connect(this.target, "127.0.0.1");
    const both = [client, server];
    const gone = () => both.forEach((socket) => { socket.destroy(); this.open.delete(socket); });
    both.forEach((socket) => { this.open.add(socket); socket.on("error", gone).on("close", gone); });
    let left = Infinity;
    client.once("data", (head) => {
      if (/^GET \/api\/v1\/(events|ws)\b/.test(head.toString("latin1"))) left = LEAST + Math.floor(Math.random() * SPREAD);
    });
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => {
      const at = this.calm ? 0 : middle(bytes, left);
      left -= bytes.length;
      if (at === 0) {
        client.write(bytes);
        return;
      }
      this.cuts += 1;
      // The end comes in both ways that networks know: as an end, and as a reset.
      client.write(bytes.subarray(0, at), () => (this.cuts % 2 ? client.end(gone) : client.resetAndDestroy()));
      server.destroy();
    });
  }
}

/** Where in `bytes` a stream of which so many bytes are left is cut; 0 when not in these. */
function middle(bytes, left) {
  if (left >= bytes.length) return 0;
  let at = Math.max(1, Math.floor(Math.random() * bytes.length));
  while (at > 0 && !MIDDLE(bytes[at - 1])) at -= 1;
  return at;
}
