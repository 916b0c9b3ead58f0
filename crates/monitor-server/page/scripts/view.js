// Alerts, what became of them, and the tables of the mirror.

import { attribute, field, hidden, mark, rows, show, showInstant, tint, words } from "./rows.js";
import { missing } from "./status.js";
import { bytes, count, counted, duration, printable, worst } from "./text.js";

const element = (id) => document.getElementById(id);

/** Shows the alerts; one sentence that is true of several is said once. */
export function showAlerts(alerts) {
  const groups = new Map();
  for (const alert of alerts) {
    const key = JSON.stringify([alert.level, alert.text]);
    groups.set(key, [...(groups.get(key) ?? []), alert]);
  }
  rows(element("alerts"), "alert-row", [...groups.values()], (_, nth) => nth, (row, group) => {
    mark(row.querySelector(".level"), group[0].level);
    rows(row.querySelector(".subjects"), "alert-subject", group, (_, nth) => nth, showSubject);
    words(row.querySelector(".text"), printable(group[0].text));
  });
  words(element("no-alerts"), "None.");
  hidden(element("no-alerts"), alerts.length > 0);
}

function showSubject(subject, alert) {
  attribute(subject, "data-alert", alert.name);
  attribute(subject, "data-subject", alert.subject);
  attribute(subject, "data-level", alert.level);
  words(subject, printable(alert.subject || alert.name));
}

/** Which column of a table an alert is about. */
const COLUMNS = {
  export: "exported",
  export_age_seconds: "exported",
  http_429: "exported",
  table: "last_load",
  load_age_seconds: "last_load",
  live_lag_seconds: "live_lag_seconds",
  quarantine_records: "quarantine",
};

/** Shows a row for each table. */
export function showTables(status) {
  const reason = missing(status.database);
  hidden(element("no-mirror"), reason === null);
  words(element("no-mirror"), `What the database knows of them is not known: ${reason}`);
  rows(element("tables"), "table-row", status.resources, (line) => line.table, (row, line) => {
    const alerts = status.alerts.filter((alert) => alert.subject === line.table);
    for (const marked of row.querySelectorAll("[data-field]")) {
      attribute(marked, "data-table", line.table);
      const about = alerts.filter((alert) => COLUMNS[alert.name] === marked.dataset.field);
      tint(marked, worst(about.map((alert) => alert.level)));
    }
    const isRead = line.mirror && line.export !== undefined && line.export?.error === undefined;
    mark(row.querySelector(".level"), worst([...alerts.map((alert) => alert.level), isRead ? "ok" : "unknown"]));
    words(row.querySelector("code"), printable(line.table));
    showExport(row, line.export);
    showMirror(row, line, line.mirror ?? {});
  });
}

/** The export of a table; null when there never was one. */
function showExport(row, file) {
  const [exported, records] = [field(row, "exported"), field(row, "records")];
  attribute(exported, "title", file?.error ? printable(file.error) : null);
  if (file === null) {
    show(exported, "", "never");
    show(records, "", "–");
    return;
  }
  showInstant(exported, file?.finished);
  const rows = count(file?.rows);
  show(records, file?.rows, rows && (file.complete ? rows : `${rows} in part`));
}

function showMirror(row, line, mirror) {
  const none = line.mirror ? "never" : undefined;
  showInstant(field(row, "last_load"), mirror.last_load, none);
  showInstant(field(row, "last_change"), mirror.last_change, none);
  const lag = field(row, "live_lag_seconds");
  if (line.followed === false) show(lag, "", "–");
  else show(lag, mirror.live_lag_seconds, duration(mirror.live_lag_seconds));
  const [rows, isCounted] = [count(mirror.rows), mirror.rows_counted !== false];
  show(field(row, "rows"), mirror.rows, rows && (isCounted ? rows : `~${rows}`));
  attribute(field(row, "rows"), "title", isCounted ? null : "the estimate of the database");
  show(field(row, "bytes"), mirror.bytes, bytes(mirror.bytes));
  for (const [name, sign] of [["inserted_hour", "+"], ["updated_hour", "~"], ["deleted_hour", "−"]]) {
    const moved = count(mirror[name]);
    show(field(row, name), mirror[name], moved && sign + moved);
  }
  showQuarantine(field(row, "quarantine"), mirror.quarantine);
}

function showQuarantine(cell, quarantine) {
  if (!quarantine) {
    show(cell, null);
    return;
  }
  const kinds = Object.entries(quarantine);
  const sum = kinds.reduce((whole, [, records]) => whole + records, 0);
  show(cell, sum, kinds.map(([kind, records]) => `${count(records)} ${printable(kind, 40)}`).join(", ") || "0");
}

/** Shows the log of alerts, newest first. */
export function showLog(log) {
  const reason = missing(log);
  const entries = Array.isArray(log) ? log : [];
  words(element("no-log"), reason === null ? "No alert was ever raised." : `Not known: ${reason}`);
  element("no-log").classList.toggle("reason", reason !== null);
  hidden(element("no-log"), entries.length > 0);
  hidden(element("log-details"), entries.length === 0);
  words(element("log-summary"), `The newest ${counted(entries.length, "change")}`);
  rows(element("log"), "log-row", entries, (_, nth) => nth, (row, entry) => {
    showInstant(field(row, "at"), entry.at);
    mark(row.querySelector(".level"), entry.level);
    show(field(row, "event"), entry.event);
    words(row.querySelector("code"), printable(entry.subject || entry.name));
    show(field(row, "text"), entry.text);
  });
}
