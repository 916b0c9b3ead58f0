//! Log lines go to stderr, in UTC, and never carry what travels on the wire.

use log::{LevelFilter, Log, Metadata, Record};

/// Crates that write bodies, tokens or passwords at their lower levels, and the lowest level they are allowed
/// whatever `RUST_LOG` says. ureq calls its TRACE "wire level debug. NOT REDACTED!".
const CAPPED: [(&str, LevelFilter); 5] = [
    ("ureq", LevelFilter::Info),
    ("ureq_proto", LevelFilter::Info),
    ("rustls", LevelFilter::Warn),
    ("tokio_postgres", LevelFilter::Info),
    ("postgres", LevelFilter::Info),
];

/// Starts logging by `RUST_LOG`; without it, warnings and errors.
pub(crate) fn start() {
    let environment = env_logger::Env::default().default_filter_or("warn");
    let inner = env_logger::Builder::from_env(environment).format_timestamp_secs().build();
    log::set_max_level(inner.filter());
    // The only way to fail is a logger that is there already, and then that one serves.
    drop(log::set_boxed_logger(Box::new(Discreet { inner })));
}

/// The usual logger, deaf to what crates under a cap say below it.
struct Discreet {
    inner: env_logger::Logger,
}

impl Log for Discreet {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= cap(metadata.target()) && self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.inner.log(record);
        }
    }

    fn flush(&self) {
        self.inner.flush();
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
