//! `fetch-users`: the students of a cursus, and what hangs on them, as NDJSON. HTTP in, text out, nothing else.

use clap::Parser;
use std::process::ExitCode;

/// Fetch the students of a 42 cursus, and their enrolments, badges and memberships, as NDJSON
///
/// One record a line, in the API's own shape. Users are walked campus by campus, because that is the only way to learn
/// a student's campus; what hangs on them by batches of 100 students. Both read the ids from the export of the resource
/// before them (campus, users), so that one has to be there. Without --export the records of one resource go to stdout,
/// and a reader that leaves early stops the fetching. With --export they go to exports/NN_name/cursus_ID/all.ndjson,
/// which is replaced whole, with a manifest beside it, when every row that the API announced is there; a walk that was
/// killed goes on where it was, and an export younger than --max-age is not fetched again.
///
/// --since prints what changed, a call for a hundred changes and one when there is none: the list is followed by its
/// time of change, and no row is lost however it moves meanwhile. With --export the changes go to changes.ndjson beside
/// the full export, and a run that was killed goes on at its cursor. Records of people who are no students of the cursus
/// are left out; who is not in the users' export is looked up, a hundred to a call, and remembered until the next one
/// (looked_up.ndjson). Students that are new are stamped with their campus. Departures, and changes that do not move the
/// time of change, are seen by a full walk only.
///
/// --ids prints the records of these students and nobody else's, a hundred ids to a call; who they are is looked up where
/// the users' export does not say.
///
/// One summary line on stderr: rows, pages, calls, retries, answers 429, seconds, calls a second; then, where there were
/// any, records of strangers that were left out, and people looked up.
///
/// Examples:
///   fetch-users users | load-table users
///   fetch-users users --campus 1 | jq -r .login
///   fetch-users --export users
///   fetch-users users --since 2025-12-13T02:35:00Z | load-table users
///   fetch-users users --export --since "$(load-table users --watermark)" && load-table users --changes
///   load-table users --missing | fetch-users users --ids - | load-table users
///   fetch-users --export cursus_users projects_users
///
/// Environment: CLIENT_ID, CLIENT_SECRET (the application's; also read from .env), CLIENT_SECRET_NEXT (tried when the
/// first is refused), API_ROOT (https://api.intra.42.fr), CURSUS_ID (21), EXPORTS_DIR (exports), STATE_DIR (token and
/// pace, ~/.local/state/mirror42), PACE_SHARE (1), PACE_CLASS (hand; live, backlog, bulk), HOUR_SHARE (the class's),
/// MAX_WAIT_SECONDS (3660), CATALOG_DIR, DEADLINE, RUST_LOG; .env.example explains them.
#[derive(Parser)]
#[command(name = "fetch-users", version, verbatim_doc_comment, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    options: fetch::Options,
    #[command(flatten)]
    part: fetch::Part,
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| {
        fetch::run("fetch-users", fetch::Group::Users, &arguments.options, &arguments.part)
    })
}
