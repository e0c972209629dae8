/* Cells edited in place: a double click, or e on the chosen row, where ← and → choose among its
   cells; the form stands beside the cell. */
(() => {
  "use strict";
  const table = document.querySelector("table[data-cell-url]");
  const editor = document.getElementById("cell-editor");
  if (!table || !editor) return;
  let cell = null, column = null;

  const isOpen = () => editor.matches(":popover-open");
  const close = () => {
    if (!isOpen()) return;
    if (editor.contains(document.activeElement)) document.activeElement.blur();
    editor.hidePopover();
  };
  const place = () => {
    const at = cell.getBoundingClientRect();
    const width = editor.offsetWidth, height = editor.offsetHeight;
    editor.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    editor.style.top = `${Math.max(8, Math.min(at.top, innerHeight - height - 8))}px`;
  };
  const fieldOf = (td) => {
    const th = table.querySelectorAll("thead th")[[...td.parentNode.children].indexOf(td)];
    return th && "editable" in th.dataset ? th.dataset.column : null;
  };

  /* The chosen cell stays in its column when another row is chosen. */
  const row = () => document.querySelector("[data-rows] tr.is-selected");
  const mark = () => {
    table.querySelectorAll("td.is-cell").forEach((one) => one.classList.remove("is-cell"));
    const td = row() && column && [...row().children].find((one) => fieldOf(one) === column);
    td?.classList.add("is-cell");
    td?.scrollIntoView({ block: "nearest", inline: "nearest" });
    return td;
  };
  const choose = (by) => {
    const cells = row() ? [...row().children].filter(fieldOf) : [];
    if (!cells.length) return false;
    const at = cells.findIndex((one) => fieldOf(one) === column);
    const next = at < 0 ? (by > 0 ? 0 : cells.length - 1) : Math.max(0, Math.min(cells.length - 1, at + by));
    column = fieldOf(cells[next]);
    mark();
    return true;
  };
  document.addEventListener("carebook:step", mark);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-rows] tbody tr")) mark();
  });

  const edit = (td) => {
    const field = fieldOf(td);
    if (!field) return;
    cell = td;
    const url = table.dataset.cellUrl.replace("_id_", td.parentNode.dataset.row).replace("_field_", field);
    window.htmx.ajax("GET", url, { target: "#cell-editor", swap: "innerHTML" });
  };

  /* The form arrives, or comes back with what is wrong; nothing in it: the row was saved. */
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== editor) return;
    if (!editor.querySelector("form")) { close(); return; }
    if (!isOpen()) editor.showPopover();
    place();
    editor.querySelector(".is-invalid, input:not([type=hidden]), select, textarea")?.focus();
  });

  document.addEventListener("carebook:edit-cell", (event) => edit(event.detail.cell));
  document.addEventListener("dblclick", (event) => {
    const td = event.target.closest("[data-rows] tbody td");
    if (!td || event.target.closest("a, button, input")) return;
    getSelection()?.removeAllRanges();
    edit(td);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOpen()) { event.stopPropagation(); close(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || isOpen()) return;
    if (event.target.closest("input, textarea, select, summary, [role=menu], [role=dialog]")) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if (choose(event.key === "ArrowRight" ? 1 : -1)) event.preventDefault();
      return;
    }
    if (event.key !== "e") return;
    const td = mark() || (row() && [...row().children].find(fieldOf));
    if (!td) return;
    event.preventDefault();
    edit(td);
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-cell-close]")) { close(); return; }
    if (isOpen() && !editor.contains(event.target) && !event.target.closest(".flatpickr-calendar")) close();
  });
})();
