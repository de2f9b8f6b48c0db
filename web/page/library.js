// The list of documents, by prefix and status, however long it is; above it, what was just added.

import { $, announce, h } from "./dom.js";
import * as address from "./address.js";
import { FINAL, STATUSES, counted, facts, nameParts, number, size, when } from "./format.js";
import { continuationOf } from "./storage.js";

const FIRST_PART = 100; // documents in the first request: few, so that they show soon
const PART = 500;
const SPARE = 8; // rows beyond the window, above and below
const MOST_ADDED = 200; // rows of "Just added"
const QUICK = 700; // ms between questions about what was just added
const CHIPS = ["", "succeeded", "reading", "submitting", "waiting", "failed", "ignored", "trouble"];

/** One row. It is changed in place, so the keyboard's focus stays where it is. */
class Row {
  #parts = {};

  constructor() {
    const part = (name, tag, ...children) => (this.#parts[name] = h(tag, { class: name }, ...children));
    this.link = h("a", { class: "row" },
      h("span", { class: "dot", "aria-hidden": "true" }),
      h("span", { class: "row-words" }, h("span", { class: "row-name" }, part("folder", "bdi"), part("base", "bdi")), part("row-facts", "span")),
      h("span", { class: "row-end" }, part("row-state", "span"), (this.#parts.bar = h("progress", { max: "1", "aria-hidden": "true", hidden: true }))));
    this.#parts["row-facts"].style.display = "block";
    this.item = h("li", {}, this.link);
  }

  show({ name, state, said, end, sent = null }) {
    const [folder, base] = nameParts(name);
    this.link.href = address.write({ name });
    this.link.className = `row is-${state}`;
    this.#set("folder", folder);
    this.#set("base", base);
    this.#set("row-facts", said);
    this.#parts["row-facts"].classList.toggle("bad", state === "failed");
    this.#set("row-state", end);
    this.#parts.bar.hidden = sent === null;
    if (sent !== null) this.#parts.bar.value = sent;
  }

  #set(name, text) {
    if (this.#parts[name].textContent !== text) this.#parts[name].textContent = text;
  }
}

const ofSummary = (summary) => ({
  name: summary.name,
  state: summary.status,
  said: facts(summary),
  end: summary.status === "succeeded" ? when(summary.completedAt ?? summary.uploadedAt) : STATUSES[summary.status] ?? summary.status,
});

/** The state of an upload, from queued here to read. */
export function stateOf(upload) {
  if (upload.state !== "uploaded") return upload.state;
  return upload.summary && isNewer(upload) ? upload.summary.status : "uploaded";
}

/** Whether a summary describes the file that was uploaded here, and not the one that it replaced. */
function isNewer({ summary, before, at }) {
  if (!summary?.status) return false;
  return !before || summary.uploadedAt !== before.uploadedAt || summary.completedAt !== before.completedAt || Date.now() - at > 120_000;
}

const ofUpload = (upload) => {
  const state = stateOf(upload);
  if (state === "uploading" || state === "queued") {
    const share = upload.file.size ? upload.sent / upload.file.size : 0;
    return { name: upload.name, state, said: size(upload.file.size), end: state === "queued" ? STATUSES.queued : `${Math.round(share * 100)} %`, sent: state === "queued" ? null : share };
  }
  if (state === "uploaded") return { name: upload.name, state: "submitting", said: "Uploaded. It will be picked up in a moment.", end: STATUSES.uploaded };
  if (upload.problem) return { name: upload.name, state: "failed", said: `${upload.problem.message} ${upload.problem.advice}`, end: "Not uploaded" };
  return { ...ofSummary(upload.summary), end: STATUSES[state] ?? state };
};

export class Library {
  #api;
  #place = { prefix: "", status: "" };
  #documents = [];
  #continuation = null;
  #loading = null;
  #whole = false;
  #rows = new Map(); // index to Row
  #added = new Map(); // upload to Row
  #counts = null;
  #shown = false;
  #countsDue = 0;
  #problem = null;
  #refreshing = false;
  followed = null; // the document that the viewer polls

  constructor(api) {
    this.#api = api;
    const list = $("rows");
    addEventListener("scroll", () => this.#window(), { passive: true });
    addEventListener("resize", () => this.#window());
    list.addEventListener("keydown", (event) => this.#key(event));
    let typing = 0;
    $("prefix").addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#filter({ prefix: $("prefix").value }), 250);
    });
    this.#watch();
  }

  /** What the list shows, and where the link "Documents" leads back to. */
  get place() { return this.#place; }

  show(place) {
    const next = { prefix: place.prefix ?? "", status: place.status ?? "" };
    const other = next.prefix !== this.#place.prefix || next.status !== this.#place.status;
    this.#place = next;
    this.#shown = true;
    if ($("prefix").value !== next.prefix && document.activeElement !== $("prefix")) $("prefix").value = next.prefix;
    this.#chips();
    if (other || (!this.#documents.length && !this.#whole)) this.reload();
    else { this.#window(); this.refresh(); }
  }

  hide() {
    this.#shown = false;
  }

  /** Load the list again from its beginning. */
  async reload() {
    this.#loading?.abort();
    this.#loading = null;
    this.#documents = [];
    this.#continuation = null;
    this.#whole = false;
    this.#problem = null;
    this.#counts = null;
    await Promise.all([this.#more(), this.#count()]);
  }

  /** Update the list, since others add and delete files too. When scrolled far down, update only the counts. */
  async refresh() {
    if (!this.#shown || this.#loading || this.#refreshing) return;
    if (this.#problem) { this.reload(); return; }
    this.#refreshing = true;
    const { prefix, status } = this.#place;
    try {
      const [{ body }] = await Promise.all([this.#api.documents({ prefix, status, limit: FIRST_PART }), this.#count()]);
      const isSame = prefix === this.#place.prefix && status === this.#place.status && !this.#loading;
      if (isSame && (this.#documents.length <= FIRST_PART || scrollY < innerHeight)) {
        this.#documents = [...body.value];
        this.#continuation = continuationOf(body);
        this.#whole = !this.#continuation;
        this.#window();
        this.#end();
      }
    } catch { /* what is shown stays */ }
    this.#refreshing = false;
  }

  /** An upload has changed. */
  changed(upload) {
    if (!this.#added.has(upload)) {
      const row = new Row();
      this.#added.set(upload, row);
      $("added-rows").prepend(row.item);
      if (this.#added.size > MOST_ADDED) {
        const spare = [...this.#added.keys()].find((each) => each.done || each.problem);
        if (spare) { this.#added.get(spare).item.remove(); this.#added.delete(spare); }
      }
    }
    this.#added.get(upload).show(ofUpload(upload));
    this.#summarise();
  }

  clearAdded() {
    for (const [upload, row] of this.#added) {
      if (upload.done || upload.problem) { row.item.remove(); this.#added.delete(upload); }
    }
    this.#summarise();
  }

  upload(name) { return [...this.#added.keys()].findLast((upload) => upload.name === name) ?? null; }

  /** Show a document's new state wherever the document is shown. */
  learn(summary) {
    for (const [upload, row] of this.#added) {
      if (upload.name !== summary.name || upload.state !== "uploaded") continue;
      upload.summary = summary;
      const done = isNewer(upload) && FINAL.has(summary.status);
      if (done && !upload.done) {
        upload.done = true;
        this.#countsDue = Date.now() + 1500;
        if (this.#shown && this.#added.size < 6) announce(`${summary.name}: ${STATUSES[summary.status]}`);
      }
      row.show(ofUpload(upload));
    }
    this.#summarise();
    const at = this.#documents.findIndex((each) => each.name === summary.name);
    if (!summary.status) { // somebody has forgotten it
      if (at >= 0) { this.#documents.splice(at, 1); this.#window(); }
      return;
    }
    const belongs = summary.name.startsWith(this.#place.prefix) && (!this.#place.status || this.#place.status === summary.status);
    if (at >= 0) this.#documents[at] = { ...this.#documents[at], ...summary };
    else if (belongs) {
      const next = this.#documents.findIndex((each) => order(each.name) > order(summary.name));
      if (next >= 0) this.#documents.splice(next, 0, summary);
      else if (this.#whole) this.#documents.push(summary);
    }
    this.#window();
  }

  forgotten(name) {
    this.#documents = this.#documents.filter((each) => each.name !== name);
    for (const [upload, row] of this.#added) if (upload.name === name) { row.item.remove(); this.#added.delete(upload); }
    this.#countsDue = Date.now();
    this.#summarise();
    this.#window();
  }

  #filter(change) {
    address.go({ ...this.#place, ...change }, { replace: true });
    this.show({ ...this.#place, ...change });
  }

  #chips() {
    const counts = this.#counts?.byStatus;
    const group = $("statuses");
    const wanted = CHIPS.filter((status) => !status || status === this.#place.status || ["succeeded", "failed"].includes(status) || counts?.[status]);
    const focused = group.contains(document.activeElement) ? document.activeElement.dataset.status : null;
    group.replaceChildren(...wanted.map((status) => {
      const count = status ? counts?.[status] : this.#counts?.files;
      return h("button", { type: "button", class: "chip", "data-status": status, "aria-pressed": String(status === this.#place.status), onclick: () => this.#filter({ status }) },
        status ? STATUSES[status] : "All", " ", count === undefined ? null : h("span", { class: "number" }, number(count)));
    }));
    if (focused !== null) [...group.children].find((chip) => chip.dataset.status === focused)?.focus();
  }

  async #count() {
    const prefix = this.#place.prefix;
    try {
      const counts = await this.#api.counts(prefix);
      if (prefix !== this.#place.prefix) return;
      this.#counts = counts;
      this.#chips();
      this.#end();
    } catch { /* the list says what is wrong */ }
  }

  async #more() {
    if (this.#loading || this.#whole) return;
    const loading = new AbortController();
    this.#loading = loading;
    this.#end();
    try {
      const { body } = await this.#api.documents({ ...this.#place, limit: this.#documents.length ? PART : FIRST_PART, continuation: this.#continuation }, loading.signal);
      this.#documents.push(...body.value);
      this.#continuation = continuationOf(body);
      this.#whole = !this.#continuation;
      this.#problem = null;
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.#problem = problem;
    }
    if (this.#loading !== loading) return;
    this.#loading = null;
    this.#window();
    this.#end();
  }

  #end() {
    const filtered = Boolean(this.#place.prefix || this.#place.status);
    const none = !this.#documents.length && !this.#loading;
    $("filters").hidden = none && !filtered && !this.#problem; // there is nothing to filter
    const total = this.#place.status ? this.#counts?.byStatus[this.#place.status] : this.#counts?.files;
    $("documents-summary").textContent = total === undefined ? "" : counted(total, "document");
    $("list-end").textContent = this.#loading ? "Loading…" : this.#problem && !none ? this.#problem.message : "";
    const empty = $("empty");
    empty.hidden = !none;
    if (!none) return;
    if (this.#problem) empty.replaceChildren(h("strong", {}, this.#problem.message), this.#problem.advice ?? "", h("div", { class: "buttons center" }, h("button", { type: "button", class: "button", onclick: () => this.reload() }, "Try again")));
    else if (filtered) empty.replaceChildren(h("strong", {}, "No document matches"), "No name starts like this with this status. ", h("div", { class: "buttons center" }, h("button", { type: "button", class: "button", onclick: () => { $("prefix").value = ""; this.#filter({ prefix: "", status: "" }); } }, "Show all documents")));
    else empty.replaceChildren(h("strong", {}, "Nothing has been read yet"), "Drop a file anywhere on this page. Its text appears here a few seconds later.");
  }

  #summarise() {
    const uploads = [...this.#added.keys()];
    $("added").hidden = !uploads.length;
    const read = uploads.filter((upload) => upload.done && upload.summary.status === "succeeded").length;
    const failed = uploads.filter((upload) => upload.problem || (upload.done && upload.summary.status === "failed")).length;
    $("added-summary").textContent = `${number(read)} of ${number(uploads.length)} read${failed ? `, ${number(failed)} failed` : ""}`;
  }

  /** Make only the rows that can be seen. */
  #window() {
    const list = $("rows");
    if (!this.#shown) return;
    const height = Number.parseFloat(getComputedStyle(list).getPropertyValue("--row"));
    list.style.height = `${this.#documents.length * height}px`;
    const top = list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - SPARE);
    const last = Math.min(this.#documents.length - 1, Math.ceil((innerHeight - top) / height) + SPARE);
    for (const [index, row] of this.#rows) {
      if (index < this.#documents.length && ((index >= first && index <= last) || row.item.contains(document.activeElement))) continue;
      row.item.remove();
      this.#rows.delete(index);
    }
    for (let index = first; index <= last; index += 1) this.#row(index, height);
    if (!this.#whole && !this.#problem && last >= this.#documents.length - 2 * SPARE) this.#more();
  }

  #row(index, height) {
    let row = this.#rows.get(index);
    if (!row) {
      row = new Row();
      this.#rows.set(index, row);
      row.index = index;
      const next = [...this.#rows.keys()].filter((each) => each > index).reduce((least, each) => Math.min(least, each), Infinity);
      $("rows").insertBefore(row.item, this.#rows.get(next)?.item ?? null);
    }
    row.item.style.transform = `translateY(${index * height}px)`;
    row.item.setAttribute("aria-posinset", String(index + 1));
    row.item.setAttribute("aria-setsize", this.#whole ? String(this.#documents.length) : "-1");
    row.show(ofSummary(this.#documents[index]));
    return row;
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    const at = [...this.#rows.values()].find((row) => row.link === event.target)?.index;
    if (!step || at === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const to = Math.min(this.#documents.length - 1, Math.max(0, at + step));
    const list = $("rows");
    const row = this.#row(to, Number.parseFloat(getComputedStyle(list).getPropertyValue("--row")));
    row.link.focus({ preventScroll: true });
    row.link.scrollIntoView({ block: "nearest" });
    this.#window();
  }

  /** Poll the documents that are not final: those added here, and those of the list that can be seen. */
  async #watch() {
    for (;;) {
      const added = [...this.#added.keys()].filter((upload) => upload.state === "uploaded" && !upload.done && upload.name !== this.followed);
      const seen = this.#shown ? [...this.#rows.values()].map((row) => this.#documents[row.index]).filter((each) => each && !FINAL.has(each.status)) : [];
      const youngest = Date.now() - Math.max(0, ...added.map((upload) => upload.at));
      await new Promise((resolve) => { setTimeout(resolve, youngest < 60_000 ? QUICK : added.length ? 2000 : 3000); });
      if (document.hidden) continue;
      const names = [...new Set([...added, ...seen].map((each) => each.name))].slice(0, 100);
      try {
        if (names.length) for (const summary of await this.#api.summaries(names)) this.learn(summary);
        if (this.#countsDue && this.#countsDue <= Date.now() && this.#shown) { this.#countsDue = 0; await this.#count(); }
      } catch { await new Promise((resolve) => { setTimeout(resolve, 2000); }); }
    }
  }
}

/** Documents are listed by key; a key has a colon for each slash of the name. */
const order = (name) => name.replaceAll("/", ":");
