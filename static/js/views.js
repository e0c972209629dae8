/* Saved views: the tab of the open view is in sight, however many there are. */
(() => {
  "use strict";
  document.querySelector(".view-tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
})();
