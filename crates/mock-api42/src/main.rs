//! mock-api42: a stand-in for api.intra.42.fr, as unforgiving as the real one.

mod admin;
mod api;
mod app;
mod chance;
mod choices;
mod credentials;
mod damage;
mod faults;
mod http;
mod json;
mod latency;
mod limiter;
mod lists;
mod moment;
mod oauth;
mod page_moves;
mod params;
mod query;
mod reply;
mod resource;
mod routes;
mod select;
mod stats;
mod switches;
mod world;

use anyhow::{Context, anyhow};
use app::App;
use clap::Parser;
use faults::{Fault, Faults};
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use switches::Switches;
use tool::{Judge, Verdict};

/// Stand in for the 42 API: its tokens, limits, pages, refusals and bad days, over an invented school
///
/// Prints one line when it is ready, the address to use as API_ROOT, and answers until it is ended. The school is
/// the same for the same seed; all its people are invented. It listens on loopback addresses only.
///
/// Tests and demonstrations steer it while it runs, at the same address:
///   GET  /_mock/health, /_mock/switches
///   GET  /_mock/stats          calls by path, status and grant; with ?window=SECONDS the most in any such window
///   GET  /_mock/moved          how many people and rows have moved
///   GET  /_mock/all/v2/LIST?filter[..]=..  every row as NDJSON, ids rising, no pages
///   POST /_mock/move           {"updates":N,"silent":N,"departures":N,"anonymise":N,"newcomers":N,
///                               "enrolments":N,"marks":N,"badges":N,"memberships":N}; tells the ids
///   POST /_mock/faults         [{"kind":"html503","path":"/users","skip":1,"times":2,"every":3}], [] clears
///   POST /_mock/switch         {"per_second":8,"x_total":"off"}: any option below that is not of the start
///   POST /_mock/expire-tokens, /_mock/code, /_mock/stats/reset
///
/// Faults: html502 html503 html504 html200 html403 status500 throttle (retry_after) truncate truncate_gzip bad_json
/// drip (ms) slow (ms) hang reset empty unauthorized nul no_id duplicate_id no_total not_array short_page.
#[derive(Debug, Parser)]
#[command(name = "mock-api42", version, verbatim_doc_comment)]
struct Arguments {
    /// Loopback address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4242")]
    listen: SocketAddr,
    /// Write the address to this file, too, once ready
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// End when stdin ends, so that no test leaves a server behind
    #[arg(long)]
    until_stdin_closes: bool,
    /// The world to invent
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Students of cursus 21 who are not alumni; everything about people scales with them
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    students: u32,
    /// How many of these students have no primary campus
    #[arg(long, value_name = "N", default_value_t = 0)]
    without_campus: u32,
    /// The client id that is known
    #[arg(long, value_name = "ID", default_value = "u-s4t2ud-mock")]
    client_id: String,
    /// Its secret
    #[arg(long, value_name = "SECRET", default_value = "s-s4t2ud-mock")]
    client_secret: String,
    /// The secret that works once the first one has expired
    #[arg(long, value_name = "SECRET")]
    next_secret: Option<String>,
    /// An authorization code that works once; may be repeated
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,
    /// A fault: KIND,path=PART,skip=N,times=N,every=N or JSON; may be repeated
    #[arg(long, value_name = "SPEC", value_parser = Fault::parse)]
    fault: Vec<Fault>,
    #[command(flatten)]
    switches: Switches,
}

fn main() -> ExitCode {
    tool::main(|arguments| run(&arguments))
}

fn run(arguments: &Arguments) -> anyhow::Result<Verdict> {
    if !arguments.listen.ip().is_loopback() {
        let error = anyhow!("{} is not a loopback address; use 127.0.0.1 or [::1]", arguments.listen.ip());
        return Err(error).verdict(Verdict::Usage);
    }
    let listener = TcpListener::bind(arguments.listen)
        .with_context(|| format!("listening on {}; --listen 127.0.0.1:0 takes a free port", arguments.listen))
        .verdict(Verdict::Unreachable)?;
    if arguments.until_stdin_closes {
        std::thread::spawn(end_with_stdin);
    }
    let app = Arc::new(App::new(arguments, Faults::new(arguments.fault.clone())));
    let moved = Arc::clone(&app);
    std::thread::spawn(move || keep_moving(&moved));
    tool::announce(&format!("http://{}", listener.local_addr()?), arguments.ready_file.as_deref())?;
    http::serve(&app, &listener)?;
    Ok(Verdict::Done)
}

fn end_with_stdin() {
    let mut bytes = [0; 1024];
    let mut stdin = std::io::stdin().lock();
    // An error is an end, too.
    while stdin.read(&mut bytes).is_ok_and(|count| count > 0) {}
    std::process::exit(i32::from(Verdict::Done.code()));
}

/// Moves the world as often as the switch says, which may change while it runs.
fn keep_moving(app: &App) {
    let mut due = Instant::now();
    loop {
        let wanted = app.switches().updates_per_minute;
        if wanted == 0 {
            std::thread::sleep(Duration::from_millis(200));
            due = Instant::now();
            continue;
        }
        // Beyond ten a second, several at once; what a slow moment leaves undone is made good.
        let at_once = wanted.div_ceil(600);
        due += Duration::from_secs_f64(60.0 * f64::from(at_once) / f64::from(wanted));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut world = app.world_mut();
        (0..at_once).for_each(|_| world.drift());
    }
}
