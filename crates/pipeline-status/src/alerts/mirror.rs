//! The database, the exports, the tables.

use super::{Judge, Level, as_float, unsigned};
use crate::files::Export;
use crate::measure::{Line, Measured};
use crate::text::{about, bytes};
use tool::Verdict;

impl Judge<'_> {
    pub(super) fn mirror(&mut self, measured: &Measured) {
        self.database(measured);
        for line in &measured.resources {
            self.export(line);
            self.table(line, measured.database.get().is_ok());
        }
    }

    fn database(&mut self, measured: &Measured) {
        match measured.database.get() {
            Ok(database) => {
                let text = || format!("the database holds {}", bytes(database.bytes.unsigned_abs()));
                self.hold("database_bytes", "", as_float(database.bytes), text);
            }
            Err(error) if measured.database_verdict == Verdict::Config => {
                self.say(Level::Unknown, "database", "", error.as_str());
            }
            Err(error) => self.say(Level::Critical, "database", "", error.as_str()),
        }
    }

    fn export(&mut self, line: &Line) {
        let table = line.table.as_str();
        match line.export.get() {
            Err(error) => self.say(Level::Critical, "export", table, error.as_str()),
            Ok(None) if line.nightly => self.say(Level::Unknown, "export", table, "was never exported"),
            Ok(None) => {}
            Ok(Some(export)) => self.export_there(line, export),
        }
    }

    fn export_there(&mut self, line: &Line, export: &Export) {
        let table = line.table.as_str();
        if !export.complete {
            self.say(Level::Warning, "export", table, "the export is not complete");
        }
        // Clocks of one host differ from themselves only when they are set.
        if export.age_seconds < -300 {
            self.say(Level::Unknown, "export", table, "the export is of the future: the clock was set back");
        }
        if line.nightly {
            let text = || format!("the export is {} old", about(as_float(export.age_seconds)));
            self.hold("export_age_seconds", table, as_float(export.age_seconds), text);
        }
        if export.age_seconds < 86_400 {
            let text = || format!("{} answers 429 in the last export", export.throttled);
            self.hold("http_429", table, unsigned(export.throttled), text);
        }
    }

    fn table(&mut self, line: &Line, database: bool) {
        let name = line.table.as_str();
        let Some(table) = &line.mirror else {
            if database {
                self.say(Level::Critical, "table", name, "the table is missing; run init-db");
            }
            return;
        };
        match table.last_load_age_seconds {
            None => self.say(Level::Unknown, "table", name, "was never loaded"),
            Some(age) if line.nightly => {
                self.hold("load_age_seconds", name, age, || format!("the last load was {} ago", about(age)));
            }
            Some(_) => {}
        }
        match table.live_lag_seconds.filter(|_| line.followed) {
            Some(lag) => {
                self.hold("live_lag_seconds", name, lag, || {
                    format!("the live sync is {} behind", about(lag))
                });
            }
            None if line.followed => self.say(Level::Unknown, "live_lag_seconds", name, "has no watermark"),
            None => {}
        }
        let waiting: i64 = table.quarantine.values().sum();
        let text = || format!("{waiting} records wait in quarantine");
        self.hold("quarantine_records", name, as_float(waiting), text);
    }
}
