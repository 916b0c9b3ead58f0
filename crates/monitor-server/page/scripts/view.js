// Puts what the server measured where it belongs: alerts, tables, calls, and what else there is.

import { bars } from "./charts.js";
import { expectedEnd } from "./jobs.js";
import { attribute, field, hidden, mark, rows, show, showInstant, tint, words } from "./rows.js";
import { LEVELS, ago, bytes, count, counted, duration, instant, isNumber, level, minute, now, percent, printable, worst } from "./text.js";

const element = (id) => document.getElementById(id);

/** The parts of a status; one that is missing, or is an error, was not measured. */
const PARTS = ["database", "quota", "token", "backlog", "jobs", "logs", "running", "calls", "integrity", "alert_log"];

/** Why a part is not known; null when it is. */
function missing(part) {
  if (part === undefined) return "the server does not say it";
  if (part === null) return "there is none on this host";
  return part?.error !== undefined ? printable(part.error) : null;
}

/** The parts that are not known. */
export const unread = (status) => PARTS.filter((name) => missing(status[name]) !== null);

/** Shows everything but jobs. */
export function showStatus(status) {
  showAlerts(status.alerts);
  showTables(status);
  showAnswers(status);
  showFacts(status);
  showDisks(status);
  showLog(status.alert_log);
}

function showAlerts(alerts) {
  // One sentence that is true of several is said once.
  const groups = new Map();
  for (const alert of alerts) {
    const key = JSON.stringify([alert.level, alert.text]);
    groups.set(key, [...(groups.get(key) ?? []), alert]);
  }
  rows(element("alerts"), "alert-row", [...groups.values()], (_, nth) => nth, (row, group) => {
    mark(row.querySelector(".level"), group[0].level);
    const subjects = row.querySelector(".subjects");
    rows(subjects, "alert-subject", group, (_, nth) => nth, (name, alert) => {
      for (const key of ["name", "level", "subject"]) attribute(name, `data-${key === "name" ? "alert" : key}`, alert[key]);
      words(name, printable(alert.subject || alert.name));
    });
    words(row.querySelector(".text"), printable(group[0].text));
  });
  words(element("no-alerts"), alerts.length === 0 ? "None: everything was measured, and is as it should be." : "");
  hidden(element("no-alerts"), alerts.length > 0);
}

/** Which column of a table an alert is about. */
const COLUMNS = {
  export: "exported", export_age_seconds: "exported", http_429: "exported", table: "last_load",
  load_age_seconds: "last_load", live_lag_seconds: "live_lag_seconds", quarantine_records: "quarantine",
};

function showTables(status) {
  const reason = missing(status.database);
  hidden(element("no-mirror"), reason === null);
  words(element("no-mirror"), `What the database knows of them is not known: ${reason}`);
  rows(element("tables"), "table-row", status.resources, (line) => line.table, (row, line) => {
    const alerts = status.alerts.filter((alert) => alert.subject === line.table);
    for (const marked of row.querySelectorAll("[data-field]")) {
      attribute(marked, "data-table", line.table);
      const about = alerts.filter((alert) => COLUMNS[alert.name] === marked.dataset.field);
      if (marked.localName === "td") tint(marked, worst(about.map((alert) => alert.level)));
    }
    const isRead = line.mirror && line.export?.error === undefined;
    mark(row.querySelector(".level"), worst([...alerts.map((alert) => alert.level), isRead ? "ok" : "unknown"]));
    words(row.querySelector("code"), printable(line.table));
    showExport(row, line.export);
    showMirror(row, line, line.mirror ?? {});
  });
}

function showExport(row, file) {
  const isError = file === undefined || file?.error !== undefined;
  showInstant(field(row, "exported"), file?.finished, isError ? undefined : "never");
  attribute(field(row, "exported"), "title", file?.error ? printable(file.error) : null);
  const records = count(file?.rows);
  show(field(row, "records"), file === null ? "" : file?.rows, file === null ? "–" : records && records + (file.complete ? "" : " in part"));
}

