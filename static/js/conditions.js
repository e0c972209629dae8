/* The filter builder in a dialog: what it makes is put into the input that opened it. */
(() => {
  "use strict";
  const dialog = document.querySelector("[data-condition-dialog]");
  if (!dialog) return;
  const body = dialog.querySelector(".condition-body");
  let input = null;
  document.querySelectorAll("[data-condition-open]").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-condition-open]");
    if (event.target.closest?.("[data-condition-close]")) dialog.close();
    if (!button) return;
    input = document.getElementById(button.dataset.conditionOpen);
    const url = new URL(button.dataset.conditionUrl, location.href);
    if (input.value.trim()) url.searchParams.set("where", input.value.trim());
    await window.htmx.ajax("GET", url.pathname + url.search, { target: body, swap: "innerHTML" });
    dialog.showModal();
  });
  /* "Apply" would lead back to a list with the filter: here its text is all that is wanted. */
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const target = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (!target || !dialog.open) return;
    event.preventDefault();
    input.value = new URL(target, location.href).searchParams.get("where") || "";
    dialog.close();
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
