// The editor page: joins the sheet, the saving, the mail, the outline and the figures. Without it the page saves by its
// button and shows the same after each save.

import { takeFiles } from "./desk_editor_files.js";
import { Mail } from "./desk_editor_mail.js";
import { takeMoves } from "./desk_editor_moves.js";
import { placeOfStory } from "./desk_editor_places.js";
import { drop, kept, Saver } from "./desk_editor_saving.js";
import { Sheet } from "./desk_editor_sheet.js";

const FIGURES_MS = 3_000; // the figures follow when writing rests for so long
const FIGURES_LONG_MS = 12_000;
const LONG_CHARACTERS = 200_000;
const BIG_FOLLOW_MS = 250;

const page = document.getElementById("editor");
const { home } = page.dataset;
const area = document.getElementById("text");
const paper = document.getElementById("paper");
const state = document.getElementById("issue-saved");
const sheet = new Sheet(page.querySelector(".write"), area);
const mail = new Mail(page.querySelector("#preview"), home, put);
const key = `issue-text ${page.dataset.slug} ${page.dataset.me}`;
const writes = !area.readOnly;
let figuresTimer = 0;
let followTimer = 0;

sheet.follow();
sheet.mark(JSON.parse(page.querySelector(".write").dataset.marks), JSON.parse(page.querySelector(".write").dataset.headings));

const saver = new Saver({
  home,
  key,
  base: paper.elements.base.value,
  seen: paper.elements.seen.value,
  text: area.value,
  read: () => area.value,
  query: () => mail.queryOfLine(),
  tell,
  take,
  conflict: (answer) => {
    tell("");
    put("conflict", answer.parts.conflict);
  },
});

// How saving stands, in the head of the page.
function tell(name, said) {
  page.dataset.state = name;
  const words = { saving: page.dataset.saving, typing: page.dataset.typing, failed: page.dataset.failed };
  if (name === "saved" && said) state.dataset.saved = said;
  const text = words[name] ?? (name === "saved" ? state.dataset.saved : (said ?? ""));
  if (name === "signed-out") {
    const link = Object.assign(document.createElement("a"), { href: "/desk/login", target: "_blank" });
    link.textContent = page.dataset.signIn;
    state.replaceChildren(page.dataset.signedOut + " ", link);
  } else if (text && state.textContent !== text) {
    state.textContent = text;
  }
  state.className = ["failed", "signed-out", "refused"].includes(name) ? "bad" : "soft";
}

// Show what the server said of a text; `present` tells whether it is still the one that stands here.
function take(answer, present) {
  paper.elements.base.value = answer.base;
  paper.elements.seen.value = answer.seen;
  put("conflict", "");
  for (const name of ["counts", "inbox", "empty"]) if (name in answer.parts) put(name, answer.parts[name]);
  if ("issue_state" in answer.parts) {
    document.getElementById("issue-state").outerHTML = answer.parts.issue_state;
    document.querySelector(".bar .actions").innerHTML = answer.parts.editor_actions;
  }
  if (present) {
    put("findings", answer.parts.findings);
    put("outline", answer.parts.outline);
    sheet.mark(answer.marks, answer.headings);
  }
  mail.reload();
  clearTimeout(figuresTimer);
  figuresTimer = setTimeout(figures, area.value.length > LONG_CHARACTERS ? FIGURES_LONG_MS : FIGURES_MS);
}

function put(name, html) {
  const part = page.querySelector(`[data-part=${name}]`);
  if (part.dataset.html === html) return;
  part.dataset.html = html.length < LONG_CHARACTERS ? html : "";
  part.innerHTML = html;
}

