//! What is known of token and budget, in the text format that node_exporter's textfile collector reads.

use api42::{Budget, TokenState};
use std::fmt::Write;

/// The metrics; what is not known has none.
pub(crate) fn text(token: Option<&TokenState>, budget: &Budget) -> String {
    let mut text = Text::default();
    if let Some(token) = token {
        let end = |end: chrono::DateTime<chrono::Utc>| end.timestamp();
        text.gauge(
            "api_token_expires_timestamp_seconds",
            "When the kept token ends.",
            token.expires_at.map(end),
        );
        let help = "When the secret of the application ends; from ten days before it is warned about.";
        text.gauge("api_secret_expires_timestamp_seconds", help, token.secret_valid_until.map(end));
        let warned = i64::from(token.secret_warning().is_some());
        text.gauge("api_secret_expires_soon", "1 when the secret is warned about.", Some(warned));
    }
    text.gauge(
        "api_limit_per_second",
        "Calls a second that the API announced.",
        Some(budget.per_second.into()),
    );
    text.gauge("api_limit_per_hour", "Calls an hour that the API announced.", Some(budget.per_hour.into()));
    text.gauge(
        "api_remaining_calls",
        "Calls that are left to this host in the hour.",
        Some(signed(budget.remaining)),
    );
    let by_header = budget.remaining_by_header.map(signed);
    text.gauge(
        "api_remaining_calls_by_header",
        "The same for the application, as the API said last.",
        by_header,
    );
    text.head("api_calls_last_hour", "Calls of this host in the last hour, by class of work.");
    for (class, calls) in &budget.by_class {
        text.line("api_calls_last_hour", &format!("{{class=\"{}\"}}", class.name()), signed(*calls));
    }
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn gauge(&mut self, name: &str, help: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.head(name, help);
            self.line(name, "", value);
        }
    }

    fn head(&mut self, name: &str, help: &str) {
        // Writing to a string cannot fail.
        write!(self.0, "# HELP mirror42_{name} {help}\n# TYPE mirror42_{name} gauge\n").unwrap_or_default();
    }

    fn line(&mut self, name: &str, labels: &str, value: i64) {
        writeln!(self.0, "mirror42_{name}{labels} {value}").unwrap_or_default();
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
