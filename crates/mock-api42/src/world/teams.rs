//! The teams of an enrolment, invented from it: one for each attempt.

use super::World;
use super::enrolment::{Enrolment, NO_MARK};
use crate::chance::Chance;
use crate::json::Json;
use crate::moment::DAY;

/// The id of the team at work on an enrolment, or of the last one.
pub(crate) fn current(enrolment: &Enrolment) -> Option<i64> {
    enrolment.teams().checked_sub(1).map(|last| id(enrolment, last))
}

/// Room for sixteen attempts.
fn id(enrolment: &Enrolment, attempt: u32) -> i64 {
    i64::from(enrolment.id) * 16 + i64::from(attempt)
}

pub(crate) fn write_all(world: &World, enrolment: &Enrolment, json: &mut Json) {
    (0..enrolment.teams()).for_each(|attempt| write(world, enrolment, attempt, json));
}

fn write(world: &World, enrolment: &Enrolment, attempt: u32, json: &mut Json) {
    let mut chance = Chance::of(world.seed, "team", id(enrolment, attempt) as u64);
    let person = world.people.row(enrolment.person);
    let last = attempt + 1 == enrolment.teams();
    let done = !last || enrolment.marked > 0;
    let mark = if last { enrolment.mark } else { chance.between(-1, 79) as i16 };
    let project = &world.projects[usize::from(enrolment.project)];
    let created = enrolment.created_at() + i64::from(attempt) * 3 * DAY;
    let url = format!("{}/v2/teams/{}", world.base(), id(enrolment, attempt));
    json.object(|json| {
        json.int("id", id(enrolment, attempt));
        // Team names hold logins: personal data in free text.
        json.text(
            "name",
            &format!(
                "{}'s group{}",
                person.login.as_str(),
                if attempt == 0 { String::new() } else { format!("-{attempt}") }
            ),
        );
        json.text("url", &url);
        json.maybe_int("final_mark", (done && mark != NO_MARK).then_some(i64::from(mark)));
        json.int("project_id", i64::from(project.id));
        json.time("created_at", created);
        json.time("updated_at", enrolment.updated.max(created));
        json.text("status", if done { "finished" } else { "in_progress" });
        json.maybe_time("terminating_at", chance.happens(0.07).then_some(created + 90 * DAY));
        json.key("users").array(|json| write_users(world, enrolment, &mut chance, mark, json));
        json.flag("locked?", done);
        if done {
            json.flag("validated?", mark >= 80)
        } else {
            json.null("validated?")
        }
        json.flag("closed?", done);
        write_repository(enrolment, &mut chance, done, created, json);
        let session = world.sessions.id_for(u32::from(enrolment.project), u32::from(person.campus));
        json.int("project_session_id", i64::from(session));
        let path = project.slug.as_ref().map(|slug| format!("pedago_world/42cursus/{slug}"));
        json.maybe_text("project_gitlab_path", path.as_deref());
    });
}

fn write_repository(enrolment: &Enrolment, chance: &mut Chance, done: bool, created: i64, json: &mut Json) {
    let uuid = format!("intra-uuid-{}-{}", chance.hex(32), enrolment.id);
    let url = format!("git@vogsphere.example.invalid:vogsphere/{uuid}");
    json.maybe_text("repo_url", (!chance.happens(0.18)).then_some(&url));
    json.text("repo_uuid", &uuid);
    json.maybe_time("locked_at", done.then_some(created + DAY));
    json.maybe_time("closed_at", done.then_some(created + 2 * DAY));
}

/// The person, and up to two others: anybody, people outside every scope included.
fn write_users(world: &World, enrolment: &Enrolment, chance: &mut Chance, mark: i16, json: &mut Json) {
    let others = chance.weighted(&[0.7, 0.2, 0.1]) as u32;
    let everybody = world.people.rows.len() as u64;
    for number in 0..=others {
        let row = if number == 0 { enrolment.person } else { chance.below(everybody) as u32 };
        let person = world.people.row(row);
        let login = person.login.as_str();
        json.object(|json| {
            json.int("id", i64::from(person.id));
            json.text("login", login);
            json.text("url", &format!("{}/v2/users/{login}", world.base()));
            json.flag("leader", number == 0);
            json.int("occurrence", i64::from(enrolment.occurrence));
            json.flag("validated", mark >= 80);
            json.int("projects_user_id", i64::from(enrolment.id) + i64::from(number) * 7);
        });
    }
}