// The cards below: first those that are quickly told, then the checks.
async function figures() {
  for (const part of ["reach", "checks"]) {
    const answer = await fetch(`${home}/figures?part=${part}`, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) continue;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const card of fresh.querySelectorAll(part === "checks" ? "[data-figure=checks]" : "[data-figure]:not([data-figure=checks])")) {
      page.querySelector(`[data-figure=${card.dataset.figure}]`)?.replaceWith(card);
    }
    const editions = page.querySelector("[data-figure] [data-editions]")?.dataset.editions;
    const link = page.querySelector("a[data-editions]");
    if (editions) link.textContent = link.dataset.editions.replace("{n}", editions);
  }
}

// Other pages name a line of the text by `#line-16`.
function goToLine() {
  const [, line] = location.hash.match(/^#line-(\d{1,7})$/) ?? [];
  if (line) sheet.go(Math.min(Math.max(1, Number(line)), sheet.lines.length));
}

let composing = false;
area.addEventListener("compositionstart", () => (composing = true));
area.addEventListener("compositionend", () => {
  composing = false;
  changed();
});
area.addEventListener("input", () => {
  if (!sheet.big) sheet.follow();
  if (!composing) changed();
});

function changed() {
  clearTimeout(followTimer);
  if (sheet.big) followTimer = setTimeout(() => sheet.follow(), BIG_FOLLOW_MS);
  saver.touched();
}

page.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.line) sheet.go(Number(button.dataset.line));
  else if (button.dataset.mendLine) mend(event, button);
  else if ("insertStory" in button.dataset) insertStory();
  else if (button.dataset.show) show(button.dataset.show);
  else if ("keepMine" in button.dataset) keepMine(button.closest("[data-conflict]").dataset);
  else if ("takeTheirs" in button.dataset) takeTheirs();
});

function mend(event, button) {
  event.preventDefault();
  const { mendLine, old } = button.dataset;
  if (sheet.replace(Number(mendLine), old, button.dataset.new ?? null)) saver.flush();
}

// A story to be filled in, its title selected, so that it is the first thing written.
function insertStory() {
  const { story } = page.dataset;
  sheet.putAt(placeOfStory(sheet.text, area.selectionEnd, story), story.match(/\*\*(.+)\*\*/)[1]);
}

// Which of the two cards beside the text is seen; without script they stand below each other.
function show(name) {
  for (const id of ["preview", "outline"]) document.getElementById(id).hidden = id !== name;
  document.getElementById(name).querySelector(".other").focus();
}

async function keepMine({ base, seen }) {
  put("conflict", "");
  await saver.overrule(base, seen);
}

function takeTheirs() {
  drop(key);
  saver.held = true;
  location.reload();
}

function offerKept() {
  const found = kept(key, area.value);
  const bar = page.querySelector("[data-kept]");
  if (!found) return;
  bar.querySelector("p").textContent = page.dataset.kept.replace("{at}", new Date(found.at).toLocaleString(document.documentElement.lang));
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    const wanted = event.target.closest("button");
    if (!wanted) return;
    bar.hidden = true;
    if ("keptTake" in wanted.dataset) sheet.put(0, sheet.text.length, found.text);
    else drop(key);
  });
}

for (const other of page.querySelectorAll(".other")) other.hidden = false;
document.getElementById("outline").hidden = location.hash !== "#outline";
document.getElementById("preview").hidden = location.hash === "#outline";
for (const waiting of page.querySelectorAll("[data-waiting]")) waiting.hidden = false;
state.setAttribute("role", "status");
addEventListener("hashchange", goToLine);
goToLine();
if (writes) {
  const ask = takeFiles(sheet, document.querySelector("[data-picture]"), () => tell("refused", page.dataset.fileFailed));
  takeMoves(page, { home, saver, sheet });
  page.querySelector("[data-insert-picture]").addEventListener("click", () => ask());
  for (const tool of page.querySelectorAll(".tools [hidden]")) tool.hidden = false;
  page.querySelector("[data-save]").hidden = true;
  paper.addEventListener("submit", (event) => (event.preventDefault(), saver.flush()));
  addEventListener("keydown", (event) => {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    saver.flush();
  });
  offerKept();
}
figures();
