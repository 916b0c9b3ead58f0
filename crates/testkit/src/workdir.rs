//! A folder to run tools in.

use crate::markers::{Markers, Nature};
use crate::search::files;
use crate::{Database, Mock};
use serde_json::Value;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Path of a tool of this workspace, as it was built beside the running test.
#[must_use]
pub fn tool(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test");
    let folder = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let path = folder.join(name);
    assert!(path.exists(), "{} is not built: cargo build --release --workspace", path.display());
    path
}

/// A folder of its own with exports, state and logs, and the environment that tools see there. What they say there may hold no
/// person, token, secret or password; at the end their logs are looked through, too.
#[derive(Debug)]
pub struct Workdir {
    folder: TempDir,
    environment: Vec<(String, String)>,
    markers: Markers,
}

/// Where the tools of a folder write down all that they could say.
const TRACE: &str = "trace.log";

/// What prints records: on its own, or when that is what it is asked for.
const PRINTS_RECORDS: [&str; 2] = ["fetch-cursus", "fetch-users"];

impl Workdir {
    /// An empty folder, whose tools see neither an API nor a database.
    #[must_use]
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let mut workdir = Self { folder, environment: Vec::new(), markers: Markers::default() };
        for (name, below) in [
            ("EXPORTS_DIR", "exports"),
            ("STATE_DIR", "state"),
            ("LOGS_DIR", "logs"),
            ("BACKUPS_DIR", "backups"),
            ("HOME", "home"),
            ("TRACE_FILE", TRACE),
        ] {
            workdir.set(name, &workdir.path(below).display().to_string());
        }
        let tools = tool("mock-api42").parent().expect("a folder").display().to_string();
        workdir.set("PATH", &format!("{tools}:{}", std::env::var("PATH").unwrap_or_default()));
        workdir
    }

    /// A folder whose tools speak to this mock and this database.
    #[must_use]
    pub fn with(mock: &Mock, database: &Database) -> Self {
        let mut workdir = Self::new();
        workdir.set("API_ROOT", mock.url());
        workdir.set("CLIENT_ID", "u-s4t2ud-mock");
        workdir.set("CLIENT_SECRET", "s-s4t2ud-mock");
        workdir.set("DATABASE_URL", &database.url());
        workdir
    }

    /// Sets a variable for the tools that run here from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.markers.note(name, value);
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Writes a file, with the folders it needs.
    pub fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Reads a file.
    #[must_use]
    pub fn read(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    /// A command of this folder, not yet run; a name without a slash is a tool of the workspace.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command =
            if program.contains('/') { Command::new(program) } else { Command::new(tool(program)) };
        command.current_dir(self.folder.path()).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a tool without input.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Run {
        self.feed(program, arguments, "")
    }

    /// Runs a tool with this input.
    pub fn feed(&self, program: &str, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_owned();
        // A tool may leave before it has read everything.
        let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().expect("a child that ends");
        writer.join().expect("a writer that ends");
        let prints_records = PRINTS_RECORDS.contains(&program) || arguments.first() == Some(&"export");
        let stdout = if prints_records { Nature::Data } else { Nature::Words };
        self.heard(Run::new(format!("{program} {}", arguments.join(" ")), output), stdout)
    }

    /// Runs a line of bash with the tools on its PATH.
    pub fn shell(&self, line: &str) -> Run {
        let output =
            self.command("/bin/bash").args(["-c", line]).stdin(Stdio::null()).output().expect("bash runs");
        // Who types it may ask for anything.
        self.heard(Run::new(line.to_owned(), output), Nature::Data)
    }

    /// Runs a script of the project, given by its path from the project's folder.
    pub fn script(&self, path: &str, arguments: &[&str]) -> Run {
        let script = root().join(path);
        let mut command = self.command(&script.display().to_string());
        let output = command.args(arguments).stdin(Stdio::null()).output().expect("a script that runs");
        let run = Run::new(format!("{path} {}", arguments.join(" ")), output);
        // It is psql, and what it prints was asked for.
        if path == "scripts/db.sh" {
            self.discreet(&format!("stderr of {}", run.command), &run.stderr);
            return run;
        }
        self.heard(run, Nature::Words)
    }

    /// Fails the test when what a tool said, and the test read by itself, holds what nobody may see.
    ///
    /// # Panics
    /// Then.
    pub fn discreet(&self, place: &str, text: &str) {
        self.markers.assert_none(place, text, Nature::Words, self.folder.path());
    }

    fn heard(&self, run: Run, stdout: Nature) -> Run {
        self.discreet(&format!("stderr of {}", run.command), &run.stderr);
        let place = format!("stdout of {}", run.command);
        self.markers.assert_none(&place, &run.stdout, stdout, self.folder.path());
        run
    }

    /// Looks through all that tools left here but for what tests wrote.
    fn inspect(&self) {
        for (below, nature) in [
            (TRACE, Nature::Words),
            ("logs", Nature::Words),
            ("home", Nature::Words),
            ("state", Nature::Words),
            ("exports", Nature::Data),
            ("backups", Nature::Data),
        ] {
            for file in files(&self.path(below)) {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let keeps_token = name.starts_with("token-");
                let nature = if keeps_token { Nature::Kept } else { nature };
                // A tool that still runs may take one away.
                let Ok(bytes) = std::fs::read(&file) else { continue };
                let text = String::from_utf8_lossy(&bytes);
                self.markers.assert_none(&file.display().to_string(), &text, nature, self.folder.path());
            }
        }
    }
}

impl Drop for Workdir {
    fn drop(&mut self) {
        // A test that fails fails for its own reason.
        if !std::thread::panicking() {
            self.inspect();
        }
    }
}

impl Default for Workdir {
    fn default() -> Self {
        Self::new()
    }
}

/// What came of a command.
#[derive(Debug)]
#[must_use = "a run that nobody looks at tests nothing"]
pub struct Run {
    /// The command.
    pub command: String,
    /// Exit code; 128 + the number of the signal that ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Run {
    fn new(command: String, output: Output) -> Self {
        let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = code.expect("an exit code or a signal");
        Self { command, code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Checks the exit code.
    ///
    /// # Panics
    /// When it is another one; the message shows everything.
    pub fn expect(self, code: i32) -> Self {
        assert!(self.code == code, "{} instead of {code}: {self:#?}", self.code);
        self
    }

    /// Checks that stderr is one line that holds these words.
    ///
    /// # Panics
    /// When it is not.
    pub fn complains(self, words: &[&str]) -> Self {
        let lines: Vec<_> = self.stderr.lines().collect();
        assert!(lines.len() == 1, "one line expected on stderr: {self:#?}");
        for word in words {
            assert!(lines[0].contains(word), "`{word}` expected on stderr: {self:#?}");
        }
        self
    }

    /// The last line of stdout as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let line = self.stdout.lines().last().unwrap_or_else(|| panic!("nothing on stdout: {self:#?}"));
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The lines of stdout as JSON.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder")
}
