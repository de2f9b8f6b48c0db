// One canvas over the page's image: it draws a box around every line and word, and lights the active one.
// It covers only the visible part of the page, so its memory does not grow with the zoom.

import { bounds } from "./geometry.js";

// Colours on paper, which is white in dark mode too.
const WORD = "rgb(13 107 107 / 42%)";
const LINE = "rgb(29 90 168 / 22%)";
const DOUBT = "rgb(255 165 30 / 26%)";
const DOUBT_EDGE = "#b25a00";
const HIT = "rgb(255 208 0 / 45%)";
const HIT_NOW = "rgb(255 128 0 / 50%)";
const HIT_NOW_EDGE = "#8a4100";
const ACTIVE = "rgb(0 150 140 / 26%)";
const ACTIVE_EDGE = "#06504d";
const INK = "#1b2730";
const FONT = 100; // pixels; the words of a white sheet are scaled from this size

export class Boxes {
  model = null;
  blank = false; // draw the words themselves, in place of an image
  visible = true;
  doubtful = []; // boxes
  hits = []; // for each hit, its boxes
  hitNow = -1;
  #canvas;
  #context;
  #base = document.createElement("canvas"); // all but the lit box, so that following the pointer costs one copy
  #stage;
  #sheet;
  #active = null;
  #lit = null; // the area of the canvas that is lit
  #widths = new Map();

