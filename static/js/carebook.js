/* The frame's behaviour. Everything is bound by data attributes and listeners on the document.
   window.carebook: toast(text, options), post(url, fields), chooseTheme(theme). */
(() => {
  "use strict";
  const carebook = window.carebook;
  const SHOWN_MS = 6000, UNDO_MS = 12000;
  const region = () => document.getElementById("toasts");
  const token = () => document.querySelector("meta[name=csrf-token]").content;

  /* Sends a form's worth of fields; resolves to the response. */
  carebook.post = (url, fields = {}) => fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": token(), "X-Requested-With": "carebook", "HX-Request": "true", "HX-Current-URL": location.href },
    body: new URLSearchParams(fields),
  });

  /* Says what the answer to a `post` has to say: its toast, or the message of what went wrong. */
  carebook.answered = async (response) => {
    const said = JSON.parse(response.headers.get("HX-Trigger") || "{}")["carebook:toast"];
    if (said) carebook.toast(said.text, said);
    if (!response.ok) showFragment(await response.text());
  };

  const button = (className, label) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = className;
    made.textContent = label;
    return made;
  };

  const SIGNS = { error: "alert-circle", info: "info-circle", message: "info-circle" };
  const icon = (name) => {
    const namespace = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(namespace, "svg");
    const use = document.createElementNS(namespace, "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${region().dataset.icons}#${name}`);
    svg.append(use);
    return svg;
  };

  /* Shows a sentence for a while. options: kind "success" | "info" | "error" (stays until closed),
     undo: a function, or an address that takes the change back (POST, then the page is loaded
     again unless a listener of the event "carebook:undone" prevents it). */
  carebook.toast = (text, { kind = "success", undo = null } = {}) => {
    const note = document.createElement("div");
    note.className = `toast-note toast-${kind}`;
    note.dataset.toast = "";
    const said = document.createElement("span");
    said.className = "toast-text";
    said.textContent = text;
    note.append(icon(SIGNS[kind] || "circle-check"), said);
    if (undo) {
      const back = button("toast-undo", region().dataset.undo);
      back.addEventListener("click", () => { note.remove(); takeBack(undo); });
      note.append(back);
    }
    const close = button("toast-close", "");
    close.append(icon("x"));
    close.dataset.toastClose = "";
    close.setAttribute("aria-label", region().dataset.close);
    note.append(close);
    region().append(note);
    return note;
  };

  const takeBack = async (undo) => {
    if (typeof undo === "function") return undo();
    try {
      const response = await carebook.post(undo);
      const moved = response.headers.get("HX-Redirect");
      if (moved) { location.assign(moved); return undefined; }
      if (!response.ok) { showFragment(await response.text()); return undefined; }
    } catch { carebook.toast(region().dataset.offline, { kind: "error" }); return undefined; }
    const event = new CustomEvent("carebook:undone", { cancelable: true, detail: { url: undo } });
    if (document.dispatchEvent(event)) location.reload();
    return undefined;
  };

  /* Our own server's toast fragments only; the policy forbids scripts in them anyway. */
  const showFragment = (html) => region().insertAdjacentHTML("beforeend", html);

  /* Toasts leave by themselves, but not errors, and not while somebody reads or is about to click. */
  const leaveLater = (note) => {
    if (note.classList.contains("toast-error")) return;
    const ms = note.querySelector(".toast-undo") ? UNDO_MS : SHOWN_MS;
    const leave = () => (note.matches(":hover, :focus-within") ? setTimeout(leave, 1500) : note.remove());
    setTimeout(leave, ms);
  };
  const watch = () => {
    region().querySelectorAll("[data-toast]").forEach(leaveLater);
    new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) => {
      if (node instanceof HTMLElement && "toast" in node.dataset) leaveLater(node);
    }))).observe(region(), { childList: true });
  };

  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-toast-close]");
    if (close) close.closest("[data-toast]").remove();
    if (event.target.closest("[data-panel-close]")) carebook.closePanel();
    const theme = event.target.closest("[data-theme-choice]");
    if (theme) {
      event.preventDefault();
      chooseTheme(theme);
    }
    /* <details class="menu-details"> closes when the click is elsewhere. */
    document.querySelectorAll("details.menu-details[open]").forEach((open) => {
      if (!open.contains(event.target)) open.open = false;
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu-details[open]").forEach((open) => {
      open.open = false;
      open.querySelector("summary").focus();
    });
  });

  const chooseTheme = async (chosen) => {
    const form = chosen.form;
    carebook.chooseTheme(chosen.value);
    form.querySelectorAll("[data-theme-choice]").forEach((one) => one.setAttribute("aria-pressed", String(one === chosen)));
    const response = await carebook.post(form.action, { theme: chosen.value }).catch(() => null);
    if (!response || !response.ok) form.submit();
  };

  /* Empties the side panel and gives the focus back to what opened it. */
  let opener = null;
  carebook.closePanel = () => {
    const panel = document.getElementById("panel");
    if (!panel || !panel.firstElementChild) return;
    panel.replaceChildren();
    document.dispatchEvent(new CustomEvent("carebook:panel-closed"));
    if (opener && opener.isConnected) opener.focus();
    opener = null;
  };

  /* One click saves once: a plain form that is on its way cannot be sent again. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.matches("[hx-post], [data-hx-post]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000);
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

  /* Tick boxes that show a password exist with JavaScript only. */
  const reveal = (box) => { document.getElementById(box.dataset.reveal).type = box.checked ? "text" : "password"; };
  document.addEventListener("change", (event) => { if (event.target.matches("[data-reveal]")) reveal(event.target); });

  /* htmx: a bar while something is under way, toasts from the server, a word when it is away. */
  let waiting = 0;
  const wait = (step) => {
    waiting = Math.max(0, waiting + step);
    setTimeout(() => document.body.classList.toggle("is-waiting", waiting > 0), 250);
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    wait(1);
    if (event.detail.target && event.detail.target.id === "panel" && !event.detail.target.contains(event.detail.elt)) opener = event.detail.elt;
  });
  document.addEventListener("htmx:afterRequest", () => wait(-1));
  /* What asks by itself (data-quiet) tries again and does not complain each time. */
  const sayOffline = (event) => {
    if (event.detail.elt && event.detail.elt.matches("[data-quiet]")) return;
    carebook.toast(region().dataset.offline, { kind: "error" });
  };
  document.addEventListener("htmx:sendError", sayOffline);
  document.addEventListener("htmx:timeout", sayOffline);
  document.addEventListener("carebook:toast", (event) => carebook.toast(event.detail.text, event.detail));
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target && event.detail.target.id === "panel") {
      (event.detail.target.querySelector("[autofocus]") || event.detail.target).focus();
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    watch();
    document.querySelectorAll(".reveal[hidden]").forEach((label) => { label.hidden = false; });
  });
})();
