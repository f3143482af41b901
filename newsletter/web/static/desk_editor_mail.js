// The mail beside the text: whose, how it is shown, and the frame, which is swapped when its successor has loaded.

const LOOKS = {
  dark: { scheme: "dark" },
  images: { images: "off" },
  text: { format: "text" },
  source: { format: "source" },
};
const WIDE_PX = 680; // a desktop's mail, so that the page around it shows
const SEARCH_MS = 200;

export class Mail {
  // `put(name, html)` fills the parts of the page that are about the mail: inbox, and empty where there is none.
  constructor(card, home, put) {
    this.put = put;
    this.card = card;
    this.home = home;
    this.stage = card.querySelector("[data-stage]");
    this.who = card.querySelector("[data-who]");
    this.frame = this.stage.querySelector("iframe");
    this.empty = this.stage.querySelector("[data-part=empty]");
    this.view = card.querySelector("[data-view][aria-current]")?.dataset.view ?? "desktop";
    this.loading = null;
    this.wanted = false;
    this.asked = new URLSearchParams(location.search).has("mail"); // a long mail is made when somebody asks for it
    this.searching = 0;
    card.addEventListener("click", (event) => this.#clicked(event));
    this.who.addEventListener("submit", (event) => (event.preventDefault(), this.choose()));
    this.who.addEventListener("change", (event) => this.#changed(event));
    this.who.reader.addEventListener("input", () => this.#typed());
    new ResizeObserver(() => this.#scale()).observe(this.stage);
    for (const needless of card.querySelectorAll("[data-needless]")) needless.hidden = true;
  }

  // What says whose mail it is.
  query() {
    const reader = this.who.reader.value.trim();
    const topics = [...this.who.querySelectorAll("[name=topics]:checked")].map((box) => ["topics", box.value]);
    const query = new URLSearchParams(reader ? { reader } : topics);
    if (this.asked) query.set("mail", "1");
    return query;
  }

  // The same for the server, which has to say how the mail is announced where the frame cannot.
  queryOfLine() {
    const query = this.query();
    if (this.frame.hidden || ["text", "source"].includes(this.view)) query.set("line", "1");
    return query;
  }

  #address() {
    const query = this.query();
    for (const [name, value] of Object.entries(LOOKS[this.view] ?? {})) query.set(name, value);
    return `${this.home}/frame?${query}`;
  }

  // Show the mail as it is now; the one that is shown stays until the next has loaded, and so does the place in it.
  reload() {
    if (this.card.querySelector("[data-part=inbox] [data-refused]")) return this.#clear();
    if (this.loading) {
      this.wanted = true;
      return;
    }
    const next = this.frame.cloneNode();
    next.hidden = false;
    next.classList.add("coming");
    next.src = this.#address();
    this.loading = next;
    this.stage.setAttribute("aria-busy", "true");
    next.addEventListener("load", () => this.#swap(next), { once: true });
    this.stage.append(next);
  }

  // No mail: what to do stands in its place.
  #clear() {
    this.#settled();
    this.loading?.remove();
    this.loading = null;
    this.wanted = false;
    this.frame.hidden = true;
    this.frame.removeAttribute("src");
    this.empty.hidden = false;
  }

  #settled() {
    this.stage.removeAttribute("aria-busy");
  }

  #swap(next) {
    if (this.loading !== next) return;
    const line = next.contentDocument?.querySelector("meta[name=inbox-line]")?.content;
    if (line) this.put("inbox", line);
    if (next.contentDocument?.querySelector("meta[name=no-mail]")) {
      this.put("empty", next.contentDocument.body.innerHTML);
      return this.#clear();
    }
    this.empty.hidden = true;
    this.#settled();
    const place = this.frame.hidden ? 0 : (this.frame.contentWindow?.scrollY ?? 0);
    next.contentWindow?.scrollTo(0, place);
    next.classList.remove("coming");
    this.frame.remove();
    this.frame = next;
    this.loading = null;
    if (this.wanted) {
      this.wanted = false;
      this.reload();
    }
  }

  #scale() {
    const scale = Math.min(1, this.stage.clientWidth / WIDE_PX);
    this.stage.style.setProperty("--scale", String(scale));
  }

  #clicked(event) {
    if (event.target.closest("[data-ask-mail]")) {
      event.preventDefault();
      this.asked = true;
      return this.choose();
    }
    const link = event.target.closest("a[data-view]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.card.querySelector("[data-view][aria-current]")?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    this.view = link.dataset.view;
    this.stage.className = `stage ${this.view}`;
    this.#remember();
    this.reload();
  }

  #changed(event) {
    if (event.target.name === "topics") this.who.reader.value = "";
    this.choose();
  }

  // Another reader, or other topics: their line in the inbox and their topics come with the page.
  async choose() {
    this.#remember();
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const name of ["inbox", "topics", "empty"]) {
        const other = fresh.querySelector(`[data-part=${name}]`);
        if (other) this.put(name, other.innerHTML);
      }
      this.reload();
    } catch {
      // the network is away; the mail that was chosen before stays
    }
  }

  #remember() {
    const query = this.query();
    if (this.view !== "desktop") query.set("view", this.view);
    const said = query.toString();
    history.replaceState(null, "", location.pathname + (said ? `?${said}` : ""));
  }

  #typed() {
    clearTimeout(this.searching);
    this.searching = setTimeout(async () => {
      const part = this.who.reader.value.trim();
      const answer = await fetch(`${this.home}/readers?${new URLSearchParams({ q: part })}`).catch(() => null);
      if (!answer?.ok || part !== this.who.reader.value.trim()) return;
      const found = await answer.json();
      const options = found.map((address) => Object.assign(document.createElement("option"), { value: address }));
      this.who.querySelector("datalist").replaceChildren(...options);
    }, SEARCH_MS);
  }
}
