// One stream per browser: the tabs of a session agree, over a BroadcastChannel, on the one tab that
// holds it (plain http has no Web Locks). The leader says so every two seconds and passes on what
// it hears; when it falls silent or leaves, a visible tab takes over from the last cursor.

const HELLO_WAIT_MS = 250;
const LEAD_EVERY_MS = 2_000;
const LEADER_LOST_MS = 5_000;
/** A hidden tab gives its stream back after this long. */
export const HIDDEN_MS = 30_000;

export class Tabs {
  /**
   * @param {object} world
   * @param {{postMessage: Function, onmessage: Function}} world.channel
   * @param {string} world.id of this tab
   * @param {() => boolean} world.visible
   * @param {() => object} world.report what its stream has to say
   * @param {(cursor: string | null) => void} world.onLead this tab shall open the stream
   * @param {() => void} world.onFollow this tab shall close its stream
   * @param {(message: object) => void} world.onMessage what the leader passes on
   */
  constructor(world) {
    this.world = {
      setTimer: (run, ms) => setTimeout(run, ms), clearTimer: (timer) => clearTimeout(timer),
      random: () => Math.random(), ...world,
    };
    this.leading = false;
    this.wanted = true;
    this.kept = false;
    this.cursor = null;
    this.timer = null;
    this.hideTimer = null;
    this.world.channel.onmessage = ({ data }) => this.hear(data);
  }

  start() {
    this.electAfter(HELLO_WAIT_MS);
    this.say({ kind: "hello" });
  }

  /** Passes on what this tab's stream brought; only the leader speaks. */
  pass(message) {
    if (this.leading) this.say(message);
  }

  /** Asks the leader, whoever it is, to try again now. */
  askRetry() {
    this.say({ kind: "retry" });
  }

  /** Keeps the stream open in a hidden tab: for walls, and for the tone of the help queue. */
  keep(kept) {
    this.kept = kept;
    if (!kept && !this.world.visible()) this.hidden();
  }

  hidden() {
    this.world.clearTimer(this.hideTimer);
    this.hideTimer = this.world.setTimer(() => {
      if (this.kept) return;
      this.wanted = false;
      this.leave();
    }, HIDDEN_MS);
  }

  shown() {
    this.world.clearTimer(this.hideTimer);
    this.wanted = true;
    if (!this.leading) this.start();
  }

  /** Gives the stream up and says so, so that another tab need not wait for the silence. */
  leave() {
    this.world.clearTimer(this.timer);
    if (!this.leading) return;
    this.leading = false;
    this.say({ kind: "gone" });
    this.world.onFollow();
  }

  hear(message) {
    if (message.cursor) this.cursor = message.cursor;
    if (message.kind === "hello") {
      if (this.leading) this.lead();
    } else if (message.kind === "lead") {
      this.heardLeader(message);
    } else if (message.kind === "gone") {
      this.electAfter(this.world.random() * 100);
    } else {
      if (!this.leading) this.electAfter(LEADER_LOST_MS);
      this.world.onMessage(message);
    }
  }

  heardLeader(message) {
    if (this.leading && this.stronger(message)) {
      this.lead();
      return;
    }
    if (this.leading) {
      this.leading = false;
      this.world.onFollow();
    }
    this.electAfter(LEADER_LOST_MS);
    this.world.onMessage(message);
  }

  /** Of two leaders the visible one stays, else the one with the smaller id. */
  stronger(other) {
    const visible = this.world.visible();
    return visible === other.visible ? this.world.id < other.id : visible;
  }

  electAfter(waitMs) {
    this.world.clearTimer(this.timer);
    if (this.leading || !this.wanted) return;
    this.timer = this.world.setTimer(() => {
      if (!this.wanted) return;
      this.leading = true;
      this.world.onLead(this.cursor);
      this.lead();
    }, waitMs + this.world.random() * 50);
  }

  lead() {
    this.world.clearTimer(this.timer);
    this.say({ kind: "lead", ...this.world.report() });
    this.timer = this.world.setTimer(() => this.leading && this.lead(), LEAD_EVERY_MS);
  }

  say(message) {
    this.world.channel.postMessage({ ...message, id: this.world.id, visible: this.world.visible() });
  }
}
