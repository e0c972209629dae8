/* Ctrl+K opens the search over everything; ? lists the keys. */
(() => {
  "use strict";
  const palette = document.getElementById("palette");
  const help = document.getElementById("keys-help");
  if (!palette) return;
  const input = palette.querySelector("input[type=search]");
  const hits = () => [...palette.querySelectorAll("[data-hit]")];

  const open = () => {
    if (!palette.open) palette.showModal();
    input.select();
    input.dispatchEvent(new CustomEvent("carebook-palette", { bubbles: true }));
  };
  const step = (by) => {
    const all = hits();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    const next = at + by;
    if (next < 0) input.focus(); else all[Math.min(all.length - 1, next)].focus();
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); return; }
    const inField = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "?" && !inField && !document.querySelector("dialog[open]")) { event.preventDefault(); help.showModal(); }
  });
  palette.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); step(1); }
    if (event.key === "ArrowUp") { event.preventDefault(); step(-1); }
  });
  /* Enter takes the first hit; without any it stays. */
  palette.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    hits()[0]?.click();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) open();
    const dialog = event.target.closest("[data-dialog-close]") ? event.target.closest("dialog") : event.target.matches("dialog") && event.target;
    if (dialog) dialog.close();
  });
})();
