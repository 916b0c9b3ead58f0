//! `api-token`: the token that all tools of this host share, and the budget of calls that they draw from.

mod commands;
mod metrics;
mod show;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tool::{Deadline, Verdict};

/// Look after the token of the 42 API, and see the budget of its calls
///
/// All tools of this host share one token, kept in STATE_DIR, readable by its owner only. They renew it by themselves
/// half a minute before it ends, or when the API refuses it; whoever comes second uses what the first one got. So
/// nobody has to run this. In a crontab, ensure-fresh finds a secret that has expired before the nightly does, and
/// says so from ten days ahead.
///
/// The API hands the same token out again while it lasts, so a renewal may bring no new one.
///
/// With the code of a person who agreed (the old flow), exchange takes that person's token: all calls use it from then
/// on, and renew it by its refresh token, which is replaced each time. When that one is refused, the tools go on with
/// the application's own token and say so. forget goes back to it at once. REFRESH_TOKEN in the environment is where a
/// person's token starts when none is kept.
///
/// Each renewal, refusal and warning is a line of LOGS_DIR/42_token_refresh.log; neither it nor any output holds a token,
/// a secret or a code.
///
/// Examples:
///   api-token ensure-fresh
///   api-token info --offline --json | jq .secret_days_left
///   api-token exchange - < code.txt
///   watch api-token budget
///   api-token metrics > /var/lib/node_exporter/mirror42_api.prom
///
/// Environment: CLIENT_ID, CLIENT_SECRET (the application's; also read from .env), CLIENT_SECRET_NEXT (tried when the
/// first is refused), REDIRECT_URI (for exchange), REFRESH_TOKEN, API_ROOT (https://api.intra.42.fr), STATE_DIR (token
/// and pace, ~/.local/state/mirror42), LOGS_DIR (logs), PACE_SHARE (1), PACE_CLASS (hand), HOUR_SHARE (that of the
/// class), MAX_WAIT_SECONDS (3660), DEADLINE, RUST_LOG; .env.example explains them.
#[derive(Parser)]
#[command(name = "api-token", version, verbatim_doc_comment, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    deadline: Deadline,
}

#[derive(Subcommand)]
enum Command {
    /// Renew the token when less than an hour of it is left; silent when all is well
    EnsureFresh,
    /// Ask for a token now, whatever is left
    Refresh {
        /// Print what came of it as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Show whose token it is, how long it lasts, and when the application's secret ends
    Info {
        /// One line of JSON
        #[arg(long)]
        json: bool,
        /// Look at what is kept here, and ask nobody; needs no secret
        #[arg(long)]
        offline: bool,
    },
    /// Trade a person's code for that person's token, for all calls of this host
    Exchange {
        /// The code; - reads it from standard input, so that it stands in no list of processes
        code: String,
        /// Print what came of it as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget the token that is kept: the next call starts with REFRESH_TOKEN, or with the application's own
    Forget,
    /// Show what all tools of this host have used of the API's limits; asks nobody, needs no secret
    Budget {
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Print token, secret and budget as metrics, for node_exporter's textfile collector; asks nobody, needs no secret
    Metrics,
}

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<Verdict> {
    arguments.deadline.start("api-token");
    match &arguments.command {
        Command::EnsureFresh => commands::ensure_fresh(),
        Command::Refresh { json } => commands::refresh(*json),
        Command::Info { json, offline } => commands::info(*json, *offline),
        Command::Exchange { code, json } => commands::exchange(code, *json),
        Command::Forget => commands::forget(),
        Command::Budget { json } => commands::budget(*json),
        Command::Metrics => commands::metrics(),
    }?;
    Ok(Verdict::Done)
}
