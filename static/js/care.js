/* The care form: quick dates, draft, keys, what happens after a save. */
(() => {
  "use strict";
  const carebook = window.carebook;
  const form = () => document.querySelector("[data-care-form]");
  let goOn = false; /* "record and next" was pressed */

  /* Quick dates fill the one date field; "no more care" empties it. */
  const markDate = (root) => {
    const date = root.querySelector("[name=next_on]");
    root.querySelectorAll("[data-set-date]").forEach((one) => {
      const on = date.value === one.dataset.setDate;
      one.classList.toggle("is-on", on);
      one.setAttribute("aria-pressed", String(on));
    });
  };
  const setDate = (root, value) => {
    const date = root.querySelector("[name=next_on]");
    if (date._flatpickr) date._flatpickr.setDate(value, false, "d/m/Y");
    date.value = value;
    markDate(root);
  };
  document.addEventListener("click", (event) => {
    const quick = event.target.closest("[data-set-date]");
    if (quick) {
      const root = quick.closest("form");
      root.querySelector("[data-ended]").checked = false;
      setDate(root, quick.dataset.setDate);
      keep(root);
    }
    goOn = Boolean(event.target.closest("[data-save-next]")) || (goOn && !event.target.closest("[data-save]"));
  });
  document.addEventListener("change", (event) => {
    const root = event.target.closest("[data-care-form]");
    if (!root) return;
    if (event.target.matches("[data-ended]") && event.target.checked) setDate(root, "");
    if (event.target.name === "next_on") {
      if (event.target.value) root.querySelector("[data-ended]").checked = false;
      markDate(root);
    }
  });

  /* Drafts (B.12): what is typed stays in this browser until it was saved. */
  const { drafts } = carebook;
  const FIELDS = ["content", "feedback", "next_on", "ended"];
  const keep = (root) => {
    const typed = Object.fromEntries([...new FormData(root)].filter(([name]) => FIELDS.includes(name)));
    const worth = Boolean((typed.content || "").trim());
    if (worth) drafts.write(root.dataset.draft, typed); else drafts.drop(root.dataset.draft);
    drafts.note(root, worth);
  };
  const recall = (root) => {
    const typed = drafts.read(root.dataset.draft);
    const content = root.querySelector("[name=content]");
    if (typed && content.value === typed.content) drafts.note(root, true);
    if (!typed || content.value) return;
    content.value = typed.content || "";
    root.querySelectorAll("[name=feedback]").forEach((one) => { one.checked = one.value === typed.feedback; });
    root.querySelector("[data-ended]").checked = typed.ended === "1";
    if (typed.next_on) setDate(root, typed.next_on);
    drafts.note(root, true);
  };
  document.addEventListener("input", (event) => {
    const root = event.target.closest("[data-care-form]");
    if (root) keep(root);
  });
  document.addEventListener("click", (event) => {
    const root = event.target.closest("[data-care-form]");
    if (!root || !event.target.closest("[data-draft-drop]")) return;
    drafts.drop(root.dataset.draft);
    root.reset();
    markDate(root);
    drafts.note(root, false);
  });
  const begin = (root) => { if (root && !root.dataset.begun) { root.dataset.begun = "1"; recall(root); markDate(root); } };
  document.addEventListener("htmx:load", () => begin(form()));
  begin(form());

  /* A save: the draft goes, the row shows the new state, the next one opens. */
  document.addEventListener("care-saved", (event) => {
    const { text, customer, order, record, written, url } = event.detail;
    /* The draft of the form that was saved; an entry about something else leaves the customer's own draft. */
    if (written) drafts.drop(`care-${record || order || customer}`);
    const queue = document.querySelector("[data-queue]");
    if (queue) { location.assign(queue.dataset.queue); return; }
    if (document.querySelector(".care-alone")) { location.assign(url); return; }
    carebook.toast(text);
    const row = [record, order, customer].map((id) => id && document.getElementById(`row-${id}`)).find(Boolean);
    const next = goOn && row ? row.nextElementSibling : null;
    goOn = false;
    carebook.closePanel();
    if (!row) { if (document.querySelector(".record")) location.reload(); return; }
    const place = location.pathname.replace(/\/$/, "") + "/rows/" + row.dataset.row;
    window.htmx.ajax("GET", place, { target: row, swap: "outerHTML" });
    window.htmx.trigger(document.body, "care-counts");
    if (next) open(next);
  });
  /* A colleague was faster: the row behind the panel shows the old state, too. */
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, elt } = event.detail;
    if (xhr.status !== 409 || !elt.matches("[data-care-form], .postpone")) return;
    const subject = document.querySelector("#panel .care");
    if (!subject) return;
    const row = [subject.dataset.subject, subject.dataset.customer].map((id) => document.getElementById(`row-${id}`)).find(Boolean);
    if (row) window.htmx.ajax("GET", location.pathname.replace(/\/$/, "") + "/rows/" + row.dataset.row, { target: row, swap: "outerHTML" });
  });
  const open = (row) => { const square = row.querySelector("[data-care]"); if (square) square.click(); };
})();
