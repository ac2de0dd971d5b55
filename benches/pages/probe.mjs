// What is asked of a page while it is measured. The functions run in the page itself.

/** Begins before anything of the page does: notes when each frame of one of `kinds` came to be, and
    when the change that it made `within` was painted. Both are of the machine's one clock. */
export function watch({ kinds, within }) {
  const seen = { painted: [], waiting: [], taps: [], long: [], shift: 0, frames: 0 };
  window.seen = seen;
  const real = window.fetch;
  window.fetch = async (...args) => {
    const answer = await real(...args);
    if (!String(args[0]).includes("/api/v1/events") || !answer.body) return answer;
    const [ours, theirs] = answer.body.tee();
    follow(ours);
    return new Response(theirs, answer);
  };

  const concerns = (block) => kinds.some((kind) => block.includes(`event: ${kind}\n`));
  async function follow(body) {
    let text = "";
    for await (const piece of body.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + piece).split("\n\n");
      text = blocks.pop();
      seen.frames += blocks.length;
      for (const block of blocks.filter(concerns)) {
        const data = block.split("\n").find((line) => line.startsWith("data: "));
        seen.waiting.push(Date.parse(JSON.parse(data.slice("data: ".length)).ts));
      }
    }
  }

  // After the next paint, and not before it.
  const painted = (then) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = then;
    channel.port2.postMessage(null);
  });
  new MutationObserver((changes) => {
    const ours = changes.some(({ target }) => (target.closest ? target : target.parentElement)?.closest(within));
    if (!ours || seen.waiting.length === 0) return;
    const waited = seen.waiting.splice(0);
    painted(() => seen.painted.push(...waited.map((at) => Date.now() - at)));
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });

  const each = (type, note, options = {}) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true, ...options });
  each("longtask", (entry) => seen.long.push(entry.duration));
  each("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
  each("event", (entry) => { if (entry.interactionId) seen.taps.push(entry.duration); }, { durationThreshold: 16 });
}

/** Forgets what was seen so far. */
export function forget() {
  Object.assign(window.seen, { painted: [], waiting: [], taps: [], long: [], frames: 0 });
}

/** Returns how many milliseconds after its opening the page had painted something with content. */
export function firstPaint() {
  return performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
}
