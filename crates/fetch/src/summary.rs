//! What fetching came to, in one line on stderr.

use api42::Tally;
use exports::{Effort, Manifest};
use std::time::Instant;

/// What is counted while a resource is fetched.
pub(crate) struct Summary {
    name: &'static str,
    resource: String,
    pub(crate) rows: u64,
    pages: u64,
    started: Instant,
}

impl Summary {
    pub(crate) fn start(name: &'static str, resource: &str) -> Self {
        Self { name, resource: resource.to_owned(), rows: 0, pages: 0, started: Instant::now() }
    }

    /// Counts a page of the API.
    pub(crate) const fn page(&mut self, rows: usize) {
        self.pages += 1;
        self.rows(rows);
    }

    /// Counts rows that cost no page.
    pub(crate) const fn rows(&mut self, rows: usize) {
        self.rows += rows as u64;
    }

    /// Says what it came to.
    pub(crate) fn finish(&self, tally: &Tally, note: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = tally.calls as f64 / seconds.max(0.001);
        let Self { resource, rows, pages, .. } = self;
        let Tally { calls, retries, throttled, .. } = tally;
        tool::complain(&format!(
            "{}: {resource}: rows {rows}, pages {pages}, calls {calls}, retries {retries}, throttled {throttled}, \
             seconds {seconds:.1}, rate {rate:.2}/s{note}",
            self.name
        ));
    }

    /// Says that there was nothing to do.
    pub(crate) fn fresh(name: &str, resource: &str, manifest: &Manifest) {
        let Manifest { rows, finished, .. } = manifest;
        let finished = finished.format("%Y-%m-%dT%H:%M:%SZ");
        tool::complain(&format!(
            "{name}: {resource}: rows {rows}, calls 0, fresh since {finished}; --force fetches it again"
        ));
    }
}

/// The tally as exports count it.
pub(crate) const fn effort(tally: &Tally) -> Effort {
    Effort { calls: tally.calls, retries: tally.retries, throttled: tally.throttled }
}

/// Says why a resource failed, when others follow.
pub(crate) fn complain(name: &str, error: &anyhow::Error) {
    tool::complain(&format!("{name}: {}", tool::printable(&format!("{error:#}"))));
}
