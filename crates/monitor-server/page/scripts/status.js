// What a status says of itself: which of its parts are known, and how bad things are.

import { LEVELS, counted, level, printable, worst } from "./text.js";

/** The parts of a status; one that is missing, or is an error, was not measured. */
const PARTS = ["database", "quota", "token", "backlog", "jobs", "logs", "running", "calls", "integrity"];

/** Why a part is not known; null when it is. */
export function missing(part) {
  if (part === undefined) return "the server does not say it";
  if (part === null) return "there is none on this host";
  return part.error === undefined ? null : printable(part.error);
}

/** Whether it can be shown at all. */
export const isStatus = (status) => Array.isArray(status.alerts) && Array.isArray(status.resources);

/** The level of the whole, and the sentence for it. What is not measured is never ok, whatever the status says. */
export function verdict(status) {
  const unread = PARTS.filter((name) => missing(status[name]) !== null);
  const levels = status.alerts.map((alert) => alert.level);
  const word = worst([status.status, ...levels, unread.length > 0 ? "unknown" : "ok"]);
  const alerts = status.alerts.length > 0 ? `${tally(status.alerts)}.` : "";
  const gaps = unread.length > 0 ? `Not known: ${unread.join(", ").replaceAll("_", " ")}.` : "";
  const fine = word === "ok" ? "Everything was measured, and is as it should be." : "The server does not say why.";
  return [word, [alerts, gaps].filter(Boolean).join(" ") || fine];
}

/** `2 critical, 3 warnings`. */
function tally(alerts) {
  const times = (word) => alerts.filter((alert) => level(alert.level) === word).length;
  const known = [...LEVELS].reverse().filter((word) => times(word) > 0);
  const said = (word) => (word === "warning" ? counted(times(word), word) : `${times(word)} ${word}`);
  return known.map(said).join(", ");
}

/** The worst of the alerts that are meant. */
export const levelOf = (status, isMeant) => worst(status.alerts.filter(isMeant).map((alert) => alert.level));
