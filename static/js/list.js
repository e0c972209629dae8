/* Lists: rows by keyboard, the selected row, filters that search while typing. */
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("[data-rows] tbody tr")];
  const selected = () => document.querySelector("[data-rows] tr.is-selected");

  const select = (row) => {
    if (!row) return;
    rows().forEach((one) => one.classList.toggle("is-selected", one === row));
    row.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    const all = rows();
    const at = all.indexOf(selected());
    select(all[Math.max(0, Math.min(all.length - 1, at + by))]);
  };

  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-rows] tbody tr");
    if (row) select(row);
  });
  document.addEventListener("carebook:step", (event) => step(event.detail.by));

  /* One tick for all rows of the page. */
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-check-all]")) return;
    document.querySelectorAll("[data-rows] input[name=ids]").forEach((box) => { box.checked = event.target.checked; });
  });

  /* The bar at the bottom: how many rows are ticked, and what to do with them. */
  const bar = document.querySelector("[data-bulk-bar]");
  const ticked = () => document.querySelectorAll("[data-rows] input[name=ids]:checked").length;
  const count = () => {
    if (!bar) return;
    const number = ticked();
    bar.hidden = number === 0;
    const says = bar.querySelector("[data-bulk-count]");
    says.textContent = says.dataset.text.replace("0", String(number));
    if (number === 0) bar.querySelector("[name=all]").checked = false;
  };
  document.addEventListener("change", (event) => { if (event.target.matches("[data-check-all], [name=ids]")) count(); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-bulk-clear]")) return;
    document.querySelectorAll("[data-rows] input[name=ids], [data-check-all]").forEach((box) => { box.checked = false; });
    count();
  });
  /* What was changed in bulk is loaded anew; the toast with its undo stays long enough to be used. */
  document.addEventListener("carebook-list-changed", () => {
    const rows = document.querySelectorAll("[data-rows] input[name=ids]:checked");
    rows.forEach((box) => { box.checked = false; });
    count();
    window.htmx.ajax("GET", location.href, { target: ".list-frame", select: ".list-frame", swap: "outerHTML" });
  });

  /* A search box in a filter works with scripts only; without them its options never come. */
  document.querySelectorAll("[data-enable]").forEach((input) => { input.disabled = false; });
  document.addEventListener("toggle", (event) => {
    const input = event.target.matches?.("details.pop[open]") && event.target.querySelector("input:not([type=hidden])");
    if (input) input.focus();
    const body = event.target.matches?.("details.pop[open]") && event.target.querySelector(".pop-body");
    if (!body) return;
    /* Near the right edge it opens to the left: the page must not grow wider. */
    body.classList.remove("is-end");
    body.classList.toggle("is-end", body.getBoundingClientRect().right > document.documentElement.clientWidth);
  }, true);

  /* The last search word belongs to the list, not to the address that a filter button makes. */
  document.addEventListener("submit", (event) => {
    event.target.querySelectorAll?.("[data-enable]").forEach((input) => { input.disabled = true; });
  });
})();
