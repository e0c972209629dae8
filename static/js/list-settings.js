/* Settings of a list. After every change the preview is drawn anew; nothing is in force until it is
   saved. Row colours: add an empty one, take one away. Without scripts an empty row stands ready, and
   a button draws the preview. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-list-preview]");
  const shown = document.getElementById("list-preview");
  if (!form || !shown) return;
  document.querySelector(".preview-draw").hidden = true;
  let latest = 0;
  const draw = async () => {
    latest += 1;
    const mine = latest;
    const response = await window.carebook.post(form.dataset.listPreview, new FormData(form)).catch(() => null);
    if (response?.ok && mine === latest) shown.innerHTML = await response.text(); /* our own server's fragment */
  };
  let waiting = 0;
  const later = () => { clearTimeout(waiting); waiting = setTimeout(draw, 250); };
  ["input", "change"].forEach((name) => document.addEventListener(name, (event) => { if (event.target === form || event.target.form === form) later(); }));
  document.addEventListener("click", (event) => { if (event.target.closest("[data-colour-drop]")) later(); });
})();
(() => {
  "use strict";
  const list = document.querySelector("[data-colours]");
  const blank = document.querySelector("[data-colour-row]");
  if (!list || !blank) return;
  let place = list.children.length;
  const add = () => {
    const holder = document.createElement("template");
    holder.innerHTML = blank.innerHTML.replaceAll("_n_", String(place)); /* our own template */
    place += 1;
    const row = holder.content.firstElementChild;
    row.querySelectorAll("[hidden]").forEach((one) => { one.hidden = false; });
    list.append(row);
    window.htmx.process(row);
    return row;
  };
  const button = document.querySelector("[data-colour-add]");
  button.hidden = false;
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-colour-add]")) add().querySelector("[name=where]").focus();
    const drop = event.target.closest("[data-colour-drop]");
    if (!drop) return;
    drop.closest("li").remove();
    button.focus();
  });
})();
