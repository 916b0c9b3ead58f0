//! The one screen: alerts first, then everything that they were derived from.

use crate::alerts::Level;
use crate::database::Table;
use crate::host::TokenView;
use crate::measure::{Line, Measured};
use crate::text::{Paint, bytes, duration, fit, instant, right};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Columns of the names of tables.
const NAMES: usize = 24;

/// Columns of the names of jobs.
const JOBS: usize = 32;

/// Columns of the numbers of a table.
const WIDTHS: [usize; 8] = [10, 13, 11, 11, 11, 9, 9, 9];

/// Columns of what is said at the start of a line.
const LABELS: usize = 10;

/// The whole screen.
pub(crate) fn of(measured: &Measured, paint: Paint) -> String {
    let status = paint.level(measured.status, &measured.status.name().to_uppercase());
    let at = instant(measured.measured_at);
    let mut text = format!("mirror42  {status}  measured {at}  cursus {}\n\n", measured.cursus);
    text.push_str(&alerts(measured, paint));
    text.push_str(&resources(measured));
    text.push_str(&facts(measured));
    text.push_str(&jobs(measured));
    text
}

fn alerts(measured: &Measured, paint: Paint) -> String {
    if measured.alerts.is_empty() {
        return "No alerts\n\n".to_owned();
    }
    let mut groups: Vec<(Level, &str, Vec<&str>)> = Vec::new();
    for alert in &measured.alerts {
        let subject = if alert.subject.is_empty() { alert.name } else { &alert.subject };
        let same = |group: &&mut (Level, &str, Vec<&str>)| group.0 == alert.level && group.1 == alert.text;
        match groups.iter_mut().find(same) {
            Some((_, _, subjects)) => subjects.push(subject),
            None => groups.push((alert.level, &alert.text, vec![subject])),
        }
    }
    let one = |(level, text, subjects): &(Level, &str, Vec<&str>)| {
        let level = paint.level(*level, &fit(&level.name().to_uppercase(), LABELS));
        format!("{level}{}: {}\n", tool::printable(&subjects.join(", ")), tool::printable(text))
    };
    groups.iter().map(one).collect::<String>() + "\n"
}

fn resources(measured: &Measured) -> String {
    let head = ["EXPORTED", "RECORDS", "SIZE", "ROWS", "SIZE", "LOADED", "CHANGED", "LAG"];
    let mut text = format!("{}{}  QUARANTINE\n", fit("TABLE", NAMES), columns(head));
    for line in &measured.resources {
        text.push_str(&resource(measured, line));
    }
    text + "\n"
}

fn columns<Cell: AsRef<str>>(cells: impl IntoIterator<Item = Cell>) -> String {
    cells.into_iter().zip(WIDTHS).map(|(cell, width)| right(cell.as_ref(), width)).collect()
}

fn resource(measured: &Measured, line: &Line) -> String {
    let mut cells = match line.export.get() {
        Err(_) => vec!["damaged".to_owned(), "?".to_owned(), "?".to_owned()],
        Ok(None) => vec!["never".to_owned(), "-".to_owned(), "-".to_owned()],
        Ok(Some(export)) => {
            let rows =
                if export.complete { export.rows.to_string() } else { format!("{} part", export.rows) };
            #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
            let age = duration(export.age_seconds as f64);
            vec![age, rows, bytes(export.bytes)]
        }
    };
    let mut quarantine = String::from("?");
    match &line.mirror {
        None => cells.extend(["?"; 5].map(str::to_owned)),
        Some(table) => {
            cells.extend(mirror(measured, line, table));
            let kinds = table.quarantine.iter().map(|(kind, count)| format!("{count} {kind}"));
            let kinds: Vec<String> = kinds.collect();
            quarantine = if kinds.is_empty() { "0".to_owned() } else { kinds.join(", ") };
        }
    }
    format!("{}{}  {}\n", fit(&line.table, NAMES), columns(cells), tool::printable(&quarantine))
}

fn mirror(measured: &Measured, line: &Line, table: &Table) -> [String; 5] {
    let rows = match table.rows {
        None => "?".to_owned(),
        Some(rows) if table.rows_counted => rows.to_string(),
        Some(rows) => format!("~{rows}"),
    };
    let loaded = table.last_load_age_seconds.map_or_else(|| "never".to_owned(), duration);
    #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
    let age = |at: DateTime<Utc>| (measured.measured_at - at).num_seconds() as f64;
    let changed = table.last_change.map_or_else(|| "never".to_owned(), |at| duration(age(at)));
    let lag = match table.live_lag_seconds {
        _ if !line.followed => "-".to_owned(),
        None => "?".to_owned(),
        Some(lag) => duration(lag),
    };
    [rows, bytes(table.bytes.unsigned_abs()), loaded, changed, lag]
}

