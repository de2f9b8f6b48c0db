// Uploads: which files were dropped, pasted or chosen, their names, and how far each upload is.

import { Problem } from "./api.js";
import { languageTag } from "./format.js";
import { put } from "./storage.js";

const AT_ONCE = 3;
const ASIDE = new Set([".ds_store", "thumbs.db", "desktop.ini"]); // files that systems leave in folders

/** The files of a drop, with those in folders: `[{name, file}]`. Call it within the event, since the data is gone after it. */
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
  for (;;) { // a reader gives a hundred entries at a time, and none at the end
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) await walk(each, files);
  }
}

const isAside = (name) => ASIDE.has(name.slice(name.lastIndexOf("/") + 1).toLowerCase());

/** The files chosen in an input, with their folders. */
export function chosen(input) {
  return Array.from(input.files, (file) => ({ name: file.webkitRelativePath || file.name, file })).filter(({ name }) => !isAside(name));
}

/** The pasted pictures and files. Browsers name every pasted picture image.png, so each gets a name of its own. */
export function pasted(clipboard, now = new Date()) {
  return Array.from(clipboard.files, (file, index) => {
    const bare = /^image\.(\w+)$/.exec(file.name);
    const time = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())} ${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`;
    return { name: bare ? `Pasted ${time}${index ? ` ${index + 1}` : ""}.${bare[1]}` : file.name, file };
  });
}

const two = (value) => String(value).padStart(2, "0");

/** The http or https address in a text, which Read can fetch; null if it is none. */
export function webAddress(text) {
  const trimmed = text.trim();
  if (!/^https?:\/\/\S+$/i.test(trimmed) || trimmed.length > 2048) return null;
  try { return new URL(trimmed).href; } catch { return null; }
}

/** An Internet shortcut to an address, which the app submits as a URL: `{name, file, metadata}`. */
export function shortcut(address, language = "") {
  const { hostname, pathname } = new URL(address);
  let last = pathname.split("/").filter(Boolean).pop() ?? "";
  try { last = decodeURIComponent(last); } catch { /* keep it as it is */ }
  const name = [hostname, last].filter(Boolean).join(" ").replace(/[\\/:*?"<>|\p{Cc}]/gu, "-").slice(0, 200).trimEnd();
  const file = new File([`[InternetShortcut]\r\nURL=${address}\r\n`], `${name}.url`, { type: "application/octet-stream" });
  return { name: `${name}.url`, file, metadata: language ? { language: languageTag(language) ?? language } : {} };
}

/** A free name: "scan.pdf" becomes "scan (2).pdf". */
export function freeName(name, taken) {
  const cut = name.lastIndexOf(".");
  const [stem, extension] = cut > name.lastIndexOf("/") + 1 ? [name.slice(0, cut), name.slice(cut)] : [name, ""];
  for (let copy = 2; ; copy += 1) {
    const other = `${stem} (${copy})${extension}`;
    if (!taken.has(other)) return other;
  }
}

/** Uploads, a few at a time. Each is `{name, file, metadata, state, sent, problem}`; `change(upload)` reports each change. */
export class Uploads {
  #api;
  #change;
  #waiting = [];
  #running = 0;

  constructor(api, change) {
    this.#api = api;
    this.#change = change;
  }

  /** Whether files are still being uploaded, so that leaving the page would lose them. */
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
        return this.#send(upload); // the link may have expired before the file was sent
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
