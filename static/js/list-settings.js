/* Row colours of a list: add an empty one, take one away. Without scripts an empty row stands ready. */
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