function showMirror(row, line, mirror) {
  const none = line.mirror ? "never" : undefined;
  showInstant(field(row, "last_load"), mirror.last_load, none);
  showInstant(field(row, "last_change"), mirror.last_change, none);
  const isFollowed = line.followed !== false;
  show(field(row, "live_lag_seconds"), isFollowed ? mirror.live_lag_seconds : "", isFollowed ? duration(mirror.live_lag_seconds) : "–");
  const estimate = mirror.rows_counted ? "" : "~";
  show(field(row, "rows"), mirror.rows, count(mirror.rows) && estimate + count(mirror.rows));
  attribute(field(row, "rows"), "title", estimate ? "the estimate of the database" : null);
  show(field(row, "bytes"), mirror.bytes, bytes(mirror.bytes));
  for (const [name, sign] of [["inserted_hour", "+"], ["updated_hour", "~"], ["deleted_hour", "−"]]) {
    show(field(row, name), mirror[name], count(mirror[name]) && sign + count(mirror[name]));
  }
  const kinds = mirror.quarantine && Object.entries(mirror.quarantine);
  const waiting = kinds?.reduce((sum, [, number]) => sum + number, 0);
  show(field(row, "quarantine"), waiting, kinds && (kinds.map(([kind, number]) => `${count(number)} ${printable(kind, 40)}`).join(", ") || "0"));
}

/** The worst of the alerts of these names. */
const levelOf = (status, names) => worst(status.alerts.filter((alert) => names.includes(alert.name)).map((alert) => alert.level));

/** The four questions of the morning. */
function showAnswers(status) {
  const answer = (name, level, value, note) => {
    const box = document.querySelector(`[data-answer="${name}"]`);
    tint(box, level);
    words(box.querySelector(".value"), value);
    words(box.querySelector(".note"), note);
  };
  const jobs = Object.entries(status.jobs?.summary ?? {});
  answer("ran", ...ran(jobs.filter(([, job]) => job.next_scheduled), missing(status.jobs)));
  answer("fresh", ...fresh(status, levelOf(status, ["live_lag_seconds", "load_age_seconds", "export_age_seconds", "table", "export"])));
  answer("failed", ...failed(status, jobs));
  answer("end", ...end(status, jobs));
}

function ran(scheduled, reason) {
  if (reason) return ["unknown", "Not known", reason];
  const late = scheduled.filter(([, job]) => job.overdue === true || job.status === "never_run");
  const level = worst(late.map(([, job]) => (job.overdue === true ? "critical" : "unknown")));
  const names = late.map(([name, job]) => `${printable(name, 40)} ${job.overdue === true ? "is overdue" : "has never run"}`);
  const last = scheduled.map(([name, job]) => [instant(job.last_run) ?? 0, name]).sort((one, other) => other[0] - one[0])[0];
  const note = names.join(", ") || (last ? `last ${printable(last[1], 40)}, ${ago(last[0])}` : "no job has a schedule");
  const value = `${scheduled.length - late.length} of ${counted(scheduled.length, "job")} on time`;
  return [scheduled.length === 0 ? "unknown" : level, value, note];
}

function fresh(status, level) {
  const behind = status.resources.filter((line) => isNumber(line.mirror?.live_lag_seconds) && line.followed);
  const loads = status.resources.filter((line) => isNumber(line.mirror?.last_load_age_seconds));
  if (loads.length === 0) return ["unknown", "Not known", missing(status.database) ?? "no table was ever loaded"];
  const oldest = loads.reduce((one, other) => (one.mirror.last_load < other.mirror.last_load ? one : other));
  const note = `oldest load ${printable(oldest.table, 40)}, ${ago(instant(oldest.mirror.last_load))}`;
  if (behind.length === 0) return [level, "No table is followed", note];
  const last = behind.reduce((one, other) => (one.mirror.live_lag_seconds > other.mirror.live_lag_seconds ? one : other));
  return [level, `${duration(last.mirror.live_lag_seconds)} behind`, `at most, ${printable(last.table, 40)}; ${note}`];
}

function failed(status, jobs) {
  const reason = missing(status.database) ?? missing(status.jobs);
  const day = status.database?.errors?.day ?? status.database?.failed_runs_day;
  if (reason || !isNumber(day)) return ["unknown", "Not known", reason ?? "the server does not say it"];
  const unwell = jobs.filter(([, job]) => ["failed", "lost", "partial"].includes(job.status));
  const names = unwell.map(([name, job]) => `${printable(name, 40)} ${job.status}`);
  const some = names.length > 3 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  const isPart = unwell.every(([, job]) => job.status === "partial");
  const mild = day > 0 || unwell.length > 0 ? "warning" : "ok";
  const value = day > 0 ? `${counted(day, "run")} in 24 hours` : "Nothing in 24 hours";
  return [isPart ? mild : "critical", day === 0 && unwell.length > 0 ? `${counted(unwell.length, "job")} not well` : value, some.join(", ") || "every last run went well"];
}

