// The page: it shows what its address names, and does what people ask.

import { $, announce, h } from "./dom.js";
import * as address from "./address.js";
import { Api } from "./api.js";
import { ask, askKey, askSignIn, showCheck } from "./dialogs.js";
import { counted } from "./format.js";
import * as keyboard from "./keyboard.js";
import { Library } from "./library.js";
import { Uploads, chosen, dropped, freeName, pasted, shortcut, webAddress } from "./upload.js";
import { Viewer } from "./viewer.js";

const LANGUAGES = ["en", "de", "es", "fr", "it", "nl", "pt", "pl", "ar", "he", "hi", "ja", "ko", "ru", "tr", "uk", "zh-Hans", "zh-Hant"];
const LONGEST_RETRY = 30_000; // ms

const api = new Api((wrong) => askKey(wrong, false), askSignIn);
const library = new Library(api);
const uploads = new Uploads(api, (upload) => { library.changed(upload); viewer.changed(upload); });
const viewer = new Viewer(api, library, (name) => chooseAgain(name));
library.retry = (upload) => { uploads.again(upload); viewer.reload(); };

// What is shown

const shown = () => !$("viewer").hidden;
let listScroll = 0;

function show() {
  const place = address.read();
  const one = Boolean(place.name);
  const wasOne = shown();
  if (one && !wasOne) listScroll = scrollY;
  $("library").hidden = one;
  $("viewer").hidden = !one;
  $("skip").setAttribute("href", one ? "#doc-name" : "#library-main");
  if (one) {
    library.hide();
    $("back").href = address.write(library.place);
    library.followed = place.name;
    viewer.show(place);
    if (!wasOne) $("doc-name").focus();
  } else {
    if (wasOne) viewer.hide();
    document.title = "blob-ocr";
    library.followed = null;
    library.show(place);
    if (wasOne) { scrollTo(0, listScroll); $("library-main").focus({ preventScroll: true }); }
  }
}

for (const kind of ["click", "keydown", "submit", "drop", "paste"]) addEventListener(kind, () => api.mayAsk(), true);
addEventListener("hashchange", show);
addEventListener("popstate", show);

/** The person comes back to this tab. What it shows may have changed meanwhile. */
function comeBack() {
  if (document.hidden) return;
  if (shown()) viewer.refresh();
  else library.refresh();
}
addEventListener("focus", comeBack);
document.addEventListener("visibilitychange", comeBack);

addEventListener("beforeunload", (event) => { if (uploads.busy) event.preventDefault(); });

// Trouble that concerns more than one document: shown once, and tried again automatically

let retry = 0;
let retryIn = 2000;

api.addEventListener("trouble", ({ detail: problem }) => {
  $("banner-title").textContent = problem.message;
  $("banner-text").textContent = problem.advice;
  $("banner").hidden = false;
  if (retry) return;
  retry = setTimeout(tryAgain, retryIn);
  retryIn = Math.min(retryIn * 2, LONGEST_RETRY);
});
api.addEventListener("fine", () => {
  if ($("banner").hidden) return;
  clearTimeout(retry);
  retry = 0;
  retryIn = 2000;
  $("banner").hidden = true;
});

function tryAgain() {
  clearTimeout(retry);
  retry = 0;
  if (shown()) viewer.reload();
  else library.reload();
}

$("banner-button").addEventListener("click", tryAgain);

// Adding files

/** Upload files, each `{name, file, metadata}`. If a name is taken, ask first. */
async function add(files, { replace = false } = {}) {
  if (!files.length) return;
  let wanted = files;
  let taken;
  try {
    taken = await existing(files.map(({ name }) => name));
  } catch (problem) {
    if (problem.status !== 401) await ask({ title: "Nothing was uploaded", text: `${problem.message} ${problem.advice ?? ""}`, answers: [{ value: null, label: "Close" }] });
    return;
  }
  if (taken.size && !replace) {
    const { answer } = await ask({
      title: taken.size === 1 ? "A document already has this name" : `${counted(taken.size, "document")} already have these names`,
      text: "Keep both, or replace the old file and its result?",
      names: [...taken.keys()].slice(0, 50),
      answers: [{ value: "both", label: "Keep both", kind: "primary" }, { value: "replace", label: "Replace" }, ...(files.length > taken.size ? [{ value: "skip", label: "Skip these" }] : [])],
    });
    if (!answer) return;
    if (answer === "skip") wanted = files.filter(({ name }) => !taken.has(name));
    if (answer === "both") {
      const names = new Set(files.map(({ name }) => name));
      for (const name of taken.keys()) names.add(name);
      wanted = [];
      for (const each of files) {
        let { name } = each;
        while (taken.has(name)) {
          name = freeName(each.name, names);
          names.add(name);
          for (const [other, summary] of await existing([name])) taken.set(other, summary);
        }
        wanted.push({ ...each, name });
      }
    }
  }
  const started = wanted.map((each) => uploads.add(each, taken.get(each.name) ?? null));
  for (const upload of started) library.changed(upload);
  if (started.length === 1) {
    if (address.read().name === started[0].name) viewer.hide();
    address.go({ name: started[0].name });
    show();
  } else {
    address.go(library.place);
    scrollTo(0, 0);
    announce(`${counted(started.length, "file")} being uploaded`);
  }
}

