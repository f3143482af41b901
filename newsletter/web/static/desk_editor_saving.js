// Saving by itself: a moment after the last key, one request at a time, the newest text last. Nothing typed is lost: until
// it is saved it is kept in this browser.

const REST_MS = 600;
const REST_LONG_MS = 2_000; // for a text whose saving takes long
const LONG_CHARACTERS = 200_000;
const RETRY_MS = [2_000, 5_000, 10_000, 30_000];
const MOST_KEPT_ALIVE_BYTES = 60_000; // browsers let a request outlive its page up to 64 kB

export class Saver {
  // `read` gives the text, `query` whose mail is looked at; `tell(state, said)` and `take(answer, isPresent)` show.
  constructor({ home, key, base, seen, text, read, query, tell, take, conflict }) {
    Object.assign(this, { home, key, base, seen, read, query, tell, take, conflict });
    this.saved = text;
    this.timer = 0;
    this.failures = 0;
    this.running = null;
    this.held = false; // until somebody says which of two texts counts
    addEventListener("online", () => this.#isOpen() && this.flush());
    addEventListener("focus", () => this.failures && this.flush());
    addEventListener("pagehide", () => this.#leave());
    document.addEventListener("visibilitychange", () => document.hidden && this.#leave());
    addEventListener("beforeunload", (event) => {
      if (this.#isOpen() && this.#bytes(this.read()) > MOST_KEPT_ALIVE_BYTES) event.preventDefault();
    });
  }

  touched() {
    this.tell("typing");
    clearTimeout(this.timer);
    const rest = this.saved.length > LONG_CHARACTERS ? REST_LONG_MS : REST_MS;
    this.timer = setTimeout(() => this.flush(), rest);
  }

  // Save now what is not saved; resolves when it is, or when that failed.
  async flush() {
    clearTimeout(this.timer);
    if (this.held) return;
    if (this.running) await this.running;
    const text = this.read();
    if (text === this.saved) {
      this.#forget();
      this.tell("saved");
      return;
    }
    this.running = this.#send(text);
    await this.running;
  }

  async #send(text) {
    this.tell("saving");
    this.#keep(text);
    try {
      const answer = await fetch(this.#address(), { method: "POST", body: text, headers: this.#headers() });
      await this.#heard(answer, text);
    } catch {
      this.#failed("failed");
    } finally {
      this.running = null;
    }
  }

  async #heard(answer, text) {
    if (answer.status === 401) return this.#failed("signed-out");
    const said = answer.headers.get("content-type")?.includes("json") ? await answer.json() : {};
    if (answer.status === 409) {
      this.held = true;
      return this.conflict(said);
    }
    if (!answer.ok) {
      return answer.status >= 500 || answer.status === 429 ? this.#failed("failed") : this.#refused(said.why);
    }
    this.failures = 0;
    this.accept(said, text);
  }

  // Take an answer of the server's for the present state of things.
  accept(said, text) {
    this.saved = text;
    this.base = said.base;
    this.seen = said.seen;
    const present = this.read() === text;
    if (present) this.#forget();
    this.tell(present ? "saved" : "typing", said.said);
    this.take(said, present);
    if (!present) this.touched();
  }

  // Of two texts that were written at the same time, keep this one as the newest.
  overrule(base, seen) {
    Object.assign(this, { base, seen, held: false, saved: "" });
    return this.flush();
  }

  #failed(state) {
    this.tell(state);
    const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), wait);
  }

  #refused(why) {
    this.tell("refused", why);
  }

  #isOpen() {
    return !this.held && this.read() !== this.saved;
  }

  #leave() {
    if (!this.#isOpen() || this.running) return;
    const text = this.read();
    this.#keep(text);
    if (this.#bytes(text) > MOST_KEPT_ALIVE_BYTES) return;
    const sent = fetch(this.#address(), { method: "POST", body: text, headers: this.#headers(), keepalive: true });
    this.running = sent
      .then((answer) => this.#heard(answer, text))
      .catch(() => this.#failed("failed"))
      .finally(() => (this.running = null));
  }

  #address() {
    const query = new URLSearchParams(this.query());
    query.set("base", this.base);
    query.set("seen", this.seen);
    return `${this.home}/text?${query}`;
  }

  #headers() {
    return { "content-type": "text/plain; charset=utf-8", accept: "application/json" };
  }

  #bytes(text) {
    return text.length > MOST_KEPT_ALIVE_BYTES ? text.length : new Blob([text]).size;
  }

  // What this browser keeps: nothing when storage is full or forbidden, and then the page still says what is not saved.
  #keep(text) {
    try {
      localStorage.setItem(this.key, JSON.stringify({ text, at: new Date().toISOString() }));
    } catch {
      this.#forget();
    }
  }

  #forget() {
    drop(this.key);
  }
}

// What was kept and not saved when the page was left, if it is another text than this.
export function kept(key, text) {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? "null");
    return found && typeof found.text === "string" && found.text !== text ? found : null;
  } catch {
    return null;
  }
}

export function drop(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // where nothing can be kept, nothing has to go
  }
}
