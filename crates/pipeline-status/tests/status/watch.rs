//! The dashboard, on a terminal and elsewhere.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use testkit::{Database, Workdir};

#[test]
fn watch_ends_with_q_or_ctrl_c_and_gives_the_terminal_back() {
    for (key, ending) in [("q", "ended 0"), ("\u{3}", "ended by SIGINT")] {
        let text = watched(key);
        let (screen, after) = text.split_once("\u{1b}[?1049l").unwrap_or_else(|| panic!("{text}"));
        assert!(screen.starts_with("\u{1b}[?1049h") && screen.contains("mirror42"), "{text}");
        assert!(after.contains(ending) && after.contains(" icanon") && after.contains(" echo "), "{text}");
    }
}

/// What a terminal is sent by a watch that is ended by a key, and by the shell around it.
fn watched(key: &str) -> String {
    let workdir = Workdir::new();
    let mut dashboard = Dashboard::open(&workdir, "--interval 3600");
    let sent = read_until(&mut dashboard.terminal, "q ends");
    // The next look is an hour away: only the key ends this.
    dashboard.press(key);
    sent + &dashboard.rest()
}

/// A watch on a terminal of 80 columns and 24 lines, in a shell that tells how it ended.
struct Dashboard {
    child: Child,
    keyboard: ChildStdin,
    terminal: ChildStdout,
}

impl Dashboard {
    fn open(workdir: &Workdir, options: &str) -> Self {
        let tool = testkit::tool("pipeline-status").display().to_string();
        let line =
            format!("trap : INT; stty rows 24 cols 80; {tool} --watch {options}; echo ended $?; stty -a");
        let mut command = workdir.command("/usr/bin/env");
        command.args(["TERM=xterm", "SHELL=/bin/sh", "script", "-qec", &line, "/dev/null"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keyboard, terminal) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keyboard, terminal }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// What is sent until it ends.
    fn rest(mut self) -> String {
        let mut rest = Vec::new();
        self.terminal.read_to_end(&mut rest).unwrap();
        self.child.wait().unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    }
}

#[test]
fn keys_choose_a_page_and_only_what_differs_is_drawn() {
    let workdir = Workdir::new();
    let mut dashboard = Dashboard::open(&workdir, "--interval 3600");
    let first = read_until(&mut dashboard.terminal, "q ends");
    assert!(first.contains("API minute") && first.contains("\u{1b}[24;1H"), "{first}");
    dashboard.press("4");
    let alerts = read_until(&mut dashboard.terminal, "alert log");
    assert!(
        !alerts.contains("\u{1b}[2J") && !alerts.contains("\u{1b}[1;1H"),
        "the first line is the same: {alerts}"
    );
    dashboard.press("q");
    assert!(dashboard.rest().contains("ended 0"));
}

#[test]
fn who_is_stopped_or_killed_gives_the_terminal_back() {
    for (signal, ending) in [("TERM", "ended 143"), ("QUIT", "ended 131"), ("HUP", "ended 129")] {
        let workdir = Workdir::new();
        let mut dashboard = Dashboard::open(&workdir, "--interval 3600");
        drop(read_until(&mut dashboard.terminal, "q ends"));
        kill(&dashboard, signal);
        let rest = dashboard.rest();
        let (_, after) = rest.split_once("\u{1b}[?1049l").unwrap_or_else(|| panic!("{signal}: {rest}"));
        assert!(after.contains(ending) && after.contains(" icanon") && after.contains(" echo "), "{rest}");
    }
    let workdir = Workdir::new();
    let mut dashboard = Dashboard::open(&workdir, "--interval 3600");
    drop(read_until(&mut dashboard.terminal, "q ends"));
    kill(&dashboard, "TSTP");
    drop(read_until(&mut dashboard.terminal, "\u{1b}[?1049l"));
    kill(&dashboard, "CONT");
    let back = read_until(&mut dashboard.terminal, "q ends");
    assert!(back.contains("\u{1b}[?1049h"), "{back}");
    dashboard.press("q");
    assert!(dashboard.rest().contains("ended 0"));
}

/// Sends a signal to the watch of a dashboard: a child of the shell that is a child of `script`.
fn kill(dashboard: &Dashboard, signal: &str) {
    let line = format!("kill -s {signal} $(pgrep -P $(pgrep -P {}) pipeline-status)", dashboard.child.id());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
}

/// What is read until some words came.
fn read_until(from: &mut impl Read, words: &str) -> String {
    let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&read).contains(words) {
        let count = from.read(&mut buffer).unwrap();
        assert!(count > 0, "{words} never came: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&read).into_owned()
}

#[test]
fn watch_survives_a_database_that_goes_away() {
    let database = Database::create();
    let mut workdir = Workdir::new();
    workdir.set("DATABASE_URL", &database.url());
    drop(workdir.run("init-db", &[]).expect(0));
    let mut command = workdir.command("pipeline-status");
    command.args(["--watch", "--interval", "1"]).stdout(Stdio::piped()).stdin(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut screens = child.stdout.take().unwrap();
    let before = read_until(&mut screens, "\ndatabase   PostgreSQL ");
    assert!(!before.contains("CRITICAL  database"), "{before}");
    drop(database);
    let after = read_until(&mut screens, "\ndatabase   not known: ");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(after.contains("CRITICAL  database"), "{after}");
}
