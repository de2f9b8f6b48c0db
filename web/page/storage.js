// Uploads to storage and downloads from it, through links that are valid for one blob and for minutes.

import { Problem } from "./api.js";

const HEAD = 400_000; // bytes of JSON to show; download the blob to see the rest

/** Upload a file to a link. Calls `progress(sent, total)`. Rejects with a Problem; `LinkExpired` if the link has expired. */
export function put(link, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not report the progress of an upload
    request.open(link.method ?? "PUT", link.url);
    for (const [name, value] of Object.entries(link.headers ?? {})) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded, file.size);
    request.onload = () => (request.status < 300 ? resolve() : reject(refusal(request.status, request.responseText)));
    request.onerror = () => reject(new Problem({
      code: "StorageUnreachable", title: "The file could not be sent to storage.",
      advice: "Check your network. If that is fine, the storage account’s CORS rules or firewall may block this page.",
    }));
    request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

function refusal(status, body) {
  const code = /<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? `Http${status}`;
  if (status === 403 || status === 401) return new Problem({ status, code: "LinkExpired", title: "The upload link has expired.", advice: "Upload the file again." });
  if (status === 413) return new Problem({ status, code, title: "The file is too large for one upload.", advice: "Shrink the file, or split it and upload the parts." });
  return new Problem({ status, code, title: `Storage refused the file (${code}).`, advice: status >= 500 ? "Upload it again in a minute." : "Upload it again. If that fails too, check the storage account." });
}

/** Read a blob by its link. Rejects with a Problem; `LinkExpired` if the link has expired. */
async function get(url, signal, range = null) {
  let response;
  try {
    response = await fetch(url, { signal, headers: range ? { range } : {}, credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ code: "StorageUnreachable", title: "Storage does not answer this page.", advice: "Check your network. If that is fine, the storage account’s CORS rules may not allow GET." });
  }
  if (response.ok || response.status === 416) return response;
  if (response.status === 403 || response.status === 401) throw new Problem({ status: response.status, code: "LinkExpired", title: "The link has expired." });
  throw new Problem({ status: response.status, title: `Storage answered ${response.status}.`, advice: "Try again in a minute." });
}

/** Read one of a document's blobs; `which` is text, json or pages. If the link has expired, get a new one once. */
async function blob(api, name, which, signal, range = null) {
  for (let again = false; ; again = true) {
    const link = (await api.links(name, signal))[which];
    if (!link) throw new Problem({ code: "NotStored", title: "Nothing of this kind is stored for the document." });
    try {
      return await get(link, signal, range);
    } catch (problem) {
      if (problem.code !== "LinkExpired" || again) throw problem;
    }
  }
}

/** A document's text in pieces; a form feed separates pages. If storage cannot be read from here, it is made from lines. */
export async function* textPieces(api, name, numbers, signal) {
  let response;
  try {
    response = await blob(api, name, "text", signal);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    yield* piecesOfLines(api, name, numbers, signal);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

async function* piecesOfLines(api, name, numbers, signal) {
  const places = new Map(numbers.map((page, index) => [page, index]));
  let at = 0;
  let continuation = null;
  do {
    const answer = await api.lines({ name, limit: 1000, continuation }, signal);
    let piece = "";
    for (const line of answer.value) {
      const place = places.get(line.page) ?? at;
      if (place > at) { piece += "\f".repeat(place - at); at = place; }
      piece += `${line.text}\n`;
    }
    yield piece;
    continuation = continuationOf(answer);
  } while (continuation);
}

/** The token in a link to the next part of a list. The link itself is not followed, so the key goes nowhere else. */
export function continuationOf({ continuation, nextLink }) {
  return continuation ?? (nextLink ? new URL(nextLink, location.href).searchParams.get("continuation") : null);
}

/** The start of Read's JSON: `{text, whole, total}`. `total` is in bytes, or null if storage does not give the size. */
export async function jsonHead(api, name, signal) {
  const response = await blob(api, name, "json", signal, `bytes=0-${HEAD - 1}`);
  const text = new TextDecoder().decode(await response.arrayBuffer());
  const total = Number(/\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);
  const whole = response.status === 200 || (Number.isNaN(total) ? text.length < HEAD : total <= HEAD);
  return { text, whole, total: Number.isNaN(total) ? null : total };
}

/** Let the browser download a document's blob, through a new link. */
export async function download(api, name, which) {
  const link = (await api.links(name))[which];
  if (!link) throw new Problem({ code: "NotStored", title: "Nothing of this kind is stored for the document." });
  const anchor = document.createElement("a");
  anchor.href = link;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.download = "";
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
