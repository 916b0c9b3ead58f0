//! Log lines go to stderr, in UTC, and never carry what travels on the wire.

use env_logger::{Builder, Env, Logger, Target};
use log::{LevelFilter, Log, Metadata, Record};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;

/// Crates that write bodies, tokens or passwords at their lower levels, and the lowest level they are allowed
/// whatever `RUST_LOG` says. ureq calls its TRACE "wire level debug. NOT REDACTED!".
const CAPPED: [(&str, LevelFilter); 5] = [
    ("ureq", LevelFilter::Info),
    ("ureq_proto", LevelFilter::Info),
    ("rustls", LevelFilter::Warn),
    ("tokio_postgres", LevelFilter::Info),
    ("postgres", LevelFilter::Info),
];

/// Starts logging by `RUST_LOG`; without it, warnings and errors. `TRACE_FILE` names a file that gets everything besides.
pub(crate) fn start() {
    let environment = Env::default().default_filter_or("warn");
    let said = Builder::from_env(environment).format_timestamp_secs().build();
    let (traced, problem) = match trace_file() {
        Ok(traced) => (traced, None),
        Err(problem) => (None, Some(problem)),
    };
    log::set_max_level(if traced.is_some() { LevelFilter::Trace } else { said.filter() });
    // The only way to fail is a logger that is there already, and then that one serves.
    drop(log::set_boxed_logger(Box::new(Discreet { said, traced })));
    if let Some(problem) = problem {
        log::warn!("TRACE_FILE: {problem}; the run goes on without");
    }
}

/// A logger that appends everything to a file, which is for its owner only.
fn trace_file() -> std::io::Result<Option<Logger>> {
    let Some(path) = std::env::var_os("TRACE_FILE").filter(|path| !path.is_empty()) else { return Ok(None) };
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let mut builder = Builder::new();
    builder.filter_level(LevelFilter::Trace).format_timestamp_secs().target(Target::Pipe(Box::new(file)));
    Ok(Some(builder.build()))
}

/// The usual loggers, deaf to what crates under a cap say below it.
struct Discreet {
    /// To stderr.
    said: Logger,
    /// To a file.
    traced: Option<Logger>,
}

impl Log for Discreet {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= cap(metadata.target()) && (self.traced.is_some() || self.said.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            // Each looks at its own level.
            self.said.log(record);
            self.traced.iter().for_each(|traced| traced.log(record));
        }
    }

    fn flush(&self) {
        self.said.flush();
        self.traced.iter().for_each(Log::flush);
    }
}

fn cap(target: &str) -> LevelFilter {
    let root = target.split("::").next().unwrap_or(target);
    CAPPED.iter().find(|(name, _)| *name == root).map_or(LevelFilter::Trace, |(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use super::cap;
    use log::LevelFilter;

    #[test]
    fn no_filter_opens_the_wire() {
        assert_eq!(cap("ureq::unversioned::transport"), LevelFilter::Info);
        assert_eq!(cap("ureq_proto::util"), LevelFilter::Info);
        assert_eq!(cap("load_table"), LevelFilter::Trace);
    }
}
