// Durations, sizes, numbers and instants as words; and the server's clock, so that this machine's does not matter.

/** How bad something is, the worst last, as pipeline-status has it. */
export const LEVELS = ["ok", "warning", "unknown", "critical"];

/** A level that is none of ours is not known. */
export const level = (word) => (LEVELS.includes(word) ? word : "unknown");

export const worst = (levels) => levels.reduce((one, other) =>
  LEVELS.indexOf(level(other)) > LEVELS.indexOf(one) ? level(other) : one, "ok");

/** Whether a value is a number that can be shown. */
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** `40,335`. */
export const count = (value) => (isNumber(value) ? value.toLocaleString("en-GB") : null);

/** `1 run`, `2 runs`. */
export const counted = (value, word) => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

/** `45s`, `3m 35s`, `6h 48m`, `3d 4h`; the same words as in the terminal. */
export function duration(value) {
  if (!isNumber(value)) return null;
  const seconds = Math.max(0, Math.trunc(value));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.trunc(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.trunc(seconds / 3600)}h ${Math.trunc(seconds / 60) % 60}m`;
  return `${Math.trunc(seconds / 86_400)}d ${Math.trunc(seconds / 3600) % 24}h`;
}

/** `512 B`, `1.5 MiB`. */
export function bytes(value) {
  if (!isNumber(value)) return null;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value, unit = 0;
  while (size >= 1023.95 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1];
  return unit === 0 ? `${value} B` : `${size.toFixed(1)} ${units[unit]}`;
}

/** One decimal, and 100.0 only for what is whole. */
export function percent(value) {
  if (!isNumber(value)) return null;
  return `${(value < 100 ? Math.min(value, 99.9) : value).toFixed(1)} %`;
}

/** Milliseconds of an instant, or null. */
export function instant(text) {
  const at = typeof text === "string" ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : at;
}

const iso = (at) => new Date(at).toISOString();

/** `02:00:07` of today, else `11-24 02:00`, with the year when it is another. */
export function clock(at) {
  const [text, today] = [iso(at), iso(now())];
  if (text.slice(0, 10) === today.slice(0, 10)) return text.slice(11, 19);
  return text.slice(text.slice(0, 4) === today.slice(0, 4) ? 5 : 0, 16).replace("T", " ");
}

/** The same without seconds, for what is only about right. */
export const minute = (at) => clock(at).replace(/^(\d\d:\d\d):\d\d$/, "$1");

/** `45s ago`, `3m ago`, `6h 48m ago`; `in 12m` for what is to come. */
export function ago(at) {
  const seconds = (now() - at) / 1000;
  const far = Math.abs(seconds);
  const words = far >= 60 && far < 3600 ? `${Math.trunc(far / 60)}m` : duration(far);
  return seconds < -0.999 ? `in ${words}` : `${words} ago`;
}

let measured = Date.now(), heard = performance.now();

/** Sets the server's clock: what it said just now. */
export function setClock(at) {
  [measured, heard] = [at, performance.now()];
}

/** The server's time, in milliseconds. */
export const now = () => measured + performance.now() - heard;

// Control characters, and those that turn the direction of a text: shown as escapes, as the terminal tools do.
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A text of another's making, of bounded length, with nothing in it that acts. */
export function printable(value, length = 400) {
  const text = String(value);
  const cut = text.length > length ? `${text.slice(0, length)}… (${text.length - length} more)` : text;
  return cut.replace(UNSEEN, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);
}
