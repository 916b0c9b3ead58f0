//! `fetch-cursus`: the reference data of a cursus as NDJSON. HTTP in, text out, nothing else.

use clap::Parser;
use std::process::ExitCode;

/// Fetch reference data of a 42 cursus (campuses, achievements, projects, sessions, coalitions) as NDJSON
///
/// One record a line, in the API's own shape. Without --export the records of one resource go to stdout, and a reader
/// that leaves early stops the fetching. With --export they go to exports/NN_name/[cursus_ID/]all.ndjson, which is
/// replaced whole, with a manifest beside it, when every row that the API announced is there; a walk that was killed
/// goes on where it was, and an export younger than --max-age is not fetched again. Resources that another one
/// already carries (campus_achievements, campus_projects, project_sessions) are made from that one's export at no call.
///
/// One summary line on stderr: rows, pages, calls, retries, answers 429, seconds, calls a second.
///
/// Examples:
///   fetch-cursus campus | jq -r .name
///   fetch-cursus --export
///   fetch-cursus --export --force projects campus_projects
///   fetch-cursus --path '/v2/campus/1/users?filter[pool_year]=2024' | head -5
///
/// Environment: CLIENT_ID, CLIENT_SECRET (the application's; also read from .env), CLIENT_SECRET_NEXT (tried when the
/// first is refused), API_ROOT (https://api.intra.42.fr), CURSUS_ID (21), EXPORTS_DIR (exports), STATE_DIR (token and
/// pace, ~/.local/state/mirror42), PACE_SHARE (1), PACE_CLASS (hand; live, backlog, bulk), HOUR_SHARE (the class's),
/// MAX_WAIT_SECONDS (3660), CATALOG_DIR, DEADLINE, RUST_LOG; .env.example explains them.
#[derive(Parser)]
#[command(name = "fetch-cursus", version, verbatim_doc_comment, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    options: fetch::Options,
}

fn main() -> ExitCode {
    let everything = fetch::Part::default();
    tool::main(|arguments: Arguments| {
        fetch::run("fetch-cursus", fetch::Group::Cursus, &arguments.options, &everything)
    })
}
