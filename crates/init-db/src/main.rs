//! init-db: creates or brings up to date the tables of the mirror.

use anyhow::Result;
use catalog::{Catalog, Resource};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;
use tool::{Deadline, Judge, Verdict, print};
use warehouse::schema;
use warehouse::schema::migrate::{Report, bring_up_to_date, differences};

/// Create or bring up to date the tables of the mirror
///
/// Compares the catalog with the database and makes what is missing: tables, columns, keys, references, checks, indexes,
/// comments, and the operational tables in the schema `ops`. Everything in one transaction; a second run finds nothing to
/// do, two runs at once wait for each other.
///
/// Nothing that holds data is ever dropped or retyped. Such a difference is printed on stderr with the statement that
/// would end it, everything else is done, and the exit code is 1. When rows that are there violate a rule of the
/// catalog, nothing is changed, the exit code is 65, and the message holds a query that shows them.
///
/// --list prints the resources that the nightly script mirrors, parents first, as three columns with tabs between them:
/// table, the tool that fetches it, the tables that have to be there before it. --list --live prints those whose changes
/// can be followed.
///
/// Environment: DATABASE_URL, or PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, PGPASSFILE;
/// CATALOG_DIR (a folder instead of the built-in catalog); RUST_LOG.
#[derive(Parser)]
#[command(name = "init-db", version, verbatim_doc_comment)]
struct Arguments {
    /// Print the SQL for an empty database, without connecting to one
    #[arg(long, conflicts_with = "check")]
    print: bool,
    /// Change nothing; print every difference between catalog and database, and end with 1 if there is one
    #[arg(long)]
    check: bool,
    /// Print the catalog's nightly resources in their order, without connecting to a database
    #[arg(long, conflicts_with_all = ["print", "check"])]
    list: bool,
    /// With --list: the resources whose changes the live script follows
    #[arg(long, requires = "list")]
    live: bool,
    #[command(flatten)]
    deadline: Deadline,
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<Verdict> {
    arguments.deadline.start("init-db");
    let catalog = Catalog::load()?;
    if arguments.print {
        return print(&schema::sql(&catalog)).map(|()| Verdict::Done);
    }
    if arguments.list {
        return print(&list(&catalog, arguments.live)).map(|()| Verdict::Done);
    }
    let mut client = warehouse::connect("init-db")?;
    if arguments.check {
        let lines: String =
            differences(&mut client, &catalog)?.iter().map(|line| format!("{line}\n")).collect();
        print(&lines)?;
        return Ok(if lines.is_empty() { Verdict::Done } else { Verdict::Failed });
    }
    let report = bring_up_to_date(&mut client, &catalog)?;
    say(&report).verdict(Verdict::Io)?;
    Ok(if report.left.is_empty() { Verdict::Done } else { Verdict::Failed })
}

fn list(catalog: &Catalog, live: bool) -> String {
    let is_meant = |resource: &&Resource| if live { resource.live.is_some() } else { resource.nightly };
    let listed = catalog.resources().iter().filter(is_meant);
    let line = |resource: &Resource| {
        format!("{}\t{}\t{}\n", resource.table, resource.group.tool(), resource.needs().join(" "))
    };
    listed.map(line).collect()
}

fn say(report: &Report) -> std::io::Result<()> {
    let mut stderr = std::io::stderr().lock();
    let (tables, other): (Vec<_>, Vec<_>) =
        report.done.iter().partition(|done| done.starts_with("created table "));
    let mut parts: Vec<String> = other.into_iter().cloned().collect();
    match tables.len() {
        0 => {}
        1 => parts.insert(0, tables[0].clone()),
        count => parts.insert(0, format!("created {count} tables")),
    }
    let done = if parts.is_empty() { "up to date".to_owned() } else { parts.join(", ") };
    if !parts.is_empty() || report.left.is_empty() {
        writeln!(stderr, "init-db: {}", tool::printable(&done))?;
    }
    for line in &report.left {
        writeln!(stderr, "init-db: {}", tool::printable(line))?;
    }
    Ok(())
}
