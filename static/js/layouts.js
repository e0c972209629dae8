/* The editor of layouts: fields and tabs are dragged, or moved by buttons that the server answers;
   after every change the preview is drawn anew. Nothing is in force until it is saved. */
(() => {
  "use strict";
  let form = document.querySelector("form[data-layout]");
  if (!form) return;

  const preview = async () => {
    const response = await window.carebook.post(form.dataset.preview, new FormData(form)).catch(() => null);
    if (response?.ok) document.getElementById("layout-preview").innerHTML = await response.text(); /* our own server's fragment */
  };
  let waiting = 0;
  const later = () => { clearTimeout(waiting); waiting = setTimeout(preview, 250); };

  const ready = () => {
    form.querySelectorAll("[data-layout-fields]").forEach((list) => window.Sortable?.create(list, {
      group: "fields", handle: "[data-arrange-grip]", animation: 120, onEnd: later,
    }));
    form.querySelectorAll("[data-layout-tabs]").forEach((list) => window.Sortable?.create(list, {
      handle: ".layout-tab-head > [data-arrange-grip]", draggable: ".layout-tab", animation: 120, onEnd: later,
    }));
  };

  const press = async (button) => {
    const sent = new FormData(form);
    sent.append("do", button.value);
    const response = await window.carebook.post(form.action, sent).catch(() => null);
    if (!response?.ok) { form.requestSubmit(button); return; }
    const holder = document.createElement("template");
    holder.innerHTML = await response.text(); /* our own server's fragment */
    const fresh = holder.content.querySelector("form[data-layout]");
    form.replaceWith(fresh);
    form = fresh;
    ready();
    const same = form.querySelector(`[name=do][value="${CSS.escape(button.value)}"]`);
    const name = form.querySelector(".layout-tab:last-child .layout-labels[open] .form-control"); /* a new tab is named at once */
    if (same) same.focus();
    else { name?.focus(); name?.select(); }
    preview();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("form[data-layout] [name=do]");
    if (!button || button.value === "save" || !form.contains(button)) return;
    event.preventDefault();
    press(button);
  });
  document.addEventListener("input", (event) => { if (form.contains(event.target)) later(); });
  ready();
})();
