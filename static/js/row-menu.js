/* The menu of a row: right click, long press, Shift+F10 or the menu key, or the button "…".
   The menu is loaded once; the id of the row takes the place of _id_ in its addresses. */
(() => {
  "use strict";
  const holder = document.getElementById("row-menu");
  if (!holder) return;
  const VALUE_SHOWN = 40;
  let source = null, row = null, cell = null, opener = null;

  const isOpen = () => holder.matches(":popover-open");
  const items = () => [...holder.querySelectorAll("[role=menuitem]")];
  const close = ({ back = true } = {}) => {
    if (!isOpen()) return;
    holder.hidePopover();
    document.querySelectorAll("[data-row-more][aria-expanded]").forEach((one) => one.removeAttribute("aria-expanded"));
    if (back) (opener?.isConnected ? opener : row?.querySelector("[data-row-more]"))?.focus({ preventScroll: true });
  };

  /* Asked for once; a failure is said like every other, and asked again the next time. */
  const load = async () => {
    if (source) return source;
    const response = await fetch(holder.dataset.url, { headers: { "HX-Request": "true", "HX-Current-URL": location.href } }).catch(() => null);
    if (!response?.ok) { window.carebook.toast(document.getElementById("toasts").dataset.offline, { kind: "error" }); return null; }
    source = document.createElement("template");
    source.innerHTML = await response.text(); /* our own server's fragment; the policy forbids scripts in it */
    return source;
  };

  const headingOf = (td) => td && td.closest("table").querySelectorAll("thead th")[[...td.parentNode.children].indexOf(td)];
  const editable = () => {
    const may = (td) => "editable" in (headingOf(td)?.dataset || {});
    return cell ? (may(cell) ? cell : null) : row.querySelector("td.is-cell") || [...row.children].find(may);
  };

  /* The menu for this row and cell; what does not apply to them is left out. */
  const fill = (template) => {
    const menu = template.content.firstElementChild.cloneNode(true);
    const fields = JSON.parse(menu.dataset.filters);
    const field = cell && fields[headingOf(cell)?.dataset.column];
    menu.querySelectorAll("[href], [data-url], [hx-get]").forEach((one) => {
      ["href", "data-url", "hx-get"].forEach((name) => {
        if (one.hasAttribute(name)) one.setAttribute(name, one.getAttribute(name).replace("_id_", row.dataset.row).replace("_field_", field || ""));
      });
    });
    const filter = menu.querySelector("[data-action=filter_value]");
    if (filter && !field) filter.remove();
    else if (filter) {
      const text = (cell.querySelector(".row-title, .due, .row-code") || cell).innerText.trim().replace(/\s+/g, " ");
      filter.querySelector("[data-value]").textContent = text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
    }
    if (!editable()) menu.querySelector("[data-action=edit_cell]")?.remove();
    holder.replaceChildren(...menu.children);
    holder.setAttribute("aria-label", menu.getAttribute("aria-label"));
    window.htmx.process(holder);
  };

  const place = (x, y) => {
    holder.style.left = `${Math.max(8, Math.min(x, innerWidth - holder.offsetWidth - 8))}px`;
    const below = y + holder.offsetHeight <= innerHeight - 8;
    holder.style.top = `${Math.max(8, below ? y : Math.min(y, innerHeight - holder.offsetHeight - 8))}px`;
  };

  const open = async (tr, td, x, y, from) => {
    close({ back: false });
    const template = await load();
    if (!template || !tr.isConnected) return;
    row = tr; cell = td; opener = from;
    fill(template);
    holder.showPopover();
    place(x, y);
    from?.setAttribute?.("aria-expanded", "true");
    (items()[0] || holder).focus({ preventScroll: true });
  };
  const openAt = (element, tr, td, from) => {
    const at = element.getBoundingClientRect();
    open(tr, td, Math.max(at.left, 8), Math.min(at.bottom + 2, innerHeight), from);
  };

  const rowOf = (target) => target.closest?.("[data-rows] tbody tr[data-row]");
  const select = (tr) => document.querySelectorAll("[data-rows] tbody tr").forEach((one) => one.classList.toggle("is-selected", one === tr));

  /* With Shift held the browser's own menu comes, as it does over selected text and in fields. */
  document.addEventListener("contextmenu", (event) => {
    if (holder.contains(event.target)) { event.preventDefault(); return; }
    const tr = rowOf(event.target);
    if (!tr || event.shiftKey || event.target.closest("input, textarea, select") || String(getSelection() || "").trim()) return;
    event.preventDefault();
    const td = event.target.closest("td");
    select(tr);
    open(tr, td.matches(".row-tick, .row-more") ? null : td, event.clientX, event.clientY, event.target.closest("a, button"));
  });
  document.addEventListener("keydown", (event) => {
    if (isOpen()) { inMenu(event); return; }
    const asked = event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey);
    if (!asked || event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    const tr = rowOf(event.target) || document.querySelector("[data-rows] tr.is-selected");
    if (!tr) return;
    event.preventDefault();
    const td = event.target.closest("[data-rows] tbody td:not(.row-tick, .row-more)");
    openAt(td || tr.querySelector("td:not(.row-tick)"), tr, td, td ? event.target : tr.querySelector("[data-row-more]"));
  }, true);

  const inMenu = (event) => {
    const all = items(), at = all.indexOf(document.activeElement);
    const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) all[to]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key === " " && document.activeElement.matches("a")) document.activeElement.click();
    else if (event.key === "Enter" || event.key === " ") return;
    event.preventDefault();
    event.stopPropagation();
  };

  const copy = async (button) => {
    const response = await fetch(button.dataset.url, { headers: { "HX-Request": "true", "HX-Current-URL": location.href } }).catch(() => null);
    if (!response) { window.carebook.toast(document.getElementById("toasts").dataset.offline, { kind: "error" }); return; }
    if (!response.ok) { window.carebook.answered(response); return; }
    const phone = await response.text();
    if (!phone) { window.carebook.toast(button.dataset.none, { kind: "info" }); return; }
    await written(phone);
    window.carebook.toast(`${button.dataset.copied} ${phone}`);
  };
  /* Without TLS there is no clipboard; selected text can be copied there, too. */
  const written = async (text) => {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  const remove = (button) => {
    const form = document.querySelector("[data-row-delete]");
    form.action = button.dataset.url;
    form.elements.back.value = location.pathname + location.search;
    form.requestSubmit();
  };

  document.addEventListener("click", (event) => {
    const more = event.target.closest("[data-row-more]");
    if (more) {
      const was = isOpen() && opener === more;
      if (was) close(); else openAt(more, more.closest("tr"), null, more);
      return;
    }
    const item = event.target.closest("#row-menu [data-action]");
    if (item) {
      const td = item.dataset.action === "edit_cell" && editable();
      close({ back: item.dataset.action === "copy_phone" });
      if (td) document.dispatchEvent(new CustomEvent("carebook:edit-cell", { detail: { cell: td } }));
      if (item.dataset.action === "copy_phone") copy(item);
      if (item.dataset.action === "delete") remove(item);
      return;
    }
    if (isOpen() && !holder.contains(event.target)) close({ back: false });
  });
  addEventListener("resize", () => close({ back: false }));
  document.addEventListener("scroll", (event) => { if (!holder.contains(event.target)) close({ back: false }); }, true);
})();
