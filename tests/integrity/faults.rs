//! Each check of a real mirror: one fault, one finding, its own command, resolved; again, reopened.

use crate::{Rig, name};
use end_to_end::World;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Plants a fault, twice. Both times it is the only thing found, and what is recommended mends it.
fn plant(rig: &Rig, check: &str, action: &str, arguments: &[&str], fault: impl Fn(&Rig)) -> Value {
    fault(rig);
    let finding = rig.only(arguments);
    let seen = |finding: &Value| (finding["times_seen"].clone(), finding["reopened"].clone());
    assert_eq!(
        (&finding["check"], &finding["recommended_action"]),
        (&json!(check), &json!(action)),
        "{finding:#}"
    );
    assert_eq!(seen(&finding), (json!(1), json!(0)), "{finding:#}");
    assert_eq!(seen(&rig.only(arguments)), (json!(2), json!(0)));
    let command = finding["command"].as_str().unwrap();
    let run = rig.world.workdir.shell(command);
    assert!(matches!(run.code, 0 | 3), "{run:#?}");
    assert!(!rig.found(arguments).contains(&name(&finding)), "{command} does not mend {finding:#}");
    let open = "SELECT count(*) FROM ops.integrity_violations WHERE resolved_at IS NULL";
    assert_eq!(rig.value(open), rig.usual.len().to_string());
    rig.age();
    fault(rig);
    assert_eq!(seen(&rig.only(arguments)), (json!(1), json!(1)), "it came back");
    // All the same by the tool itself.
    let repair = rig.check(&[&["repair"], arguments].concat());
    assert!(repair.code < 3, "{repair:#?}");
    let body = repair.json();
    let done = body["repairs"].as_array().unwrap();
    assert!(
        done.iter().any(|one| one["action"] == json!(action) && one["exit_code"] != json!(1)),
        "{body:#}"
    );
    assert!(!crate::names(&body["after"]["violations"]).contains(&name(&finding)), "{body:#}");
    finding
}

#[test]
fn a_row_of_an_export_that_is_not_in_the_table_is_loaded_again() {
    let rig = Rig::new();
    let finding = plant(&rig, "export_rows_in_db", "reload_export", &[], |rig| {
        rig.execute("DELETE FROM coalitions_users WHERE id = (SELECT min(id) FROM coalitions_users)");
    });
    assert_eq!(finding["command"], "load-table coalitions_users --export");
    assert_eq!(
        (&finding["left"]["source"], &finding["right"]["value"]),
        (&json!("exports/13_coalitions_users"), &Value::Null)
    );
}

#[test]
fn a_row_that_the_last_full_export_lacks_is_pruned_by_it() {
    let rig = Rig::new();
    plant(&rig, "db_rows_not_in_export", "review_deletion", &[], |rig| {
        rig.execute(
            "INSERT INTO coalitions_users SELECT (jsonb_populate_record(c, '{\"id\": 987654321}')).* FROM coalitions_users c LIMIT 1",
        );
    });
}

#[test]
fn a_level_that_disagrees_is_fetched_again_where_there_are_two() {
    let mut world = World::new(&["--students", "120"]);
    catalog_with_levels(&mut world);
    drop(world.run("init-db", &[]).expect(0));
    let rig = Rig::with(world);
    let finding = plant(&rig, "user_level_vs_cursus_user", "backlog_add_user", &[], |rig| {
        rig.execute("UPDATE users SET level = level + 0.5 WHERE id = (SELECT min(id) FROM users)");
    });
    let user = rig.value("SELECT min(id) FROM users").parse::<i64>().unwrap();
    assert_eq!((&finding["user_id"], &finding["specialization"]), (&json!(user), &json!(21)));
    let levels = ["progress_level", "license_level"].map(|key| finding[key].as_f64().unwrap());
    assert!((levels[0] - levels[1] - 0.5).abs() < 1e-9, "{finding:#}");
    assert_eq!(
        rig.value(
            "SELECT count(*) FROM users u JOIN cursus_users c ON c.user_id = u.id WHERE u.level <> c.level"
        ),
        "0"
    );
}

