// Numbers, times, sizes and states as texts for people.

export const number = (value) => value.toLocaleString("en");
export const counted = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;
export const percent = (confidence) => `${Math.round(confidence * 100)} %`;

const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** A time as exactly as it matters: the hour today, the day and hour this year, or else the date. */
export function when(iso, now = new Date()) {
  const time = new Date(iso);
  if (!iso || Number.isNaN(time.getTime())) return "";
  if (time.toDateString() === now.toDateString()) return TIME.format(time);
  return (time.getFullYear() === now.getFullYear() ? DAY : DATE).format(time);
}

export function fullTime(iso) {
  const time = new Date(iso);
  return !iso || Number.isNaN(time.getTime()) ? "" : FULL.format(time);
}

export function size(bytes) {
  if (bytes < 1000) return counted(bytes, "byte");
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export const STATUSES = {
  succeeded: "Read",
  reading: "Being read",
  submitting: "Being submitted",
  waiting: "Waiting",
  failed: "Failed",
  ignored: "Left alone",
  trouble: "Not readable",
  uploading: "Uploading",
  uploaded: "Uploaded",
  queued: "Queued",
};

export const FINAL = new Set(["succeeded", "failed", "ignored", "trouble"]);

/** A name's folder with its slash, and the rest. */
export function nameParts(name) {
  const cut = name.replace(/\/+$/, "").lastIndexOf("/") + 1;
  return [name.slice(0, cut), name.slice(cut)];
}

/** What a row says about a document under its name. */
export function facts(summary) {
  if (summary.status === "failed") return summary.errorMessage || summary.errorCode || "It could not be read.";
  if (summary.status === "waiting") {
    const due = summary.dueAt ? ` Next try at ${when(summary.dueAt)}.` : "";
    return `${summary.errorMessage || "It will be tried again automatically."}${due}`;
  }
  if (summary.status === "trouble") return "Its row in the documents table cannot be read. Somebody may have edited it.";
  const parts = [];
  if (summary.pageCount) parts.push(counted(summary.pageCount, "page"));
  if (summary.wordCount !== null && summary.wordCount !== undefined) parts.push(counted(summary.wordCount, "word"));
  if (summary.language) parts.push(languageName(summary.language));
  if (summary.warning) parts.push(summary.warning);
  return parts.join(" · ");
}

const TAG = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i;
const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });

/** A valid language tag for `lang`, or null, since Read or a file's metadata may say anything. */
export function languageTag(tag) {
  if (typeof tag !== "string" || !TAG.test(tag)) return null;
  try { return Intl.getCanonicalLocales(tag)[0]; } catch { return null; }
}

export function languageName(tag) {
  const known = languageTag(tag);
  return known ? names.of(known) : String(tag);
}

const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku-arab", "ps", "sd", "ug", "ur", "yi"]);
const RIGHT_TO_LEFT_SCRIPTS = /-(arab|hebr|syrc|thaa|nkoo|adlm)\b/i;

/** The direction in which a language is written; "auto" leaves it to the text. */
export function direction(tag) {
  if (!tag) return "auto";
  if (RIGHT_TO_LEFT_SCRIPTS.test(tag)) return "rtl";
  if (/-(latn|cyrl)\b/i.test(tag)) return "ltr";
  return RIGHT_TO_LEFT.has(tag.toLowerCase().split("-")[0]) ? "rtl" : "auto";
}
