// The HTTP interface. The key goes in a header, to this app's own origin, and is never part of a URL.

import { kept } from "./dom.js";

const BASE = new URL("../", import.meta.url); // modules lie in /api/static/
const KEY = "blob-ocr-key";
const LONGEST_QUERY = 1500; // characters; longer names travel in a body

/** An error that tells a person what to do. */
export class Problem extends Error {
  constructor({ status = 0, code = "", title = "", detail = "", advice = "" }) {
    super(detail || title || "Something went wrong.");
    Object.assign(this, { status, code, title, advice });
  }
}

const unreachable = () => new Problem({
  code: "Unreachable",
  title: "The app does not answer.",
  detail: "The app does not answer.",
  advice: "Check your network. The page goes on by itself as soon as the app answers.",
});

export class Api extends EventTarget {
  #askKey;
  #asking = null;

  /** `askKey(wrong)` shows the dialog; it resolves to a key, or to null if the person gave none. */
  constructor(askKey) {
    super();
    this.#askKey = askKey;
  }

  get key() { return kept.get(KEY); }

  set key(value) {
    if (value) kept.set(KEY, value);
    else kept.remove(KEY);
  }

  documents(query, signal) { return this.#read("documents", query, { signal }); }
  summaries(names, signal) { return this.#json("POST", "documents", { names }, { signal }).then((answer) => answer.body.value); }
  counts(prefix, signal) { return this.#read("counts", { prefix }, { signal }).then((answer) => answer.body); }
  lines(query, signal) { return this.#read("lines", query, { signal }).then((answer) => answer.body); }
  page(name, page, signal) { return this.#read("page", { name, page }, { signal }).then((answer) => answer.body); }
  links(name, signal) { return this.#read("links", { name }, { signal }).then((answer) => answer.body); }
  upload(name, metadata, signal) { return this.#json("POST", "uploads", { name, metadata }, { signal }).then((answer) => answer.body); }
  readAgain(name) { return this.#json("POST", "read-again", { name }); }
  forget(name, keepFile) { return this.#json("POST", "forget", { name, keepFile }); }
  check() { return this.#read("check", {}).then((answer) => answer.body.value); }

  /** One document and its ETag: `{body, etag}`, with a body of null where it is as the given ETag says. */
  async document(name, etag = null, signal = undefined) {
    const { body, response } = await this.#read("document", { name }, { etag, signal });
    return { body, etag: response.headers.get("etag") };
  }

  /** A page's image as a blob. */
  async pageImage(name, page, width, signal) {
    const response = await this.#send(...this.#shape("page-image", { name, page, width }), { signal, quiet: true });
    return response.blob();
  }

  #shape(route, query) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return text.length > LONGEST_QUERY
      ? ["POST", route, Object.fromEntries(given)]
      : ["GET", text ? `${route}?${text}` : route, null];
  }

  #read(route, query, options = {}) { return this.#json(...this.#shape(route, query), options); }

  async #json(method, path, content, options = {}) {
    const response = await this.#send(method, path, content, options);
    const body = response.status === 304 || response.status === 204 ? null : await response.json().catch((error) => {
      if (error.name === "AbortError") throw error;
      throw new Problem({ status: response.status, title: "The app’s answer is not JSON.", advice: "Something between this page and the app may have changed it." });
    });
    return { body, response };
  }

  async #send(method, path, content, { etag = null, signal, quiet = false } = {}) {
    for (let wrong = false; ; wrong = true) {
      const key = this.key;
      const headers = { accept: "application/json" };
      if (key) headers["x-functions-key"] = key;
      if (content !== null) headers["content-type"] = "application/json";
      if (etag) headers["if-none-match"] = etag;
      let response;
      try {
        response = await fetch(new URL(path, BASE), {
          method, headers, signal, body: content === null ? undefined : JSON.stringify(content),
          cache: "no-store", credentials: "same-origin", redirect: "error",
        });
      } catch (error) {
        if (error.name === "AbortError") throw error;
        throw this.#trouble(unreachable());
      }
      if (response.ok || response.status === 304) {
        this.dispatchEvent(new Event("fine"));
        return response;
      }
      const problem = await problemOf(response);
      if (response.status === 401) {
        if (key !== this.key && this.key) continue; // another request has asked meanwhile
        this.#asking ??= this.#askKey(Boolean(key) || wrong).finally(() => { this.#asking = null; });
        const given = await this.#asking;
        if (!given) throw new Problem({ status: 401, code: "KeyNeeded", title: "Documents are shown with the app’s key.", advice: "Press Key, and enter it." });
        this.key = given;
        continue;
      }
      throw !quiet && (response.status >= 500 || response.status === 429) ? this.#trouble(problem) : problem;
    }
  }

  #trouble(problem) {
    this.dispatchEvent(new CustomEvent("trouble", { detail: problem }));
    return problem;
  }
}

async function problemOf(response) {
  let body = {};
  try { body = await response.json(); } catch { /* not every error on the way is a problem+json */ }
  return new Problem({
    status: response.status,
    code: body.code ?? response.headers.get("x-ms-error-code") ?? `Http${response.status}`,
    title: body.title ?? "",
    detail: body.detail || body.title || `The app answered ${response.status}.`,
    advice: body.advice ?? "",
  });
}
