//! What is not a table: integrity, backlog, token, database, disks, logs.

use super::{Block, View, fact};
use crate::alerts::Level;
use crate::database::Database;
use crate::files::Disk;
use crate::host::TokenView;
use crate::measure::Measured;
use crate::row::{Row, Tone};
use crate::text::{bytes, clock, duration, instant};
use chrono::{DateTime, Utc};
use serde_json::Value;

pub(super) fn block(view: View<'_>) -> Block {
    let measured = view.measured;
    let mut rows = vec![
        fact("integrity", measured.integrity.get().map(|integrity| self::integrity(measured, integrity))),
        fact("backlog", measured.backlog.get().map(backlog)),
        fact("token", measured.token.get().map(|token| token.as_ref().map_or_else(none, self::token))),
        fact("database", measured.database.get().map(database)),
    ];
    rows.extend(measured.disks.iter().map(|known| fact("disk", known.get().map(disk))));
    rows.push(fact(
        "logs",
        measured.logs.get().map(|logs| {
            let (size, files) = (bytes(logs.bytes), logs.files);
            plain(&format!(
                "{size} in {files} files; {} failed renewals of the token in 24 h",
                logs.token_errors_day
            ))
        }),
    ));
    Block::ruled("STATE", view.width, rows, 2)
}

fn plain(text: &str) -> Row {
    Row::of(Tone::Plain, text)
}

fn none() -> Row {
    Row::of(Tone::Level(Level::Unknown), "none is kept on this host")
}

fn integrity(measured: &Measured, integrity: &Value) -> Row {
    let status = integrity["status"].as_str().unwrap_or("unknown");
    let level = match status {
        "healthy" => Level::Ok,
        "degraded" => Level::Warning,
        "critical" => Level::Critical,
        _ => Level::Unknown,
    };
    let mut row = Row::of(Tone::Level(level), status);
    if let Some(rate) = integrity["consistency_rate"].as_f64() {
        // Rounded up, one that is broken of many would read as none.
        let hundredths = (rate * 100.0).floor() / 100.0;
        let violations = integrity["total_violations"].as_u64();
        let violations = violations.map_or_else(|| "?".to_owned(), |count| count.to_string());
        row = row.and(Tone::Plain, &format!(", {hundredths:.2} % consistent, {violations} violations"));
    }
    let checked = integrity["last_check"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let checked = checked.map(|at| duration(super::running::seconds(measured.measured_at - at)));
    row.and(
        Tone::Faint,
        &checked.map_or_else(|| "; never checked".to_owned(), |ago| format!("; checked {ago} ago")),
    )
}

fn backlog(status: &Value) -> Row {
    let number = |key: &str| status[key].as_u64().map_or_else(|| "?".to_owned(), |number| number.to_string());
    let oldest = status["oldest_age_seconds"].as_f64();
    let oldest = oldest.map_or_else(String::new, |age| format!(", the oldest for {}", duration(age)));
    let (depth, due) = (number("depth"), number("due"));
    let dead = if status["dead"] == 0 { Tone::Plain } else { Tone::Level(Level::Warning) };
    let rate = status["success_rate"].as_f64();
    let rate = rate.map_or_else(String::new, |rate| format!(", {:.1} % of attempts went well", rate * 100.0));
    plain(&format!("{depth} wait, {due} of them due{oldest}; "))
        .and(dead, &format!("{} dead", number("dead")))
        .and(Tone::Plain, &format!(", {} done{rate}", number("processed")))
}

fn token(token: &TokenView) -> Row {
    let left = token.expires_in.map(|seconds| {
        let tone = if seconds > 0 { Tone::Plain } else { Tone::Level(Level::Warning) };
        #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
        let words = if seconds > 0 {
            format!("ends in {}", duration(seconds as f64))
        } else {
            "has ended".to_owned()
        };
        Row::of(tone, &words)
    });
    let left = left.unwrap_or_else(|| Row::of(Tone::Level(Level::Unknown), "ends at an unknown time"));
    let at = token.expires_at.map_or_else(String::new, |at| format!(" ({})", clock(at)));
    let secret = match (token.secret_valid_until, token.secret_days_left) {
        (Some(end), Some(days)) => format!("; secret until {} ({days} days)", instant(end)),
        _ => "; no end of the secret known".to_owned(),
    };
    left.and(Tone::Faint, &at).and(Tone::Plain, &secret)
}

fn database(database: &Database) -> Row {
    let Database { version, connections, max_connections, .. } = database;
    let size = bytes(database.bytes.unsigned_abs());
    // Debian adds its own number in brackets.
    let version = version.split(' ').next().unwrap_or(version);
    plain(&format!("PostgreSQL {version}, {size}, {connections} of {max_connections} connections"))
}

fn disk(disk: &Disk) -> Row {
    let (free, total) = (bytes(disk.free_bytes), bytes(disk.total_bytes));
    plain(&format!("{}: {free} free of {total}, {:.1} % used", disk.folder, disk.used_percent))
}
