// Files that are dropped or pasted: a text goes into the text, a picture is uploaded and its place written down.

import { placeOfPicture } from "./desk_editor_places.js";

const TEXT_NAMES = /\.(md|markdown|txt|text)$/i;

// The text in a file, in whichever encoding editors' programs write; null when it is none.
async function decoded(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const [a, b] = bytes;
  const marked = a === 0xff && b === 0xfe ? ["utf-16le"] : a === 0xfe && b === 0xff ? ["utf-16be"] : [];
  for (const name of [...marked, "utf-8", "gb18030"]) {
    try {
      const text = new TextDecoder(name, { fatal: true }).decode(bytes);
      if (!text.includes("\0")) return text.replace(/\r\n?/g, "\n");
    } catch {
      continue; // not in this one
    }
  }
  return null;
}

export function takeFiles(sheet, dialog, fail) {
  const { area } = sheet;

  async function take(files) {
    for (const file of files) {
      if (file.type.startsWith("image/")) return ask(file);
      if (!TEXT_NAMES.test(file.name) && !file.type.startsWith("text/")) return fail();
      const text = await decoded(file);
      if (text === null) return fail();
      if (sheet.text.trim()) sheet.insert(text);
      else sheet.put(0, sheet.text.length, text);
    }
  }

  area.addEventListener("dragover", (event) => {
    if ([...event.dataTransfer.types].includes("Files")) event.preventDefault();
  });
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  area.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    take(files);
  });

  const form = dialog.querySelector("form");
  const [file, alt] = [dialog.querySelector("#picture-file"), dialog.querySelector("#picture-alt")];
  const said = dialog.querySelector("[role=alert]");
  let dropped = null;
  let caret = 0;

  function ask(picture = null) {
    dropped = picture;
    caret = area.selectionEnd;
    form.reset();
    said.textContent = "";
    file.closest(".field").hidden = Boolean(picture);
    file.required = !picture;
    dialog.showModal();
    (picture ? alt : file).focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData();
    body.set("file", dropped ?? file.files[0]);
    body.set("alt", alt.value);
    const answer = await fetch("/desk/images", { method: "POST", body, headers: { accept: "text/html" } }).catch(() => null);
    const told = new DOMParser().parseFromString((await answer?.text()) ?? "", "text/html");
    const written = told.querySelector("#new")?.value; // the page of the pictures shows how the new one is written
    if (answer?.ok && written) {
      dialog.close();
      sheet.putAt(placeOfPicture(sheet.text, caret, written));
    } else {
      const why = told.querySelector("[role=alert]")?.textContent ?? answer?.statusText ?? "";
      said.textContent = dialog.dataset.failed.replace("{why}", why);
    }
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  return ask;
}
