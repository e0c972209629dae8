/* Rows of a list that is edited as one form: add an empty one, take one away. */
(() => {
  "use strict";
  const list = document.querySelector("form[data-arrange] [data-arrange-list]");
  if (!list) return;
  const blank = list.lastElementChild.cloneNode(true);
  let place = list.children.length;
  const add = () => {
    const row = blank.cloneNode(true);
    row.querySelector("[name=place]").value = String(place);
    row.querySelectorAll("[name^='colour.']").forEach((one) => { one.name = `colour.${place}`; });
    const tick = row.querySelector("[name=retired]");
    if (tick) tick.value = String(place);
    row.querySelectorAll("[name=do]").forEach((one) => { one.value = one.value.replace(/\d+$/, String(place)); });
    place += 1;
    list.append(row);
    return row;
  };
  document.querySelectorAll("[data-row-add]").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-row-add]")) add().querySelector("[name=label_vi]").focus();
    const drop = event.target.closest("[data-row-drop]");
    if (!drop) return;
    const next = drop.closest("li").nextElementSibling || drop.closest("li").previousElementSibling;
    drop.closest("li").remove();
    (next?.querySelector("[data-row-drop]") || document.querySelector("[data-row-add]"))?.focus();
  });
  /* Enter in a name goes on to a new row. */
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || !event.target.matches("[name=label_vi], [name=label_en]")) return;
    event.preventDefault();
    const row = event.target.closest("li");
    (row.nextElementSibling || add()).querySelector("[name=label_vi]").focus();
  });
})();
