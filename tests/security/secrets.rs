//! Where secrets may not be, whatever is run.

use end_to_end::World;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::{Workdir, tool};

/// Variables that tools read, and that hold what opens doors.
const SECRETS: [&str; 9] = [
    "CLIENT_SECRET",
    "CLIENT_SECRET_NEXT",
    "REFRESH_TOKEN",
    "MONITOR_TOKEN",
    "MONITOR_ADMIN_TOKEN",
    "DATABASE_URL",
    "PGPASSWORD",
    "DB_PASSWORD",
    "ALERT_WEBHOOK",
];

const MARK: &str = "planted-0123456789abcdef0123456789";

#[test]
fn no_manual_and_no_refusal_of_a_command_line_shows_what_the_environment_holds() {
    let mut workdir = Workdir::new();
    for name in SECRETS {
        workdir.set(name, &format!("postgresql://x:{MARK}@127.0.0.1:1/x"));
    }
    let manuals = manuals();
    assert!(manuals.len() > 12, "{manuals:?}");
    for path in &manuals {
        let tool = path.file_stem().and_then(|stem| stem.to_str()).unwrap();
        let manual = workdir.run(tool, &["--help"]).expect(0).stdout;
        let refused = workdir.run(tool, &["--no-such-option"]);
        let subcommands = manual.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
        let subcommands: Vec<_> = subcommands
            .map_while(|line| line.strip_prefix("  ")?.split(' ').next())
            .filter(|name| !name.is_empty())
            .collect();
        let more = subcommands.iter().map(|name| workdir.run(tool, &[name, "--help"]).stdout);
        let said: String = [manual.clone(), refused.stdout, refused.stderr].into_iter().chain(more).collect();
        assert!(!said.contains(MARK), "{tool}: {said}");
    }
}

#[test]
fn no_option_takes_a_secret() {
    for path in manuals() {
        // The mock's own is not one: it plays the API.
        if path.ends_with("mock-api42.txt") {
            continue;
        }
        let manual = std::fs::read_to_string(&path).unwrap();
        for line in manual.lines().map(str::trim_start).filter(|line| line.starts_with('-')) {
            let option = line.split("  ").next().unwrap().to_lowercase();
            let words = ["secret", "token", "password", "database-url", "webhook", "credential"];
            assert!(!words.iter().any(|word| option.contains(word)), "{}: {line}", path.display());
        }
    }
}

#[test]
fn nothing_that_opens_doors_is_seen_in_a_list_of_processes() {
    let world = World::new(&["--students", "60"]);
    let over = AtomicBool::new(false);
    let home = format!("HOME={}\0", world.workdir.path("home").display());
    let seen = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = std::collections::BTreeSet::new();
            while !over.load(Ordering::Relaxed) {
                seen.extend(command_lines(&home));
                std::thread::sleep(Duration::from_millis(3));
            }
            seen
        });
        for script in ["nightly_stable_tables.sh", "live_db_sync.sh", "write_metrics.sh"] {
            let run = world.workdir.script(&format!("scripts/cron/{script}"), &[]);
            assert!(matches!(run.code, 0 | 1 | 3), "{run:#?}");
        }
        drop(world.workdir.script("scripts/backup.sh", &[]).expect(0));
        over.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    });
    for program in ["fetch-users", "load-table", "psql", "pg_dump"] {
        assert!(seen.iter().any(|line| line.contains(program)), "{program} was not seen: {seen:#?}");
    }
    for line in &seen {
        world.workdir.discreet("a list of processes", line);
    }
}

/// The command lines of the processes that have this in their environment.
fn command_lines(variable: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let line = |path: PathBuf| {
        let environment = std::fs::read(path.join("environ")).ok()?;
        let is_ours = String::from_utf8_lossy(&environment).contains(variable);
        let line = is_ours.then(|| std::fs::read(path.join("cmdline")).ok())??;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    };
    processes.filter_map(|entry| line(entry.path())).collect()
}

#[test]
fn what_a_tool_keeps_for_itself_is_for_its_owner_alone() {
    let world = World::new(&["--students", "60"]);
    let fetch = format!("umask 0; {} campus >/dev/null", tool("fetch-cursus").display());
    drop(world.workdir.shell(&fetch).expect(0));
    let modes = world.workdir.shell("stat -c '%a %n' state state/*").expect(0).stdout;
    assert!(modes.contains("state/token-"), "{modes}");
    for line in modes.lines() {
        assert!(line.starts_with("600 ") || line == "700 state", "{modes}");
    }
    // What others can read is not trusted, and not run either.
    let inert = "f=$(echo state/token-*.json); echo '$(touch ran)' >$f; chmod 644 $f";
    drop(world.workdir.shell(inert).expect(0));
    let run = world.run("fetch-cursus", &["campus"]).expect(0);
    assert!(run.stderr.contains("others could read it, so it is made anew"), "{run:#?}");
    assert!(!world.workdir.path("ran").exists());
}

/// The manuals of all tools, each named for its tool; tests/house.rs sees to it that they are what the tools say.
fn manuals() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tools");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
