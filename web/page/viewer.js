// One document: a page's image next to its text, and what people can do with it.

import { $, announce, copy, h, kept } from "./dom.js";
import * as address from "./address.js";
import { Boxes } from "./boxes.js";
import { Recent } from "./cache.js";
import { ask } from "./dialogs.js";
import { hitsByPage, hitsInLines, matcher, pageNumbers } from "./find.js";
import { FINAL, STATUSES, counted, fullTime, languageName, nameParts, number, percent, size, when } from "./format.js";
import { PageModel, bounds } from "./geometry.js";
import { stateOf } from "./library.js";
import { download, jsonHead, textPieces } from "./storage.js";
import { TextPane } from "./text.js";

const WIDTHS = [640, 960, 1280, 1760, 2400, 3200, 4000]; // pixels: the widths in which images are requested
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 6];
const MOST_PAGES_ASKED = 60; // pages to search for the next doubtful word before the person must press again
const LONGEST_MISSING = 120_000; // ms to wait for an unknown document, since it may have just been dropped
const DEFAULT_THRESHOLD = 80;
const PICTURES = /^image\/(jpeg|png|gif|webp|bmp|avif)$/;

const pause = (ms, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

export class Viewer {
  #api;
  #library;
  #uploadAgain;
  #boxes = new Boxes($("boxes"), $("stage"), $("sheet"));
  #text;
  #place = {};
  #document = null;
  #etag = null;
  #numbers = [];
  #page = 0; // the number of the page that is shown; 0 if none is
  #model = null;
  #zoom = 1;
  #turned = 0; // the direction of the last turn of a page
  #active = null;
  #opened = new AbortController();
  #turning = new AbortController();
  #searching = new AbortController();
  #expected = null; // after "read again": the ETag that must change before the document is final
  #pages = new Recent(12);
  #images = new Recent(4); // compressed; only the page that is shown is held as pixels
  #preview = null; // the file that is shown in place of a page
  #missing = false;
  #instead = true; // whether a status is shown in place of pages
  #found = []; // {page, count, hits}
  #pattern = null;
  #pageHits = [];
  #hit = null; // {page, index}
  #drawing = 0;
  #following = false; // whether the document is being polled

  /** `uploadAgain(name)` lets the person choose a file that replaces the document's. */
  constructor(api, library, uploadAgain) {
    this.#api = api;
    this.#library = library;
    this.#uploadAgain = uploadAgain;
    this.#text = new TextPane($("text"), (at, moved) => this.#light(at, { from: "text", moved }), (step) => this.turn(step, step > 0 ? "first" : "last"));
    const stage = $("stage");
    stage.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch") this.#light(this.#boxes.at(event.clientX, event.clientY), { from: "image" }); });
    stage.addEventListener("pointerleave", () => this.#light(null, { from: "image" }));
    stage.addEventListener("click", (event) => {
      const at = this.#boxes.at(event.clientX, event.clientY);
      this.#light(at, { from: "image" });
      if (at) this.#text.focus(at.line);
      if (at) this.#light(at, { from: "image" });
    });
    stage.addEventListener("scroll", () => this.#draw(), { passive: true });
    stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1 : -1, event);
    }, { passive: false });
    new ResizeObserver(() => this.#layOut()).observe(stage);
    $("page-number").addEventListener("change", () => this.openPage(Number.parseInt($("page-number").value, 10)));
    const threshold = $("threshold");
    threshold.value = kept.get("blob-ocr-doubt") ?? DEFAULT_THRESHOLD;
    threshold.addEventListener("input", () => { kept.set("blob-ocr-doubt", threshold.value); this.#markDoubts(); this.#draw(); });
    let typing = 0;
    const typed = () => { clearTimeout(typing); this.#goTo({ q: $("find").value }); this.#search($("find").value); };
    $("find").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(typed, 250); });
    $("find-form").addEventListener("submit", (event) => { event.preventDefault(); });
    $("find").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if ($("find").value !== (this.#place.q ?? "")) typed();
      this.nextHit(event.shiftKey ? -1 : 1);
    });
    for (const tab of document.querySelectorAll("[role=tab]")) {
      tab.addEventListener("click", () => this.#tab(tab.dataset.tab));
      tab.addEventListener("keydown", (event) => this.#tabKey(event));
    }
    matchMedia("(max-width: 860px)").addEventListener("change", () => this.#tab($("viewer").dataset.pane));
  }

  /** Show the document and page that an address names. */
  show(place) {
    const other = place.name !== this.#place.name || !this.#document;
    const before = this.#place;
    this.#place = { ...place };
    if (!["hits", "json", "details"].includes(place.tab)) delete this.#place.tab;
    if (other) { this.#open(); return; }
    if (place.q !== before.q) { $("find").value = place.q ?? ""; this.#search(place.q ?? ""); }
    if (place.tab !== before.tab) this.#tab(this.#place.tab ?? "text", false);
    if ((place.page ?? this.#numbers[0]) !== this.#page) this.openPage(place.page ?? this.#numbers[0]);
  }

  /** Leave the document, and release its memory. */
  hide() {
    this.#opened.abort();
    this.#turning.abort();
    this.#searching.abort();
    this.#following = false;
    this.#place = {};
    this.#document = null;
    this.#letGo();
    this.#clearScan();
    this.#preview = null;
    this.#text.empty();
    $("json").textContent = "";
    $("hits").replaceChildren();
  }

  /** Release the pages of a result that is no longer shown. */
  #letGo() {
    this.#turning.abort();
    this.#pages.clear();
    this.#images.clear();
    this.#page = 0;
    this.#model = null;
    this.#boxes.model = null;
  }

  /** An upload has changed; it may be this document's. */
  changed(upload) {
    if (upload.name === this.#place.name) { this.#showState(); this.#showPreview(); }
  }

  /** After trouble, ask again for what could not be shown. */
  reload() {
    if (!this.#document) this.#open();
    else if (!this.#model && this.#document.status === "succeeded") this.openPage(this.#place.page ?? 1);
  }

  #open() {
    const place = this.#place;
    this.hide();
    this.#place = place;
    this.#opened = new AbortController();
    this.#etag = null;
    this.#missing = false;
    this.#expected = null;
    this.#zoom = 1;
    this.#turned = 0;
    this.#hit = null;
    this.#found = [];
    this.#pattern = null;
    const [folder, base] = nameParts(place.name);
    $("doc-name").replaceChildren(h("bdi", { class: "folder" }, folder), h("bdi", { class: "base" }, base));
    $("doc-name").title = place.name;
    document.title = `${base} – blob-ocr`;
    $("find").value = place.q ?? "";
    $("found").textContent = "";
    $("hits-badge").hidden = true;
    $("hits-empty").hidden = false;
    $("warning").hidden = true;
    $("details").replaceChildren();
    $("stage-note").hidden = true;
    this.#instead = true;
    this.#tab("text", false);
    this.#showState();
    this.#showPreview();
    this.#follow(this.#opened.signal);
  }

  /**
   * Update the document, since somebody else may have replaced or forgotten it. If it is being read, poll it until it is
   * final.
   */
  refresh() {
    if (!this.#place.name || this.#following || (!this.#document && !this.#missing)) return;
    this.#follow(this.#opened.signal);
  }

  /** Poll the document until it is final. A 304 costs next to nothing. */
  async #follow(signal) {
    this.#following = true;
    try { await this.#askUntilFinal(signal); } finally { if (this.#opened.signal === signal) this.#following = false; }
  }

  async #askUntilFinal(signal) {
    const since = Date.now();
    while (!signal.aborted) {
      try {
        const { body, etag } = await this.#api.document(this.#place.name, this.#etag, signal);
        if (body) { this.#etag = etag; this.#learn(body); }
        if (this.#isFinal()) return;
      } catch (problem) {
        if (signal.aborted) return;
        if (problem.status === 404) {
          this.#missing = true;
          this.#learn(null);
          if (!this.#upload() && Date.now() - since > LONGEST_MISSING) return;
        }
        else if (!this.#document) { this.#showProblem(problem); if (problem.status && problem.status < 500 && problem.status !== 429) return; }
      }
      const age = Date.now() - since;
      const unknown = this.#missing && !this.#upload();
      await pause(unknown ? 2000 : age < 20_000 ? 400 : age < 60_000 ? 1000 : age < 300_000 ? 2000 : 5000, signal).catch(() => {});
      while (document.hidden && !signal.aborted) await pause(1000, signal).catch(() => {});
    }
  }

  #upload() {
    const upload = this.#library.upload(this.#place.name);
    return upload && !upload.done ? upload : null;
  }

  #isFinal() {
    if (!this.#document || !FINAL.has(this.#document.status)) return false;
    if (this.#expected && this.#expected.etag === this.#etag && Date.now() < this.#expected.until) return false;
    const upload = this.#upload();
    return !upload || (upload.state === "uploaded" && FINAL.has(stateOf(upload))) || Boolean(upload.problem);
  }

  #learn(body) {
    const before = this.#document;
    this.#document = body;
    if (body) this.#library.learn(body);
    if (body) this.#missing = false;
    else this.#letGo();
    this.#showState();
    if (!body) return;
    this.#showDetails();
    $("warning").hidden = !body.warning;
    $("warning").textContent = body.warning ?? "";
    const result = `${body.status} ${body.sourceEtag} ${body.completedAt}`;
    if (before && result === `${before.status} ${before.sourceEtag} ${before.completedAt}` && this.#model) return;
    this.#letGo();
    if (body.status !== "succeeded" || this.#showsState()) return;
    this.#numbers = pageNumbers(body);
    if (before) announce(`${body.name} has been read: ${counted(body.wordCount ?? 0, "word")}.`);
    $("json").textContent = "";
    this.openPage(this.#place.page ?? this.#numbers[0] ?? 1);
    if (this.#place.q) this.#search(this.#place.q);
    if (this.#shownTab === "json") this.#showJson();
  }

  // What is shown in place of pages

  #showsState() {
    const upload = this.#upload();
    return Boolean(upload) && stateOf(upload) !== "succeeded" ? true : this.#document?.status !== "succeeded";
  }

  #showState() {
    const upload = this.#upload();
    const state = upload && stateOf(upload) !== "succeeded" ? stateOf(upload) : this.#document?.status ?? (upload ? stateOf(upload) : null);
    const pill = $("doc-status");
    pill.hidden = !state || state === "succeeded";
    pill.className = `pill is-${state === "uploaded" || state === "queued" ? "uploading" : state}`;
    pill.textContent = STATUSES[state] ?? state ?? "";
    const instead = this.#showsState();
    $("viewer").classList.toggle("no-pages", instead);
    for (const element of document.querySelectorAll(".needs-text")) element.hidden = instead;
    for (const element of document.querySelectorAll(".needs-pages")) element.hidden = instead || !this.#document?.hasPages;
    for (const tab of ["image", "hits", "json"]) $(`tab-${tab}`).hidden = instead;
    $("tab-text").textContent = instead ? "Status" : "Text";
    if (instead && $(`tab-${this.#shownTab}`).hidden) this.#tab("text", false);
    else if (!instead && this.#instead) this.#tab(this.#place.tab ?? "text", false);
    this.#instead = instead;
    const card = $("state");
    card.hidden = !instead;
    if (!instead) { card.replaceChildren(); return; }
    const shown = JSON.stringify([state, upload?.problem?.message, this.#document?.errorCode, this.#document?.errorMessage, this.#document?.dueAt, this.#missing]);
    const bar = card.querySelector("progress");
    if (card.dataset.shown === shown && (bar || !upload || state !== "uploading")) {
      if (bar && upload) bar.value = upload.file.size ? upload.sent / upload.file.size : 0;
      return;
    }
    const focused = card.contains(document.activeElement);
    card.dataset.shown = shown;
    card.replaceChildren(...this.#card(state, upload).filter(Boolean));
    if (focused) $("doc-name").focus();
  }

  #card(state, upload) {
    const body = this.#document;
    const forget = h("button", { type: "button", class: "button danger", onclick: () => this.forget() }, "Forget…");
    const uploadAgain = (kind) => h("button", { type: "button", class: `button ${kind}`, onclick: () => this.uploadAgain() }, "Upload again…");
    const readAgain = (kind) => h("button", { type: "button", class: `button ${kind}`, onclick: () => this.readAgain() }, "Read again…");
    if (upload?.problem) {
      return [h("h2", {}, "The file was not uploaded"), h("p", { class: "lead" }, upload.problem.message), advice(upload.problem.advice),
        h("div", { class: "buttons" }, h("button", { type: "button", class: "button primary", onclick: () => { this.#library.retry(upload); } }, "Upload again"))];
    }
    if (state === "failed") {
      const byUpload = /\bupload\b/i.test(body.advice ?? "") && !/read the document again/i.test(body.advice ?? "");
      return [h("h2", {}, "This file could not be read"), h("p", { class: "lead" }, body.errorMessage || "Read gave no reason."), advice(body.advice),
        h("div", { class: "buttons" }, byUpload ? [uploadAgain("primary"), readAgain("")] : [readAgain("primary"), uploadAgain("")], forget),
        body.errorCode ? h("p", {}, h("span", { class: "code" }, body.errorCode)) : null];
    }
    if (state === "ignored") {
      return [h("h2", {}, "This file was left alone"), h("p", { class: "lead" }, body.errorMessage || "It is not a document, or somebody asked the app to leave it alone."), advice(body.advice),
        h("div", { class: "buttons" }, readAgain("primary"), forget)];
    }
    if (state === "trouble") {
      return [h("h2", {}, "This document’s row cannot be read"), h("p", { class: "lead" }, "Somebody may have edited it in the documents table. Read the file again to create a new row."), advice(body.advice),
        h("div", { class: "buttons" }, readAgain("primary"), forget)];
    }
    if (state === "waiting") {
      return [h("h2", {}, "Waiting for another try"), h("p", { class: "lead" }, body.errorMessage || "Read or storage cannot take it right now."),
        body.dueAt ? h("p", { class: "message" }, `Next try at ${when(body.dueAt)}.`) : null, advice(body.advice),
        body.errorCode ? h("p", {}, h("span", { class: "code for-now" }, body.errorCode)) : null];
    }
    if (state === null && !this.#missing) {
      return [h("h2", {}, "Opening…")];
    }
    if (state === null) {
      return [h("h2", {}, "There is no document with this name"), h("p", { class: "lead" }, "It may have been forgotten, or its name may be spelled differently. If you have just dropped the file, it will appear here by itself."),
        h("div", { class: "buttons" }, h("a", { class: "button primary", href: "#" }, "All documents"))];
    }
    const at = ["queued", "uploading", "uploaded", "submitting", "reading"].indexOf(state);
    const step = (from, to, text, ...more) => h("li", { class: at > to ? "done" : at >= from ? "now" : "" }, text, ...more);
    const bar = state === "uploading" ? h("progress", { max: "1", value: String(upload?.file.size ? upload.sent / upload.file.size : 0), "aria-label": "Uploaded" }) : null;
    return [h("h2", {}, "In progress"), h("ol", { class: "steps" },
      step(0, 1, at > 1 ? "Uploaded" : "Uploading", bar),
      step(2, 3, at > 3 ? "Submitted to Read" : "Being picked up and submitted"),
      step(4, 4, "Being read"),
      step(5, 5, "Ready"))];
  }

  #showProblem(problem) {
    const card = $("state");
    card.hidden = false;
    card.dataset.shown = "";
    card.replaceChildren(...[h("h2", {}, problem.title || "The document cannot be shown"), problem.message !== problem.title ? h("p", { class: "lead" }, problem.message) : null, advice(problem.advice),
      h("div", { class: "buttons" }, h("button", { type: "button", class: "button primary", onclick: () => this.#open() }, "Try again"))].filter(Boolean));
  }

  /** Until the file is read, show the picture itself from this computer. */
  #showPreview() {
    const upload = this.#upload();
    if (!this.#showsState()) { this.#preview = null; return; }
    const file = upload && PICTURES.test(upload.file.type) ? upload.file : null;
    if (this.#preview && this.#preview === file) return;
    this.#preview = file;
    $("viewer").classList.add("no-preview");
    if (!file) return;
    createImageBitmap(file, { resizeWidth: 1280, resizeQuality: "medium" }).then((bitmap) => {
      if (this.#preview !== file) { bitmap.close(); return; }
      $("viewer").classList.remove("no-preview");
      this.#aspect = bitmap.height / bitmap.width;
      this.#paint(bitmap, `${this.#place.name}, from this computer`);
      this.#layOut();
    }).catch(() => {}); // the browser cannot show this kind of picture, but Read may know it
  }

  /** Draw an image on the sheet. It is a canvas, since browsers keep an image element's pixels long after it is gone. */
  #paint(bitmap, label) {
    const canvas = $("scan");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    canvas.setAttribute("aria-label", label);
    canvas.dataset.page = String(this.#page);
    bitmap.close();
  }

  #clearScan() {
    const canvas = $("scan");
    canvas.width = 0;
    canvas.height = 0;
    canvas.setAttribute("aria-label", "No image yet");
    delete canvas.dataset.page;
  }

  // Pages

  /** Open a page by its number; `then` is called once it is shown. */
  async openPage(wanted, then = null) {
    if (this.#document?.status !== "succeeded") return;
    if (!this.#numbers.length) { this.#showNothing(); return; }
    const page = this.#nearest(wanted);
    $("page-number").value = String(page);
    if (page === this.#page && this.#model) { then?.(); return; }
    this.#turning.abort();
    this.#turning = new AbortController();
    const { signal } = this.#turning;
    this.#turned = this.#page ? Math.sign(page - this.#page) : 0;
    this.#page = page;
    this.#goTo({ page: page === this.#numbers[0] ? undefined : page });
    this.#showCount();
    $("stage-note").hidden = true;
    try {
      const image = this.#image(page, signal).catch((problem) => problem); // at the same time as its words
      const model = await this.#load(page, signal);
      if (signal.aborted) return;
      this.#showPage(model);
      then?.();
      await this.#showImage(image, signal);
      if (this.#turned && !signal.aborted) this.#prefetch(page + this.#turned, signal);
    } catch (problem) {
      if (signal.aborted || problem.name === "AbortError") return;
      this.#suspect(problem);
      this.#model = null;
      this.#boxes.model = null;
      this.#text.show({ lines: [], words: [] }, null, problem.status === 404 ? "Read returned nothing for this page." : `${problem.message} ${problem.advice ?? ""}`);
      this.#clearScan();
      this.#draw();
    }
  }

  #nearest(wanted) {
    const numbers = this.#numbers;
    if (!Number.isFinite(wanted)) return this.#page || numbers[0];
    return numbers.findLast((number) => number <= wanted) ?? numbers[0];
  }

  /** Turn pages, if there are any that way. `at` moves the focus to the page's "first" or "last" line. */
  turn(step, at = null) {
    const index = this.#numbers.indexOf(this.#page) + step;
    if (index < 0 || index >= this.#numbers.length) { announce(step > 0 ? "This is the last page." : "This is the first page."); return; }
    this.openPage(this.#numbers[index], () => {
      announce(`Page ${this.#page} of ${this.#numbers.at(-1)}`);
      if (at) this.#text.focus(at === "first" ? 0 : (this.#model?.lines.length ?? 1) - 1);
    });
  }

  async #load(page, signal) {
    const known = this.#pages.get(page);
    if (known) return known;
    const body = this.#document.hasPages === false ? await this.#linesAsPage(page, signal) : await this.#api.page(this.#place.name, page, signal);
    return this.#pages.set(page, new PageModel(body));
  }

  /** A page made from its lines, for a document that was read before pages were stored. Its words have no positions. */
  async #linesAsPage(page, signal) {
    const { value } = await this.#api.lines({ name: this.#place.name, page, limit: 1000 }, signal);
    return { page, width: null, height: null, language: null, lines: value.map((line) => ({ ...line, box: line.boundingBox, words: [] })) };
  }

  /** The image of a page, in the size that the screen needs: `{blob, width, page}`. */
  async #image(page, signal) {
    const wanted = Math.min($("stage").clientWidth || 800, 2000) * Math.max(this.#zoom, 1) * (devicePixelRatio || 1);
    const width = WIDTHS.find((each) => each >= wanted) ?? WIDTHS.at(-1);
    const known = this.#images.get(page);
    if (known && known.width >= width) return known;
    const blob = await this.#drawn(page, width, signal);
    return this.#images.set(page, { blob, width, page });
  }

  /** Ask again while the server is busy drawing other pages. */
  async #drawn(page, width, signal) {
    for (let left = 4; ; left -= 1) {
      try {
        return await this.#api.pageImage(this.#place.name, page, width, signal);
      } catch (problem) {
        if (!left || signal.aborted || (problem.status !== 429 && problem.status !== 503)) throw problem;
        await pause(700, signal);
      }
    }
  }

  async #showImage(promise, signal) {
    const entry = await promise;
    if (signal.aborted) return;
    const bitmap = entry.blob ? await createImageBitmap(entry.blob).catch(() => null) : null;
    if (signal.aborted) { bitmap?.close(); return; }
    this.#boxes.blank = !bitmap;
    if (bitmap) {
      const aspect = bitmap.height / bitmap.width;
      this.#paint(bitmap, `Image of page ${this.#page}; its text is next to it`);
      if (!this.#model?.hasBoxes) { this.#aspect = aspect; this.#layOut(); }
    } else {
      this.#clearScan();
      this.#suspect(entry);
      const why = entry.status >= 400 && entry.status < 500 && entry.status !== 429 ? entry.message : "The page’s image is not available right now.";
      this.#note(this.#model?.hasBoxes ? `${why} Its words are shown where they were found.` : "This page has no image, and its words have no positions.");
    }
    this.#draw();
  }

  /** A page or its image is not from the result that is shown: update the document, which may have changed. */
  #suspect(problem) { if (problem.status === 404 || problem.status === 409) this.refresh(); }

  #prefetch(page, signal) {
    if (!this.#numbers.includes(page)) return;
    setTimeout(() => {
      if (signal.aborted) return;
      this.#load(page, signal).catch(() => {});
      this.#image(page, signal).catch(() => {});
    }, 200);
  }

  #aspect = 1.414;

  #showPage(model) {
    this.#model = model;
    this.#boxes.model = model;
    this.#boxes.blank = false;
    this.#active = null;
    this.#boxes.light(null);
    this.#clearScan();
    if (model.width && model.height) this.#aspect = model.height / model.width;
    $("panes").classList.toggle("no-image", !model.hasBoxes && !model.width && model.lines.length > 0);
    this.#text.show(model, this.#document.language ?? this.#document.requestedLanguage);
    $("stage").scrollTop = 0;
    this.#markDoubts();
    this.#markHits();
    this.#readout();
    this.#layOut();
  }

  #showNothing() {
    this.#text.show({ lines: [], words: [] }, null, "Read found no page in this file.");
    this.#showCount();
  }

  #showCount() {
    const last = this.#numbers.at(-1) ?? 0;
    $("page-count").textContent = this.#numbers.length === last ? `of ${number(last)}` : `of ${number(last)}, ${number(this.#numbers.length)} read`;
    for (const [action, end] of [["page-back", this.#numbers[0]], ["page-next", last]]) {
      document.querySelector(`[data-do="${action}"]`).setAttribute("aria-disabled", String(this.#page === end || !last));
    }
  }

  #note(text) {
    $("stage-note").textContent = text;
    $("stage-note").hidden = false;
  }

  // Size

  zoom(step, point = null) {
    const at = ZOOMS.indexOf(this.#zoom);
    this.#setZoom(step === 0 ? 1 : ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at + step))], point);
  }

  #setZoom(zoom, point) {
    if (zoom === this.#zoom) return;
    const stage = $("stage");
    const sheet = $("sheet").getBoundingClientRect();
    const frame = stage.getBoundingClientRect();
    const x = point ? point.clientX : frame.left + frame.width / 2;
    const y = point ? point.clientY : frame.top + frame.height / 2;
    const share = [(x - sheet.left) / sheet.width, (y - sheet.top) / sheet.height];
    this.#zoom = zoom;
    this.#layOut();
    const after = $("sheet").getBoundingClientRect();
    stage.scrollLeft += after.left + share[0] * after.width - x;
    stage.scrollTop += after.top + share[1] * after.height - y;
    this.#draw();
    const known = this.#images.get(this.#page);
    if (!known || this.#boxes.blank) return;
    const { signal } = this.#turning;
    this.#image(this.#page, signal).then((entry) => { if (entry !== known) return this.#showImage(Promise.resolve(entry), signal); return undefined; }).catch(() => {});
  }

  toggleBoxes() {
    this.#boxes.visible = !this.#boxes.visible;
    document.querySelector('[data-do="boxes"]').setAttribute("aria-pressed", String(this.#boxes.visible));
    this.#draw();
  }

  #layOut() {
    const stage = $("stage");
    if (!stage.clientWidth) return;
    const margin = stage.clientWidth > 560 ? 24 : 10;
    const width = Math.max(60, (stage.clientWidth - 2 * margin) * this.#zoom);
    const sheet = $("sheet").style;
    sheet.width = `${width}px`;
    sheet.height = `${width * this.#aspect}px`;
    sheet.margin = `${margin}px ${this.#zoom > 1 ? `${margin}px` : "auto"}`;
    this.#draw();
  }

  #draw() {
    if (this.#drawing) return;
    this.#drawing = requestAnimationFrame(() => { this.#drawing = 0; this.#boxes.draw(); });
  }

  // The active word

  #light(at, { from, moved = false }) {
    if (at?.line === this.#active?.line && at?.word === this.#active?.word) return;
    this.#active = at;
    this.#boxes.light(at);
    this.#text.light(at);
    if (at && from === "image") this.#text.reveal(at.line);
    if (at && from === "text") this.#revealBox(at);
    this.#readout();
    const word = moved && at?.word >= 0 ? this.#model.words[at.word] : null;
    if (word) announce(word.confidence === null ? word.text : `${word.text}, ${percent(word.confidence)} sure`);
  }

  #revealBox({ line, word }) {
    const box = this.#model?.words[word]?.box ?? this.#model?.lines[line]?.box;
    if (!box || !this.#model.hasBoxes) return;
    const stage = $("stage");
    const [sheet, frame] = [$("sheet").getBoundingClientRect(), stage.getBoundingClientRect()];
    const [left, top, right, bottom] = bounds(box);
    const [x, y] = [sheet.width / this.#model.width, sheet.height / this.#model.height];
    const place = { left: sheet.left + left * x, right: sheet.left + right * x, top: sheet.top + top * y, bottom: sheet.top + bottom * y };
    if (place.top < frame.top + 20 || place.bottom > frame.bottom - 20) stage.scrollTop += (place.top + place.bottom) / 2 - (frame.top + frame.bottom) / 2;
    if (place.left < frame.left || place.right > frame.right) stage.scrollLeft += (place.left + place.right) / 2 - (frame.left + frame.right) / 2;
  }

  #readout() {
    const model = this.#model;
    const word = model?.words[this.#active?.word];
    const line = model?.lines[this.#active?.line];
    let text = "";
    if (word) text = `“${word.text}”${word.confidence === null ? "" : ` · ${percent(word.confidence)} sure`} · line ${line.index + 1}`;
    else if (line) text = `Line ${line.index + 1}${line.language ? ` · ${languageName(line.language)}` : ""}${line.handwritten ? " · handwritten" : ""}`;
    else if (model?.lines.length) text = `${counted(model.lines.length, "line")}, ${counted(model.words.length, "word")}`;
    $("readout").textContent = text;
  }

  // Doubtful words

  get #threshold() { return Number($("threshold").value) / 100; }

  #markDoubts() {
    const known = Boolean(this.#model?.hasConfidence);
    const none = Boolean(this.#model?.words.length) && !known;
    const doubtful = known ? this.#model.doubtful(this.#threshold) : [];
    $("threshold-value").textContent = `${$("threshold").value} %`;
    $("threshold").disabled = none;
    $("next-doubt-text").hidden = none;
    $("doubt-count").textContent = !this.#model ? "" : none ? "No confidence given" : `${number(doubtful.length)} here`;
    document.querySelector('[data-do="next-doubt"]').title = none ? "Read gives no confidence for this page’s words, so none is marked." : "Next doubtful word (n)";
    this.#text.mark("doubt", doubtful);
    this.#boxes.doubtful = doubtful.map((word) => word.box).filter(Boolean);
  }

  /** Go to the next or previous doubtful word, on this page or another. */
  async nextDoubt(step = 1) {
    if (!this.#model) return;
    const here = this.#model.doubtful(this.#threshold);
    const at = this.#active?.word >= 0 ? this.#active.word : this.#active ? this.#model.lines[this.#active.line].first - (step > 0 ? 1 : 0) : step > 0 ? -1 : this.#model.words.length;
    const next = step > 0 ? here.find((word) => word.index > at) : here.findLast((word) => word.index < at);
    if (next) { this.#goToWord(next); return; }
    const { signal } = this.#turning;
    let index = this.#numbers.indexOf(this.#page);
    for (let asked = 0; asked < MOST_PAGES_ASKED; asked += 1) {
      index += step;
      if (index < 0 || index >= this.#numbers.length) { announce(step > 0 ? "There is no next doubtful word." : "There is no previous doubtful word."); this.#flash(step > 0 ? "No next doubtful word" : "No previous doubtful word"); return; }
      let model;
      try { model = await this.#load(this.#numbers[index], signal); } catch { if (signal.aborted) return; continue; }
      if (signal.aborted) return;
      const words = model.doubtful(this.#threshold);
      if (words.length) { this.openPage(this.#numbers[index], () => this.#goToWord(step > 0 ? words[0] : words.at(-1))); return; }
    }
    this.openPage(this.#numbers[index], () => announce(`No doubtful word up to page ${this.#page}. Press again to continue.`));
  }

  #goToWord(word) {
    const at = { line: word.line, word: word.index };
    if ($("viewer").dataset.pane !== "image") this.#tab("text");
    this.#text.focus(word.line);
    this.#light(at, { from: "text" });
    this.#text.reveal(word.line);
    announce(`Doubtful: ${word.text}, ${percent(word.confidence)} sure. In: ${this.#model.lines[word.line].text}`);
  }

  #flash(text) {
    const before = $("readout").textContent;
    $("readout").textContent = text;
    setTimeout(() => { if ($("readout").textContent === text) $("readout").textContent = before; }, 2500);
  }

  // Finding

  async #search(query) {
    this.#searching.abort();
    this.#searching = new AbortController();
    const { signal } = this.#searching;
    this.#found = [];
    this.#hit = null;
    this.#pattern = matcher(query);
    this.#markHits();
    const list = $("hits");
    list.replaceChildren();
    $("hits-badge").hidden = true;
    $("hits-empty").hidden = false;
    $("hits-empty").textContent = this.#pattern ? "Searching…" : "Type a word into “Find in the document” to see where it occurs.";
    $("found").textContent = this.#pattern ? "…" : "";
    if (!this.#pattern || this.#document?.status !== "succeeded") return;
    let total = 0;
    const show = (done) => {
      $("found").textContent = total ? this.#hitCount(total) : done ? "none" : "…";
      $("hits-badge").hidden = !total;
      $("hits-badge").textContent = number(total);
      $("hits-empty").hidden = total > 0;
      if (done) $("hits-empty").textContent = "There is no hit in this document.";
    };
    this.#total = 0;
    try {
      for await (const found of hitsByPage(textPieces(this.#api, this.#place.name, this.#numbers, signal), this.#numbers, this.#pattern)) {
        if (signal.aborted) return;
        this.#found.push(found);
        total += found.count;
        this.#total = total;
        list.append(this.#hitsOf(found));
        show(false);
      }
      if (signal.aborted) return;
      show(true);
      announce(total ? `${counted(total, "hit")} on ${counted(this.#found.length, "page")}` : "No hit");
      if (this.#wanted) { const step = this.#wanted; this.#wanted = 0; this.nextHit(step); }
    } catch (problem) {
      if (signal.aborted) return;
      $("found").textContent = "";
      $("hits-empty").hidden = false;
      $("hits-empty").textContent = `${problem.message} ${problem.advice ?? ""}`;
    }
  }

  #total = 0;
  #wanted = 0;

  #hitCount(total) {
    if (!this.#hit) return number(total);
    let before = 0;
    for (const found of this.#found) { if (found.page === this.#hit.page) break; before += found.count; }
    return `${number(before + this.#hit.index + 1)} of ${number(total)}`;
  }

  #hitsOf(found) {
    const more = found.count - found.hits.length;
    return h("li", {}, h("h2", {}, `Page ${number(found.page)} · ${counted(found.count, "hit")}`),
      h("ul", {}, found.hits.map((hit, index) => h("li", {}, h("button", { type: "button", dir: "auto", "data-hit": `${found.page}.${index}`, onclick: () => this.#goToHit(found.page, index) },
        hit.before, h("mark", {}, hit.text), hit.after)))),
      more ? h("p", { class: "hint" }, `and ${number(more)} more`) : null);
  }

  nextHit(step) {
    if (!this.#pattern) return;
    if (!this.#found.length) { this.#wanted = step; return; }
    if (!this.#hit) {
      const found = step > 0 ? this.#found.find((each) => each.page >= this.#page) ?? this.#found[0] : this.#found.findLast((each) => each.page <= this.#page) ?? this.#found.at(-1);
      this.#goToHit(found.page, step > 0 ? 0 : found.count - 1);
      return;
    }
    const at = this.#found.findIndex((each) => each.page === this.#hit.page);
    const index = this.#hit.index + step;
    if (index >= 0 && index < this.#found[at].count) { this.#goToHit(this.#hit.page, index); return; }
    const next = this.#found[(at + step + this.#found.length) % this.#found.length];
    this.#goToHit(next.page, step > 0 ? 0 : next.count - 1);
  }

  #goToHit(page, index) {
    this.#hit = { page, index };
    $("found").textContent = this.#hitCount(this.#total);
    document.querySelector('#hits [aria-current="true"]')?.removeAttribute("aria-current");
    const entry = document.querySelector(`#hits [data-hit="${page}.${index}"]`);
    entry?.setAttribute("aria-current", "true");
    if (this.#shownTab === "hits") entry?.scrollIntoView({ block: "nearest" });
    this.openPage(page, () => {
      this.#markHits();
      this.#draw();
      const piece = this.#pageHits[index]?.[0];
      if (!piece) return;
      this.#text.reveal(piece.line);
      this.#revealBox({ line: piece.line, word: this.#model.wordAt(this.#model.lines[piece.line], piece.start) });
      announce(`Hit ${this.#hitCount(this.#total)}, page ${page}: ${this.#model.lines[piece.line].text}`);
    });
  }

  #markHits() {
    const model = this.#model;
    this.#pageHits = this.#pattern && model ? hitsInLines(model.lines, this.#pattern) : [];
    const now = this.#hit?.page === this.#page ? this.#hit.index : -1;
    this.#text.mark("hit", this.#pageHits.flat());
    this.#text.mark("hit-now", this.#pageHits[now] ?? []);
    this.#boxes.hits = this.#pageHits.map((pieces) => pieces.flatMap((piece) => model.boxesOf(model.lines[piece.line], piece.start, piece.end)));
    this.#boxes.hitNow = now;
    this.#draw();
  }

  #goTo(change) {
    this.#place = { ...this.#place, ...change };
    address.go(this.#place, { replace: true });
  }

  // Tabs

  get #shownTab() { return $("viewer").dataset.pane; }

  #tab(wanted, byPerson = true) {
    const narrow = matchMedia("(max-width: 860px)").matches;
    const name = wanted === "image" && !narrow ? "text" : wanted;
    $("viewer").dataset.pane = name;
    for (const tab of document.querySelectorAll("[role=tab]")) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      if (tab.dataset.tab !== "image") $(`pane-${tab.dataset.tab}`).hidden = !on;
    }
    if (byPerson && this.#place.name) this.#goTo({ tab: name === "text" || name === "image" ? undefined : name });
    if (name === "json") this.#showJson();
    if (name === "image") this.#layOut();
  }

  #tabKey(event) {
    const tabs = [...document.querySelectorAll("[role=tab]")].filter((tab) => tab.checkVisibility?.() ?? !tab.hidden);
    const at = tabs.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    this.#tab(tab.dataset.tab);
    tab.focus();
  }

  async #showJson() {
    if (this.#document?.status !== "succeeded" || $("json").textContent) return;
    const { signal } = this.#opened;
    $("json-note").textContent = "Loading…";
    try {
      const { text, whole, total } = await jsonHead(this.#api, this.#place.name, signal);
      $("json").textContent = whole ? pretty(text) : text;
      $("json-note").textContent = whole ? "Read’s JSON, indented." : `The first ${size(text.length)}${total ? ` of ${size(total)}` : ""}. Download it to see all.`;
    } catch (problem) {
      if (signal.aborted) return;
      $("json-note").textContent = `${problem.message} ${problem.advice ?? ""}`;
    }
  }

  #showDetails() {
    const body = this.#document;
    const rows = [
      ["Name", body.name], ["Status", STATUSES[body.status] ?? body.status], ["Size", body.contentLength === null ? "" : size(body.contentLength ?? 0)],
      ["Pages", body.pageCount], ["Lines", body.lineCount], ["Words", body.wordCount], ["Language", body.language && languageName(body.language)],
      ["Uploaded", fullTime(body.uploadedAt)], ["Submitted", fullTime(body.submittedAt)], ["Completed", fullTime(body.completedAt)],
      ["Next try", FINAL.has(body.status) ? "" : fullTime(body.dueAt)],
      ["Read version", [body.apiVersion, body.modelVersion].filter(Boolean).join(", model ")],
      ["Requested", [body.requestedLanguage && `language ${body.requestedLanguage}`, body.requestedPages && `pages ${body.requestedPages}`].filter(Boolean).join(", ")],
      ["Submitted to Read", body.submits ? counted(body.submits, "time") : ""], ["Polls", body.polls],
      ["Error", body.errorCode], ["Message", body.errorMessage], ["Advice", body.advice], ["Warning", body.warning],
    ];
    $("details").replaceChildren(...rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
      .flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "number" ? number(value) : String(value))]));
  }

  // Actions

  async copyText() {
    const body = this.#document;
    if (body?.status !== "succeeded") return;
    try {
      let text = body.text ?? "";
      if (body.textTruncated) {
        text = "";
        for await (const piece of textPieces(this.#api, body.name, this.#numbers, this.#opened.signal)) text += piece;
        text = text.replaceAll("\f", "\n");
      }
      this.#copied(await copy(text));
    } catch (problem) {
      if (problem.name !== "AbortError") this.#tell(problem);
    }
  }

  async copyJson() { this.#copied(await copy($("json").textContent)); }

  #copied(done) {
    const text = done ? "Copied" : "The browser did not allow copying";
    announce(text);
    this.#flash(text);
    for (const button of document.querySelectorAll('.bar [data-do="copy"], [data-do="copy-json"]')) {
      if (!done || !button.checkVisibility?.()) continue;
      const label = button.lastChild;
      const before = label.textContent;
      if (before === "Copied") continue;
      label.textContent = "Copied";
      setTimeout(() => { label.textContent = before; }, 1600);
    }
  }

  async download(which) {
    try { await download(this.#api, this.#place.name, which); } catch (problem) { this.#tell(problem); }
  }

  uploadAgain() { this.#uploadAgain(this.#place.name); }

  async readAgain() {
    const body = this.#document;
    if (!body) return;
    const pages = body.pageCount ? counted(body.pageCount, "page") : "each page";
    const { answer } = await ask({ title: "Read it again?", text: `The old result is replaced, and Read bills ${pages} again.`, answers: [{ value: null, label: "Cancel" }, { value: "read", label: "Read again", kind: "primary" }] });
    if (!answer) return;
    const etag = this.#etag;
    try {
      await this.#api.readAgain(body.name);
    } catch (problem) {
      this.#tell(problem);
      return;
    }
    announce("The document is being read again.");
    this.#expected = { etag, until: Date.now() + 60_000 };
    this.#opened.abort();
    this.#opened = new AbortController();
    this.#follow(this.#opened.signal);
  }

  async forget() {
    const name = this.#place.name;
    const { answer, option } = await ask({
      title: "Forget this document?", text: `This deletes the file “${name}”, its text and its results. It cannot be undone.`,
      answers: [{ value: null, label: "Cancel" }, { value: "forget", label: "Forget", kind: "danger" }], option: "Keep the file, but do not read it from now on",
    });
    if (!answer) return;
    try {
      await this.#api.forget(name, option);
    } catch (problem) {
      this.#tell(problem);
      return;
    }
    if (!option) this.#library.forgotten(name);
    address.go({});
    announce("Forgotten.");
  }

  /** Show what went wrong with something that the person did. */
  #tell(problem) {
    ask({ title: problem.title || "That did not work", text: [problem.message !== problem.title ? problem.message : "", problem.advice ?? ""].filter(Boolean).join(" "), answers: [{ value: null, label: "Close" }] });
  }
}

function advice(text) {
  return text ? h("p", { class: "advice" }, h("strong", {}, "What helps"), text) : null;
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}
