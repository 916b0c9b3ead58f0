// The four questions of the morning, answered in a line each.

import { expectedEnd } from "./jobs.js";
import { tint, words } from "./rows.js";
import { levelOf, missing } from "./status.js";
import { ago, counted, duration, instant, isNumber, minute, now, printable, worst } from "./text.js";

/** Characters of a name that are shown here; it stands in full elsewhere. */
const NAME = 40;

/** Alerts that say that something is not fresh. */
const STALE = ["live_lag_seconds", "load_age_seconds", "export_age_seconds", "table", "export"];

/** Shows all four. */
export function showAnswers(status) {
  const jobs = Object.entries(status.jobs?.summary ?? {});
  answer("ran", ran(status, jobs.filter(([, job]) => job.next_scheduled)));
  answer("fresh", fresh(status));
  answer("failed", failed(status, jobs));
  answer("end", end(status, jobs));
}

function answer(name, [level, value, note]) {
  const box = document.querySelector(`[data-answer="${name}"]`);
  tint(box, level);
  words(box.querySelector(".value"), value);
  words(box.querySelector(".note"), note);
}

const notKnown = (reason) => ["unknown", "Not known", reason];

function ran(status, scheduled) {
  const reason = missing(status.jobs);
  if (reason) return notKnown(reason);
  if (scheduled.length === 0) return notKnown("no job has a schedule");
  const late = scheduled.filter(([, job]) => job.overdue === true || job.status === "never_run");
  const level = worst(late.map(([, job]) => (job.overdue === true ? "critical" : "unknown")));
  const fault = (job) => (job.overdue === true ? "is overdue" : "has never run");
  const names = late.map(([name, job]) => `${printable(name, NAME)} ${fault(job)}`);
  const began = ([, job]) => instant(job.last_run) ?? 0;
  const last = scheduled.reduce((one, other) => (began(one) > began(other) ? one : other));
  const value = `${scheduled.length - late.length} of ${counted(scheduled.length, "job")} on time`;
  return [level, value, names.join(", ") || `last ${printable(last[0], NAME)}, ${ago(began(last))}`];
}

function fresh(status) {
  const level = levelOf(status, (alert) => STALE.includes(alert.name));
  const loaded = status.resources.filter((line) => instant(line.mirror?.last_load) !== null);
  if (loaded.length === 0) return notKnown(missing(status.database) ?? "no table was ever loaded");
  const load = (line) => instant(line.mirror.last_load);
  const oldest = loaded.reduce((one, other) => (load(one) < load(other) ? one : other));
  const note = `oldest load ${printable(oldest.table, NAME)}, ${ago(load(oldest))}`;
  const followed = status.resources.filter((line) => line.followed && isNumber(line.mirror?.live_lag_seconds));
  if (followed.length === 0) return [level, "No table is followed", note];
  const lag = (line) => line.mirror.live_lag_seconds;
  const last = followed.reduce((one, other) => (lag(one) > lag(other) ? one : other));
  return [level, `${duration(lag(last))} behind`, `at most, ${printable(last.table, NAME)}; ${note}`];
}

function failed(status, jobs) {
  const day = status.database?.errors?.day ?? status.database?.failed_runs_day;
  const reason = missing(status.database) ?? missing(status.jobs);
  if (reason || !isNumber(day)) return notKnown(reason ?? "the server does not say it");
  const unwell = jobs.filter(([, job]) => ["failed", "lost", "partial"].includes(job.status));
  const level = levelOf(status, (alert) => unwell.some(([name]) => name === alert.subject));
  const names = unwell.slice(0, 3).map(([name, job]) => `${printable(name, NAME)} ${job.status}`);
  if (unwell.length > 3) names.push(`${unwell.length - 3} more`);
  const lately = day > 0 ? `${counted(day, "run")} in 24 hours` : "Nothing in 24 hours";
  const value = day === 0 && unwell.length > 0 ? `${counted(unwell.length, "job")} not well` : lately;
  const least = day > 0 || unwell.length > 0 ? "warning" : "ok";
  return [worst([level, least]), value, names.join(", ") || "every last run went well"];
}

function end(status, jobs) {
  const reason = missing(status.running);
  if (reason || !Array.isArray(status.running)) return notKnown(reason ?? "the server does not say it");
  if (status.running.length === 0) return ["ok", "Nothing runs", next(jobs)];
  // A stage ends before what it belongs to.
  const ids = new Set(status.running.map((job) => job.id));
  const whole = status.running.filter((job) => !ids.has(job.metadata?.parent_id));
  const ends = whole.map((job) => ({ job, end: expectedEnd(job) }));
  const open = ends.find(({ end }) => end === null);
  if (open) {
    const { job_name, elapsed_seconds } = open.job;
    return ["ok", "Not known yet", `${printable(job_name, NAME)} has run for ${duration(elapsed_seconds) ?? "?"}`];
  }
  const last = ends.reduce((one, other) => (one.end.at > other.end.at ? one : other));
  const name = printable(last.job.job_name, NAME);
  return ["ok", ago(last.end.at), `${name}, about ${minute(last.end.at)}${last.end.by}`];
}

/** What is due next. */
function next(jobs) {
  const due = jobs.filter(([, job]) => instant(job.next_scheduled) > now());
  if (due.length === 0) return "";
  const at = ([, job]) => instant(job.next_scheduled);
  const first = due.reduce((one, other) => (at(one) < at(other) ? one : other));
  return `next ${printable(first[0], NAME)}, ${ago(at(first))}`;
}
