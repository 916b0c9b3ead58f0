// The page of monitor-server: asks every two seconds, and says at once when there is no answer.
//
// In scripts/: `ask` speaks to the server. `status` says how bad things are. `answers`, `view`, `jobs`, `history`, `facts`
// and `integrity` put things where they belong, by `rows`, `charts` and `text`.

import { showAnswers } from "./scripts/answers.js";
import { Refused, ask, forgetToken, hasToken, keepToken, takeToken } from "./scripts/ask.js";
import { showFacts } from "./scripts/facts.js";
import { readShown, showJobs, showRunning } from "./scripts/jobs.js";
import { attribute, hidden, tick, words } from "./scripts/rows.js";
import { isStatus, verdict } from "./scripts/status.js";
import { ago, clock, instant, printable, setClock } from "./scripts/text.js";
import { showAlerts, showLog, showTables } from "./scripts/view.js";

/** Milliseconds between two questions. */
const PERIOD = 2000;

/** Milliseconds that a measurement may be old: one that waits for a silent database takes five seconds and more. */
const LIFETIME = 12_000;

const element = (id) => document.getElementById(id);

/** The last status, and when it was heard, by two clocks: one of them stands still while the machine sleeps. */
let last = null;

/** Why the last question has no answer that can be shown; null when it has. */
let failure = null;

let timer = null, turn = 0;

/** Asks now, and again and again while the tab is shown. */
async function start() {
  clearTimeout(timer);
  turn += 1;
  const mine = turn;
  try {
    const status = await ask("api/monitoring/status");
    // Somebody has asked again meanwhile.
    if (mine !== turn) return;
    hear(status);
    failure = null;
    keepToken();
    lock(null);
  } catch (error) {
    if (mine !== turn) return;
    failure = error.message;
    if (error instanceof Refused) lock(error);
  }
  showBadge();
  if (!document.hidden) timer = setTimeout(start, PERIOD);
  if (failure === null) readOn();
}

/** Shows a status. What was shown before stays when this one is none. */
function hear(status) {
  const at = instant(status.measured_at);
  if (at === null || !isStatus(status)) throw new Error("the answer is not a status");
  const before = last;
  // The same measurement once more is not a new one.
  if (last?.status.measured_at !== status.measured_at) {
    setClock(at);
    last = { status, heard: performance.now(), date: Date.now() };
  }
  try {
    showAnswers(status);
    showAlerts(status.alerts);
    showRunning(status.running);
    showTables(status);
    showJobs(status);
    showFacts(status);
    showLog(status.alert_log);
  } catch (error) {
    last = before;
    throw new Error(`the answer cannot be shown: ${printable(error.message)}`);
  }
}

/** Reads what the charts need, and draws them. */
async function readOn() {
  if (last === null) return;
  await readShown(last.status, ask);
  showJobs(last.status);
}

/** Why the last status cannot be believed any more; null when it can. */
function doubt() {
  if (failure !== null) return failure;
  if (last === null) return "no answer yet";
  const age = Math.max(performance.now() - last.heard, Date.now() - last.date);
  if (age < LIFETIME) return null;
  return document.hidden ? "nothing is measured while this tab is hidden" : "no new measurement came";
}

/** The badge, the title and the icon: what was measured just now, or unknown. */
function showBadge() {
  const why = doubt();
  const [word, sentence] = why === null ? verdict(last.status) : ["unknown", silence(why)];
  attribute(document.body, "data-state", last === null ? "waiting" : why === null ? "fresh" : "stale");
  attribute(element("badge"), "data-level", word);
  words(element("level"), word);
  words(element("sentence"), sentence);
  const title = `${word.toUpperCase()} · mirror42`;
  if (document.title !== title) document.title = title;
  showIcon(word);
  if (last === null) return;
  const at = instant(last.status.measured_at);
  words(element("measured"), `Measured ${clock(at)} UTC, ${ago(at)}`);
}

function silence(why) {
  if (last === null) return `Nothing was measured yet: ${why}.`;
  return `No answer since ${clock(instant(last.status.measured_at))} UTC: ${why}. What stands below is old.`;
}

/** A shape and a colour for each level, for a tab that is not looked at. */
const SHAPES = {
  ok: ["#1e7a4f", '<circle cx="8" cy="8" r="7"/>'],
  warning: ["#c47d00", '<path d="M8 1l7.5 14H.5z"/>'],
  unknown: ["#8a5fd0", '<path d="M8 0l8 8-8 8-8-8z"/>'],
  critical: ["#d93a32", '<path d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z"/>'],
};

function showIcon(word) {
  const [colour, shape] = SHAPES[word];
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="${colour}">${shape}</svg>`;
  attribute(element("icon"), "href", `data:image/svg+xml,${encodeURIComponent(picture)}`);
}

/** Shows the form for a token, or takes it away. */
function lock(refused) {
  // Who was typing goes on where it matters, and nobody else's focus moves.
  const [wasHidden, wasThere] = [element("lock").hidden, element("lock").contains(document.activeElement)];
  hidden(element("lock"), refused === null);
  const isNobodys = document.activeElement === document.body;
  if (refused && wasHidden && isNobodys) element("token").focus({ preventScroll: true });
  if (!refused && wasThere) element("main").focus({ preventScroll: true });
  hidden(element("forget"), !hasToken());
  if (refused?.isWrong) words(element("wrong"), "The server does not accept this token.");
}

function unlock(event) {
  event.preventDefault();
  words(element("wrong"), "");
  if (!takeToken(element("token").value.trim())) {
    words(element("wrong"), "A token has letters, digits and signs, and no spaces.");
    return;
  }
  element("token").value = "";
  start();
}

element("lock").addEventListener("submit", unlock);
element("forget").addEventListener("click", forgetToken);
element("history-job").addEventListener("change", readOn);
element("stages-details").addEventListener("toggle", readOn);
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) start();
});
setInterval(() => {
  tick();
  showBadge();
}, 1000);
showBadge();
start();
