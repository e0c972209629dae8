/* Assigning carers: what is ticked goes down to the list of what will be saved, for one person after
   the other and across filters; [Ghi lại] saves all of it. The list is a draft until then. It holds
   numbers and no names. */
(() => {
  "use strict";
  const form = document.getElementById("assign");
  if (!form) return;
  const { drafts, toast } = window.carebook;
  const shown = form.querySelector("[data-assign-lines]");
  const { staff, way, all } = form.elements;
  const ticked = () => [...document.querySelectorAll("[data-rows] input[name=ids]:checked")];
  let lines = drafts.read(form.dataset.lines) || [];

  const item = (line, place) => {
    const made = document.createElement("li");
    const text = document.createElement("span");
    text.textContent = `${line.all ? shown.dataset.all : shown.dataset.ticked.replace("{n}", line.ids.length)} · ${line.says}`;
    if (line.all && line.shown) text.title = line.shown;
    const sent = Object.assign(document.createElement("input"), { type: "hidden", name: "line", value: JSON.stringify(line) });
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "icon-button", textContent: "×" });
    remove.setAttribute("aria-label", `${shown.dataset.remove}: ${text.textContent}`);
    remove.addEventListener("click", () => { lines.splice(place, 1); keep(); (shown.querySelector("button") || staff).focus(); });
    made.append(text, sent, remove);
    return made;
  };
  const draw = () => {
    shown.replaceChildren(...lines.map(item));
    staff.required = !lines.length;
  };
  const keep = () => {
    if (lines.length) drafts.write(form.dataset.lines, lines); else drafts.drop(form.dataset.lines);
    draw();
  };

  const add = form.querySelector("[data-assign-add]");
  add.hidden = false;
  add.addEventListener("click", () => {
    const ids = ticked().map((box) => box.value);
    if (!ids.length && !all.checked) { toast(form.dataset.none, { kind: "error" }); return; }
    staff.required = true;
    if (!form.reportValidity()) return;
    const says = `${way.selectedOptions[0].text} ${staff.selectedOptions[0].text}`;
    lines.push({
      ids: all.checked ? [] : ids, all: all.checked, staff: staff.value, way: way.value, says,
      filter: location.search, shown: all.checked ? document.querySelector(".list-says")?.innerText.trim() : "",
    });
    document.querySelectorAll("[data-rows] input[name=ids], [data-check-all]").forEach((box) => { box.checked = false; });
    all.checked = false;
    keep();
  });
  draw();
})();
