/* Columns of a list: dragged by their heading, resized at its edge, ordered in the menu. */
(() => {
  "use strict";
  const LEAST = 40, MOST = 900;
  const table = document.querySelector("table[data-columns]");
  const headings = () => [...table.querySelectorAll("thead th[data-column]")];
  const form = () => document.querySelector(".columns-form");

  /* Sends the columns in their order with the widths that they have now. */
  const keep = (order, widths) => {
    const fields = new URLSearchParams([["quiet", "1"]]);
    order.forEach((key) => fields.append("columns", key));
    Object.entries(widths).forEach(([key, width]) => fields.set(`width.${key}`, String(Math.round(width))));
    const size = form()?.querySelector("[name=page_size]");
    if (size) fields.set("page_size", size.value);
    return window.carebook.post(table.dataset.columns, fields);
  };
  const chosenWidths = () => (table.classList.contains("is-sized") ? measured() : {});
  const measured = () => Object.fromEntries(headings().map((th) => [th.dataset.column, th.getBoundingClientRect().width]));

  /* The first resize fixes every column as it stands, so that only the dragged one moves. */
  const fix = () => {
    if (table.classList.contains("is-sized")) return;
    const widths = measured();
    const group = document.createElement("colgroup");
    /* The column of tick boxes has no width of its own to keep. */
    [...table.querySelectorAll("thead th")].forEach((th) => {
      const col = document.createElement("col");
      const width = th.dataset.column ? widths[th.dataset.column] : th.getBoundingClientRect().width;
      col.setAttribute("width", String(Math.round(width)));
      group.append(col);
    });
    table.prepend(group);
    table.classList.add("is-sized");
  };

  const resize = (grip, event) => {
    event.preventDefault();
    event.stopPropagation();
    const th = grip.closest("th");
    fix();
    const col = table.querySelectorAll("col")[[...th.parentNode.children].indexOf(th)];
    const start = event.clientX, before = th.getBoundingClientRect().width;
    const move = (moved) => {
      const width = Math.max(LEAST, Math.min(MOST, before + moved.clientX - start));
      col.setAttribute("width", String(Math.round(width)));
    };
    const end = () => {
      removeEventListener("pointermove", move);
      keep(headings().map((one) => one.dataset.column), measured());
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end, { once: true });
  };

  if (table) {
    headings().forEach((th) => {
      const grip = document.createElement("span");
      grip.className = "th-grip";
      grip.addEventListener("pointerdown", (event) => resize(grip, event));
      th.append(grip);
    });
    window.Sortable?.create(table.querySelector("thead tr"), {
      draggable: "th[data-column]", filter: ".th-grip", preventOnFilter: false, delay: 120, animation: 120,
      onEnd: async (event) => {
        if (event.oldIndex === event.newIndex) return;
        await keep(headings().map((th) => th.dataset.column), chosenWidths());
        location.reload();
      },
    });
  }

  /* The menu: dragged, or Alt with an arrow key. */
  const arrange = (root) => root.querySelectorAll("[data-sortable]").forEach((list) => {
    window.Sortable?.create(list, { animation: 120, handle: ".columns-grip" });
    list.addEventListener("keydown", (event) => {
      const item = event.target.closest("li");
      if (!event.altKey || !item || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      const other = event.key === "ArrowUp" ? item.previousElementSibling : item.nextElementSibling;
      if (!other) return;
      if (event.key === "ArrowUp") other.before(item); else other.after(item);
      item.focus();
    });
  });
  arrange(document);
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target instanceof Element) arrange(event.detail.target); });
})();
