// Finds words in a document page by page as its text arrives, so no document is held whole.

const MOST_HITS = 2000;
const SNIPPET = 48; // characters on either side of a hit

/** The pattern of a query. It ignores case and matches any white space between words, even across the end of a line. */
export function matcher(query) {
  const words = query.trim().split(/\s+/u).filter(Boolean).map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&"));
  return words.length ? new RegExp(words.join("\\s+"), "giu") : null;
}

/** Each hit in a page's text: `{start, end}`. */
export function matches(text, pattern) {
  return Array.from(text.matchAll(pattern), (match) => ({ start: match.index, end: match.index + match[0].length }));
}

/** The hits in a page's lines, each as the parts of lines that it covers: `[{line, start, end}]`. */
export function hitsInLines(lines, pattern) {
  const starts = [];
  let text = "";
  for (const line of lines) { starts.push(text.length); text += `${line.text}\n`; }
  return matches(text, pattern).map(({ start, end }) => {
    const pieces = [];
    for (let i = lastAtOrBefore(starts, start); i < lines.length && starts[i] < end; i += 1) {
      const from = Math.max(0, start - starts[i]);
      const to = Math.min(lines[i].text.length, end - starts[i]);
      if (to > from) pieces.push({ line: i, start: from, end: to });
    }
    return pieces;
  });
}

function lastAtOrBefore(starts, value) {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The numbers of a document's pages: those that Read was asked to read, or all from 1. */
export function pageNumbers(summary) {
  const count = summary.pageCount ?? 0;
  const asked = [];
  for (const part of String(summary.requestedPages ?? "").split(",")) {
    const range = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    if (!range) continue;
    const last = Math.min(Number(range[2] ?? range[1]), Number(range[1]) + count);
    for (let page = Number(range[1]); page <= last && asked.length < count; page += 1) asked.push(page);
  }
  return asked.length === count && count ? asked : Array.from({ length: count }, (_, index) => index + 1);
}

/**
 * The hits of each page as they are found: `{page, hits: [{before, text, after}], count}`; pages without hits are skipped.
 * `text` is an async iterable of pieces of the whole text, in which a form feed separates pages.
 */
export async function* hitsByPage(text, numbers, pattern) {
  let left = MOST_HITS;
  for await (const [index, page] of pagesOf(text)) {
    const found = matches(page, pattern);
    if (!found.length) continue;
    const shown = found.slice(0, Math.max(left, 0));
    left -= shown.length;
    yield { page: numbers[index] ?? index + 1, count: found.length, hits: shown.map(({ start, end }) => snippet(page, start, end)) };
  }
}

async function* pagesOf(text) {
  let index = 0;
  let rest = "";
  for await (const piece of text) {
    const parts = (rest + piece).split("\f");
    rest = parts.pop();
    for (const part of parts) yield [index++, part];
  }
  yield [index, rest];
}

function snippet(text, start, end) {
  const flat = (piece) => piece.replace(/\s+/gu, " ");
  const from = Math.max(0, start - SNIPPET);
  const to = Math.min(text.length, end + SNIPPET);
  return {
    before: (from ? "…" : "") + flat(text.slice(from, start)).trimStart(),
    text: flat(text.slice(start, end)),
    after: flat(text.slice(end, to)).trimEnd() + (to < text.length ? "…" : ""),
  };
}
