// Dialogs: the key, the sign-in, questions, and the check of the set-up.

import { $, h } from "./dom.js";

/** Ask for the app's key. Resolves to the key, to "" to remove it, or to null if the person closed the dialog. */
export function askKey(wrong = false, removable = false) {
  const dialog = $("key-dialog");
  const input = $("key");
  const error = $("key-error");
  input.value = "";
  error.textContent = wrong ? "The app does not accept this key. Check it and enter it again." : "";
  input.setAttribute("aria-invalid", String(wrong));
  $("key-remove").hidden = !removable;
  return new Promise((resolve) => {
    const done = (value) => {
      form.removeEventListener("submit", submit);
      $("key-remove").removeEventListener("click", remove);
      dialog.removeEventListener("close", closed);
      if (dialog.open) dialog.close();
      input.value = "";
      resolve(value);
    };
    const form = $("key-form");
    const submit = (event) => {
      event.preventDefault();
      const key = input.value.trim();
      if (/^[\x21-\x7e]+$/.test(key)) return done(key);
      error.textContent = key ? "A key has only letters, digits and signs. Copy it again." : "Enter the key.";
      input.setAttribute("aria-invalid", "true");
      input.focus();
      return undefined;
    };
    const remove = () => done("");
    const closed = () => done(null);
    form.addEventListener("submit", submit);
    $("key-remove").addEventListener("click", remove);
    dialog.addEventListener("close", closed);
    if (!dialog.open) dialog.showModal();
    input.focus();
  });
}

/** Show a link to the sign-in, which leads back to what is shown now. Resolves to null when the person closes it. */
export function askSignIn() {
  const dialog = $("sign-in-dialog");
  const back = encodeURIComponent(location.pathname + location.hash);
  $("sign-in").href = `/.auth/login/aad?post_login_redirect_uri=${back}`;
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(null), { once: true });
    dialog.showModal();
  });
}

/**
 * Ask a question with the given answers: `[{value, label, kind}]`, the safest first. Resolves to `{answer, option}`;
 * `answer` is null if the person closed it.
 */
export function ask({ title, text, names = [], answers, option = null }) {
  const dialog = $("ask-dialog");
  $("ask-title").textContent = title;
  $("ask-text").textContent = text;
  $("ask-names").replaceChildren(...names.map((name) => h("li", {}, name)));
  $("ask-check").hidden = option === null;
  $("ask-option").checked = false;
  $("ask-option-text").textContent = option ?? "";
  return new Promise((resolve) => {
    let answer = null;
    const buttons = answers.map(({ value, label, kind = "" }) => h("button", {
      type: "button", class: `button ${kind}`, onclick: () => { answer = value; dialog.close(); },
    }, label));
    $("ask-buttons").replaceChildren(...buttons);
    dialog.addEventListener("close", () => resolve({ answer, option: $("ask-option").checked }), { once: true });
    dialog.showModal();
    buttons[0].focus();
  });
}

/** Show what `check` finds. */
export async function showCheck(api) {
  const dialog = $("check-dialog");
  const list = $("checks");
  list.replaceChildren(h("li", { class: "busy" }, h("strong", {}, "Checking…")));
  dialog.showModal();
  try {
    const checks = await api.check();
    list.replaceChildren(...checks.map(({ name, ok, message, advice }) => h("li", { class: ok ? "" : "bad" },
      h("strong", {}, name, h("span", { class: "sr" }, ok ? ": in order" : ": not in order")),
      message ? h("p", {}, message) : null,
      advice ? h("p", { class: "advice" }, advice) : null)));
  } catch (problem) {
    if (problem.status === 401) { dialog.close(); return; }
    list.replaceChildren(h("li", { class: "bad" }, h("strong", {}, problem.message), h("p", {}, problem.advice)));
  }
}
