// What a tablet keeps through a reload and a power cut: its key, and the scans that the house has
// not answered yet. Numbers of badges only, never names.

const NAME = "daybook-kiosk";

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Opens the tablet's memory; fails where the browser keeps nothing, as in a private window. */
export async function openKeep() {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("settings");
    // `seq` grows for ever, also when all scans before it are gone.
    opening.result.createObjectStore("scans", { keyPath: "seq", autoIncrement: true });
    opening.result.createObjectStore("refused", { keyPath: "seq" });
  };
  const keep = new Keep(await done(opening));
  // A browser that is short of room throws away first what nobody asked it to hold.
  navigator.storage?.persist?.().catch(() => {});
  return keep;
}

/** There is no room for another scan: those that wait are not thrown away for it. */
export class Full extends Error {}

class Keep {
  #db;

  constructor(db) {
    this.#db = db;
  }

  get(name) {
    return done(this.#db.transaction("settings").objectStore("settings").get(name));
  }

  put(name, value) {
    return this.#write(["settings"], (tx) => tx.objectStore("settings").put(value, name));
  }

  /** Keeps a scan; resolves with its number when it is on the disk. At most `most` wait: then `Full`. */
  async add(scan, most) {
    let request;
    await this.#write(["scans"], (tx) => {
      const scans = tx.objectStore("scans");
      scans.count().onsuccess = ({ target }) => {
        if (target.result < most) request = scans.add(scan);
      };
    });
    if (!request) throw new Full();
    return request.result;
  }

  oldest(limit) {
    return done(this.#db.transaction("scans").objectStore("scans").getAll(null, limit));
  }

  /** Forgets scans that were answered. */
  drop(scans) {
    return this.#write(["scans"], (tx) => {
      for (const { seq } of scans) tx.objectStore("scans").delete(seq);
    });
  }

  /** Puts a scan aside that the house will never take. */
  refuse(scan, code) {
    return this.#write(["scans", "refused"], (tx) => {
      tx.objectStore("refused").put({ ...scan, code });
      tx.objectStore("scans").delete(scan.seq);
    });
  }

  async counts() {
    const tx = this.#db.transaction(["scans", "refused"]);
    const [waiting, refused] = await Promise.all(["scans", "refused"].map((name) => done(tx.objectStore(name).count())));
    return { waiting, refused };
  }

  /** Strict: a browser says that it is done when the disk has it. */
  #write(stores, act) {
    const tx = this.#db.transaction(stores, "readwrite", { durability: "strict" });
    act(tx);
    return new Promise((resolve, reject) => {
      tx.oncomplete = () => resolve(undefined);
      tx.onabort = () => reject(tx.error);
    });
  }
}
