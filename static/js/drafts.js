/* Drafts (B.12): what is typed stays in this browser until it was saved.
   window.carebook.drafts: read(name), write(name, fields), drop(name), note(form, shown).
   A form with data-draft and data-draft-touched needs no script of its own: of each field that has
   a hidden "was.NAME" beside it, the draft keeps what was typed and what the form had shown, so that
   the server can tell a colleague's change from the person's own; of a number also "in.NAME", the
   language that it was written in: a page in the other one shows it as that writes it. */
(() => {
  "use strict";
  const carebook = window.carebook;
  const key = (name) => `carebook:${name}`;
  const drafts = carebook.drafts = {
    read: (name) => JSON.parse(localStorage.getItem(key(name)) || "null"),
    write: (name, fields) => localStorage.setItem(key(name), JSON.stringify(fields)),
    drop: (name) => localStorage.removeItem(key(name)),
    note: (form, shown) => { form.querySelector("[data-draft-note]").hidden = !shown; },
  };

  const plain = (text) => text.replace(/\r\n/g, "\n").trim();
  const fields = (form) => [...form.querySelectorAll("input[name^='was.']")].map((was) => (
    { was, name: was.name.slice(4), input: form.elements[was.name.slice(4)], language: form.elements[`in.${was.name.slice(4)}`] }
  )).filter(({ input }) => input);
  /* Several inputs of one name: tick boxes behind a hidden text that stands for none of them. */
  const valueOf = (input) => {
    if (!(input instanceof RadioNodeList)) return input.value;
    const [none, ...boxes] = input;
    return [none.value, ...boxes.filter((box) => box.checked).map((box) => box.value)].filter(Boolean).join(", ");
  };
  const isTouched = ({ was, input }) => plain(valueOf(input)) !== plain(was.value);
  const put = (input, value) => {
    if (input instanceof RadioNodeList) {
      const chosen = value.split(",").map((part) => part.trim());
      const [none, ...boxes] = input;
      boxes.forEach((box) => { box.checked = chosen.includes(box.value); });
      /* Files that were sent and have no box on this page yet: files.js shows them. */
      if (none.closest("[data-field]")?.dataset.family === "files") none.value = chosen.filter((one) => one && !boxes.some((box) => box.value === one)).join(", ");
      return;
    }
    if (input._flatpickr) input._flatpickr.setDate(value, false, "d/m/Y");
    input.value = value;
  };

  const swapped = (number) => number.replace(/[.,]/g, (mark) => (mark === "." ? "," : "."));

  const keep = (form) => {
    const mine = fields(form).filter(isTouched);
    const typed = mine.map(({ name, was, input, language }) => [name, { was: was.value, typed: valueOf(input), in: language?.value }]);
    if (typed.length) drafts.write(form.dataset.draft, Object.fromEntries(typed)); else drafts.drop(form.dataset.draft);
    drafts.note(form, typed.length > 0);
  };
  const recall = (form) => {
    const kept = drafts.read(form.dataset.draft) || {};
    fields(form).forEach((one) => {
      one.was.dataset.stored = one.was.value;
      const draft = kept[one.name];
      if (!draft || isTouched(one)) return; /* what the server has just sent back is newer */
      const isOther = one.language && (draft.in || "vi") !== one.language.value; /* drafts did not say so once */
      one.was.value = isOther ? swapped(draft.was) : draft.was;
      put(one.input, isOther ? swapped(draft.typed) : draft.typed);
    });
    keep(form);
  };
  const discard = (form) => {
    fields(form).forEach(({ was, input }) => { was.value = was.dataset.stored; put(input, was.value); });
    keep(form);
  };

  const form = (event) => event.target.closest("form[data-draft-touched]");
  ["input", "change"].forEach((name) => document.addEventListener(name, (event) => {
    if (form(event)) keep(form(event));
  }));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-draft-drop]") && form(event)) discard(form(event));
  });

  /* The page after a save says whose draft is done with. */
  document.querySelectorAll("[data-draft-saved]").forEach((one) => drafts.drop(one.dataset.draftSaved));
  document.querySelectorAll("form[data-draft-touched]").forEach(recall);
})();
