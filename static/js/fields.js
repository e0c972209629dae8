/* Forms of records: fields that are shown under a condition, and references found by name.
   A condition is JSON in data-when of the field: {and: [...]}, {or: [...]}, true, false, or
   {field, operator, values}, where a value with others below it in its tree is a list of them all.
   It means here what rules/conditions.py means; the server decides. */
(() => {
  "use strict";
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/đ/g, "d").replace(/Đ/g, "D").toLowerCase().replace(/\s+/g, " ").trim();

  /* Values of a form */
  const inputs = (form, key) => [...form.querySelectorAll(`[name="${CSS.escape(key)}"]`)];
  const values = (form, key) => {
    const all = inputs(form, key);
    const boxes = all.filter((one) => one.type === "checkbox" || one.type === "radio");
    if (boxes.length) return boxes.filter((one) => one.checked).map((one) => one.value);
    return all.filter((one) => one.type !== "hidden").map((one) => one.value.trim()).filter(Boolean);
  };
  /* A number as the language writes it in which the form was drawn, as rules/numbers.py reads it. */
  const written = {
    vi: /^[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d*)(?:,\d*)?$/,
    en: /^[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|\d*)(?:\.\d*)?$/,
  };
  const typedNumber = (language) => (text) => {
    const plain = text.replace(/vnđ|vnd|[\s₫đ%]/gi, "").replace("−", "-");
    if (!/\d/.test(plain)) return NaN;
    if (written[language].test(plain)) return Number(language === "en" ? plain.replace(/,/g, "") : plain.replace(/\./g, "").replace(",", "."));
    return language === "vi" && /^[+-]?\d+\.\d+$/.test(plain) ? Number(plain) : NaN;
  };
  const day = (text) => {
    const today = new Date(); today.setHours(0, 0, 0, 0);
    const moved = /^([+-]\d{1,5})d$/.exec(text);
    const named = { today: 0, yesterday: -1, tomorrow: 1 };
    if (text in named || moved) { today.setDate(today.getDate() + (moved ? Number(moved[1]) : named[text])); return today.getTime(); }
    const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})/.exec(text);
    const typed = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})/.exec(text);
    if (iso) return new Date(+iso[1], iso[2] - 1, +iso[3]).getTime();
    return typed ? new Date(+typed[3], typed[2] - 1, +typed[1]).getTime() : NaN;
  };

  /* Operators; undefined for one that is not known here */
  const some = (found, test) => found.some(test);
  const compare = (read, test) => (found, wanted, language) => some(found, (one) => {
    const value = read === Number ? typedNumber(language)(one) : read(one);
    return !Number.isNaN(value) && test(value, wanted.map(read)); /* conditions write numbers plainly: 1250.5 */
  });
  const operators = {
    filled: (found) => found.length > 0,
    yes: (found) => found.includes("yes"),
    in: (found, wanted) => some(found, (one) => wanted.flat().includes(one)),
    all: (found, wanted) => wanted.every((branch) => [branch].flat().some((one) => found.includes(one))),
    is: (found, wanted) => found.includes(wanted[0]),
    contains: (found, wanted) => some(found, (one) => fold(one).includes(fold(wanted[0]))),
    starts: (found, wanted) => some(found, (one) => fold(one).startsWith(fold(wanted[0]))),
    eq: compare(Number, (one, [wanted]) => one === wanted),
    lt: compare(Number, (one, [wanted]) => one < wanted),
    le: compare(Number, (one, [wanted]) => one <= wanted),
    gt: compare(Number, (one, [wanted]) => one > wanted),
    ge: compare(Number, (one, [wanted]) => one >= wanted),
    on: compare(day, (one, [wanted]) => one === wanted),
    before: compare(day, (one, [wanted]) => one < wanted),
    after: compare(day, (one, [wanted]) => one > wanted),
  };
  const denied = { empty: "filled", no: "yes", none: "in", not: "is", ne: "eq" };
  const between = (family, found, wanted, language) => compare(family === "number" ? Number : day, (one, [first, last]) => one >= first && one <= last)(found, wanted, language);

  const holds = (form, part) => {
    if (typeof part === "boolean") return part;
    if (part.and) return part.and.every((one) => holds(form, one) !== false);
    if (part.or) return part.or.some((one) => holds(form, one) !== false);
    const box = form.querySelector(`[data-field="${CSS.escape(part.field)}"]`);
    if (!box) return undefined;
    const found = values(form, part.field);
    const language = inputs(form, `in.${part.field}`)[0]?.value || "vi";
    if (part.operator === "between") return between(box.dataset.family, found, part.values, language);
    const known = operators[denied[part.operator] || part.operator];
    if (!known) return undefined;
    const met = known(found, part.values, language);
    return denied[part.operator] ? !met : met;
  };

  const show = (form) => form.querySelectorAll("[data-when]").forEach((box) => {
    const met = holds(form, JSON.parse(box.dataset.when));
    const hidden = met === undefined ? box.hidden : !met;
    box.hidden = hidden;
    box.querySelectorAll("input, select, textarea").forEach((one) => { if (!one.matches("[data-reference-search]")) one.disabled = hidden; });
  });

  const formOf = (event) => event.target.closest?.("form[data-fields]");
  ["input", "change"].forEach((name) => document.addEventListener(name, (event) => { if (formOf(event)) show(formOf(event)); }));

  /* References */
  const parts = (box) => ({
    id: box.querySelector("[data-reference-id]"), search: box.querySelector("[data-reference-search]"),
    clear: box.querySelector("[data-reference-clear]"), found: box.querySelector(".reference-found"),
  });
  const close = (box) => { const { found, search } = parts(box); found.hidden = true; search.setAttribute("aria-expanded", "false"); search.removeAttribute("aria-activedescendant"); };
  const put = (box, id, name) => {
    const all = parts(box);
    all.id.value = id; all.id.dataset.name = name; all.search.value = name; all.clear.hidden = !id;
    close(box);
    all.id.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const ready = (box) => {
    const all = parts(box);
    if (all.id.type === "hidden") return;
    all.search.id = `${all.id.id}-search`;
    box.closest(".field")?.querySelector(`label[for="${CSS.escape(all.id.id)}"]`)?.setAttribute("for", all.search.id);
    all.id.classList.add("is-id"); all.id.hidden = true; all.search.hidden = false; all.clear.hidden = !all.id.value;
  };
  let latest = 0;
  const look = async (box) => {
    const { search, found } = parts(box);
    latest += 1;
    const mine = latest;
    const response = await fetch(`${search.dataset.referenceSearch}?q=${encodeURIComponent(search.value)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!response?.ok || mine !== latest || document.activeElement !== search) return;
    found.innerHTML = await response.text(); /* our own server's escaped fragment */
    found.querySelectorAll("[role=option]").forEach((one, index) => { one.id = `${found.id}-${index}`; });
    found.hidden = false; search.setAttribute("aria-expanded", "true");
  };
  const step = (box, by) => {
    const { found, search } = parts(box);
    const all = [...found.querySelectorAll("[role=option]")];
    if (!all.length) return;
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const next = all[(at + by + all.length) % all.length];
    all.forEach((one) => one.setAttribute("aria-selected", String(one === next)));
    search.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  };
  let waiting = 0;
  document.addEventListener("input", (event) => {
    const box = event.target.matches?.("[data-reference-search]") && event.target.closest("[data-reference]");
    if (!box) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => look(box), 160);
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches?.("[data-reference-search]")) look(event.target.closest("[data-reference]")); });
  document.addEventListener("focusout", (event) => {
    const box = event.target.closest?.("[data-reference]");
    if (!box || box.contains(event.relatedTarget)) return;
    const { id, search } = parts(box);
    close(box);
    if (search.value.trim() === "" && id.value) put(box, "", "");
    else search.value = id.dataset.name || ""; /* what was typed and not chosen is no choice */
  });
  document.addEventListener("mousedown", (event) => { if (event.target.closest?.(".reference-found")) event.preventDefault(); });
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("[data-reference]");
    if (!box) return;
    const option = event.target.closest("[role=option]");
    if (option) put(box, option.dataset.id, option.dataset.name);
    if (event.target.closest("[data-reference-clear]")) { put(box, "", ""); parts(box).search.focus(); }
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("[data-reference-search]")) return;
    const box = event.target.closest("[data-reference]");
    const { found } = parts(box);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); step(box, event.key === "ArrowDown" ? 1 : -1); }
    if (event.key === "Escape" && !found.hidden) { event.stopPropagation(); close(box); }
    if (event.key === "Enter" && !found.hidden && !event.ctrlKey) {
      const chosen = found.querySelector("[aria-selected=true]") || found.querySelector("[role=option]");
      if (chosen) { event.preventDefault(); put(box, chosen.dataset.id, chosen.dataset.name); }
    }
  });

  const start = (root) => {
    root.querySelectorAll("[data-reference]").forEach(ready);
    root.querySelectorAll("form[data-fields]").forEach(show);
  };
  window.carebook.showFields = show;
  start(document);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!(event.detail.elt instanceof Element)) return;
    start(event.detail.elt.parentElement || event.detail.elt);
    /* One field opened on the page of a record: into it; shown again: back to its pencil. */
    const fact = event.detail.elt.matches("dd.fact") ? event.detail.elt : null;
    fact?.querySelector(fact.matches(".is-open") ? ".field input:not([type=hidden]):not([hidden]), .field select, .field textarea" : ".fact-edit")?.focus();
  });
  document.addEventListener("keydown", (event) => {
    const cancel = event.key === "Escape" && event.target.closest?.("form[data-fact]")?.querySelector("[data-fact-cancel]");
    if (cancel) { event.stopPropagation(); cancel.click(); }
  });
})();