/// The catalog, with a level of users and enrolments that the mock gives in both lists: the wallet.
fn catalog_with_levels(world: &mut World) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/catalog/resources");
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let level = "    { name = \"level\", type = \"double precision\", from = \"/wallet\" },\n";
        let text = fs::read_to_string(&path).unwrap();
        let text = match file.as_str() {
            "08_users.toml" => {
                text.replacen("    { name = \"email\"", &format!("{level}    {{ name = \"email\""), 1)
            }
            "10_cursus_users.toml" => text.replacen(
                "{ name = \"level\", type = \"double precision\" }",
                "{ name = \"level\", type = \"double precision\", from = \"/user/wallet\" }",
                1,
            ),
            _ => text,
        };
        world.workdir.write(&format!("catalog/{file}"), &text);
    }
    let folder = world.workdir.path("catalog").display().to_string();
    world.workdir.set("CATALOG_DIR", &folder);
}

#[test]
fn a_student_without_an_enrolment_has_it_fetched() {
    let rig = Rig::new();
    rig.forget_exports(&["10_cursus_users"]);
    let finding = plant(&rig, "cursus_membership", "refetch_rows", &[], |rig| {
        rig.execute("DELETE FROM cursus_users WHERE user_id = (SELECT min(id) FROM users)");
    });
    assert_eq!(finding["subject"]["user_id"].to_string(), rig.value("SELECT min(id) FROM users"));
}

#[test]
fn rows_whose_student_is_missing_are_one_finding_for_each_student() {
    let rig = Rig::new();
    let user = rig.value("SELECT user_id FROM projects_users GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");
    let rows = rig.world.run("fetch-users", &["projects_users", "--ids", &user]).expect(0).stdout;
    rig.forget_exports(&[
        "08_users",
        "10_cursus_users",
        "11_projects_users",
        "12_achievements_users",
        "13_coalitions_users",
    ]);
    let finding = plant(&rig, "projects_users_user_fk", "backlog_add_user", &[], |rig| {
        rig.execute(&format!("DELETE FROM users WHERE id = {user}"));
        orphan(rig, "projects_users", &rows);
    });
    assert_eq!(
        finding["subject"],
        json!({"found_in": "ops.quarantine", "parent_key": user.parse::<i64>().unwrap(), "parent_table": "users"})
    );
    assert_eq!(finding["rows"], json!(rows.lines().count()));
}

/// Loads rows that lack their parent, and lets an hour pass.
fn orphan(rig: &Rig, table: &str, rows: &str) {
    drop(rig.world.workdir.feed("load-table", &[table], rows).expect(3));
    rig.execute("UPDATE ops.quarantine SET first_seen = first_seen - interval '1 hour'");
}

/// Deletes the parent that most rows of a table refer to, and loads them without it. Its list brings it back.
fn lose_parent(table: &str, check: &str, pointer: &str, parent: &str, exports: &[&str]) {
    let rig = Rig::new();
    let column = check.trim_start_matches(&format!("{table}_")).trim_end_matches("_fk").to_owned() + "_id";
    let id = rig.value(&format!("SELECT {column} FROM {table} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"));
    let file = exports[0];
    let all = rig.world.workdir.read(&format!("exports/{file}/cursus_21/all.ndjson"));
    let id_of = |line: &str| serde_json::from_str::<Value>(line).unwrap().pointer(pointer).unwrap().as_i64();
    let number = id.parse::<i64>().ok();
    let is_of = |line: &&str| id_of(line) == number;
    let rows: String = all.lines().filter(is_of).map(|line| format!("{line}\n")).collect();
    let finding = plant(&rig, check, "refetch_parent", &[], |rig| {
        rig.forget_exports(exports);
        rig.execute(&format!("DELETE FROM {parent} WHERE id = {id}"));
        orphan(rig, table, &rows);
    });
    assert_eq!(finding["rows"], json!(rows.lines().count()), "{finding:#}");
    assert_eq!(finding["severity"], if table == "projects_users" { "error" } else { "warning" });
}

