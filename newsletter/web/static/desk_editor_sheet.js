// The sheet one writes on: a real textarea, over a layer that shows line numbers, tints and headings behind its text.
//
// An editor component would have to put a <style> element into the page, which its policy forbids, and the ones that do
// not have no gutter for findings; and Chinese input methods work best in a textarea that nobody else writes to.

const MOST_CHARACTERS = 120_000; // above, the layer is not kept: lines do not wrap, and only those in view are numbered
const MOST_LINES = 2_500;
const LINE_PX = 24;

export class Sheet {
  constructor(box, area) {
    this.box = box;
    this.area = area;
    this.layer = box.querySelector(".layer");
    this.lines = [];
    this.rows = [];
    this.marks = new Map();
    this.headings = new Set();
    this.big = false;
    area.addEventListener("scroll", () => this.big && this.#drawView());
    new ResizeObserver(() => this.big && this.#drawView()).observe(box);
    box.classList.add("live");
  }

  get text() {
    return this.area.value;
  }

  // Follow the text after it changed; only lines that differ are touched.
  follow() {
    const text = this.text;
    const lines = text.split("\n");
    const big = text.length > MOST_CHARACTERS || lines.length > MOST_LINES;
    if (big !== this.big) this.#change(big);
    if (big) {
      this.lines = lines;
      this.#drawView();
    } else {
      this.#drawChanges(lines);
    }
  }

  // Take over where findings and headings are, by their lines (first = 1).
  mark(marks, headings) {
    this.marks = new Map(marks);
    this.headings = new Set(headings);
    if (this.big) this.#drawView();
    else this.rows.forEach((row, at) => this.#dress(row, at + 1));
  }

  #change(big) {
    this.big = big;
    this.box.classList.toggle("big", big);
    this.layer.replaceChildren();
    this.lines = [];
    this.rows = [];
  }

  #drawChanges(lines) {
    const old = this.lines;
    const most = Math.min(old.length, lines.length);
    let head = 0;
    while (head < most && old[head] === lines[head]) head++;
    let tail = 0;
    while (tail < most - head && old[old.length - 1 - tail] === lines[lines.length - 1 - tail]) tail++;
    const gone = old.length - head - tail;
    const come = lines.slice(head, lines.length - tail);
    const kept = Math.min(gone, come.length);
    for (let at = 0; at < kept; at++) this.rows[head + at].textContent = come[at];
    for (const row of this.rows.splice(head + kept, gone - kept)) row.remove();
    const added = come.slice(kept).map((line) => this.#row(line));
    const before = this.rows[head + kept] ?? null;
    const piece = document.createDocumentFragment();
    piece.append(...added);
    this.layer.insertBefore(piece, before);
    this.rows = [...this.rows.slice(0, head + kept), ...added, ...this.rows.slice(head + kept)];
    const fresh = !old.length;
    this.lines = lines;
    if (fresh) this.rows.forEach((row, at) => this.#dress(row, at + 1));
  }

  #drawView() {
    const first = Math.max(0, Math.floor(this.area.scrollTop / LINE_PX) - 1);
    const many = Math.ceil(this.area.clientHeight / LINE_PX) + 2;
    const last = Math.min(this.lines.length, first + many);
    const rows = [];
    for (let at = first; at < last; at++) {
      const row = this.#row("");
      row.dataset.number = String(at + 1);
      this.#dress(row, at + 1);
      rows.push(row);
    }
    this.layer.replaceChildren(...rows);
    this.layer.style.transform = `translateY(${first * LINE_PX - this.area.scrollTop}px)`;
  }

  #row(line) {
    const row = document.createElement("div");
    row.textContent = line;
    return row;
  }

  #dress(row, number) {
    const kind = this.marks.get(number) ?? "";
    const name = this.headings.has(number) ? `${kind} heading`.trim() : kind;
    if (row.className !== name) row.className = name;
  }

  // Where a line begins and ends in the text.
  span(number) {
    const lines = this.text.split("\n");
    let start = 0;
    for (let at = 0; at < number - 1 && at < lines.length; at++) start += lines[at].length + 1;
    return [start, start + (lines[number - 1] ?? "").length];
  }

  // Select a line and bring it into view.
  go(number) {
    const [start, end] = this.span(number);
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(start, end);
    if (this.big) {
      this.area.scrollTop = (number - 1) * LINE_PX - this.area.clientHeight / 3;
    } else {
      const row = this.rows[number - 1];
      if (row) this.box.scrollTop = row.offsetTop - this.box.clientHeight / 3;
    }
    this.box.scrollIntoView({ block: "nearest" });
  }

  // Write lines anew, if they still stand as they were; null takes them out.
  replace(number, old, fresh) {
    const [start] = this.span(number);
    let end = start + old.length;
    if (this.text.slice(start, end) !== old) return false;
    if (fresh === null && this.text[end] === "\n") end++;
    this.put(start, end, fresh ?? "");
    this.go(Math.min(number, this.lines.length));
    return true;
  }

  // Put text in place of other text as if it were typed, so that undo takes it back.
  put(start, end, text) {
    const area = this.area;
    area.focus({ preventScroll: true });
    area.setSelectionRange(start, end);
    const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
    if (!done) {
      area.setRangeText(text, start, end, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  insert(text) {
    this.put(this.area.selectionStart, this.area.selectionEnd, text);
  }

  // Put text at a place, bring it into view, and select what is to be written over.
  putAt({ start, end, text }, chosen = "") {
    this.put(start, end, text);
    const at = start + text.indexOf(chosen);
    if (!chosen) return;
    this.follow();
    this.go(this.text.slice(0, at).split("\n").length);
    this.area.setSelectionRange(at, at + chosen.length);
  }

  // A text that came from elsewhere; too much of it to be typed.
  take(text) {
    this.area.value = text;
    this.follow();
  }
}
