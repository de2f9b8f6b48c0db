// A page's text: one paragraph per line. Marks on parts of it add no elements, so screen readers read whole lines.

import { h } from "./dom.js";
import { direction, languageTag } from "./format.js";

const MARKS = globalThis.Highlight && globalThis.CSS?.highlights ? CSS.highlights : null;

export class TextPane {
  model = null;
  #place;
  #lines = [];
  #active = null;

  /** `lit(active)` is called with what the pointer or keyboard is on; `beyond(step)` when the keyboard leaves the page. */
  constructor(place, lit, beyond) {
    this.#place = place;
    place.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch") lit(this.#at(event), false); });
    place.addEventListener("pointerleave", () => lit(null, false));
    place.addEventListener("click", (event) => {
      const at = this.#at(event);
      if (at && getSelection().isCollapsed) { this.focus(at.line); lit(at, true); }
    });
    place.addEventListener("focusin", (event) => {
      const line = this.#lines.indexOf(event.target);
      if (line < 0) return;
      this.#rove(line);
      if (this.#active?.line !== line) lit({ line, word: -1 }, true);
    });
    place.addEventListener("keydown", (event) => this.#key(event, lit, beyond));
  }

  show(model, language, note = "") {
    const focused = this.#place.contains(document.activeElement);
    this.model = model;
    this.#active = null;
    MARKS?.clear();
    this.#lines = model.lines.map((line) => {
      const tag = languageTag(line.language) ?? languageTag(language);
      return h("p", { lang: tag, dir: direction(tag), tabindex: "-1", class: line.handwritten ? "hand" : null }, line.text);
    });
    this.#place.replaceChildren(...(this.#lines.length ? this.#lines : [h("p", { class: "pane-empty", tabindex: "0" }, note || "No text was found on this page.")]));
    if (this.#lines.length) this.#lines[0].tabIndex = 0;
    this.#place.scrollTop = 0;
    if (focused) this.focus(0); // the focused line is gone; keep the focus in the text
  }

  empty() { this.show({ lines: [], words: [] }, null, " "); }

  /** Mark pieces `{line, start, end}` as "doubt", "hit" or "hit-now". */
  mark(kind, pieces) {
    if (!MARKS) return;
    MARKS.delete(kind);
    const ranges = pieces.map((piece) => this.#range(piece)).filter(Boolean);
    if (ranges.length) MARKS.set(kind, Object.assign(new Highlight(...ranges), { priority: { doubt: 0, hit: 1, "hit-now": 2 }[kind] }));
  }

  light(active) {
    this.#lines[this.#active?.line]?.classList.remove("on");
    this.#active = active;
    this.#lines[active?.line]?.classList.add("on");
    if (!MARKS) return;
    MARKS.delete("active");
    const word = this.model?.words[active?.word];
    const range = word && this.#range(word);
    if (range) MARKS.set("active", Object.assign(new Highlight(range), { priority: 3 }));
  }

  focus(line) { this.#lines[line]?.focus({ preventScroll: true }); }

  /** Scroll a line into view. */
  reveal(line) {
    const element = this.#lines[line];
    if (!element) return;
    const [inner, outer] = [element.getBoundingClientRect(), this.#place.getBoundingClientRect()];
    if (inner.top < outer.top + 24) this.#place.scrollTop -= outer.top + 24 - inner.top;
    else if (inner.bottom > outer.bottom - 24) this.#place.scrollTop += Math.min(inner.bottom - outer.bottom + 24, inner.top - outer.top - 24);
  }

  #rove(line) {
    for (const element of this.#lines) if (element.tabIndex === 0) element.tabIndex = -1;
    this.#lines[line].tabIndex = 0;
  }

  #range({ line, start, end }) {
    const text = this.#lines[line]?.firstChild;
    if (!text || end <= start) return null;
    const range = new Range();
    range.setStart(text, Math.min(start, text.length));
    range.setEnd(text, Math.min(end, text.length));
    return range;
  }

  /** The line and word under the pointer, found by where its caret would be. */
  #at(event) {
    const line = this.#lines.indexOf(event.target.closest?.("p"));
    if (line < 0) return null;
    let node = null;
    let offset = 0;
    if (document.caretPositionFromPoint) {
      const caret = document.caretPositionFromPoint(event.clientX, event.clientY);
      [node, offset] = [caret?.offsetNode, caret?.offset];
    } else {
      const caret = document.caretRangeFromPoint?.(event.clientX, event.clientY);
      [node, offset] = [caret?.startContainer, caret?.startOffset];
    }
    if (node !== this.#lines[line].firstChild) return { line, word: -1 };
    const near = [this.model.wordAt(this.model.lines[line], offset), this.model.wordAt(this.model.lines[line], offset - 1)];
    const word = near.find((index) => index >= 0 && this.#covers(this.model.words[index], event));
    return { line, word: word ?? -1 };
  }

  #covers(word, { clientX, clientY }) {
    const rects = this.#range(word)?.getClientRects() ?? [];
    return Array.from(rects).some((rect) => clientX >= rect.left && clientX <= rect.right && clientY >= rect.top && clientY <= rect.bottom);
  }

  #key(event, lit, beyond) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const line = this.#lines.indexOf(event.target);
    if (line < 0) return;
    const to = { ArrowDown: line + 1, ArrowUp: line - 1, Home: 0, End: this.#lines.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (to < 0 || to >= this.#lines.length) { beyond(Math.sign(to - line)); return; }
      this.focus(to);
      return;
    }
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    event.preventDefault();
    const words = this.model.wordsOf(this.model.lines[line]);
    if (!words.length) return;
    const at = words.findIndex((word) => word.index === this.#active?.word);
    const step = (event.key === "ArrowRight") === (getComputedStyle(event.target).direction === "ltr") ? 1 : -1;
    const next = words[at < 0 ? (step > 0 ? 0 : words.length - 1) : Math.min(words.length - 1, Math.max(0, at + step))];
    lit({ line, word: next.index }, true);
  }
}
