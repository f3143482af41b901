// Makes the preview answer without loading the page again. Everything works without it, by links and forms.
"use strict";

const page = document.getElementById("preview");
const PAUSE_MS = 200; // between the last letter typed and the search
let running = null;
let typing = 0;

// Fetch the page of an address and take over the parts of it that differ. `keep` names one to leave as it is, apart from
// the parts inside it: somebody is typing or choosing there.
async function show(address, keep) {
  running?.abort();
  const mine = (running = new AbortController());
  page.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { signal: mine.signal, headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    take(new DOMParser().parseFromString(await answer.text(), "text/html"), keep);
    history.replaceState(null, "", address);
    failure("");
  } catch (error) {
    if (error.name !== "AbortError") failure(page.dataset.failed);
  } finally {
    if (running === mine) page.removeAttribute("aria-busy");
  }
}

function take(fresh, keep) {
  for (const part of page.querySelectorAll("[data-part]")) {
    const name = part.dataset.part;
    if (!part.isConnected || name === keep) continue;
    const other = fresh.querySelector(`[data-part="${name}"]`);
    if (!other) continue;
    if (name === "stage" && takeView(part, other)) continue;
    if (part.outerHTML !== other.outerHTML) swap(part, other);
  }
}

// The same mail shown another way: the frame stays, with the place one had scrolled to.
function takeView(part, other) {
  const [frame, next] = [part.querySelector("iframe"), other.querySelector("iframe")];
  if (!frame || !next || frame.getAttribute("src") !== next.getAttribute("src")) return false;
  part.className = other.className;
  return true;
}

// Replace a part; whoever was on one of its links or fields is so still, and lists stay where they were scrolled to.
function swap(part, other) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const place = [...part.querySelectorAll("a, input, button")].indexOf(focused);
  const scrolled = part.querySelector(".readers")?.scrollTop;
  part.replaceWith(other);
  if (scrolled) other.querySelector(".readers")?.scrollTo(0, scrolled);
  if (place >= 0) other.querySelectorAll("a, input, button")[place]?.focus({ preventScroll: true });
}

function failure(words) {
  const line = document.querySelector("[data-failure]");
  line.textContent = words;
  line.hidden = !words;
}

function addressOf(form) {
  const said = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...said]) if (!value || (name === "labels" && value === "zh")) said.delete(name, value);
  const query = said.toString();
  return new URL(form.action).pathname + (query ? `?${query}` : "");
}

page.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  show(link.getAttribute("href"));
});

page.addEventListener("submit", (event) => {
  if (event.target.method !== "get") return;
  event.preventDefault();
  clearTimeout(typing);
  show(addressOf(event.target), "who");
});

page.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.dataset.form === "topics") show(addressOf(form), "who");
});

page.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.dataset.form !== "search") return;
  clearTimeout(typing);
  typing = setTimeout(() => show(addressOf(form), "who"), PAUSE_MS);
});

// The arrows lead to the edition before and the next one, wherever nothing is typed or scrolled by them.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, pre")) return;
  page.querySelector(`a[href][data-key="${event.key}"]`)?.click();
});

document.documentElement.classList.add("live");
