// Integrity: the verdict, the rate as a gauge, its trend over days, and what was found.

import { bars } from "./charts.js";
import { attribute, field, hidden, mark, rows, show, showInstant, tint, words } from "./rows.js";
import { missing } from "./status.js";
import { count, counted, isNumber, printable } from "./text.js";

/** Room for so many days; fewer stand at the right end. */
const DAYS = 14;

const element = (id) => document.getElementById(id);

/** What a verdict of check-integrity is worth. */
export const VERDICTS = { healthy: "ok", degraded: "warning", critical: "critical" };

/** What a finding's severity is worth. */
const SEVERITIES = { warning: "warning", error: "critical", critical: "critical" };

const rate = (value) => `${value.toFixed(2)} %`;

const list = (value) => (Array.isArray(value) ? value : []);

/** The gauge, the trend and the findings. A verdict that is unknown is told with what was known last, or nothing. */
export function showFindings(integrity) {
  const known = missing(integrity) === null ? integrity : {};
  showGauge(known);
  showTrend(list(known.trend).filter((day) => typeof day?.day === "string"));
  showViolations(integrity, list(known.violations));
}

function showGauge({ consistency_rate: now, status }) {
  const gauge = element("integrity-rate");
  hidden(gauge, !isNumber(now));
  attribute(gauge, "value", isNumber(now) ? now : 0);
  tint(gauge, VERDICTS[status] ?? "unknown");
}

/** A bar for each day: the share that was not consistent, and what stands out is a day without a run that succeeded. */
function showTrend(days) {
  const values = days.map(({ consistency_rate: now, inconsistent }) => ({
    size: isNumber(now) ? 100 - now : null,
    kind: isNumber(now) && inconsistent === 0 ? "none" : "critical",
    standsOut: !isNumber(now),
  }));
  bars(element("integrity-chart"), values, { places: Math.max(DAYS, values.length) });
  const rates = days.map((day) => day.consistency_rate);
  attribute(element("integrity-chart"), "data-values", days.length > 0 ? rates.map((now) => now ?? "-").join(" ") : null);
  const lows = days.filter((day) => isNumber(day.lowest_rate));
  const lowest = lows.reduce((one, other) => (one && one.lowest_rate <= other.lowest_rate ? one : other), null);
  const low = lowest ? `, at the lowest ${rate(lowest.lowest_rate)} on ${printable(lowest.day)}` : "";
  words(element("integrity-words"), days.length > 0
    ? `What was not consistent, by day: ${counted(days.length, "day")}${low}`
    : "Over days: not known");
}

function showViolations(integrity, violations) {
  const total = integrity?.total_violations;
  const reason = missing(integrity) ?? (integrity.status === "unknown" ? integrity.reason ?? "nobody looked" : null);
  const nothing = reason === null && total === 0 ? "Nothing was found." : `Not known: ${printable(reason ?? "the server does not say it")}`;
  words(element("no-violations"), nothing);
  element("no-violations").classList.toggle("reason", reason !== null);
  hidden(element("no-violations"), violations.length > 0);
  hidden(element("violations-details"), violations.length === 0);
  const more = isNumber(total) && total > violations.length ? ` of ${count(total)}` : "";
  words(element("violations-summary"), `${counted(violations.length, "finding")}${more}`);
  rows(element("violations"), "violation-row", violations, keyOf, (row, finding) => {
    for (const marked of row.querySelectorAll("[data-field]")) attribute(marked, "data-finding", keyOf(finding));
    mark(row.querySelector(".level"), SEVERITIES[finding.severity]);
    words(row.querySelector(".check"), printable(finding.check ?? "?"));
    show(field(row, "subject"), JSON.stringify(finding.subject ?? null), subject(finding));
    show(field(row, "left"), value(finding.left), said(finding.left));
    show(field(row, "right"), value(finding.right), said(finding.right));
    show(field(row, "children"), finding.rows, count(finding.rows));
    showInstant(field(row, "first_seen"), finding.first_seen);
    show(field(row, "times_seen"), finding.times_seen, count(finding.times_seen));
    show(field(row, "command"), finding.command ?? "", finding.command ?? finding.recommended_action);
  });
}

const keyOf = ({ check, table, subject }) => JSON.stringify([check, table, subject]);

function subject({ table, subject: about }) {
  const keys = Object.entries(about ?? {}).map(([name, key]) => `${name} ${typeof key === "object" ? JSON.stringify(key) : key}`);
  return [table, ...keys].filter(Boolean).join(", ");
}

const value = (side) => JSON.stringify(side?.value ?? null);

const said = (side) => (side?.source ? `${side.source}: ${value(side)}` : value(side));
