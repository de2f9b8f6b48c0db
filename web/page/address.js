// What is shown, as the part of the address after the #. It can be shared, since it never holds a key.

const ORDER = ["name", "page", "q", "tab", "prefix", "status"];

/** The parts of the address: strings by name, and `page` as a number. */
export function read(hash = location.hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const place = {};
  for (const part of ORDER) {
    const value = given.get(part);
    if (value) place[part] = value;
  }
  const page = Number.parseInt(place.page ?? "", 10);
  if (page >= 1) place.page = page;
  else delete place.page;
  return place;
}

export function write(place) {
  const parts = new URLSearchParams();
  for (const part of ORDER) if (place[part]) parts.set(part, String(place[part]));
  const text = parts.toString();
  return text ? `#${text}` : "#";
}

/** Go to a place, as a new entry of the history, which fires `hashchange`; or silently in place of the current entry. */
export function go(place, { replace = false } = {}) {
  const hash = write(place);
  if (hash === location.hash || (hash === "#" && !location.hash)) return;
  if (replace) history.replaceState(null, "", hash);
  else {
    history.pushState(null, "", hash);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}
