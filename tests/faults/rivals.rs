//! Everything that cron starts, started at once and too often.

use crate::fault::{Fault, rounds, some_tables};
use end_to_end::World;
use testkit::Run;

#[test]
fn of_everything_that_cron_starts_at_once_one_runs_and_nothing_is_lost() {
    let world = World::new(&["--students", "120", "--latency", "5"]);
    let tables = some_tables();
    drop(crate::fault::nightly(&world, &tables));
    let mut fault = Fault::of(33);
    let scripts = [
        "nightly_stable_tables",
        "live_db_sync",
        "backlog_worker",
        "integrity_check",
        "purge_people",
        "write_metrics",
    ];
    for _ in 0..rounds(1) {
        world.mock.moves(r#"{"updates": 30, "newcomers": 3, "enrolments": 5}"#);
        drop(world.workdir.shell("rm -rf exports; backlog add 1 2 3"));
        let runs: Vec<(&str, Run)> = std::thread::scope(|scope| {
            let start = |script| {
                let path = format!("scripts/cron/{script}.sh");
                let arguments = if script == scripts[0] { tables.clone() } else { Vec::new() };
                let world = &world;
                scope.spawn(move || (script, world.workdir.script(&path, &arguments)))
            };
            let threads: Vec<_> = scripts.iter().chain(&scripts).map(|script| start(*script)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for script in scripts {
            let of_it = || runs.iter().filter(|(name, _)| *name == script).map(|(_, run)| run);
            let ran = of_it().filter(|run| matches!(run.code, 0 | 3)).count();
            let busy = of_it().filter(|run| run.code == 75).count();
            assert!(ran >= 1 && ran + busy == 2, "{script}: {:#?}", of_it().collect::<Vec<_>>());
            if busy > 0 {
                fault.happened(busy as u64);
            }
        }
        // What of it came too early for the other is made good by the next run.
        drop(world.workdir.shell("rm -rf exports"));
        let run = crate::fault::nightly(&world, &tables);
        assert!(matches!(run.code, 0 | 3), "{run:#?}");
    }
    fault.survived(&world, &tables);
}