function end(status, jobs) {
  const reason = missing(status.running);
  if (reason || !Array.isArray(status.running)) return ["unknown", "Not known", reason ?? "the server says nothing of it"];
  const next = jobs.map(([name, job]) => [instant(job.next_scheduled), name]).filter(([at]) => at !== null && at > now()).sort(([one], [other]) => one - other)[0];
  const due = next ? `next ${printable(next[1], 40)}, ${ago(next[0])}` : "";
  if (status.running.length === 0) return ["ok", "Nothing runs", due];
  const ids = new Set(status.running.map((job) => job.id));
  const whole = status.running.filter((job) => !ids.has(job.metadata?.parent_id));
  const ends = whole.map((job) => [expectedEnd(job), job]);
  const unknown = ends.find(([at]) => !at);
  if (unknown) return ["ok", "Not known yet", `${printable(unknown[1].job_name, 40)} has run for ${duration(unknown[1].elapsed_seconds)}`];
  const [last, job] = ends.sort(([one], [other]) => other.at - one.at)[0];
  return ["ok", ago(last.at), `${printable(job.job_name, 40)}, about ${minute(last.at)}${last.by}`];
}

/** Fills a tile from a part; each field is a value and its words. */
function tile(name, part, fields, about = name) {
  const box = document.querySelector(`[data-tile="${name}"]`);
  const reason = missing(part);
  const note = box.querySelector(":scope > .reason");
  hidden(note, reason === null);
  words(note, `Not known: ${reason}`);
  for (const marked of document.querySelectorAll(`[data-part="${about}"]`)) {
    const [value, text, none] = reason === null ? fields(part)[marked.dataset.field] ?? [] : [];
    if (text === instant) showInstant(marked, value, none);
    else show(marked, value, text);
  }
}

/** Which fact an alert is about. From which value on it is one, pipeline-status alone knows. */
const FACTS = {
  quota_used_percent: "quota used", database_bytes: "database bytes", backlog_age_seconds: "backlog oldest_added",
  backlog_dead: "backlog dead", token: "token expires_at", secret_days: "token secret_valid_until",
  token_errors_day: "logs token_errors_day", logs_bytes: "logs bytes",
};

/** What a verdict of check-integrity is worth. */
const INTEGRITY = { healthy: "ok", degraded: "warning", critical: "critical" };

const number = (value) => [value, count(value)];

function showFacts(status) {
  tile("quota", status.quota, (quota) => ({
    used: number(quota.used), host: number(quota.host), remaining: number(quota.remaining), held_until: [quota.held_until, instant, "not held"],
    by_class: [JSON.stringify(quota.by_class), Object.entries(quota.by_class ?? {}).map(([name, calls]) => `${name} ${count(calls)}`).join(", ")],
  }));
  attribute(element("quota"), "value", isNumber(status.quota?.used) && status.quota.host > 0 ? status.quota.used / status.quota.host : 0);
  tint(element("quota"), levelOf(status, ["quota_used_percent"]));
  tile("calls", status.calls, (calls) => ({
    last_minute: number(calls.last_minute),
    ...Object.fromEntries(["ok", "unauthorized", "throttled", "failed"].map((kind) => [kind, number(calls.answers?.[kind])])),
  }));
  series("calls-chart", status.calls?.by_minute, "calls", "an hour, by the minute");
  tile("database", status.database, (database) => ({
    version: [database.version], bytes: [database.bytes, bytes(database.bytes)],
    connections: number(database.connections), max_connections: number(database.max_connections),
  }));
  tile("database", status.database, (database) => ({
    day: number(database.errors?.day ?? database.failed_runs_day),
    day_before: number(database.errors?.day_before ?? database.failed_runs_day_before),
  }), "errors");
  series("errors-chart", status.database?.errors?.by_hour, "failed runs", "24 hours, by the hour");
  tile("integrity", status.integrity, (integrity) => ({
    status: [integrity.status], consistency_rate: [integrity.consistency_rate, isNumber(integrity.consistency_rate) ? `${integrity.consistency_rate.toFixed(2)} %` : null],
    total_violations: number(integrity.total_violations), total_users_monitored: number(integrity.total_users_monitored),
    last_check: [integrity.last_check, instant, "never"],
  }));
  tile("backlog", status.backlog, (backlog) => ({
    depth: number(backlog.depth), due: number(backlog.due), dead: number(backlog.dead), processed: number(backlog.processed),
    oldest_added: [backlog.oldest_added, instant, backlog.depth === 0 ? "nobody waits" : undefined],
  }));
  tile("token", status.token, (token) => ({
    expires_at: [token.expires_at, instant], secret_valid_until: [token.secret_valid_until, instant],
  }));
  tint(document.querySelector('[data-part="integrity"][data-field="status"]'), INTEGRITY[status.integrity?.status] ?? "unknown");
  tile("logs", status.logs, (logs) => ({ bytes: [logs.bytes, bytes(logs.bytes)], files: number(logs.files), token_errors_day: number(logs.token_errors_day) }));
  for (const [name, about] of Object.entries(FACTS)) {
    const [part, key] = about.split(" ");
    tint(document.querySelector(`[data-part="${part}"][data-field="${key}"]`), levelOf(status, [name]));
  }
}

