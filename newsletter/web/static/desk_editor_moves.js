// Moving stories in the outline: by its buttons, or by dragging a card onto another or onto a section.

export function takeMoves(page, { home, saver, sheet }) {
  const outline = page.querySelector("[data-part=outline]");
  let dragged = null;

  outline.addEventListener("submit", (event) => {
    event.preventDefault();
    const to = event.submitter?.value;
    if (to) move(to, event.submitter.textContent.trim());
  });

  // Save what is open, move, and take the text that came of it; then whoever pressed a button can press it again.
  async function move(to, pressed = "") {
    await saver.flush();
    if (saver.held || saver.saved !== sheet.text) return;
    const body = new URLSearchParams({ to, base: saver.base, seen: saver.seen });
    const answer = await fetch(`${home}/move?${saver.query()}`, {
      method: "POST",
      body,
      headers: { accept: "application/json" },
    }).catch(() => null);
    if (!answer?.ok) return;
    const said = await answer.json();
    sheet.take(said.text);
    saver.accept(said, said.text);
    focusOn(to, pressed);
  }

  function focusOn(to, pressed) {
    const [, section, place] = to.split(" ");
    const cards = [...outline.querySelectorAll(`[data-section="${section}"] .story`)];
    const card = cards[Math.min(Number(place), cards.length - 1)];
    const buttons = [...(card?.querySelectorAll(".move") ?? [])];
    (buttons.find((button) => button.textContent.trim() === pressed) ?? card?.querySelector(".title"))?.focus();
  }

  outline.addEventListener("pointerover", (event) => {
    const card = event.target.closest(".story");
    if (card) card.draggable = true;
  });
  outline.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".story");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/x-story", dragged.dataset.story);
  });
  outline.addEventListener("dragover", (event) => {
    const section = event.target.closest(".part");
    if (!dragged || !section) return;
    event.preventDefault();
    mark(event.target.closest(".story") ?? section);
  });
  outline.addEventListener("dragend", () => {
    dragged = null;
    mark(null);
  });
  outline.addEventListener("drop", (event) => {
    const [card, section] = [event.target.closest(".story"), event.target.closest(".part")];
    if (!dragged || !section) return;
    event.preventDefault();
    const place = card ? Number(card.dataset.place) : Number(section.dataset.stories);
    if (card !== dragged) move(`${dragged.dataset.story} ${section.dataset.section} ${place}`);
  });

  function mark(place) {
    for (const other of outline.querySelectorAll(".target")) other.classList.remove("target");
    place?.classList.add("target");
  }
}