#[test]
fn rows_whose_project_is_missing_are_one_finding_and_its_list_brings_it_back() {
    let exports = ["11_projects_users", "05_projects", "06_campus_projects", "07_project_sessions"];
    lose_parent("projects_users", "projects_users_project_fk", "/project/id", "projects", &exports);
}

#[test]
fn rows_whose_achievement_is_missing_are_one_finding_and_its_list_brings_it_back() {
    let exports = ["12_achievements_users", "03_achievements", "04_campus_achievements"];
    lose_parent(
        "achievements_users",
        "achievements_users_achievement_fk",
        "/achievement_id",
        "achievements",
        &exports,
    );
}

#[test]
fn rows_whose_coalition_is_missing_are_one_finding_and_its_list_brings_it_back() {
    let exports = ["13_coalitions_users", "09_coalitions"];
    lose_parent("coalitions_users", "coalitions_users_coalition_fk", "/coalition_id", "coalitions", &exports);
}

#[test]
fn rows_that_dangle_because_a_foreign_key_was_dropped_are_found_in_their_table() {
    let rig = Rig::new();
    let finding = plant(
        &rig,
        "coalitions_users_coalition_fk",
        "refetch_parent",
        &["--check", "coalitions_users_fk"],
        |rig| {
            rig.execute(
            "ALTER TABLE coalitions_users DROP CONSTRAINT IF EXISTS coalitions_users_coalition_id_fkey;
             DELETE FROM coalitions WHERE id = (SELECT coalition_id FROM coalitions_users GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)",
        );
        },
    );
    assert_eq!(finding["subject"]["found_in"], "coalitions_users");
    assert!(finding["rows"].as_i64().unwrap() > 1);
}

#[test]
fn a_mark_that_makes_no_sense_is_fetched_again() {
    let rig = Rig::new();
    let finding = plant(&rig, "project_mark_coherence", "refetch_rows", &[], |rig| {
        let first = "(SELECT min(id) FROM projects_users WHERE status = 'finished')";
        rig.execute(&format!("UPDATE projects_users SET final_mark = NULL WHERE id = {first}"));
    });
    assert_eq!(finding["left"]["value"], "finished");
    assert_eq!(finding["right"]["value"][0], Value::Null);
    rig.execute("UPDATE projects_users SET validated = true WHERE id = (SELECT min(id) FROM projects_users WHERE status = 'in_progress')");
    rig.age();
    assert_eq!(rig.only(&[])["left"]["value"], "in_progress", "what is validated is finished");
}

#[test]
fn rows_that_the_last_load_wrote_and_that_are_gone_are_loaded_again() {
    let rig = Rig::new();
    // The check looks at loads of the last two days.
    let finding = plant(
        &rig,
        "load_count_vs_rows",
        "reload_export",
        &["--check", "load_count_vs_rows:coalitions_users"],
        |rig| {
            rig.execute(
            "UPDATE coalitions_users SET ingested_at = now() - interval '1 hour';
             UPDATE ops.loads SET started_at = now() - interval '61 minutes', finished_at = now() - interval '59 minutes',
                 inserted = (SELECT count(*) FROM coalitions_users), updated = 0
             WHERE id = (SELECT max(id) FROM ops.loads WHERE table_name = 'coalitions_users' AND inserted + updated > 0);
             DELETE FROM coalitions_users WHERE id IN (SELECT id FROM coalitions_users ORDER BY id LIMIT 2)",
        );
        },
    );
    assert_eq!(finding["rows"], 2);
    let [wrote, there] =
        ["/left/value/rows", "/right/value"].map(|value| finding.pointer(value).unwrap().as_i64().unwrap());
    assert_eq!(wrote - there, 2);
}

