//! Start and end.

use crate::tools::Folder;
use crate::{Server, desk};
use std::fs::File;
use std::process::Stdio;
use testkit::Workdir;

#[test]
fn a_signal_ends_it_with_a_sentence() {
    let workdir = Workdir::new();
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        // Whoever runs the tests in the background of a shell has SIGINT ignored, and everything below it too.
        let mut command = workdir.command("/usr/bin/env");
        let server = Server::of(command.args(["--default-signal", "monitor-server"]));
        drop(server.get("/healthz").expect(200));
        let (ended, said) = server.end(signal);
        assert_eq!(ended, code, "{said}");
        assert_eq!(
            said,
            format!("monitor-server: ended by SIG{signal}; nothing is lost, run the same command again\n")
        );
    }
}

#[test]
fn what_is_being_answered_at_the_end_is_finished_and_nothing_new_is_begun() {
    let folder = Folder::new();
    folder.tool("pipeline-status", "echo x >>looks; sleep 1; echo '{\"status\":\"unknown\"}'; exit 1");
    let server = folder.start(&[]);
    let idle = server.connect();
    let url = server.url.clone();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| server.get("/api/monitoring/status").expect(200).body);
        crate::until("a look", || folder.has("looks"));
        crate::send(&server.child, "TERM");
        assert_eq!(asked.join().unwrap(), "{\"status\":\"unknown\"}\n");
    });
    let (ended, _) = server.end("CONT");
    assert_eq!(ended, 143);
    assert!(std::net::TcpStream::connect(url.trim_start_matches("http://")).is_err());
    drop(idle);
}

#[test]
fn two_at_one_address_are_one_and_a_word() {
    let (_database, workdir) = desk();
    let server = Server::start(&workdir, &[]);
    let address = server.url.trim_start_matches("http://");
    let run = workdir.run("monitor-server", &["--listen", address]).expect(75);
    assert!(run.stdout.is_empty());
    drop(run.complains(&[address, "is in use", "--listen takes another port"]));
    drop(server.get("/healthz").expect(200));
}

#[test]
fn it_says_where_it_is_when_it_is_ready() {
    let workdir = Workdir::new();
    let path = workdir.path("url").display().to_string();
    let server = Server::start(&workdir, &["--ready-file", &path]);
    assert_eq!(workdir.read("url"), format!("{}\n", server.url));
    let run = workdir
        .run("monitor-server", &["--listen", "127.0.0.1:0", "--ready-file", "no/such/folder"])
        .expect(74);
    drop(run.complains(&["writing no/such/folder"]));
    let mut command = workdir.command("monitor-server");
    command
        .args(["--listen", "127.0.0.1:0"])
        .stdout(File::create("/dev/full").unwrap())
        .stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(74));
}

#[test]
fn wrong_usage_is_told_before_anything_listens() {
    let workdir = Workdir::new();
    for wrong in [
        &["--listen", "8042"][..],
        &["--listen", "localhost"],
        &["--patience", "1"],
        &["--patience", "61"],
        &["--host", "https://a.example"],
        &["extra"],
    ] {
        let run = workdir.run("monitor-server", wrong).expect(2);
        assert!(run.stdout.is_empty() && run.stderr.starts_with("error: "), "{run:#?}");
    }
}
