/* Runs before the first paint: without an own choice the page follows the system, without a flash. */
(() => {
  "use strict";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = root.dataset.bsTheme || "";
  const apply = () => { root.dataset.bsTheme = chosen || (system.matches ? "dark" : "light"); };
  system.addEventListener("change", apply);
  apply();
  window.carebook = { chooseTheme(theme) { chosen = theme; apply(); } };
})();