/** The documents that already have these names: a Map from name to summary. */
async function existing(names) {
  const found = new Map();
  for (let from = 0; from < names.length; from += 100) {
    for (const summary of await api.summaries(names.slice(from, from + 100))) if (summary.status) found.set(summary.name, summary);
  }
  return found;
}

let replaced = null;
function chooseAgain(name) {
  replaced = name;
  $("again-file").click();
}

for (const [id, take] of [["files", chosen], ["folder", chosen], ["again-file", (input) => chosen(input).slice(0, 1).map((each) => ({ ...each, name: replaced }))]]) {
  $(id).addEventListener("change", (event) => {
    const files = take(event.target);
    event.target.value = "";
    add(files, { replace: id === "again-file" });
  });
}

$("url-form").addEventListener("submit", (event) => {
  event.preventDefault();
  readUrl($("url").value);
});

function readUrl(text) {
  const found = webAddress(text);
  $("url").setAttribute("aria-invalid", String(!found));
  $("url-error").textContent = found ? "" : "Enter an address that starts with https:// or http://.";
  if (!found) { $("url").focus(); return; }
  $("url").value = "";
  add([shortcut(found, $("language").value.trim())]);
}

// Dropping and pasting, anywhere

let over = 0;
const carries = (event) => ["Files", "text/uri-list"].some((type) => event.dataTransfer?.types.includes(type));
addEventListener("dragenter", (event) => { if (carries(event)) { event.preventDefault(); over += 1; $("veil").hidden = false; } });
addEventListener("dragover", (event) => { if (carries(event)) { event.preventDefault(); event.dataTransfer.dropEffect = "copy"; } });
addEventListener("dragleave", (event) => { if (carries(event)) { over = Math.max(0, over - 1); if (!over) $("veil").hidden = true; } });
addEventListener("drop", async (event) => {
  over = 0;
  $("veil").hidden = true;
  if (!carries(event)) return;
  event.preventDefault();
  const link = event.dataTransfer.types.includes("Files") ? "" : event.dataTransfer.getData("text/uri-list").split(/[\r\n]+/).find((line) => line && !line.startsWith("#")) ?? "";
  if (link) { if (webAddress(link)) add([shortcut(webAddress(link), $("language").value.trim())]); return; }
  try {
    const files = await dropped(event.dataTransfer);
    if (files.length) await add(files);
    else announce("There was no file in what you dropped.");
  } catch {
    await ask({ title: "The dropped files could not be read", text: "Your browser did not pass all of them on. Choose the files with the button.", answers: [{ value: null, label: "Close" }] });
  }
});
addEventListener("paste", (event) => {
  const files = pasted(event.clipboardData);
  if (files.length) { event.preventDefault(); add(files); return; }
  if (event.target.matches?.("input, textarea")) return;
  const link = webAddress(event.clipboardData.getData("text/plain"));
  if (link) { event.preventDefault(); add([shortcut(link, $("language").value.trim())]); }
});

// Buttons

const actions = {
  "choose-files": () => $("files").click(),
  "choose-folder": () => $("folder").click(),
  "clear-added": () => library.clearAdded(),
  check: () => showCheck(api),
  key: () => changeKey(),
  keys: () => $("keys-dialog").showModal(),
  "close-dialog": (button) => button.closest("dialog").close(),
  skip: () => (shown() ? $("doc-name") : $("library-main")).focus(),
  copy: () => viewer.copyText(),
  "copy-json": () => viewer.copyJson(),
  "download-text": () => viewer.download("text"),
  "download-json": () => viewer.download("json"),
  "download-pages": () => viewer.download("pages"),
  "download-source": () => viewer.download("source"),
  "read-again": () => viewer.readAgain(),
  "upload-again": () => viewer.uploadAgain(),
  forget: () => viewer.forget(),
  "page-back": () => viewer.turn(-1),
  "page-next": () => viewer.turn(1),
  "zoom-in": () => viewer.zoom(1),
  "zoom-out": () => viewer.zoom(-1),
  "zoom-fit": () => viewer.zoom(0),
  boxes: () => viewer.toggleBoxes(),
  "next-doubt": () => viewer.nextDoubt(1),
  "hit-back": () => viewer.nextHit(-1),
  "hit-next": () => viewer.nextHit(1),
};
addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-do]");
  if (!button || !(button.dataset.do in actions)) return;
  if (button.matches("a")) event.preventDefault();
  button.closest("[popover]")?.hidePopover();
  actions[button.dataset.do](button);
});

async function changeKey() {
  const key = await askKey(false, Boolean(api.key));
  if (key === null) return;
  api.key = key;
  if (shown()) viewer.reload();
  else library.reload();
}

$("languages").append(...LANGUAGES.map((tag) => h("option", { value: tag }, new Intl.DisplayNames(["en"], { type: "language" }).of(tag))));
keyboard.listen(viewer, { shown, back: () => address.go(library.place), help: () => $("keys-dialog").showModal() });
show();
