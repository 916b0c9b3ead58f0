// Jobs: what runs, how each ran last, when the next is due, and how its last runs went.

import { bars } from "./charts.js";
import { attribute, field, hidden, mark, rows, show, showElapsed, showInstant, tint, words } from "./rows.js";
import { ago, clock, count, counted, duration, instant, isNumber, minute, now, percent, printable, worst } from "./text.js";

/** Runs of a job that are looked at. */
const RUNS = 40;

/** Milliseconds until a history that could not be read is asked for again. */
const PAUSE = 30_000;

/** What each way to end is worth. */
const ENDINGS = {
  completed: "ok", running: "running", partial: "warning", cancelled: "warning", failed: "critical", lost: "critical",
};
const ending = (status) => (Object.hasOwn(ENDINGS, status) ? ENDINGS[status] : "unknown");

/** By the name of a job: its last runs, or why they are not known, and of which state of the job that is. */
const histories = new Map();

const element = (id) => document.getElementById(id);

/** Shows everything that is known of jobs. */
export function showJobs(status) {
  const summary = status.jobs?.summary;
  const jobs = summary !== null && typeof summary === "object" ? Object.entries(summary) : null;
  const reason = status.jobs?.error ?? (jobs ? null : "the server says nothing of jobs");
  hidden(element("no-jobs"), jobs !== null);
  words(element("no-jobs"), `Not known: ${printable(reason ?? "")}`);
  const [scheduled, stages] = [[], []];
  for (const job of jobs ?? []) (job[1].next_scheduled ? scheduled : stages).push(job);
  const fill = (row, [name, job]) => showJob(row, name, job, status.alerts.filter((alert) => alert.subject === name));
  rows(element("scheduled"), "job-row", scheduled, ([name]) => name, fill);
  rows(element("stages"), "job-row", stages, ([name]) => name, fill);
  const unwell = stages.filter(([, job]) => !["completed", "running"].includes(job.status)).length;
  words(element("stages-summary"), `${counted(stages.length, "stage")} and jobs without a schedule, ${count(unwell)} not well`);
  hidden(element("stages-details"), stages.length === 0);
  rows(element("history-job"), "job-choice", jobs ?? [], ([name]) => name, (option, [name]) => {
    attribute(option, "value", name);
    words(option, printable(name));
  });
  hidden(element("history"), !jobs?.length);
  showHistory(element("history-job").value);
}

function showJob(body, name, job, alerts) {
  const [row, note] = body.rows;
  for (const marked of row.querySelectorAll("[data-field]")) attribute(marked, "data-job", name);
  const end = ending(job.status);
  const levels = [...alerts.map((alert) => alert.level), end === "running" ? "ok" : end, job.overdue === true ? "critical" : "ok"];
  mark(row.querySelector(".level"), worst(levels));
  words(row.querySelector("code"), printable(name));
  const state = job.status === "never_run" ? "never ran" : job.status;
  show(field(row, "status"), job.status, job.progress ? `${state} ${job.progress}` : state);
  tint(field(row, "status"), end === "running" ? "ok" : end);
  showInstant(field(row, "last_run"), job.last_run, "never");
  showInstant(field(row, "last_success"), job.last_success, "never");
  show(field(row, "duration_seconds"), job.duration_seconds ?? "", duration(job.duration_seconds) ?? "–");
  showInstant(field(row, "next_scheduled"), job.next_scheduled, "–");
  attribute(field(row, "next_scheduled"), "data-overdue", job.overdue === true);
  tint(field(row, "next_scheduled"), job.overdue === true ? "critical" : "ok");
  show(field(row, "consecutive_failures"), job.consecutive_failures, count(job.consecutive_failures));
  tint(field(row, "consecutive_failures"), job.consecutive_failures > 0 ? worst(levels) : "ok");
  const late = job.overdue === true ? "overdue: a run should have started and has not" : null;
  const notes = [late, job.error_message, job.warning].filter(Boolean);
  hidden(note, notes.length === 0);
  words(note.cells[0], notes.map((text) => printable(text)).join("; "));
  drawRuns(row.querySelector("svg"), name, 24);
}

function drawRuns(svg, name, height) {
  const history = histories.get(name);
  const runs = [...(history?.runs ?? [])].reverse();
  const values = runs.map((run) => {
    const kind = ending(run.status);
    return { size: isNumber(run.elapsed_seconds) ? run.elapsed_seconds : null, kind, stands_out: !["ok", "running"].includes(kind) };
  });
  bars(svg, values, { words: sentence(name, history), places: RUNS, height });
}

/** What a chart of runs shows. */
function sentence(name, history) {
  if (!history) return `${printable(name)}: its runs were not asked for yet`;
  if (history.error) return `${printable(name)}: its runs are not known: ${printable(history.error)}`;
  const runs = history.runs;
  if (runs.length === 0) return `${printable(name)} has never run`;
  const times = (status) => runs.filter((run) => run.status === status).length;
  const kinds = [["failed", "failed"], ["lost", "lost"], ["partial", "in part"], ["cancelled", "cancelled"], ["running", "running"]];
  const said = kinds.filter(([status]) => times(status) > 0).map(([status, word]) => `${times(status)} ${word}`);
  const lasted = runs.map((run) => run.elapsed_seconds);
  return `${printable(name)}: the last ${counted(runs.length, "run")}, ${said.join(", ") || "all well"}; `
    + `half took ${duration(median(lasted))} or less, the longest ${duration(Math.max(...lasted))}`;
}

