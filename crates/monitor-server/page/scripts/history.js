// The last runs of jobs: read one job after the other, where one has moved, and drawn.

import { bars } from "./charts.js";
import { attribute, field, rows, show, showElapsed, showInstant, tint, words } from "./rows.js";
import { clock, count, counted, duration, instant, isNumber, now, printable } from "./text.js";

/** Runs of a job that are looked at. */
const RUNS = 40;

/** Milliseconds until a history that could not be read is asked for again. */
const PAUSE = 30_000;

/** What each way to end is worth. */
const ENDINGS = new Map([
  ["completed", "ok"],
  ["running", "running"],
  ["partial", "warning"],
  ["cancelled", "warning"],
  ["failed", "critical"],
  ["lost", "critical"],
]);

/** By the name of a job: its last runs, or why they are not known, and of which state of the job that is. */
const histories = new Map();

const element = (id) => document.getElementById(id);

/** What a status of a job is worth, with `running` for what has not ended. */
const ending = (status) => ENDINGS.get(status) ?? "unknown";

/** The level for it: what goes on is well. */
export const endingLevel = (status) => (ending(status) === "running" ? "ok" : ending(status));

let isReading = false;

/** Reads the histories of the jobs that are wanted, where a job has moved since they were read. */
export async function readHistories(jobs, isWanted, ask) {
  if (isReading) return;
  isReading = true;
  try {
    for (const [name, job] of jobs) {
      const moved = `${job.status} ${job.last_run}`;
      const known = histories.get(name);
      const isOver = known?.error && performance.now() - known.at > PAUSE;
      if (!isWanted(name, job) || (known?.moved === moved && !isOver)) continue;
      histories.set(name, { moved, at: performance.now(), ...(await read(name, ask)) });
    }
  } finally {
    isReading = false;
  }
}

async function read(name, ask) {
  try {
    const answer = await ask(`api/monitoring/jobs/history?job_name=${encodeURIComponent(name)}&limit=${RUNS}`);
    return Array.isArray(answer.jobs) ? { runs: answer.jobs } : { error: "the answer holds no runs" };
  } catch (error) {
    return { error: error.message };
  }
}

/** Seconds that half of the runs of a job took, or less; null when none is known to have ended well. */
export function usualSeconds(name) {
  const ended = runsOf(name).filter((run) => ["completed", "partial"].includes(run.status));
  return ended.length > 0 ? median(ended.map((run) => run.elapsed_seconds)) : null;
}

const runsOf = (name) => histories.get(name)?.runs ?? [];

const median = (numbers) => [...numbers].sort((one, other) => one - other)[Math.trunc((numbers.length - 1) / 2)];

/** Seconds that a run took, or has taken by now: what was read of one that goes on is old already. */
function lasted(run) {
  const began = run.status === "running" ? instant(run.started_at) : null;
  return began === null ? run.elapsed_seconds : (now() - began) / 1000;
}

/** Draws the runs of a job, the newest right. */
export function drawRuns(svg, name, height, label) {
  const values = [...runsOf(name)].reverse().map((run) => ({
    size: isNumber(lasted(run)) ? lasted(run) : null,
    kind: ending(run.status),
    standsOut: endingLevel(run.status) !== "ok",
  }));
  bars(svg, values, { label, places: RUNS, height });
}

/** What a chart of runs shows. */
export function sentence(name) {
  const history = histories.get(name);
  const title = printable(name);
  if (!history) return `${title}: its runs were not asked for yet`;
  if (history.error) return `${title}: its runs are not known: ${printable(history.error)}`;
  if (history.runs.length === 0) return `${title} has never run`;
  const seconds = history.runs.map(lasted);
  const times = `half took ${duration(median(seconds))} or less, the longest ${duration(Math.max(...seconds))}`;
  return `${title}: the last ${counted(history.runs.length, "run")}, ${tally(history.runs)}; ${times}`;
}

function tally(runs) {
  const times = (status) => runs.filter((run) => run.status === status).length;
  const others = [...ENDINGS.keys()].filter((status) => status !== "completed" && times(status) > 0);
  return others.map((status) => `${times(status)} ${status}`).join(", ") || "all completed";
}

/** Shows the history of a job: a chart, a sentence, and a table. */
export function showHistory(name) {
  const runs = runsOf(name);
  drawRuns(element("history-chart"), name, 60, null);
  words(element("history-words"), sentence(name));
  const longest = runs.length > 0 ? duration(Math.max(...runs.map(lasted))) : "";
  words(element("history-top"), longest ?? "");
  const began = (run) => instant(run?.started_at);
  words(element("history-first"), began(runs.at(-1)) === null ? "" : clock(began(runs.at(-1))));
  words(element("history-last"), began(runs[0]) === null ? "" : clock(began(runs[0])));
  rows(element("runs"), "run-row", runs, (run) => run.id, showRun);
}

function showRun(row, run) {
  for (const marked of row.querySelectorAll("[data-field]")) attribute(marked, "data-history", run.id);
  words(row.querySelector("th"), printable(run.id));
  show(field(row, "status"), run.status);
  tint(field(row, "status"), endingLevel(run.status));
  showInstant(field(row, "started_at"), run.started_at);
  const isOver = run.status !== "running";
  showElapsed(field(row, "elapsed_seconds"), lasted(run), isOver ? null : run.started_at);
  show(field(row, "items_processed"), isOver ? run.items_processed : "", isOver ? done(run) : "–");
  show(field(row, "items_failed"), isOver ? run.items_failed : "", isOver ? count(run.items_failed) : "–");
  show(field(row, "error_message"), run.error_message ?? "", run.error_message ?? run.metadata?.warning ?? "");
}

/** `1,523 of 2,847`. */
export function done(run) {
  const [items, total] = [count(run.items_processed), count(run.total_items)];
  return items && total ? `${items} of ${total}` : items;
}
