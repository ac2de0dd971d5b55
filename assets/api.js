// Fetch with what every call needs: JSON, a time limit, problem+json errors, and a key that makes
// a repeated POST harmless. Retries only what is safe to repeat.

const ROOT = "/api/v1";
const TIMEOUT_MS = 10_000;
const TRIES = 3;
/** So long after the answer to an act was lost, the same act is the same one tried again. */
const AGAIN_MS = 60_000;
/** What a page reads so long after somebody has last touched it, it reads by itself. */
const TOUCH_COUNTS_MS = 5_000;

/** The last act without an answer: {act, key, at}. The next act, answered or not, forgets it. */
let lost = null;
let touchedAt = 0;
const touched = () => { touchedAt = Date.now(); };
for (const kind of ["pointerdown", "keydown"]) globalThis.addEventListener?.(kind, touched, { capture: true, passive: true });

/** An error that the server explained (RFC 9457), or that the network caused (status 0). */
export class Problem extends Error {
  constructor(status, body = {}, retryAfterS = 0) {
    super(body.detail || body.title || body.code || String(status));
    this.status = status;
    this.code = body.code || (status === 0 ? "network" : "unknown");
    this.detail = body.detail;
    this.field = body.field;
    this.details = body.details;
    this.retryAfterS = retryAfterS;
  }
}

let signedOut = () => {};

/** Registers what happens when a session has ended: the app goes to the sign-in page. */
export function onSignedOut(handle) {
  signedOut = handle;
}

/** Returns 128 random bits; `crypto.randomUUID` is missing on plain http. */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const api = {
  get: (path, options) => call("GET", path, undefined, options),
  post: (path, body = {}, options) => call("POST", path, body, options),
  put: (path, body, options) => call("PUT", path, body, options),
  patch: (path, body, options) => call("PATCH", path, body, options),
  del: (path, options) => call("DELETE", path, undefined, options),
};

async function call(method, path, body, options = {}) {
  const headers = { accept: "application/json" };
  let payload;
  if (body !== undefined) {
    headers["content-type"] = options.type ?? "application/json";
    payload = options.type ? body : JSON.stringify(body);
  }
  const act = path + payload;
  const key = options.key ?? (lost?.act === act && Date.now() - lost.at < AGAIN_MS ? lost.key : randomKey());
  if (method === "POST") headers["idempotency-key"] = key;
  if (method !== "GET") lost = null;
  // Who only looks is away after a while, however much the page reads.
  if (Date.now() - touchedAt > TOUCH_COUNTS_MS) headers["daybook-background"] = "1";
  const repeatable = method === "GET" || method === "POST";
  const request = { method, headers, body: payload, credentials: "same-origin", cache: "no-store" };

  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(ROOT + path, request, options.signal);
    } catch (problem) {
      const passing = problem.status === 0 || problem.status === 503;
      if (!repeatable || !passing || attempt >= TRIES || options.signal?.aborted) {
        if (method === "POST" && passing) lost = { act, key, at: Date.now() };
        throw problem;
      }
      await pause(Math.min(Math.max(problem.retryAfterS * 1000, 250 * 2 ** attempt), 4000));
    }
  }
}

async function once(url, request, outer) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
  const forward = () => limit.abort();
  outer?.addEventListener("abort", forward);
  try {
    const answer = await fetch(url, { ...request, signal: limit.signal });
    if (answer.status === 204) return null;
    if (answer.ok) return await answer.json();
    throw await problemOf(answer);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(0, { code: request.method === "GET" ? "network" : "no_answer" });
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", forward);
  }
}

async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401 && body.code !== "login.failed") signedOut();
  return new Problem(answer.status, body, Number(answer.headers.get("retry-after")) || 0);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
