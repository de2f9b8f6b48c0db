// Files on their way to storage: what was dropped, pasted or chosen, under which names, and how far each is.

import { Problem } from "./api.js";
import { languageTag } from "./format.js";
import { put } from "./storage.js";

const AT_ONCE = 3;
const ASIDE = new Set([".ds_store", "thumbs.db", "desktop.ini"]); // what folders hold beside documents

/** The files of a drop, folders and all: `[{name, file}]`. Must be called within the event, which is emptied after it. */
export async function dropped(transfer) {
  const entries = Array.from(transfer.items ?? [], (item) => (item.kind === "file" ? item.webkitGetAsEntry?.() ?? item.getAsFile() : null)).filter(Boolean);
  const files = [];
  for (const entry of entries) {
    if (entry instanceof File) files.push({ name: entry.name, file: entry });
    else await walk(entry, files);
  }
  return files;
}

async function walk(entry, files) {
  if (entry.isFile) {
    const name = entry.fullPath.replace(/^\/+/, "");
    if (!isAside(name)) files.push({ name, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader gives a hundred at a time, and nothing at the end
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) await walk(each, files);
  }
}

const isAside = (name) => ASIDE.has(name.slice(name.lastIndexOf("/") + 1).toLowerCase());

/** The files of an input, with their folders. */
export function chosen(input) {
  return Array.from(input.files, (file) => ({ name: file.webkitRelativePath || file.name, file })).filter(({ name }) => !isAside(name));
}

/** The pictures and files of a paste. Browsers call each pasted picture image.png, so those get names of their own. */
export function pasted(clipboard, now = new Date()) {
  return Array.from(clipboard.files, (file, index) => {
    const bare = /^image\.(\w+)$/.exec(file.name);
    const time = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())} ${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`;
    return { name: bare ? `Pasted ${time}${index ? ` ${index + 1}` : ""}.${bare[1]}` : file.name, file };
  });
}

const two = (value) => String(value).padStart(2, "0");

/** The address in a text, if it is one that Read can fetch: http or https. Null otherwise. */
export function webAddress(text) {
  const trimmed = text.trim();
  if (!/^https?:\/\/\S+$/i.test(trimmed) || trimmed.length > 2048) return null;
  try { return new URL(trimmed).href; } catch { return null; }
}

/** An Internet shortcut to an address: what the app submits by its link. `{name, file, metadata}`. */
export function shortcut(address, language = "") {
  const { hostname, pathname } = new URL(address);
  let last = pathname.split("/").filter(Boolean).pop() ?? "";
  try { last = decodeURIComponent(last); } catch { /* as it stands */ }
  const name = [hostname, last].filter(Boolean).join(" ").replace(/[\\/:*?"<>|\p{Cc}]/gu, "-").slice(0, 200).trimEnd();
  const file = new File([`[InternetShortcut]\r\nURL=${address}\r\n`], `${name}.url`, { type: "application/octet-stream" });
  return { name: `${name}.url`, file, metadata: language ? { language: languageTag(language) ?? language } : {} };
}

/** A name that is not taken yet: "scan.pdf" becomes "scan (2).pdf". */
export function freeName(name, taken) {
  const cut = name.lastIndexOf(".");
  const [stem, extension] = cut > name.lastIndexOf("/") + 1 ? [name.slice(0, cut), name.slice(cut)] : [name, ""];
  for (let copy = 2; ; copy += 1) {
    const other = `${stem} (${copy})${extension}`;
    if (!taken.has(other)) return other;
  }
}

/** Uploads, a few at a time. Each is `{name, file, metadata, state, sent, problem}`; `change(upload)` tells of each step. */
export class Uploads {
  #api;
  #change;
  #waiting = [];
  #running = 0;

  constructor(api, change) {
    this.#api = api;
    this.#change = change;
  }

  /** Whether files are still on their way: leaving the page would lose them. */
  get busy() { return this.#running > 0 || this.#waiting.length > 0; }

  add({ name, file, metadata = {} }, before = null) {
    const upload = { name, file, metadata, state: "queued", sent: 0, problem: null, summary: null, before, at: Date.now() };
    this.#waiting.push(upload);
    this.#next();
    return upload;
  }

  again(upload) {
    Object.assign(upload, { state: "queued", sent: 0, problem: null });
    this.#waiting.push(upload);
    this.#change(upload);
    this.#next();
  }

  #next() {
    while (this.#running < AT_ONCE && this.#waiting.length) {
      this.#running += 1;
      this.#run(this.#waiting.shift()).finally(() => { this.#running -= 1; this.#next(); });
    }
  }

  async #run(upload) {
    this.#step(upload, { state: "uploading" });
    try {
      await this.#send(upload).catch((problem) => {
        if (problem.code !== "LinkExpired") throw problem;
        return this.#send(upload); // the file may have waited here for longer than a link lives
      });
      this.#step(upload, { state: "uploaded", sent: upload.file.size, at: Date.now() });
    } catch (problem) {
      const told = problem instanceof Problem ? problem : new Problem({ title: "The file could not be read from your disk.", advice: "It may have been moved or changed. Choose it again." });
      this.#step(upload, { state: "failed", problem: told });
    }
  }

  async #send(upload) {
    const link = await this.#api.upload(upload.name, upload.metadata);
    await put(link, upload.file, (sent) => this.#step(upload, { sent }));
  }

  #step(upload, change) {
    Object.assign(upload, change);
    this.#change(upload);
  }
}