  constructor(canvas, stage, sheet) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#stage = stage;
    this.#sheet = sheet;
  }

  /** Scale and offset from the page's unit to the canvas's pixels. */
  #frame() {
    const ratio = devicePixelRatio || 1;
    const sheet = this.#sheet.getBoundingClientRect();
    const stage = this.#stage.getBoundingClientRect();
    return {
      ratio,
      x: (sheet.width / this.model.width) * ratio,
      y: (sheet.height / this.model.height) * ratio,
      left: (sheet.left - stage.left) * ratio,
      top: (sheet.top - stage.top) * ratio,
    };
  }

  /** What is at a point of the window; see PageModel.at. */
  at(clientX, clientY) {
    if (!this.model?.hasBoxes) return null;
    const sheet = this.#sheet.getBoundingClientRect();
    return this.model.at(((clientX - sheet.left) / sheet.width) * this.model.width, ((clientY - sheet.top) / sheet.height) * this.model.height);
  }

  /** Draw everything again, after a change of page, zoom, scroll position or marks. */
  draw() {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.#stage.clientWidth * ratio);
    const height = Math.round(this.#stage.clientHeight * ratio);
    for (const canvas of [this.#canvas, this.#base]) {
      if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    }
    this.#canvas.style.width = `${width / ratio}px`;
    this.#canvas.style.height = `${height / ratio}px`;
    const context = this.#base.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (this.model?.hasBoxes) {
      const frame = this.#frame();
      const seen = (box) => {
        const [left, top, right, bottom] = bounds(box);
        return right * frame.x + frame.left >= 0 && left * frame.x + frame.left <= width && bottom * frame.y + frame.top >= 0 && top * frame.y + frame.top <= height;
      };
      if (this.blank) this.#write(context, frame, seen);
      this.#fill(context, frame, this.doubtful.filter(seen), DOUBT);
      this.#fill(context, frame, this.hits.flat().filter(seen), HIT);
      if (this.visible) {
        this.#stroke(context, frame, this.model.lines.map((line) => line.box).filter((box) => box && seen(box)), LINE, 1);
        this.#stroke(context, frame, this.model.words.map((word) => word.box).filter((box) => box && seen(box)), WORD, 1);
      }
      this.#underline(context, frame, this.doubtful.filter(seen));
      const now = (this.hits[this.hitNow] ?? []).filter(seen);
      this.#fill(context, frame, now, HIT_NOW);
      this.#stroke(context, frame, now, HIT_NOW_EDGE, 2);
    }
    this.#show(true);
  }

  /** Light a line, or a word in it: `{line, word}` as PageModel.at gives it, or null. */
  light(active) {
    this.#active = active;
    this.#show();
  }

  /** Copy what is drawn and light the active box; only where something has changed, unless `all`. */
  #show(all = false) {
    const context = this.#context;
    const { width, height } = this.#canvas;
    if (!width || !height) return;
    const frame = this.model?.hasBoxes ? this.#frame() : null;
    const line = frame && this.#active ? this.model.lines[this.#active.line]?.box : null;
    const word = frame && this.#active ? this.model.words[this.#active.word]?.box : null;
    const area = all ? [0, 0, width, height] : this.#lit;
    context.setTransform(1, 0, 0, 1, 0, 0);
    if (area) {
      context.clearRect(...area);
      context.drawImage(this.#base, ...area, ...area);
    }
    this.#lit = null;
    const lit = word ?? line;
    if (!lit) return;
    if (line) this.#stroke(context, frame, [line], ACTIVE_EDGE, word ? 1 : 2);
    this.#fill(context, frame, [lit], ACTIVE);
    if (word) this.#stroke(context, frame, [word], ACTIVE_EDGE, 2);
    this.#lit = this.#area([line, word].filter(Boolean), frame, width, height);
  }

  /** The area that these boxes and their edges cover: x, y, width, height within the canvas; null if none. */
  #area(boxes, frame, width, height) {
    const all = boxes.map(bounds);
    const edge = 3 * frame.ratio;
    const left = Math.max(0, Math.floor(Math.min(...all.map((each) => each[0])) * frame.x + frame.left - edge));
    const top = Math.max(0, Math.floor(Math.min(...all.map((each) => each[1])) * frame.y + frame.top - edge));
    const right = Math.min(width, Math.ceil(Math.max(...all.map((each) => each[2])) * frame.x + frame.left + edge));
    const bottom = Math.min(height, Math.ceil(Math.max(...all.map((each) => each[3])) * frame.y + frame.top + edge));
    return right > left && bottom > top ? [left, top, right - left, bottom - top] : null;
  }

  #path(context, boxes) {
    context.beginPath();
    for (const box of boxes) {
      context.moveTo(box[0], box[1]);
      context.lineTo(box[2], box[3]);
      context.lineTo(box[4], box[5]);
      context.lineTo(box[6], box[7]);
      context.closePath();
    }
  }

  #fill(context, frame, boxes, colour) {
    if (!boxes.length) return;
    context.setTransform(frame.x, 0, 0, frame.y, frame.left, frame.top);
    this.#path(context, boxes);
    context.fillStyle = colour;
    context.fill("nonzero");
  }

  #stroke(context, frame, boxes, colour, width) {
    if (!boxes.length) return;
    context.setTransform(frame.x, 0, 0, frame.y, frame.left, frame.top);
    this.#path(context, boxes);
    context.setTransform(1, 0, 0, 1, 0, 0); // so that lines are equally thick everywhere
    context.strokeStyle = colour;
    context.lineWidth = width * frame.ratio;
    context.stroke();
  }

  #underline(context, frame, boxes) {
    if (!boxes.length) return;
    context.setTransform(frame.x, 0, 0, frame.y, frame.left, frame.top);
    context.beginPath();
    for (const box of boxes) { context.moveTo(box[6], box[7]); context.lineTo(box[4], box[5]); }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.setLineDash([4 * frame.ratio, 3 * frame.ratio]);
    context.strokeStyle = DOUBT_EDGE;
    context.lineWidth = 2 * frame.ratio;
    context.stroke();
    context.setLineDash([]);
  }

  /** Write each word where it was found, stretched to its box. */
  #write(context, frame, seen) {
    context.fillStyle = INK;
    context.textBaseline = "alphabetic";
    context.font = `${FONT}px "Liberation Sans", Arial, sans-serif`;
    const alone = this.model.lines.filter((line) => line.box && !line.count);
    for (const { text, box } of [...this.model.words, ...alone]) {
      if (!box || !text || !seen(box)) continue;
      const [x1, y1, x2, y2, , , x4, y4] = box;
      const width = Math.hypot((x2 - x1) * frame.x, (y2 - y1) * frame.y);
      const height = Math.hypot((x4 - x1) * frame.x, (y4 - y1) * frame.y);
      if (!this.#widths.has(text)) this.#widths.set(text, context.measureText(text).width || 1);
      const across = width / this.#widths.get(text);
      const down = height / FONT;
      const angle = Math.atan2((y2 - y1) * frame.y, (x2 - x1) * frame.x);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      context.setTransform(cos * across, sin * across, -sin * down, cos * down, x1 * frame.x + frame.left, y1 * frame.y + frame.top);
      context.fillText(text, 0, FONT * 0.8);
    }
    if (this.#widths.size > 20_000) this.#widths.clear();
  }
}
