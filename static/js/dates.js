/* Date fields (data-date): typed as dd/mm/yyyy, or picked from a calendar that is only loaded when
   the first of them is used. data-min / data-max take dd/mm/yyyy. */
(() => {
  "use strict";
  const base = document.currentScript.src.replace(/js\/dates\.js.*/, "vendor/flatpickr-4.6.13/");
  let loading = null;

  const load = (tag, attributes) => new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement(tag), attributes, { onload: resolve, onerror: reject });
    document.head.append(element);
  });

  const calendar = () => {
    loading ||= (async () => {
      const sheet = document.createElement("link");
      Object.assign(sheet, { rel: "stylesheet", href: `${base}flatpickr.min.css` });
      document.head.prepend(sheet); /* our own colours come later and win */
      await load("script", { src: `${base}flatpickr.min.js` });
      if (document.documentElement.lang === "vi") await load("script", { src: `${base}vn.js` });
    })();
    return loading;
  };

  const attach = async (input) => {
    if (input.dataset.date === "ready") return;
    input.dataset.date = "ready";
    await calendar();
    const picker = window.flatpickr(input, {
      dateFormat: "d/m/Y",
      allowInput: true,
      disableMobile: true,
      locale: document.documentElement.lang === "vi" ? "vn" : { firstDayOfWeek: 1 },
      minDate: input.dataset.min || undefined,
      maxDate: input.dataset.max || undefined,
      onChange: () => input.dispatchEvent(new Event("input", { bubbles: true })),
    });
    /* The calendar hangs at the end of the page: it says what it is. */
    picker.calendarContainer.setAttribute("role", "dialog");
    picker.calendarContainer.setAttribute("aria-label", input.ariaLabel || input.labels?.[0]?.textContent.trim() || input.placeholder);
    if (document.activeElement === input) picker.open();
  };

  document.addEventListener("focusin", (event) => {
    if (event.target instanceof Element && event.target.matches("input[data-date]")) attach(event.target).catch(() => {});
  });
})();
