//! load-table: loads records into a table of the mirror. Text in, rows out, one line of summary.

use anyhow::{Context, Result, anyhow};
use catalog::{Catalog, Resource};
use clap::Parser;
use exports::{Place, Scope};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tool::{Deadline, Judge, Progress, Verdict};
use warehouse::{Ending, Form, Limits, Load, Source, Summary};

/// Load NDJSON into a table of the mirror
///
/// Reads one JSON object a line from standard input, from FILE, or from the table's export, and writes what is new or
/// differs, in one transaction: everything or nothing. Loading the same again writes no row. Any moment is a good one to
/// kill it.
///
/// A key that a record lacks leaves its column alone; null sets null. A record that does not fit the catalog's types, or
/// that refers to a row which is missing, is set aside in ops.quarantine with the reason, and tried again by every later
/// load of the table; a row that waits for its parent is released by the load that brings the parent. Of several records
/// with one key the newest counts (by the catalog's version column), of equals the last, whole; a record older
/// than its row is not taken.
///
/// Standard input and FILE are only added or updated, so half a stream does no harm. With --export, when the export is
/// full and complete and of every campus, rows that it lacks are deleted (pruned) and the watermark moves. An empty
/// export, or one that lacks more than --max-prune of the rows and more than 50 rows, is refused; so is one of another
/// cursus than the table holds, and one older than what is loaded. With --changes nothing is deleted, and the watermark
/// moves when the window begins where the table already is.
///
/// Records of people who were erased (purge-people), and of what hangs on them, are turned away and counted as erased,
/// until something newer than the erasure shows that they may come again. Who a complete export lacks has left, and is
/// turned away likewise.
///
/// Input that is no NDJSON (HTML, a cut line, an array) is refused whole, with its line and column.
///
/// Summary, one line of JSON on standard output:
///   table, source, read, inserted, updated, unchanged, deleted, quarantined, released, rejected, out_of_scope,
///   duplicates, stale, erased, cascaded and released_elsewhere (rows of other tables), seconds, dry_run
///   read + released = inserted + updated + unchanged + stale + quarantined + rejected + duplicates + out_of_scope + erased
///
/// Environment: DATABASE_URL, or PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, PGPASSFILE;
/// EXPORTS_DIR (exports), CURSUS_ID (21), LIVE_OVERLAP (60), CATALOG_DIR, DEADLINE, RUST_LOG; TMPDIR (/tmp), where
/// rows of a file that differ wait while the table is read.
///
/// Examples:
///   fetch-users users | load-table users
///   load-table users --export
///   fetch-users users --since "$(load-table users --watermark)" --export && load-table users --changes
///   load-table campus campuses.ndjson --dry-run
///   load-table coalitions --csv < coalitions.csv
#[derive(Parser)]
#[command(name = "load-table", version, verbatim_doc_comment)]
struct Arguments {
    /// Table or resource: users, campuses or campus, …
    table: String,
    /// File to read instead of standard input
    #[arg(conflicts_with_all = ["export", "changes", "watermark", "rewind_watermark", "missing"])]
    file: Option<PathBuf>,
    /// Read the table's export below EXPORTS_DIR; prune and move the watermark when it is full and complete
    #[arg(long, conflicts_with_all = ["csv", "watermark", "rewind_watermark", "missing"])]
    export: bool,
    /// Read the table's last window of changes below EXPORTS_DIR instead; delete nothing, move the watermark
    #[arg(long, conflicts_with_all = ["export", "csv", "watermark", "rewind_watermark", "missing"])]
    changes: bool,
    /// The input is CSV: a header with names of columns; an empty cell is null, in quotes or not; jsonb cells hold JSON
    #[arg(long, conflicts_with_all = ["watermark", "rewind_watermark", "missing"])]
    csv: bool,
    /// Change nothing; the summary says what would change, stderr gives examples
    #[arg(long, conflicts_with_all = ["watermark", "rewind_watermark", "missing"])]
    dry_run: bool,
    /// Print up to when the table's changes are in the mirror (RFC 3339), or an empty line
    #[arg(long)]
    watermark: bool,
    /// Take the watermark back when it is ahead of the walk whose load moved it, and print it: what changed in between is
    /// read again then
    #[arg(long, conflicts_with = "watermark")]
    rewind_watermark: bool,
    /// Print the keys of this table's rows that records in quarantine wait for, one a line, longest wait first
    #[arg(long, conflicts_with_all = ["watermark", "rewind_watermark"])]
    missing: bool,
    /// Largest share of the records that may be set aside because they do not fit their types; one always may
    #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = tool::share)]
    max_rejects: f64,
    /// Largest share of the table's rows that may be pruned; 50 rows always may
    #[arg(long, value_name = "SHARE", default_value = "0.05", value_parser = tool::share)]
    max_prune: f64,
    /// Delete nothing
    #[arg(long)]
    no_prune: bool,
    /// With --changes: seconds before the window was read at which the watermark stays; the next window reads them again
    #[arg(long, value_name = "SECONDS", env = "LIVE_OVERLAP", hide_env_values = true)]
    #[arg(default_value_t = 60, value_parser = overlap)]
    overlap: u32,
    /// Cursus of the export
    #[arg(long, value_name = "ID", env = "CURSUS_ID", hide_env_values = true)]
    #[arg(default_value_t = 21, value_parser = tool::number_or(21))]
    cursus: u64,
    /// Campus of the export, when only one was walked
    #[arg(long)]
    campus: Option<u64>,
    #[command(flatten)]
    deadline: Deadline,
}

