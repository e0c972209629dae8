/* A button that copies what stands in a field: <button hidden data-copy="id of the field">. */
(() => {
  "use strict";
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); /* without TLS there is no clipboard; the selected text is */
    }
    button.querySelector("span").textContent = button.dataset.done;
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches("[data-copy-source]")) event.target.select(); });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-copy][hidden]").forEach((button) => { button.hidden = false; });
  });
})();
