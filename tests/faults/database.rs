//! A server that goes, crashes or ends a session, while somebody loads.

use crate::fault::{Fault, dice, nightly, rounds, some_tables};
use end_to_end::World;
use std::io::Write;
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use testkit::{Database, Mode, Proxy, Server, Stop, until};

const SESSION: &str = "SELECT pid FROM pg_stat_activity WHERE application_name = 'load-table'";

/// What happens to the server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Restart,
    Crash,
    KilledBackend,
    EndedSession,
}

/// A server that nobody else needs now, a world on it, and a proxy between it and the tools.
struct Scene {
    world: World,
    proxy: Proxy,
    server: MutexGuard<'static, Server>,
}

/// A server to be stopped, crashed and frozen, for one test after the other: making one takes longer than most of them.
pub(crate) fn server() -> MutexGuard<'static, Server> {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();
    // Whatever a test that failed did to it, it is brought up again.
    let server =
        SERVER.get_or_init(|| Mutex::new(Server::start())).lock().unwrap_or_else(PoisonError::into_inner);
    server.again();
    server
}

impl Scene {
    fn new(students: &str) -> Self {
        let server = server();
        let mut world = World::on(Database::create_on(&server), &["--students", students]);
        let proxy = Proxy::before_database(&world.database);
        world.workdir.set("DATABASE_URL", proxy.url());
        drop(world.mirror("fetch-cursus", "campus"));
        drop(world.run("fetch-users", &["--export", "users"]).expect(0));
        Self { world, proxy, server }
    }

    fn happens(&self, trouble: Trouble) {
        let since = || self.world.database.value("SELECT pg_postmaster_start_time()");
        match trouble {
            Trouble::Restart | Trouble::Crash => {
                let before = since();
                self.server.stop(if trouble == Trouble::Restart { Stop::Fast } else { Stop::Immediate });
                self.server.again();
                assert_ne!(since(), before, "it was not started again");
            }
            Trouble::KilledBackend => {
                let session: i32 = self.world.database.value(SESSION).parse().unwrap();
                let pid = rustix::process::Pid::from_raw(session).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                let crash = format!("(PID {session}) was terminated by signal 9");
                until("the server notices", || self.server.log().contains(&crash));
                self.server.recovered();
            }
            Trouble::EndedSession => {
                let ended = format!("SELECT count(pg_terminate_backend(pid)) FROM ({SESSION}) s");
                assert_eq!(self.world.database.value(&ended), "1");
            }
        }
    }

    fn load(&self, arguments: &[&str]) -> Child {
        let mut command = self.world.workdir.command("load-table");
        command.arg("users").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Checks that a load ended as one that lost its server, in one line, and that nothing of it is there.
fn ended_with_nothing(scene: &Scene, child: Child, what: &str) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{what}: {said}");
    assert!(said.starts_with("load-table: users: ") && said.contains("lost PostgreSQL"), "{what}: {said}");
    assert!(said.contains("run the same command again") && said.lines().count() == 1, "{what}: {said}");
    assert_eq!((output.stdout.len(), scene.world.rows("users")), (0, 0), "{what}");
}

fn before_the_commit(scene: &Scene, trouble: Trouble) {
    scene.proxy.set(Mode::HoldCommit);
    let child = scene.load(&["--export"]);
    until("its COMMIT is held up", || scene.proxy.struck() == 1);
    scene.happens(trouble);
    scene.proxy.set(Mode::Pass);
    ended_with_nothing(scene, child, &format!("{trouble:?} before the COMMIT"));
}

fn within_the_copy(scene: &Scene, trouble: Trouble) {
    let mut child = scene.load(&[]);
    let mut stdin = child.stdin.take().unwrap();
    let rows = scene.world.workdir.read("exports/08_users/cursus_21/all.ndjson");
    stdin.write_all(rows.as_bytes()).unwrap();
    let copies = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'
        AND application_name = 'load-table'";
    until("it copies", || scene.world.database.value(copies) == "1");
    scene.happens(trouble);
    // It may notice while it still reads, and leave its pipe.
    drop(stdin.write_all(rows.as_bytes()));
    drop(stdin);
    ended_with_nothing(scene, child, &format!("{trouble:?} within the COPY"));
}

/// The trouble in the midst of the rows, and at the last moment; then the load that was meant.
fn strikes_a_load(scene: &Scene, trouble: Trouble) {
    let mut fault = Fault::of(match trouble {
        Trouble::Restart => 4,
        Trouble::Crash | Trouble::KilledBackend => 5,
        Trouble::EndedSession => 6,
    });
    for strikes in [within_the_copy, before_the_commit] {
        strikes(scene, trouble);
        fault.happened(1);
        drop(scene.world.load("users"));
        scene.world.assert_mirrored("users");
        scene.world.database.execute("TRUNCATE users CASCADE");
    }
    drop(scene.world.load("users"));
    fault.survived(&scene.world, &["campuses", "users"]);
    scene.world.database.execute("TRUNCATE users CASCADE");
}

#[test]
fn a_server_that_goes_or_crashes_or_ends_a_session_in_mid_load_loses_nothing() {
    let scene = Scene::new("120");
    for trouble in [Trouble::Restart, Trouble::Crash, Trouble::KilledBackend, Trouble::EndedSession] {
        strikes_a_load(&scene, trouble);
    }
}

#[test]
fn a_nightly_that_meets_restarts_and_crashes_is_made_good_by_the_next_one() {
    let scene = Scene::new("120");
    let ((mut dice, seed), tables) = (dice(), some_tables());
    let loads = || scene.world.database.value("SELECT count(*) FROM ops.loads").parse::<u32>().unwrap();
    let mut faults = [Fault::of(4), Fault::of(5)];
    for round in 0..rounds(2) {
        let trouble = if round % 2 == 0 { Trouble::Restart } else { Trouble::Crash };
        // Every export is fetched anew, so that there is something to strike.
        drop(std::fs::remove_dir_all(scene.world.workdir.path("exports")));
        let met = loads() + dice.below(tables.len() as u32);
        let run = std::thread::scope(|scope| {
            let run = scope.spawn(|| nightly(&scene.world, &tables));
            until("it is under way", || loads() >= met || run.is_finished());
            scene.happens(trouble);
            run.join().unwrap()
        });
        faults[round as usize % 2].happened(1);
        assert!(matches!(run.code, 0 | 3 | 69), "{seed}, {trouble:?}: {run:#?}");
    }
    let run = nightly(&scene.world, &tables);
    assert!(matches!(run.code, 0 | 3), "{seed}: {run:#?}");
    let left = "SELECT string_agg(job_name, ' ') FROM ops.job_executions WHERE status = 'running'";
    assert_eq!(scene.world.database.value(left), "", "{seed}: runs on record that never end");
    for fault in faults {
        fault.survived(&scene.world, &tables);
    }
}