#[test]
fn a_watermark_that_is_ahead_of_its_load_is_taken_back() {
    let rig = Rig::new();
    let finding = plant(&rig, "watermark_vs_data", "rewind_watermark", &[], |rig| {
        rig.execute("UPDATE ops.watermarks SET watermark = now() WHERE table_name = 'users'");
    });
    assert_eq!(finding["severity"], "critical");
    let proven = "SELECT l.walk_started - w.watermark = interval '5 minutes' FROM ops.watermarks w
        JOIN ops.loads l ON l.id = w.load_id WHERE w.table_name = 'users'";
    assert_eq!(rig.value(proven), "true");
    // A load that nobody knows proves nothing: the last full one does.
    rig.execute("UPDATE ops.watermarks SET load_id = 987654 WHERE table_name = 'users'");
    assert_eq!(rig.only(&[])["check"], "watermark_vs_data");
    drop(rig.world.run("load-table", &["users", "--rewind-watermark"]).expect(0));
    assert_eq!(rig.found(&[]), rig.usual);
}

#[test]
fn an_export_that_was_not_loaded_is_late_and_is_loaded() {
    let rig = Rig::new();
    let finding = plant(&rig, "freshness_vs_schedule", "reload_export", &[], |rig| {
        rig.world.mock.moves(r#"{"updates": 5}"#);
        drop(rig.world.run("fetch-users", &["--export", "--force", "users"]).expect(0));
        rig.change_manifest("08_users/cursus_21", &json!({"finished": "2026-01-01T00:00:00Z"}));
    });
    assert_eq!(finding["subject"], json!({"table": "users", "export": "not loaded"}));
}

#[test]
fn jobs_and_loads_that_are_late_are_told_by_their_schedules() {
    let rig = Rig::new();
    rig.execute(
        "INSERT INTO ops.job_executions (run, seq, job_name, job_type, status, started_at, heartbeat_at, completed_at, host, pid, lease)
         SELECT gen_random_uuid(), 1, name, 't', status, now() - ago, now() - ago, now() - ago, 'h', 1, 'l'
         FROM (VALUES ('live_sync', 'completed', interval '3 hours'), ('live_sync', 'failed', interval '1 minute'),
             ('nightly_sync', 'partial', '1 minute'), ('backlog_worker', 'completed', '1 minute'), ('token_refresh', 'completed', '1 minute'))
             AS v(name, status, ago)",
    );
    let finding = rig.only(&[]);
    assert_eq!(
        (&finding["subject"], &finding["severity"]),
        (&json!({"job": "live_sync"}), &json!("critical"))
    );
    drop(rig.world.workdir.shell(finding["command"].as_str().unwrap()).expect(0));
    // Four nightlies without a full load.
    rig.execute(
        "UPDATE ops.loads SET walk_started = walk_started - interval '4 days' WHERE table_name = 'cursus';
         UPDATE ops.watermarks SET watermark = watermark - interval '4 days' WHERE table_name = 'cursus'",
    );
    let late = rig.report(&["--check", "freshness_vs_schedule"]);
    let tables = late["violations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["subject"]["table"] == "cursus");
    let tables: Vec<_> = tables.collect();
    assert_eq!(tables.len(), 1, "{late:#}");
    assert_eq!(
        (&tables[0]["severity"], &tables[0]["recommended_action"]),
        (&json!("critical"), &json!("rerun_stage"))
    );
    drop(rig.world.workdir.shell(tables[0]["command"].as_str().unwrap()).expect(0));
    let late = rig.report(&["--check", "freshness_vs_schedule"]);
    assert!(!crate::names(&late["violations"]).iter().any(|name| name.contains("cursus\"}")), "{late:#}");
}
