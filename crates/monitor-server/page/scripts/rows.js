// Changes the page in place: what is as it should be is not touched, so nothing jumps, flickers or loses the focus.
// Whatever came from the server enters as text or as an attribute, never as markup.

import { ago, clock, duration, instant, level, now, printable } from "./text.js";

/** Sets an attribute; null takes it away. */
export function attribute(element, name, value) {
  if (value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export function words(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function hidden(element, is) {
  if (element.hidden !== is) element.hidden = is;
}

/** Shows a value: words for people, data-value for machines. Without either it is not known. */
export function show(element, value, text = value) {
  const known = value !== null && value !== undefined && text !== null && text !== undefined;
  attribute(element, "data-value", known ? value : null);
  element.classList.toggle("not-known", !known);
  words(element, known ? printable(text) : "not known");
}

/** Shows an instant: how long ago, and when. Where there is none, words for that; without them it is not known. */
export function showInstant(element, text, none) {
  const at = instant(text);
  if (at === null) {
    show(element, none === undefined ? null : "", none);
    return;
  }
  element.classList.remove("not-known");
  attribute(element, "data-value", text);
  let [time, when] = element.children;
  if (!time) {
    [time, when] = [document.createElement("time"), document.createElement("small")];
    element.replaceChildren(time, " ", when);
  }
  attribute(time, "datetime", new Date(at).toISOString());
  words(time, ago(at));
  words(when, clock(at));
}

/** Shows how long something took, or has taken since an instant, if it has not ended. */
export function showElapsed(element, seconds, since) {
  attribute(element, "data-since", since);
  show(element, seconds, elapsed(element) ?? duration(seconds));
}

function elapsed(element) {
  const since = instant(element.dataset.since);
  return since === null ? null : duration((now() - since) / 1000);
}

/** Lets everything that is shown grow older. */
export function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) words(time, ago(Date.parse(time.dateTime)));
  for (const element of document.querySelectorAll("[data-since]")) {
    words(element, elapsed(element) ?? element.textContent);
  }
}

/** Marks how bad something is by a shape and a colour, and says it in a word. */
export function mark(element, word) {
  const known = level(word);
  attribute(element, "data-level", known);
  if (element.getAttribute("role") !== "img") {
    words(element, known);
    return;
  }
  attribute(element, "aria-label", known);
  attribute(element, "title", known);
}

/** Colours an element by a level; what is ok is plain. */
export function tint(element, word) {
  attribute(element, "data-level", word === "ok" ? null : level(word));
}

const copies = new WeakMap();

/**
 * Keeps one copy of a template for each item, in the order of the items, behind what stands in the parent anyway. A
 * copy stays as long as its key does, and with it the focus.
 */
export function rows(parent, template, items, key, fill) {
  const there = copies.get(parent) ?? new Map();
  const wanted = new Map(items.map((item, nth) => [key(item, nth), item]));
  for (const [name, copy] of there) {
    if (wanted.has(name)) continue;
    copy.remove();
    there.delete(name);
  }
  copies.set(parent, there);
  let nth = parent.children.length - there.size;
  for (const [name, item] of wanted) {
    const copy = there.get(name) ?? document.getElementById(template).content.firstElementChild.cloneNode(true);
    there.set(name, copy);
    const place = parent.children[nth];
    if (place !== copy) parent.insertBefore(copy, place ?? null);
    fill(copy, item);
    nth += 1;
  }
}

/** The part of a row that has this field. */
export const field = (row, name) => row.querySelector(`[data-field="${name}"]`);
