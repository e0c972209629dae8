/* Keys of every page: a control says with data-key which key presses it. */
(() => {
  "use strict";
  const inField = (target) => target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");

  /* The one form of the page whose button shows the key. */
  const only = () => {
    const forms = document.querySelectorAll("main form:has(button kbd)");
    return forms.length === 1 ? forms[0] : null;
  };
  /* Ctrl+Enter sends the form in the side panel, else the one that the cursor is in. */
  const send = (event) => {
    const form = document.getElementById("care-form") || event.target.closest("form[method=post]") || document.querySelector("main form.edit-form") || only();
    if (!form) return;
    event.preventDefault();
    form.requestSubmit();
  };
  const isSomethingOpen = () => document.querySelector("details[open], .flatpickr-calendar.open, :popover-open");

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { send(event); return; }
    if (event.key === "Escape" && !isSomethingOpen()) { window.carebook.closePanel(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return;
    if (event.key === "j" || event.key === "k") {
      document.dispatchEvent(new CustomEvent("carebook:step", { detail: { by: event.key === "j" ? 1 : -1 } }));
      return;
    }
    /* c on a list is the green square of the chosen row. */
    const chosen = event.key === "c" && document.querySelector("tr.is-selected [data-care]");
    const keyed = chosen || document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!keyed) return;
    event.preventDefault();
    if (keyed.matches("input")) keyed.focus(); else keyed.click();
  });
})();
