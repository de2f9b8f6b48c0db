// Keys that work wherever the focus is, except in a field for text.

import { $, kept } from "./dom.js";

const types = (element) => element.matches?.('input:not([type="range"], [type="checkbox"]), textarea, [contenteditable]');

/** `shown()` says whether `viewer` shows a document; `back()` leaves it; `help()` shows the keys. */
export function listen(viewer, { shown, back, help }) {
  const letters = $("letters");
  letters.checked = kept.get("blob-ocr-letters") !== "off";
  letters.addEventListener("change", () => kept.set("blob-ocr-letters", letters.checked ? "on" : "off"));
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const typing = types(event.target);
    if (event.key === "Escape") {
      if (document.querySelector(":popover-open")) return;
      if (typing) { event.target.blur(); if (shown()) $("doc-name").focus(); return; }
      if (shown()) { event.preventDefault(); back(); }
      return;
    }
    if (typing) return;
    const inPage = shown() && !event.target.matches?.('input[type="range"], [role="tab"]');
    const action = {
      PageDown: () => viewer.turn(1),
      PageUp: () => viewer.turn(-1),
    }[event.key];
    if (action && inPage) { event.preventDefault(); action(); return; }
    if (!letters.checked) return;
    if (event.key === "?") { event.preventDefault(); help(); return; }
    if (event.key === "/") {
      event.preventDefault();
      const field = shown() ? $("find") : $("prefix");
      field.focus();
      field.select();
      return;
    }
    if (!shown()) return;
    const letter = {
      n: () => viewer.nextDoubt(1), N: () => viewer.nextDoubt(-1), b: () => viewer.toggleBoxes(),
      "+": () => viewer.zoom(1), "=": () => viewer.zoom(1), "-": () => viewer.zoom(-1), 0: () => viewer.zoom(0),
    }[event.key];
    if (letter) { event.preventDefault(); letter(); }
  });
}
