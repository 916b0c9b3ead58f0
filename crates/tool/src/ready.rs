//! A server that is ready says where it is.

use anyhow::Context;
use std::io::Write;
use std::path::Path;
use verdict::{Judge, Verdict};

/// Prints the address of a server that listens, and writes it to a file, whole or not at all, when one is named.
///
/// # Errors
/// [`Verdict::Io`] when it cannot be said.
pub fn announce(address: &str, ready_file: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = ready_file {
        let aside = path.with_extension("part");
        std::fs::write(&aside, format!("{address}\n"))
            .and_then(|()| std::fs::rename(&aside, path))
            .with_context(|| format!("writing {}", path.display()))
            .verdict(Verdict::Io)?;
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{address}").and_then(|()| stdout.flush()).context("stdout").verdict(Verdict::Io)
}
