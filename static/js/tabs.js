/* The tabs of a record: those without room stand in a menu behind the others. Without scripts the
   strip scrolls. The open tab is always in sight. */
(() => {
  "use strict";
  const line = document.querySelector(".tabs-line");
  if (!line) return;
  const strip = line.querySelector(".tabs");
  const more = line.querySelector(".tabs-more");
  const menu = more.querySelector("nav");
  const tabs = [...strip.children];
  const open = tabs.find((tab) => tab.hasAttribute("aria-current"));

  function fold() {
    const focused = document.activeElement;
    more.hidden = true;
    strip.append(...tabs);
    if (strip.scrollWidth > strip.clientWidth) {
      more.hidden = false;
      menu.append(...withoutRoom());
    }
    if (focused !== document.activeElement && tabs.includes(focused)) {
      if (!focused.checkVisibility()) more.open = true;
      focused.focus();
    }
  }

  /* All from the first one on that does not fit, but for the open one. */
  function withoutRoom() {
    const { paddingLeft, paddingRight, columnGap } = getComputedStyle(strip);
    const width = (tab) => tab.getBoundingClientRect().width + parseFloat(columnGap);
    let room = strip.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    if (open) room -= width(open);
    const others = tabs.filter((tab) => tab !== open);
    const first = others.findIndex((tab) => (room -= width(tab)) < 0);
    return first < 0 ? [] : others.slice(first);
  }

  new ResizeObserver(fold).observe(line);
})();
