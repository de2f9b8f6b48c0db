// Where words are, and which word is at a point. A box is four corners, x1 y1 … x4 y4, in the page's unit.

const CELLS = 48; // of the grid, in each direction

/** A page with the offset of each word in its line's text, and a grid that finds what is at a point. */
export class PageModel {
  constructor(page) {
    this.page = page;
    this.lines = [];
    this.words = [];
    for (const source of page.lines ?? []) {
      const line = { index: this.lines.length, text: String(source.text ?? ""), box: quad(source.box), handwritten: source.handwritten === true, language: source.language ?? page.language ?? null, first: this.words.length, count: 0 };
      let from = 0;
      for (const word of source.words ?? []) {
        const text = String(word.text ?? "");
        const at = line.text.indexOf(text, from);
        const start = at < 0 ? from : at;
        const end = at < 0 ? from : at + text.length;
        from = end;
        this.words.push({ index: this.words.length, line: line.index, text, start, end, box: quad(word.box), confidence: typeof word.confidence === "number" ? word.confidence : null });
        line.count += 1;
      }
      line.box ??= around(this.words.slice(line.first).map((word) => word.box));
      this.lines.push(line);
    }
    const [right, bottom] = this.#extent();
    this.width = page.width > 0 ? page.width : right;
    this.height = page.height > 0 ? page.height : bottom;
    this.hasBoxes = this.width > 0 && this.height > 0 && this.lines.some((line) => line.box);
    this.hasConfidence = this.words.some((word) => word.confidence !== null);
    this.#wordsIn = this.#grid(this.words);
    this.#linesIn = this.#grid(this.lines);
  }

  #wordsIn;
  #linesIn;

  #extent() {
    let right = 0;
    let bottom = 0;
    for (const { box } of [...this.lines, ...this.words]) {
      for (let i = 0; box && i < 8; i += 2) { right = Math.max(right, box[i]); bottom = Math.max(bottom, box[i + 1]); }
    }
    return [right, bottom];
  }

  #cell(value, whole) { return Math.min(CELLS - 1, Math.max(0, Math.floor((value / whole) * CELLS))); }

  #grid(items) {
    const grid = new Map();
    if (!this.width || !this.height) return grid;
    for (const { box, index } of items) {
      if (!box) continue;
      const [left, top, right, bottom] = bounds(box);
      for (let y = this.#cell(top, this.height); y <= this.#cell(bottom, this.height); y += 1) {
        for (let x = this.#cell(left, this.width); x <= this.#cell(right, this.width); x += 1) {
          const cell = y * CELLS + x;
          if (!grid.has(cell)) grid.set(cell, []);
          grid.get(cell).push(index);
        }
      }
    }
    return grid;
  }

  /** What is at a point of the page: `{line, word}` by index, with `word` -1 between words; null if no line is there. */
  at(x, y) {
    const cell = this.#cell(y, this.height) * CELLS + this.#cell(x, this.width);
    for (const index of this.#wordsIn.get(cell) ?? []) {
      if (inside(this.words[index].box, x, y)) return { line: this.words[index].line, word: index };
    }
    for (const index of this.#linesIn.get(cell) ?? []) {
      if (inside(this.lines[index].box, x, y)) return { line: index, word: -1 };
    }
    return null;
  }

  /** The words of a line, in order. */
  wordsOf(line) { return this.words.slice(line.first, line.first + line.count); }

  /** The word at an offset of a line's text; -1 between words. */
  wordAt(line, offset) {
    for (const word of this.wordsOf(line)) if (offset >= word.start && offset < word.end) return word.index;
    return -1;
  }

  doubtful(threshold) {
    return this.words.filter((word) => word.confidence !== null && word.confidence < threshold && word.end > word.start);
  }

  /** The boxes of a part of a line's text: those of its words, or the line's own if its words have none. */
  boxesOf(line, start, end) {
    const boxes = this.wordsOf(line).filter((word) => word.start < end && word.end > start && word.box).map((word) => word.box);
    return boxes.length ? boxes : [line.box].filter(Boolean);
  }
}

function quad(box) {
  return Array.isArray(box) && box.length === 8 && box.every(Number.isFinite) ? box : null;
}

export function bounds(box) {
  const xs = [box[0], box[2], box[4], box[6]];
  const ys = [box[1], box[3], box[5], box[7]];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function around(boxes) {
  const known = boxes.filter(Boolean).map(bounds);
  if (!known.length) return null;
  const left = Math.min(...known.map((each) => each[0]));
  const top = Math.min(...known.map((each) => each[1]));
  const right = Math.max(...known.map((each) => each[2]));
  const bottom = Math.max(...known.map((each) => each[3]));
  return [left, top, right, top, right, bottom, left, bottom];
}

/** Whether a point is inside a convex quadrilateral; its corners may go round either way. */
export function inside(box, x, y) {
  let sign = 0;
  for (let i = 0; i < 8; i += 2) {
    const j = (i + 2) % 8;
    const cross = (box[j] - box[i]) * (y - box[i + 1]) - (box[j + 1] - box[i + 1]) * (x - box[i]);
    if (cross === 0) continue;
    if (sign && Math.sign(cross) !== sign) return false;
    sign = Math.sign(cross);
  }
  return true;
}
