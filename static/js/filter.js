/* The filter builder: the server draws it after each change; here the focus finds its place again. */
(() => {
  "use strict";
  let place = null;
  const form = () => document.querySelector("[data-filter-form]");

  /* Where the focus was: a control by its name, a search box by its condition. */
  const remember = (element) => {
    if (!element || !element.closest("[data-filter-form]")) return null;
    const picked = element.closest(".filter-picked")?.querySelector("[data-search]");
    if (picked) return `[data-search="${CSS.escape(picked.dataset.search)}"]`;
    if (element.matches(".filter-remove")) return ".filter-add .btn";
    return element.name && element.name !== "do" ? `[name="${CSS.escape(element.name)}"]` : null;
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    if (!elt.closest?.("[data-filter-form]") || elt.matches("[data-search]")) return;
    place = remember(elt.matches("select") ? elt : requestConfig.triggeringEvent?.submitter || document.activeElement);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const drawn = form();
    if (!drawn || !(event.target.contains(drawn) || drawn.contains(event.target))) return;
    if (event.target.matches(".filter-options")) return;
    const wanted = drawn.querySelector(".has-error [aria-invalid], [data-focus]") || (place && drawn.querySelector(place));
    if (wanted) wanted.focus();
    else if (event.target.matches(".filter-body")) drawn.querySelector("select, input:not([type=hidden])")?.focus();
    place = null;
  });

  /* Options of one search box close when the focus goes elsewhere. */
  document.addEventListener("focusin", (event) => {
    document.querySelectorAll(".filter-options").forEach((options) => {
      if (!options.parentElement.contains(event.target)) options.replaceChildren();
    });
  });

  /* From the search box down to its options and back. */
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest?.(".filter-search");
    if (!box || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    const stops = [box.querySelector("input"), ...box.querySelectorAll(".pop-option")];
    if (event.key === "Enter") {
      if (event.target !== stops[0]) return;
      event.preventDefault();
      stops[1]?.click();
      return;
    }
    event.preventDefault();
    const next = stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
    stops[Math.max(0, Math.min(stops.length - 1, next))].focus();
  });
})();
