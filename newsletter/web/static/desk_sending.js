// A send as it goes on: pieces of the page are swapped as the server's events bring new ones.

const page = document.querySelector("[data-events]");

/** Swap a piece of the page, unless it says the same already: what has the focus keeps it. */
function swap(name, html) {
  const place = page.querySelector(`[data-live="${name}"]`);
  if (!place) return;
  const fresh = place.cloneNode(false);
  fresh.innerHTML = html;
  if (place.isEqualNode(fresh)) return;
  const focused = place.contains(document.activeElement) && document.activeElement.textContent;
  place.replaceChildren(...fresh.childNodes);
  const same = focused && [...place.querySelectorAll("a, button")].find((one) => one.textContent === focused);
  if (same) same.focus();
}

/** Let the pill in the head say what the controls say. */
function tellState() {
  const told = page.querySelector("[data-state]");
  const pill = document.querySelector(".bar .state");
  if (!told || !pill) return;
  pill.className = `state ${told.dataset.state}`;
  pill.textContent = told.dataset.word;
}

function watch() {
  const source = new EventSource(page.dataset.events);
  const lost = page.querySelector("[data-lost]");
  source.addEventListener("open", () => { lost.hidden = true; });
  source.addEventListener("state", (event) => {
    const begun = !["draft", "approved"].includes(event.data);
    if (begun && page.dataset.begun === "no") location.reload();
  });
  source.addEventListener("figures", (event) => { if (event.data) swap("figures", event.data); });
  source.addEventListener("controls", (event) => {
    if (!event.data) return;
    swap("controls", event.data);
    tellState();
  });
  source.addEventListener("end", () => { source.close(); });
  source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) lost.hidden = false; });
  return source;
}

if (page && "EventSource" in window) {
  for (const needless of page.querySelectorAll("[data-needless]")) needless.hidden = true;
  let source = watch();
  document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) source = watch();
  });
  // a stream that is open keeps a page from the browser's memory of pages
  window.addEventListener("pagehide", () => source.close());
}
