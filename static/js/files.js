/* Files: chosen, dropped or pasted; each is sent at once, by itself, with its progress.
   [data-files] holds the address that takes them; the answer is the row of the file. */
(() => {
  "use strict";
  const carebook = window.carebook;
  document.documentElement.classList.add("has-files-script");

  const token = () => document.querySelector("meta[name=csrf-token]").content;
  const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
  const said = (text, name) => text.replace("{name}", name);

  const element = (tag, className, text = "") => {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  };

  /* The row of a file that is on its way. */
  const waitingRow = (place, file) => {
    const row = element("li", "file file-small");
    const main = element("div", "file-main");
    const bar = element("progress", "");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    const stop = element("button", "btn btn-quiet btn-small", place.dataset.cancel);
    stop.type = "button";
    main.append(element("span", "file-name", file.name), bar);
    row.append(main, stop);
    place.querySelector("[data-files-list]").prepend(row);
    return { row, main, bar, stop };
  };

  const fail = (shown, text) => {
    shown.row.classList.add("is-bad");
    shown.bar.remove();
    const error = element("p", "field-error", text);
    error.setAttribute("role", "alert");
    shown.main.append(error);
    shown.stop.replaceWith();
    setTimeout(() => shown.row.remove(), 20000);
  };

  /* The sentence of an error: our own server answers with a toast. */
  const reason = (place, request) => {
    const page = new DOMParser().parseFromString(request.responseText || "", "text/html");
    const text = page.querySelector(".toast-text");
    return text ? text.textContent.trim() : place.dataset.offline;
  };

  const send = (place, file) => {
    const shown = waitingRow(place, file);
    if (file.size > Number(place.dataset.limit)) { fail(shown, said(place.dataset.tooLarge, file.name)); return Promise.resolve(); }
    if (!file.size) { fail(shown, said(place.dataset.empty, file.name)); return Promise.resolve(); }
    const form = new FormData();
    form.append("upload_key", key());
    form.append("files", file, file.name || "image.png");
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("POST", place.dataset.files);
      request.setRequestHeader("X-CSRFToken", token());
      request.setRequestHeader("HX-Request", "true");
      request.setRequestHeader("HX-Current-URL", location.href);
      request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) shown.bar.value = (event.loaded / event.total) * 100; });
      request.upload.addEventListener("load", () => { shown.bar.removeAttribute("value"); shown.stop.hidden = true; });
      request.addEventListener("load", () => {
        const moved = request.getResponseHeader("HX-Redirect");
        if (moved) location.assign(moved);
        else if (request.status === 200) arrive(place, shown.row, request.responseText);
        else fail(shown, reason(place, request));
        done();
      });
      request.addEventListener("error", () => { fail(shown, place.dataset.offline); done(); });
      request.addEventListener("abort", () => { shown.row.remove(); done(); });
      shown.stop.addEventListener("click", () => request.abort());
      request.send(form);
    });
  };

  /* Our own server's rows only; the policy forbids scripts in them anyway. */
  const arrive = (place, row, html) => {
    row.insertAdjacentHTML("afterend", html);
    const made = row.nextElementSibling;
    row.remove();
    if (made) window.htmx.process(made);
    place.dispatchEvent(new CustomEvent("carebook:file-added", { bubbles: true }));
    const box = made?.querySelector(".file-keep-box");
    if (!box) return;
    /* A field that takes one file: the new one is there instead of the one before. */
    if (place.matches("[data-files-one]")) place.querySelectorAll(".file-keep-box").forEach((one) => { one.checked = one === box; });
    box.dispatchEvent(new Event("change", { bubbles: true }));
  };

  /* Files of a draft: sent before the page was loaded again, and named by the hidden text alone. */
  const recall = async (place) => {
    const field = place.closest("[data-field]");
    const waiting = field?.dataset.family === "files" && field.querySelector(`input[type=hidden][name="${CSS.escape(field.dataset.field)}"]`);
    if (!waiting || !waiting.value) return;
    const response = await fetch(`${place.dataset.files}?file=${encodeURIComponent(waiting.value)}`).catch(() => null);
    if (!response?.ok || response.redirected) return;
    place.querySelector("[data-files-list]").insertAdjacentHTML("afterbegin", await response.text());
    waiting.value = "";
    waiting.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.querySelectorAll("[data-files]").forEach(recall);

  /* The number beside the name of the tab, which the server knows. */
  const recount = async (place) => {
    const shown = document.querySelector("[data-tab-count=files]");
    if (!shown || !place?.dataset.filesCount) return;
    const response = await fetch(place.dataset.filesCount).catch(() => null);
    if (response?.ok && !response.redirected) shown.textContent = await response.text();
  };
  document.addEventListener("carebook:file-added", (event) => recount(event.target));
  document.addEventListener("htmx:afterRequest", (event) => {
    /* The row of a deleted file is gone by now: the form is known from the request. */
    if (event.detail.successful && event.detail.requestConfig.elt.closest(".file")) recount(document.querySelector("[data-files-count]"));
  });

  /* One after the other: a slow line shows one bar that moves, and the server keeps room. */
  const lines = new WeakMap();
  const sendAll = (place, files) => {
    const all = [...files];
    lines.set(place, all.reduce((line, file) => line.then(() => send(place, file)), lines.get(place) || Promise.resolve()));
  };

  document.addEventListener("change", (event) => {
    const input = event.target.closest(".files-input");
    if (!input || !input.files.length) return;
    sendAll(input.closest("[data-files]"), input.files);
    input.value = "";
  });

  /* An entry is not saved while one of its files is on the way: it would go without it. */
  const isBusy = (form) => Boolean(form.querySelector("[data-files] progress"));
  const hold = (event) => {
    const form = event.target.closest?.("form");
    if (!form || !isBusy(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    carebook.toast(form.querySelector("[data-files]").dataset.wait, { kind: "info" });
  };
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.matches("form")) hold(event); }, true);
  document.addEventListener("submit", hold, true);

  /* Dropped: on the place itself, or anywhere on a page or form that has one. */
  const placeFor = (target) => {
    const near = target.closest?.("[data-files]") || target.closest?.(".care")?.querySelector("[data-files]");
    return near || document.querySelector("[data-files-page]");
  };
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const mark = (place) => document.querySelectorAll("[data-files]").forEach((one) => one.classList.toggle("is-over", one === place));
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); /* a file dropped beside it must not replace the page */
    mark(placeFor(event.target));
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(null); });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    const place = placeFor(event.target);
    mark(null);
    if (place) sendAll(place, event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    const place = files && files.length && placeFor(event.target);
    if (!place) return;
    event.preventDefault();
    sendAll(place, files);
  });
})();
