/* A board: a card dragged to another lane, or moved with Alt and an arrow key, gets its value. */
(() => {
  "use strict";
  const board = document.querySelector("[data-board][data-move]");
  if (!board) return;
  const field = board.dataset.field;
  const lanes = () => [...board.querySelectorAll("[data-lane]")];
  const isOpen = (lane) => !("closed" in lane.dataset);

  /* A count that is not exact ("1.000+") stays. */
  const count = (lane, change) => {
    const shown = lane?.parentElement.querySelector("[data-count]");
    if (!shown) return;
    shown.dataset.count = Number(shown.dataset.count) + change;
    shown.textContent = Number(shown.dataset.count).toLocaleString(document.documentElement.lang);
  };

  /* Puts a card where it belongs; without such a lane on this board it goes. */
  const put = (card, lane, before = null) => {
    const here = card.closest("[data-lane]");
    if (here === lane) return;
    count(here, -1);
    count(lane, 1);
    if (!lane) { card.remove(); return; }
    lane.insertBefore(card, before?.parentElement === lane ? before : null);
  };

  const send = async (card, from, to, next) => {
    const url = board.dataset.move.replace("_id_", card.dataset.card);
    try {
      const response = await window.carebook.post(url, { [field]: to.dataset.lane, [`was.${field}`]: from.dataset.lane, quiet: "1" });
      const now = JSON.parse(response.headers.get("HX-Trigger") || "{}")["carebook:value"];
      if (now !== undefined && now !== to.dataset.lane) put(card, lanes().find((lane) => lane.dataset.lane === now), next);
      else if (!response.ok) put(card, from, next);
      await window.carebook.answered(response);
    } catch {
      put(card, from, next);
      window.carebook.toast(document.getElementById("toasts").dataset.offline, { kind: "error" });
    }
  };

  /* One after the other: a card that is moved twice was where the first move put it. */
  let last = Promise.resolve();
  const moved = (card, from, to, next) => {
    count(from, -1);
    count(to, 1);
    last = last.then(() => send(card, from, to, next));
  };

  lanes().forEach((lane) => window.Sortable?.create(lane, {
    group: { name: "board", put: isOpen(lane) }, animation: 120, sort: false,
    onEnd: (event) => {
      if (event.from === event.to) return;
      moved(event.item, event.from, event.to, event.from.children[event.oldIndex] || null);
    },
  }));
  board.addEventListener("keydown", (event) => {
    const card = event.target.closest("[data-card]");
    if (!card || !event.altKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    const from = card.closest("[data-lane]");
    const open = lanes().filter((lane) => lane === from || isOpen(lane));
    const to = open[open.indexOf(from) + (event.key === "ArrowRight" ? 1 : -1)];
    if (!to) return;
    const next = card.nextElementSibling;
    to.prepend(card);
    card.focus();
    moved(card, from, to, next);
  });
})();