fn facts(measured: &Measured) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: Result<String, &String>| {
        let value = value.unwrap_or_else(|error| format!("not known: {error}"));
        text.push_str(&format!("{}{}\n", fit(name, LABELS), tool::printable(&value)));
    };
    line("database", measured.database.get().map(|database| {
        let size = bytes(database.bytes.unsigned_abs());
        let (now, most) = (database.connections, database.max_connections);
        let (day, before) = (database.failed_runs_day, database.failed_runs_day_before);
        let version = &database.version;
        format!("PostgreSQL {version}, {size}, {now} of {most} connections; failed runs: {day} in 24 h, {before} in the 24 h before")
    }));
    line(
        "quota",
        measured.quota.get().map(|quota| {
            let held = quota.held_until.map(|until| format!(", held until {}", instant(until)));
            let left = quota.remaining;
            format!(
                "{} of {} calls of the hour, {left} left{}",
                quota.used,
                quota.host,
                held.unwrap_or_default()
            )
        }),
    );
    line(
        "token",
        measured
            .token
            .get()
            .map(|token| token.as_ref().map_or_else(|| "none is kept on this host".to_owned(), token_line)),
    );
    line("backlog", measured.backlog.get().map(backlog));
    for disk in &measured.disks {
        line(
            "disk",
            disk.get().map(|disk| {
                let (free, total) = (bytes(disk.free_bytes), bytes(disk.total_bytes));
                format!("{}: {free} free of {total}, {:.1} % used", disk.folder, disk.used_percent)
            }),
        );
    }
    line(
        "logs",
        measured.logs.get().map(|logs| {
            let errors = logs.token_errors_day;
            format!(
                "{} in {} files; {errors} failed renewals of the token in 24 h",
                bytes(logs.bytes),
                logs.files
            )
        }),
    );
    text + "\n"
}

fn token_line(token: &TokenView) -> String {
    let until = token.expires_at.map_or_else(|| "an unknown time".to_owned(), instant);
    let secret = match (token.secret_valid_until, token.secret_days_left) {
        (Some(end), Some(days)) => format!("secret until {} ({days} days)", instant(end)),
        _ => "no end of the secret known".to_owned(),
    };
    format!("until {until}; {secret}")
}

fn backlog(status: &Value) -> String {
    let number = |key: &str| status[key].as_u64().map_or_else(|| "?".to_owned(), |number| number.to_string());
    let oldest = status["oldest_age_seconds"].as_f64();
    let oldest = oldest.map_or_else(String::new, |age| format!(", the oldest for {}", duration(age)));
    let (depth, due, dead) = (number("depth"), number("due"), number("dead"));
    format!("{depth} wait, {due} of them due{oldest}; {dead} dead, {} done", number("processed"))
}

fn jobs(measured: &Measured) -> String {
    let jobs = match measured.jobs.get().map(|jobs| jobs["summary"].as_object()) {
        Ok(Some(jobs)) => jobs,
        Ok(None) => return "jobs      not known: job-monitor gives no summary\n".to_owned(),
        Err(error) => return format!("jobs      not known: {}\n", tool::printable(error)),
    };
    let mut text = format!(
        "{}{}{}{}  NEXT RUN\n",
        fit("JOB", JOBS),
        fit("STATUS", 12),
        fit("LAST RUN", 22),
        right("TOOK", 8)
    );
    for (name, job) in jobs {
        let word = |key: &str| job[key].as_str().unwrap_or("-").to_owned();
        let second = |key: &str| word(key).get(..19).map_or_else(|| word(key), |second| format!("{second}Z"));
        let took = job["duration_seconds"].as_f64().map_or_else(|| "-".to_owned(), duration);
        let overdue = if job["overdue"] == true { "  overdue" } else { "" };
        let progress = job["progress"].as_str().map(|progress| format!("  {}", tool::printable(progress)));
        text.push_str(&format!(
            "{}{}{}{}  {}{overdue}{}\n",
            fit(name, JOBS - 2) + "  ",
            fit(&word("status"), 12),
            fit(&second("last_run"), 22),
            right(&took, 8),
            tool::printable(&second("next_scheduled")),
            progress.unwrap_or_default()
        ));
    }
    text
}

/// The sentence of `check`: one line, with numbers as Nagios reads them.
pub(crate) fn sentence(measured: &Measured) -> String {
    let count = |level| measured.alerts.iter().filter(|alert| alert.level == level).count();
    let first = measured.alerts.first().map_or_else(
        || "everything was measured, and is as it should be".to_owned(),
        |alert| {
            format!("{}{}{}", alert.subject, if alert.subject.is_empty() { "" } else { ": " }, alert.text)
        },
    );
    let numbers = format!(
        "critical={} unknown={} warning={}",
        count(Level::Critical),
        count(Level::Unknown),
        count(Level::Warning)
    );
    // What stands behind the bar is for machines.
    let first = tool::printable(&first).replace('|', "/");
    format!("MIRROR42 {} - {first} | {numbers}\n", measured.status.name().to_uppercase())
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
