// Calls the HTTP interface. The key is sent in a header to this app's own origin, and is never part of a URL.

import { kept } from "./dom.js";

const BASE = new URL("../", import.meta.url); // modules are in /api/static/
const KEY = "blob-ocr-key";
const LONGEST_QUERY = 1500; // characters; a longer query is sent as a body

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
  advice: "Check your network. The page continues by itself as soon as the app answers.",
});

const signedOut = () => new Problem({
  status: 401,
  code: "AuthenticationRequired",
  title: "You are not signed in.",
  advice: "Sign in, then come back to this page.",
});

/**
 * Whether this answer asks for a sign-in, because the person has not signed in or the session has ended; a key does not
 * help then. App Service authentication answers with a redirect to the sign-in, or with 401 and a www-authenticate
 * header. The app answers AuthenticationRequired. The host's 401 for a missing key has none of these.
 */
const asksForSignIn = (response, problem) => response.type === "opaqueredirect"
  || (response.status === 401 && (problem.code === "AuthenticationRequired" || response.headers.has("www-authenticate")));

export class Api extends EventTarget {
  #askKey;
  #askSignIn;
  #asking = null;
  #declined = false; // the person closed the dialog; requests that the page makes by itself do not open it again

  /**
   * `askKey(wrong)` shows a dialog and resolves to a key, or to null if the person gave none. `askSignIn()` shows how to
   * sign in and resolves when the person closes it.
   */
  constructor(askKey, askSignIn) {
    super();
    this.#askKey = askKey;
    this.#askSignIn = askSignIn;
  }

  get key() { return kept.get(KEY); }

  set key(value) {
    if (value) kept.set(KEY, value);
    else kept.remove(KEY);
    this.#declined = false;
  }

  /** The person does something, so the next request may open a dialog again. */
  mayAsk() { this.#declined = false; }

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

  /** One document and its ETag: `{body, etag}`. `body` is null if the document still has the given ETag. */
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
    const text = await response.text().catch((error) => {
      if (error.name === "AbortError") throw error;
      throw this.#trouble(unreachable()); // the connection was lost on the way
    });
    if (!text) return { body: null, response }; // 202, 204, 304
    try {
      return { body: JSON.parse(text), response };
    } catch {
      throw new Problem({ status: response.status, title: "The app’s answer is not JSON.", advice: "A proxy between this page and the app may have changed it." });
    }
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
          cache: "no-store", credentials: "same-origin", redirect: "manual",
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
      if (asksForSignIn(response, problem)) {
        await this.#ask(this.#askSignIn);
        throw signedOut();
      }
      if (response.status === 401) {
        if (key !== this.key && this.key) continue; // another request has got a key meanwhile
        const given = await this.#ask(() => this.#askKey(Boolean(key) || wrong));
        if (!given) throw new Problem({ status: 401, code: "KeyNeeded", title: "You need the app’s key to see documents.", advice: "Press Key, then enter it." });
        this.key = given;
        continue;
      }
      throw !quiet && (response.status >= 500 || response.status === 429) ? this.#trouble(problem) : problem;
    }
  }

  /** Open a dialog, once for all requests that wait for it. Resolves to null if the person has just closed it. */
  async #ask(open) {
    if (this.#declined) return null;
    this.#asking ??= open().finally(() => { this.#asking = null; });
    const given = await this.#asking;
    this.#declined = !given;
    return given;
  }

  #trouble(problem) {
    this.dispatchEvent(new CustomEvent("trouble", { detail: problem }));
    return problem;
  }
}

async function problemOf(response) {
  let body = {};
  try { body = await response.json(); } catch { /* proxies and the host do not answer with problem+json */ }
  return new Problem({
    status: response.status,
    code: body.code ?? response.headers.get("x-ms-error-code") ?? `Http${response.status}`,
    title: body.title ?? "",
    detail: body.detail || body.title || `The app answered ${response.status}.`,
    advice: body.advice ?? "",
  });
}
