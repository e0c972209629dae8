/* A board: a card dragged to another lane, or moved with Alt and an arrow key, gets its value. */
(() => {
  "use strict";
  const board = document.querySelector("[data-board][data-move]");
  if (!board) return;
  const field = board.dataset.field;

  const move = async (card, from, to, back) => {
    const url = board.dataset.move.replace("_id_", card.dataset.card);
    try {
      const response = await window.carebook.post(url, { [field]: to, [`was.${field}`]: from, quiet: "1" });
      if (!response.ok) back();
      await window.carebook.answered(response);
    } catch {
      back();
      window.carebook.toast(document.getElementById("toasts").dataset.offline, { kind: "error" });
    }
  };

  board.querySelectorAll("[data-lane]").forEach((lane) => window.Sortable?.create(lane, {
    group: { name: "board", put: !("closed" in lane.dataset) }, animation: 120, sort: false,
    onEnd: (event) => {
      if (event.from === event.to) return;
      const next = event.from.children[event.oldIndex] || null;
      move(event.item, event.from.dataset.lane, event.to.dataset.lane, () => event.from.insertBefore(event.item, next));
    },
  }));
  board.addEventListener("keydown", (event) => {
    const card = event.target.closest("[data-card]");
    if (!card || !event.altKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    const from = card.closest("[data-lane]");
    const lanes = [...board.querySelectorAll("[data-lane]")].filter((lane) => lane === from || !("closed" in lane.dataset));
    const to = lanes[lanes.indexOf(from) + (event.key === "ArrowRight" ? 1 : -1)];
    if (!to) return;
    const next = card.nextElementSibling;
    to.prepend(card);
    card.focus();
    move(card, from.dataset.lane, to.dataset.lane, () => from.insertBefore(card, next));
  });
})();