const median = (numbers) => [...numbers].sort((one, other) => one - other)[Math.trunc((numbers.length - 1) / 2)];

function showHistory(name) {
  const history = histories.get(name);
  const runs = history?.runs ?? [];
  drawRuns(element("history-chart"), name, 60);
  words(element("history-words"), sentence(name, history));
  words(element("history-top"), runs.length > 0 ? duration(Math.max(...runs.map((run) => run.elapsed_seconds))) : "");
  const moment = (run) => (run && instant(run.started_at) !== null ? `${clock(instant(run.started_at))}` : "");
  words(element("history-first"), moment(runs.at(-1)));
  words(element("history-last"), moment(runs[0]));
  rows(element("runs"), "run-row", runs, (run) => run.id, (row, run) => {
    for (const marked of row.querySelectorAll("[data-field]")) attribute(marked, "data-history", run.id);
    words(row.querySelector("th"), String(run.id));
    show(field(row, "status"), run.status);
    tint(field(row, "status"), ending(run.status) === "running" ? "ok" : ending(run.status));
    showInstant(field(row, "started_at"), run.started_at);
    show(field(row, "elapsed_seconds"), run.elapsed_seconds, duration(run.elapsed_seconds));
    show(field(row, "items_processed"), run.items_processed, done(run));
    show(field(row, "items_failed"), run.items_failed, count(run.items_failed));
    show(field(row, "error_message"), run.error_message ?? "", run.error_message ?? run.metadata?.warning ?? "");
  });
}

const done = (run) => (isNumber(run.total_items) ? `${count(run.items_processed)} of ${count(run.total_items)}` : count(run.items_processed));

/** Shows the jobs that run, and how far they are. */
export function showRunning(running) {
  const jobs = Array.isArray(running) ? running : null;
  const none = element("no-running");
  const reason = running?.error ?? "the server does not say what runs";
  show(none, jobs ? jobs.length : null, jobs ? (jobs.length === 0 ? "Nothing runs now." : counted(jobs.length, "job")) : null);
  if (!jobs) words(none, `Not known: ${printable(reason)}`);
  none.classList.toggle("reason", !jobs);
  const ids = new Set(jobs?.map((job) => job.id));
  rows(element("running"), "running-row", jobs ?? [], (job) => job.id, (row, job) => {
    for (const marked of row.querySelectorAll("[data-field]")) attribute(marked, "data-run", job.id);
    row.classList.toggle("stage", ids.has(job.metadata?.parent_id));
    showRun(row, job);
  });
}

function showRun(row, job) {
  show(field(row, "job_name"), job.job_name);
  show(field(row, "progress_percent"), job.progress_percent ?? "", percent(job.progress_percent) ?? "");
  const bar = row.querySelector("progress");
  attribute(bar, "value", isNumber(job.progress_percent) ? job.progress_percent : null);
  attribute(bar, "aria-label", `Progress of ${printable(job.job_name)}`);
  const some = isNumber(job.total_items) ? `${done(job)} items` : `${counted(job.items_processed, "item")} so far, of a total that is not known`;
  show(field(row, "items_processed"), job.items_processed, isNumber(job.items_processed) ? some : null);
  show(field(row, "items_failed"), job.items_failed, job.items_failed > 0 ? `${count(job.items_failed)} failed` : "");
  tint(field(row, "items_failed"), job.items_failed > 0 ? "critical" : "ok");
  const rate = job.items_per_second;
  show(field(row, "items_per_second"), rate ?? "", isNumber(rate) ? `${rate.toFixed(1)} a second` : "");
  showElapsed(field(row, "elapsed_seconds"), job.elapsed_seconds, job.started_at);
  const end = expectedEnd(job);
  show(field(row, "estimated_remaining_seconds"), job.estimated_remaining_seconds ?? "", end ? `ends ${ago(end.at)}, about ${minute(end.at)}${end.by}` : "");
}

/** When a run is expected to end: by its rate, else by how long its like usually take; null when neither is known. */
export function expectedEnd(job) {
  if (isNumber(job.estimated_remaining_seconds)) return { at: now() + job.estimated_remaining_seconds * 1000, by: "" };
  const ended = (histories.get(job.job_name)?.runs ?? []).filter((run) => ["completed", "partial"].includes(run.status));
  const at = instant(job.started_at) + median(ended.map((run) => run.elapsed_seconds)) * 1000;
  return at > now() ? { at, by: ", as usual" } : null;
}

let isAsking = false;

/** Reads the histories that are shown, one after the other, where a job has moved since they were read. */
export async function readHistories(status, ask) {
  if (isAsking) return;
  isAsking = true;
  try {
    const chosen = element("history-job").value;
    const open = element("stages-details").open;
    for (const [name, job] of Object.entries(status.jobs?.summary ?? {})) {
      const moved = `${job.status} ${job.last_run}`;
      const known = histories.get(name);
      const isFresh = known?.moved === moved && !(known.error && performance.now() - known.at > PAUSE);
      if (isFresh || !(job.next_scheduled || open || name === chosen)) continue;
      histories.set(name, { moved, at: performance.now(), ...(await read(name, ask)) });
    }
  } finally {
    isAsking = false;
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
