/* Rows in an order (data-arrange): dragged by the grip or moved by the arrow buttons; the form with
   the whole order is sent at once. Without scripts the buttons send the form by themselves. */
(() => {
  "use strict";
  const rows = (form) => [...form.querySelectorAll("[data-arrange-row]")];
  const mark = (form) => rows(form).forEach((row, index, all) => {
    const [up, down] = row.querySelectorAll("[name=do]");
    if (up) up.disabled = index === 0;
    if (down) down.disabled = index === all.length - 1;
  });
  const send = async (form) => {
    mark(form);
    if (form.dataset.arrange === "later") { form.dispatchEvent(new Event("change", { bubbles: true })); return; }
    const response = await window.carebook.post(form.action, new FormData(form)).catch(() => null);
    if (!response?.ok) location.reload();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-arrange] [name=do]");
    const [way] = button ? button.value.split(":") : [""];
    if (way !== "up" && way !== "down") return;
    event.preventDefault();
    const form = button.closest("[data-arrange]");
    const row = button.closest("[data-arrange-row]");
    const other = way === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (way === "up") other.before(row); else other.after(row);
    send(form);
    (button.disabled ? row.querySelector("[name=do]:not([disabled])") : button)?.focus();
  });
  document.querySelectorAll("[data-arrange]").forEach((form) => form.querySelectorAll("[data-arrange-list]").forEach((list) => {
    window.Sortable?.create(list, { handle: "[data-arrange-grip]", animation: 120, onEnd: () => send(form) });
  }));
})();
