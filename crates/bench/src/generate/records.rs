//! The records themselves. Everybody is invented, of syllables.

use super::Kind;
use crate::chance::Chance;
use serde_json::{Value, json};

pub(crate) const CAMPUSES: u64 = 54;
pub(crate) const PROJECTS: u64 = 266;
/// How many students there are to refer to.
pub(crate) const STUDENTS: u64 = 40_341;

const SYLLABLES: [&str; 12] = ["ba", "ce", "di", "fo", "gu", "ha", "ki", "lo", "mé", "nu", "ra", "so"];
const MONTHS: [&str; 4] = ["july", "august", "september", "february"];
const STATES: [&str; 4] = ["finished", "in_progress", "searching_a_group", "waiting_for_correction"];

impl Kind {
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Campuses => "campuses",
            Self::Projects => "projects",
            Self::Users => "users",
            Self::Rows => "rows",
            Self::Enrolments => "projects_users",
        }
    }

    /// A record; of its versions, 0 is the first one.
    pub(super) fn record(self, seed: u64, id: u64, version: u64) -> Value {
        let mut chance = Chance::of(seed, id);
        match self {
            Self::Campuses => json!({"id": id, "name": format!("Campus {id}")}),
            Self::Projects => {
                json!({"id": id, "name": format!("Project {id}"), "slug": format!("project-{id}")})
            }
            Self::Users => user(&mut chance, id, version),
            Self::Rows => row(&mut chance, id, version),
            Self::Enrolments => enrolment(&mut chance, id, version),
        }
    }
}

fn user(chance: &mut Chance, id: u64, version: u64) -> Value {
    let (first, last) = (word(chance), word(chance));
    let login = format!("{first}{id}");
    let picture = format!("https://cdn.example.invalid/users/{:016x}", chance.below(u64::MAX));
    let versions: Vec<String> =
        ["large", "medium", "small", "micro"].map(|size| format!("{picture}/{size}_{login}.jpg")).to_vec();
    let pictured = chance.below(20) > 0;
    let link = |url: &String| pictured.then(|| url.clone());
    let odd = if chance.below(50) == 0 { "\t\"\\\n" } else { " " };
    let display = format!("{first}{odd}{last}");
    let erased = day(chance, 2090, 4);
    json!({
        "id": id, "email": format!("{login}@student.example.invalid"), "login": login, "first_name": first,
        "last_name": last, "usual_full_name": display, "usual_first_name": null,
        "url": format!("https://api.example.invalid/v2/users/{login}"), "phone": "hidden", "displayname": display,
        "kind": "student", "image": {"link": link(&format!("{picture}/{login}.jpg")), "versions": {
            "large": link(&versions[0]), "medium": link(&versions[1]), "small": link(&versions[2]), "micro": link(&versions[3]),
        }},
        "staff?": false, "correction_point": chance.below(20) as i64 - 2, "pool_month": chance.pick(&MONTHS),
        "pool_year": (2015 + chance.below(10)).to_string(),
        "location": (chance.below(10) == 0).then(|| format!("c{}r{}s{}", chance.below(4), chance.below(12), id % 20)),
        "wallet": chance.below(900) + 7 * version, "anonymize_date": erased, "data_erasure_date": erased,
        "created_at": day(chance, 2015, 9), "updated_at": moved(chance, version), "alumnized_at": null, "alumni?": false,
        "active?": chance.below(2) == 0, "campus_id": 1 + chance.below(CAMPUSES),
    })
}

fn row(chance: &mut Chance, id: u64, version: u64) -> Value {
    let user = 1 + chance.below(STUDENTS);
    json!({
        "id": id, "project_id": 1 + chance.below(PROJECTS), "user_id": user, "campus_id": 1 + chance.below(CAMPUSES),
        "login": format!("{}{user}", word(chance)), "occurrence": chance.below(3), "final_mark": mark(chance, version),
        "status": chance.pick(&STATES), "validated?": chance.below(2) == 0, "marked": chance.below(4) > 0,
        "url": format!("https://api.example.invalid/v2/projects_users/{id}"), "created_at": day(chance, 2019, 6),
        "updated_at": moved(chance, version),
    })
}

fn enrolment(chance: &mut Chance, id: u64, version: u64) -> Value {
    let (user, project) = (1 + chance.below(STUDENTS), 1 + chance.below(PROJECTS));
    let login = format!("{}{user}", word(chance));
    let status = chance.pick(&STATES);
    let finished = status == "finished";
    json!({
        "id": id, "occurrence": chance.below(3), "final_mark": finished.then(|| mark(chance, version)), "status": status,
        "validated?": finished.then(|| chance.below(4) > 0), "current_team_id": 4_000_000 + id + version,
        "project": {"id": project, "name": format!("Project {project}"), "slug": format!("project-{project}"), "parent_id": null},
        "cursus_ids": [21], "marked_at": finished.then(|| day(chance, 2023, 2)), "marked": finished, "retriable_at": null,
        "created_at": day(chance, 2019, 6), "updated_at": moved(chance, version),
        "user": {"id": user, "login": login, "email": format!("{login}@student.example.invalid"), "kind": "student",
            "alumni?": false},
        "campus_id": 1 + user % CAMPUSES,
    })
}

fn mark(chance: &mut Chance, version: u64) -> u64 {
    (chance.below(125) + 11 * version) % 126
}

fn word(chance: &mut Chance) -> String {
    (0..3).map(|_| chance.pick(&SYLLABLES)).collect()
}

fn day(chance: &mut Chance, from: u64, years: u64) -> String {
    let (year, month, day) = (from + chance.below(years), 1 + chance.below(12), 1 + chance.below(28));
    let (hour, minute, second, millis) =
        (chance.below(24), chance.below(60), chance.below(60), chance.below(1000));
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// When a record was changed last, as the API says it: of three changes, one does not move it.
fn moved(chance: &mut Chance, version: u64) -> String {
    let (first, is_moved) = (day(chance, 2025, 1), chance.below(3) > 0);
    if version > 0 && is_moved { first.replacen("2025", "2026", 1) } else { first }
}
