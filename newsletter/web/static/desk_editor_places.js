// Where a story or a picture goes that a button puts into the text: lines of its own, whatever word the caret is in.

const SECTION = /^(#{2,6}\s|\*\*[^*]+\*\*\s*$)/;
const STORY = /^([-*+]|\d+[.)])\s+\*\*/;
const HEADING = /^#\s/;
const RULE = /^(-{3,}|\*{3,}|_{3,})\s*$/;
const MARKER = /^\s*(?:(?:[-*+]|\d+[.)])\s+)?/;

// The place behind the story in which a position lies, else at the end of its section; above the first section, there.
export function placeOfStory(text, position, story) {
  const lines = text.split("\n");
  const body = lines[0].trim() === "---" ? lines.findIndex((line, at) => at && RULE.test(line)) + 1 : 0;
  const first = lines.findIndex((line, at) => at >= body && (SECTION.test(line) || STORY.test(line)));
  const from = Math.max(lineAt(text, position), body, first);
  const above = lines.slice(0, from + 1).findLast((line) => SECTION.test(line) || STORY.test(line)) ?? "";
  const inStory = STORY.test(above);
  const bounds = (line) => SECTION.test(line) || HEADING.test(line) || RULE.test(line) || (inStory && STORY.test(line));
  const next = lines.findIndex((line, at) => at > from && bounds(line));
  const end = next < 0 ? lines.length : next;
  let last = end;
  while (last > body && !lines[last - 1].trim()) last--;
  const before = last ? (last === body ? "\n" : "\n\n") : "";
  return {
    start: last ? startOf(lines, last) - 1 : 0,
    end: next < 0 ? text.length : startOf(lines, next),
    text: before + story + (next < 0 ? "" : "\n"),
  };
}

// The place on a line of its own below a position, as deep as what stands there; paragraphs have blank lines around it.
export function placeOfPicture(text, position, picture) {
  const lines = text.split("\n");
  const at = lineAt(text, position);
  const line = lines[at];
  const start = startOf(lines, at);
  const above = line.trim() || at === 0 ? line : lines[at - 1];
  const depth = " ".repeat(MARKER.exec(above)[0].length);
  if (!line.trim()) return { start, end: start + line.length, text: depth + picture.trim() };
  const apart = depth ? "\n" : "\n\n";
  const end = start + line.length;
  const closed = depth || !(lines[at + 1] ?? "").trim() ? "" : "\n";
  return { start: end, end, text: apart + depth + picture.trim() + closed };
}

function lineAt(text, position) {
  return text.slice(0, position).split("\n").length - 1;
}

function startOf(lines, number) {
  let start = 0;
  for (let at = 0; at < number; at++) start += lines[at].length + 1;
  return start;
}
