//! A mock and a folder whose tools speak to it.
#![allow(dead_code)] // each test file uses its own part

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use testkit::{Mock, Run, Workdir};

pub(crate) struct Desk {
    pub(crate) mock: Mock,
    pub(crate) workdir: Workdir,
}

impl Desk {
    pub(crate) fn new(mock: &[&str]) -> Self {
        let few: &[&str] = if mock.contains(&"--students") { &[] } else { &["--students", "300"] };
        let mock = Mock::start(&[few, mock].concat());
        let workdir = folder(&mock);
        Self { mock, workdir }
    }

    /// Runs `api-token` and checks its exit code, and that nothing it says or writes down gives a token away.
    pub(crate) fn run(&self, arguments: &[&str], code: i32) -> Run {
        let run = self.workdir.run("api-token", arguments).expect(code);
        self.check_discreet(&run);
        run
    }

    pub(crate) fn check_discreet(&self, run: &Run) {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let kept = state_file(&self.workdir, "token").map(|path| fs::read_to_string(path).unwrap());
        let kept: Value = serde_json::from_str(&kept.unwrap_or_default()).unwrap_or_default();
        for secret in ["access_token", "refresh_token"].iter().filter_map(|name| kept[name].as_str()) {
            for text in [&run.stdout, &run.stderr, &log] {
                assert!(!text.contains(&secret[..8]), "{run:#?} {log}");
            }
        }
        assert!(
            !run.stdout.contains("s-s4t2ud") && !run.stderr.contains("s-s4t2ud") && !log.contains("s-s4t2ud")
        );
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.workdir.path("logs/42_token_refresh.log")
    }

    /// The lines of the log, without their instants, whose form is checked.
    pub(crate) fn logged(&self) -> Vec<String> {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        text.lines().map(|line| without_instant(line).to_owned()).collect()
    }

    /// How many tokens the mock was asked for since the last time.
    pub(crate) fn asked(&self) -> u64 {
        let stats = self.mock.stats();
        let grants = stats["token_calls_by_grant"].as_object().unwrap();
        self.mock.forget();
        // What /oauth/token/info was asked is no grant.
        grants.iter().filter(|(grant, _)| grant.contains('_')).filter_map(|(_, calls)| calls.as_u64()).sum()
    }

    pub(crate) fn kept(&self) -> Value {
        let path = state_file(&self.workdir, "token").expect("a token is kept");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }
}

/// A folder whose tools speak to a mock.
pub(crate) fn folder(mock: &Mock) -> Workdir {
    let mut workdir = Workdir::new();
    workdir.set("API_ROOT", mock.url());
    workdir.set("CLIENT_ID", "u-s4t2ud-mock");
    workdir.set("CLIENT_SECRET", "s-s4t2ud-mock");
    workdir
}

/// `token-KEY.json` or `pace-KEY.json` of a folder.
pub(crate) fn state_file(workdir: &Workdir, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(workdir.path("state")).ok()?;
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths.find(|path| is_state(path, name))
}

fn is_state(path: &Path, name: &str) -> bool {
    let file = path.file_name().unwrap().to_str().unwrap();
    file.starts_with(name) && file.ends_with(".json")
}

/// `2026-11-24T02:00:00Z INFO …` → `INFO …`
fn without_instant(line: &str) -> &str {
    let (instant, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
    let shape: String =
        instant.chars().map(|letter| if letter.is_ascii_digit() { '9' } else { letter }).collect();
    assert_eq!(shape, "9999-99-99T99:99:99Z", "{line}");
    rest
}
