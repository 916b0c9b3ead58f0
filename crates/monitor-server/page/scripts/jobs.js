// Jobs: what runs, how each ran last, and when the next is due.

import { done, drawRuns, endingLevel, readHistories, sentence, showHistory, usualSeconds } from "./history.js";
import { attribute, field, hidden, mark, rows, show, showElapsed, showInstant, tint, words } from "./rows.js";
import { missing } from "./status.js";
import { ago, count, counted, duration, instant, isNumber, minute, now, percent, printable, worst } from "./text.js";

const element = (id) => document.getElementById(id);

/** Every job, by its name. */
const jobsOf = (status) => Object.entries(status.jobs?.summary ?? {});

/** Shows a row for each job: those with a schedule, and below them stages and others. */
export function showJobs(status) {
  const jobs = jobsOf(status);
  const reason = missing(status.jobs);
  hidden(element("no-jobs"), reason === null);
  words(element("no-jobs"), `Not known: ${reason}`);
  const scheduled = jobs.filter(([, job]) => job.next_scheduled);
  const stages = jobs.filter(([, job]) => !job.next_scheduled);
  const alertsOf = (name) => status.alerts.filter((alert) => alert.subject === name);
  const fill = (body, [name, job]) => showJob(body, name, job, alertsOf(name));
  rows(element("scheduled"), "job-row", scheduled, ([name]) => name, fill);
  rows(element("stages"), "job-row", stages, ([name]) => name, fill);
  const unwell = stages.filter(([, job]) => endingLevel(job.status) !== "ok").length;
  const others = `${counted(stages.length, "stage")} and jobs without a schedule`;
  words(element("stages-summary"), `${others}, ${unwell} not well`);
  hidden(element("scheduled"), scheduled.length === 0);
  hidden(element("stages-details"), stages.length === 0);
  hidden(element("history"), jobs.length === 0);
  rows(element("history-job"), "job-choice", jobs, ([name]) => name, (choice, [name]) => {
    attribute(choice, "value", name);
    words(choice, printable(name, 80));
  });
  if (jobs.length > 0) showHistory(element("history-job").value);
}

/** Reads the histories that are shown. */
export function readShown(status, ask) {
  const [chosen, isOpen] = [element("history-job").value, element("stages-details").open];
  return readHistories(jobsOf(status), (name, job) => job.next_scheduled || isOpen || name === chosen, ask);
}

function showJob(body, name, job, alerts) {
  const [row, note] = body.rows;
  const isOverdue = job.overdue === true;
  for (const marked of row.querySelectorAll("[data-field]")) attribute(marked, "data-job", name);
  // How bad an end is, is for the alerts to say; without any it is as bad as it looks.
  const looks = [endingLevel(job.status), isOverdue ? "critical" : "ok"];
  const level = worst(alerts.length > 0 ? alerts.map((alert) => alert.level) : looks);
  mark(row.querySelector(".level"), level);
  words(row.querySelector("code"), printable(name));
  const state = job.status === "never_run" ? "never ran" : job.status;
  show(field(row, "status"), job.status, job.progress ? `${state} ${job.progress}` : state);
  tint(field(row, "status"), endingLevel(job.status));
  showInstant(field(row, "last_run"), job.last_run, "never");
  showInstant(field(row, "last_success"), job.last_success, "never");
  show(field(row, "duration_seconds"), job.duration_seconds ?? "", duration(job.duration_seconds) ?? "–");
  showInstant(field(row, "next_scheduled"), job.next_scheduled, "–");
  attribute(field(row, "next_scheduled"), "data-overdue", isOverdue);
  tint(field(row, "next_scheduled"), isOverdue ? "critical" : "ok");
  show(field(row, "consecutive_failures"), job.consecutive_failures, count(job.consecutive_failures));
  tint(field(row, "consecutive_failures"), job.consecutive_failures > 0 ? level : "ok");
  const late = isOverdue ? "overdue: a run should have started and has not" : null;
  const notes = [late, job.error_message, job.warning].filter(Boolean);
  hidden(note, notes.length === 0);
  words(note.cells[0], notes.map((text) => printable(text)).join("; "));
  drawRuns(row.querySelector("svg"), name, 24, sentence(name));
}

/** Shows the jobs that run, and how far they are. */
export function showRunning(running) {
  const jobs = Array.isArray(running) ? running : [];
  const reason = missing(running);
  const note = element("no-running");
  const many = jobs.length === 0 ? "Nothing runs now." : counted(jobs.length, "job");
  show(note, reason === null ? jobs.length : null, many);
  if (reason !== null) words(note, `Not known: ${reason}`);
  const ids = new Set(jobs.map((job) => job.id));
  rows(element("running"), "running-row", jobs, (job) => job.id, (row, job) => {
    for (const marked of row.querySelectorAll("[data-field]")) attribute(marked, "data-run", job.id);
    row.classList.toggle("stage", ids.has(job.metadata?.parent_id));
    showProgress(row, job);
  });
}

function showProgress(row, job) {
  show(field(row, "job_name"), job.job_name);
  show(field(row, "progress_percent"), job.progress_percent ?? "", percent(job.progress_percent) ?? "");
  const bar = row.querySelector("progress");
  attribute(bar, "value", isNumber(job.progress_percent) ? job.progress_percent : null);
  attribute(bar, "aria-label", `Progress of ${printable(job.job_name)}`);
  const open = isNumber(job.total_items) ? "" : ", of how many is not known";
  show(field(row, "items_processed"), job.items_processed, done(job) && `${done(job)} items${open}`);
  show(field(row, "items_failed"), job.items_failed, job.items_failed > 0 ? `${count(job.items_failed)} failed` : "");
  tint(field(row, "items_failed"), job.items_failed > 0 ? "critical" : "ok");
  const rate = job.items_per_second;
  show(field(row, "items_per_second"), rate ?? "", isNumber(rate) ? `${rate.toFixed(1)} a second` : "");
  showElapsed(field(row, "elapsed_seconds"), job.elapsed_seconds, job.started_at);
  const end = expectedEnd(job);
  const ends = end ? `ends ${ago(end.at)}, about ${minute(end.at)}${end.by}` : "";
  show(field(row, "estimated_remaining_seconds"), job.estimated_remaining_seconds ?? "", ends);
}

/** When a run is expected to end: by its rate, else by how long its like usually take; null when neither is known. */
export function expectedEnd(job) {
  if (isNumber(job.estimated_remaining_seconds)) {
    return { at: now() + job.estimated_remaining_seconds * 1000, by: "" };
  }
  const [began, usual] = [instant(job.started_at), usualSeconds(job.job_name)];
  if (began === null || !isNumber(usual)) return null;
  const at = began + usual * 1000;
  return at > now() ? { at, by: ", as usual" } : null;
}