/// An empty variable counts as absent.
fn overlap(text: &str) -> Result<u32, std::num::ParseIntError> {
    if text.is_empty() { Ok(60) } else { text.parse() }
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<Verdict> {
    arguments.deadline.start("load-table");
    let catalog = Catalog::load()?;
    let resource = catalog.find(&arguments.table)?;
    if arguments.watermark || arguments.rewind_watermark {
        let mut client = warehouse::connect("load-table")?;
        let read = if arguments.watermark { warehouse::watermark } else { warehouse::rewind };
        let watermark = read(&mut client, resource)?;
        return print(&[watermark.unwrap_or_default()]).map(|()| Verdict::Done);
    }
    if arguments.missing {
        let mut client = warehouse::connect("load-table")?;
        let missing = warehouse::missing(&mut client, resource)?;
        return print(&missing).map(|()| Verdict::Done);
    }
    let source = source(arguments, &catalog, resource)?;
    let limits = Limits {
        rejects: arguments.max_rejects,
        prune: (!arguments.no_prune).then_some(arguments.max_prune),
    };
    let overlap = Duration::from_secs(u64::from(arguments.overlap));
    let ending = if arguments.dry_run { Ending::Rollback } else { Ending::Commit };
    let load = Load { catalog: &catalog, resource, source, limits, ending, overlap };
    let mut client = warehouse::connect("load-table")?;
    let progress = Progress::new(&resource.table, "records");
    let summary = warehouse::load(&mut client, &load, &mut |read| progress.done(read))?;
    drop(progress);
    say(&summary)?;
    let aside = summary.quarantined + summary.rejected > 0;
    Ok(if aside { Verdict::SetAside } else { Verdict::Done })
}

fn source(arguments: &Arguments, catalog: &Catalog, resource: &Resource) -> Result<Source> {
    let form = if arguments.csv { Form::Csv } else { Form::Ndjson };
    if arguments.export || arguments.changes {
        let cursus = catalog.is_of_cursus(resource).then_some(arguments.cursus);
        let scope = Scope { cursus, campus: arguments.campus };
        let place = Place::new(&Place::root(), &resource.file, scope);
        return Ok(Source::Export(if arguments.changes { place.changes() } else { place }));
    }
    if let Some(path) = &arguments.file {
        return Ok(Source::File(path.clone(), form));
    }
    if std::io::stdin().is_terminal() {
        let name = &resource.name;
        let way_out = format!(
            "pipe NDJSON into it (fetch-users {name} | load-table {name}), name a FILE, or say --export"
        );
        return Err(anyhow!("standard input is a terminal; {way_out}").verdict(Verdict::Usage));
    }
    Ok(Source::Stdin(form))
}

fn say(summary: &Summary) -> Result<()> {
    let mut stderr = std::io::stderr().lock();
    for example in &summary.examples {
        writeln!(stderr, "load-table: {}", tool::printable(example)).verdict(Verdict::Io)?;
    }
    print(&[serde_json::to_string(summary)?])
}

fn print(lines: &[String]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let mut write = || {
        lines.iter().try_for_each(|line| writeln!(stdout, "{line}"))?;
        stdout.flush()
    };
    write().context("standard output").verdict(Verdict::Io)
}
