// The facts below the tables: calls, failed runs, database, integrity, backlog, token, disks and logs.

import { bars } from "./charts.js";
import { VERDICTS, showFindings } from "./integrity.js";
import { attribute, field, hidden, rows, show, showInstant, tint, words } from "./rows.js";
import { levelOf, missing } from "./status.js";
import { bytes, count, isNumber, percent, printable } from "./text.js";

const element = (id) => document.getElementById(id);

/** Which fact an alert is about. From which value on it is one, pipeline-status alone knows. */
const FACTS = {
  quota_used_percent: ["quota", "used"],
  api_calls_minute: ["calls", "last_minute"],
  api_401_hour: ["calls", "unauthorized"],
  api_429_hour: ["calls", "throttled"],
  database_bytes: ["database", "bytes"],
  backlog_age_seconds: ["backlog", "oldest_added"],
  backlog_dead: ["backlog", "dead"],
  token: ["token", "expires_at"],
  secret_days: ["token", "secret_valid_until"],
  token_errors_day: ["logs", "token_errors_day"],
  logs_bytes: ["logs", "bytes"],
};

/** Shows all of them. */
export function showFacts(status) {
  showCalls(status);
  showDatabase(status.database);
  showIntegrity(status.integrity);
  tile("backlog", status.backlog, (backlog) => ({
    depth: number(backlog.depth),
    due: number(backlog.due),
    oldest_added: moment(backlog.oldest_added, backlog.depth === 0 ? "nobody waits" : undefined),
    dead: number(backlog.dead),
    processed: number(backlog.processed),
  }));
  tile("token", status.token, (token) => ({
    expires_at: moment(token.expires_at),
    secret_valid_until: moment(token.secret_valid_until),
  }));
  tile("logs", status.logs, (logs) => ({
    bytes: [logs.bytes, bytes(logs.bytes)],
    files: number(logs.files),
    token_errors_day: number(logs.token_errors_day),
  }));
  for (const [name, [part, key]] of Object.entries(FACTS)) {
    tint(fact(part, key), levelOf(status, (alert) => alert.name === name));
  }
  showDisks(status);
}

const fact = (part, key) => document.querySelector(`[data-part="${part}"][data-field="${key}"]`);

/** Fills a tile from a part. A field is a value and its words, or how it is shown; what is not there is not known. */
function tile(name, part, fields, about = name) {
  const reason = missing(part);
  const note = document.querySelector(`[data-tile="${name}"] > .reason`);
  hidden(note, reason === null);
  words(note, `Not known: ${reason}`);
  const known = reason === null ? fields(part) : {};
  for (const marked of document.querySelectorAll(`[data-part="${about}"]`)) {
    const shown = known[marked.dataset.field] ?? [null];
    if (typeof shown === "function") shown(marked);
    else show(marked, ...shown);
  }
}

const number = (value) => [value, count(value)];

const moment = (value, none) => (marked) => showInstant(marked, value, none);

function showCalls(status) {
  tile("quota", status.quota, (quota) => ({
    used: number(quota.used),
    host: number(quota.host),
    remaining: number(quota.remaining),
    held_until: moment(quota.held_until, "not held"),
    by_class: [JSON.stringify(quota.by_class), classes(quota.by_class)],
  }));
  const { used, host } = status.quota ?? {};
  const isKnown = isNumber(used) && host > 0;
  hidden(element("quota"), !isKnown);
  attribute(element("quota"), "value", isKnown ? used / host : 0);
  tint(element("quota"), levelOf(status, (alert) => alert.name === "quota_used_percent"));
  tile("calls", status.calls, (calls) => ({
    last_minute: number(calls.last_minute),
    ok: number(calls.answers?.ok),
    unauthorized: number(calls.answers?.unauthorized),
    throttled: number(calls.answers?.throttled),
    failed: number(calls.answers?.failed),
  }));
  series("calls", status.calls?.by_minute, "running", "in an hour, at most", "in a minute");
}

const classes = (counts) =>
  counts && Object.entries(counts).map(([name, calls]) => `${name} ${count(calls)}`).join(", ");

function showDatabase(database) {
  tile("database", database, (known) => ({
    version: [known.version],
    bytes: [known.bytes, bytes(known.bytes)],
    connections: number(known.connections),
    max_connections: number(known.max_connections),
  }));
  tile("database", database, (known) => ({
    day: number(known.errors?.day ?? known.failed_runs_day),
    day_before: number(known.errors?.day_before ?? known.failed_runs_day_before),
  }), "errors");
  series("errors", database?.errors?.by_hour, "critical", "in 24 hours, at most", "in an hour");
}

/** A chart of counts over time, and below it what it shows, for everybody. */
function series(name, numbers, kind, whole, piece) {
  const values = Array.isArray(numbers) ? numbers.filter((size) => isNumber(size) && size >= 0) : [];
  const sum = values.reduce((one, other) => one + other, 0);
  const known = `${count(sum)} ${whole} ${count(Math.max(...values))} ${piece}`;
  bars(element(`${name}-chart`), values.map((size) => ({ size, kind: size > 0 ? kind : "none" })));
  words(element(`${name}-words`), values.length > 0 ? known : "Over time: not known");
  attribute(element(`${name}-chart`), "data-values", values.length > 0 ? values.join(" ") : null);
}

function showIntegrity(integrity) {
  const rate = integrity?.consistency_rate;
  tile("integrity", integrity, (known) => ({
    status: [known.status],
    reason: [known.reason ?? ""],
    consistency_rate: [rate, isNumber(rate) ? `${rate.toFixed(2)} %` : null],
    total_violations: number(known.total_violations),
    total_users_monitored: number(known.total_users_monitored),
    last_check: moment(known.last_check, "never"),
  }));
  tint(fact("integrity", "status"), VERDICTS[integrity?.status] ?? "unknown");
  hidden(fact("integrity", "reason"), !integrity?.reason);
  showFindings(integrity);
}

function showDisks(status) {
  const list = Array.isArray(status.disks) ? status.disks : [{ error: "the server does not say it" }];
  rows(element("disks"), "disk-row", list, (_, nth) => nth, (row, disk) => {
    const isKnown = disk.error === undefined && isNumber(disk.used_percent);
    const isFull = (alert) => alert.name === "disk_used_percent" && alert.subject === disk.folder;
    const [used, free, meter] = [field(row, "used_percent"), field(row, "free_bytes"), row.querySelector("meter")];
    words(row.querySelector(".folder"), isKnown ? printable(disk.folder) : "A disk:");
    for (const marked of [used, free]) attribute(marked, "data-disk", disk.folder);
    show(used, disk.used_percent, isKnown ? `${percent(disk.used_percent)} used` : null);
    const space = `${bytes(disk.free_bytes)} free of ${bytes(disk.total_bytes)}`;
    show(free, disk.free_bytes ?? "", isKnown ? space : disk.error ?? "");
    hidden(meter, !isKnown);
    attribute(meter, "value", isKnown ? disk.used_percent : 0);
    attribute(meter, "aria-label", `Use of the disk of ${printable(disk.folder ?? "?")}`);
    for (const marked of [used, meter]) tint(marked, levelOf(status, isFull));
  });
}