/** A chart of counts over time, and its words below it for everybody. */
function series(id, numbers, what, span) {
  const values = Array.isArray(numbers) ? numbers.filter(isNumber) : [];
  const sum = values.reduce((one, other) => one + other, 0);
  const said = values.length === 0 ? `The ${what} of ${span}: not known` : `${count(sum)} ${what} in ${span}; ${count(Math.max(...values))} at most`;
  bars(element(id), values.map((size) => ({ size, kind: what === "calls" ? "running" : size > 0 ? "critical" : "ok" })), { words: said });
  attribute(element(id), "data-values", Array.isArray(numbers) ? values.join(" ") : null);
}

function showDisks(status) {
  const list = Array.isArray(status.disks) ? status.disks : [{ error: "the server does not say it" }];
  rows(element("disks"), "disk-row", list, (_, nth) => nth, (row, disk) => {
    const alerts = status.alerts.filter((alert) => alert.name === "disk_used_percent" && alert.subject === disk.folder);
    for (const marked of row.querySelectorAll("[data-field]")) attribute(marked, "data-disk", disk.folder);
    words(row.querySelector(".folder"), disk.error === undefined ? printable(disk.folder) : "A disk:");
    show(field(row, "used_percent"), disk.used_percent, isNumber(disk.used_percent) ? `${percent(disk.used_percent)} used` : null);
    const space = disk.error === undefined ? `${bytes(disk.free_bytes)} free of ${bytes(disk.total_bytes)}` : disk.error;
    show(field(row, "free_bytes"), disk.free_bytes ?? "", space);
    const meter = row.querySelector("meter");
    attribute(meter, "value", isNumber(disk.used_percent) ? disk.used_percent : 0);
    attribute(meter, "aria-label", `Use of the disk of ${printable(disk.folder ?? "?")}`);
    tint(meter, worst(alerts.map((alert) => alert.level)));
    tint(field(row, "used_percent"), worst(alerts.map((alert) => alert.level)));
  });
}

function showLog(log) {
  const entries = Array.isArray(log) ? log : [];
  const reason = Array.isArray(log) ? null : missing(log) ?? "it holds no list";
  hidden(element("no-log"), entries.length > 0);
  words(element("no-log"), reason === null ? "No alert was ever raised." : `Not known: ${reason}`);
  element("no-log").classList.toggle("reason", reason !== null);
  hidden(element("log-details"), entries.length === 0);
  if (entries.length === 0) return;
  words(element("log-summary"), `The newest ${counted(entries.length, "entry").replace(/entrys$/, "entries")}`);
  rows(element("log"), "log-row", entries, (_, nth) => nth, (row, entry) => {
    showInstant(row.querySelector("th"), entry.at);
    mark(row.querySelector(".level"), entry.level);
    show(field(row, "event"), entry.event);
    words(row.querySelector("code"), printable(entry.subject || entry.name));
    show(field(row, "text"), entry.text);
  });
}

/** `2 critical, 1 warning`. */
export function tally(alerts) {
  const times = (word) => alerts.filter((alert) => level(alert.level) === word).length;
  return [...LEVELS].reverse().filter((word) => times(word) > 0).map((word) => `${times(word)} ${word}`).join(", ");
}
