//! monitor-server: the monitor over HTTP.
//!
//! # Layout
//! - this file: the command line, and how it starts and ends.
//! - `settings`: what the command line and the environment allow. `app`: what all requests share.
//! - `serve`: connections: how many, how slow, and their end. `guard`: what every request passes.
//! - `routes`: all of them. `tokens`, `hosts`: who may ask, and by which name. `counts`: what was asked.
//! - `jobs` by `records`: the database. `status`, `health` by `fresh`: other tools, run as children. `probes`, `page`: the rest.
//! - `parameters`, `refusal`: what is said when a query is wrong; what it says is `lib.rs`.

mod app;
mod counts;
mod fresh;
mod guard;
mod health;
mod hosts;
mod jobs;
mod page;
mod parameters;
mod probes;
mod records;
mod refusal;
mod routes;
mod serve;
mod settings;
mod status;
mod tokens;

use anyhow::{Context, Result, anyhow};
use app::App;
use clap::Parser;
use settings::Settings;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tool::{Judge, Verdict};

/// Serve the monitor over HTTP: jobs, status, integrity, metrics, and a page to look at
///
/// Prints one line when it is ready, its address, and answers until it is ended; what is being answered then is finished
/// first. Every answer was measured just now: what cannot be read is 503, never an old answer and never an empty one.
/// /openapi.json describes every route:
///   GET  /                               a page that shows it all; page.css, page.js, scripts/
///   GET  /healthz, /readyz               whether this process lives; whether the database answers
///   GET  /api/monitoring/jobs/active     as `job-monitor active --json`; also history, summary, {id}
///   GET  /api/monitoring/status          as `pipeline-status --json`, at most 2 s old
///   GET  /metrics                        as `pipeline-status --openmetrics`, and the requests of this server
///   GET  /api/v1/health/status           as `check-integrity status`; also latest-report, violations, metrics; also below
///                                        /health
///   POST /api/v1/health/check-now        as `check-integrity run`; ?dry_run=true
///
/// Tokens come from the environment or .env, 32 characters or more, for instance of `openssl rand -hex 32`; a request
/// carries one as `Authorization: Bearer TOKEN`. MONITOR_TOKEN may read jobs, status and /metrics; MONITOR_ADMIN_TOKEN may
/// do everything. Page, probes and openapi.json are open. Without either token everything but check-now is open, and only
/// on loopback. The names that a request may call this server by (its Host header) are those of loopback, the
/// address it came to, and --host. There is no TLS here: beyond loopback, put a proxy before it.
///
/// Environment: MONITOR_TOKEN, MONITOR_ADMIN_TOKEN, MONITOR_HOSTS; what job-monitor, pipeline-status and check-integrity
/// need, which are run from where this tool is, or from PATH; RUST_LOG (info prints a line for each request).
///
/// Examples:
///   monitor-server &
///   curl -H @- localhost:8042/api/monitoring/jobs/history?limit=5 <<<"Authorization: Bearer $MONITOR_TOKEN"
#[derive(Debug, Parser)]
#[command(name = "monitor-server", version, verbatim_doc_comment)]
struct Arguments {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8042")]
    listen: SocketAddr,
    /// Another name that this server is called by, without a port; may be repeated
    #[arg(long, value_name = "NAME", env = "MONITOR_HOSTS", hide_env_values = true, value_delimiter = ',')]
    #[arg(value_parser = hosts::parse)]
    host: Vec<String>,
    /// Write the address to this file, too, once ready
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Seconds that the database, and each tool that is asked, may take to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=60))]
    patience: u64,
}

/// How long the end waits for answers that are under way, and for who reads them.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    tool::main(|arguments: Arguments| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<Verdict> {
    let settings =
        Settings::read(arguments.listen, &arguments.host, Duration::from_secs(arguments.patience))?;
    let listener = bind(arguments.listen)?;
    let address = listener.local_addr().context("the address of the socket")?;
    // Requests wait for the database and for children, hardly ever for a processor.
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no threads")?;
    let (asked, ended) = before_end();
    tool::announce(&format!("http://{address}"), arguments.ready_file.as_deref())?;
    runtime.block_on(serve::serve(&Arc::new(App::new(settings)), listener, asked))?;
    ended.send(()).unwrap_or_default();
    // The thread that heard the signal ends the process.
    loop {
        std::thread::park();
    }
}

/// A port that is taken is free again when who has it ends.
fn bind(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            let way_out =
                "another monitor-server is running, or something else is; --listen takes another port";
            anyhow!("{address} is in use: {way_out}").verdict(Verdict::Busy)
        }
        _ => anyhow!("listening on {address}: {error}; see --listen").verdict(Verdict::Config),
    })
}

/// What hears that the end is asked for, and what says that the last answers are out.
fn before_end() -> (oneshot::Receiver<()>, Sender<()>) {
    let (ask, asked) = oneshot::channel();
    let (end, ended) = channel();
    let both = Mutex::new(Some((ask, ended)));
    tool::before_end(move || {
        if let Some((ask, ended)) = both.lock().ok().and_then(|mut both| both.take()) {
            ask.send(()).unwrap_or_default();
            ended.recv_timeout(2 * LAST_ANSWERS).unwrap_or_default();
        }
    });
    (asked, end)
}
