/* The editor of the menu: sections and entries dragged, or moved by the arrows without a reload. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-menu]");
  if (!form) return;
  const moved = () => form.dispatchEvent(new CustomEvent("menu:moved"));
  const sections = form.querySelector("[data-menu-sections]");
  const options = { handle: "[data-menu-grip]", animation: 120, onEnd: moved };
  window.Sortable?.create(sections, { ...options, draggable: "[data-menu-section]" });
  form.querySelectorAll("[data-menu-entries]").forEach((list) => {
    window.Sortable?.create(list, { ...options, group: "menu", draggable: "[data-menu-entry]" });
  });
  const next = (row, up) => {
    const other = up ? row.previousElementSibling : row.nextElementSibling;
    return other && other.matches("[data-menu-entry],[data-menu-section]") ? other : null;
  };
  const step = (row, up) => {
    const other = next(row, up);
    if (other) { if (up) other.before(row); else other.after(row); return true; }
    if (row.matches("[data-menu-section]")) return false;
    const section = next(row.closest("[data-menu-section]"), up);
    const list = section?.querySelector("[data-menu-entries]");
    if (!list) return false;
    const last = [...list.querySelectorAll("[data-menu-entry]")].pop();
    if (up && last) last.after(row); else list.prepend(row);
    return true;
  };
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=do]");
    const way = button?.value.split(":")[0];
    if (way !== "up" && way !== "down") return;
    event.preventDefault();
    if (step(button.closest("[data-menu-entry],[data-menu-section]"), way === "up")) moved();
    button.focus();
  });
})();
