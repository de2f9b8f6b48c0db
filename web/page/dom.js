// Elements made from values. Strings become text nodes, so a document's name or text is never markup.

export const $ = (id) => document.getElementById(id);

/**
 * An element. Properties: `class`, `on…` listeners, `data-…` and other attributes. Null, undefined and false omit one.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Let a screen reader say something once. */
export function announce(text) {
  const place = $("announce");
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
}

/** Copy text. Resolves to whether the browser allowed it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "sr", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

/** What the tab remembers. Without session storage, it is kept until the page is reloaded. */
const memory = new Map();
export const kept = {
  get(name) {
    try { return sessionStorage.getItem(name) ?? memory.get(name) ?? null; } catch { return memory.get(name) ?? null; }
  },
  set(name, value) {
    memory.set(name, value);
    try { sessionStorage.setItem(name, value); } catch { /* kept in memory alone */ }
  },
  remove(name) {
    memory.delete(name);
    try { sessionStorage.removeItem(name); } catch { /* it was in memory alone */ }
  },
};
