//! People as the API shows them: 25 keys in lists, three dozen when one is asked for.

use super::names::{Names, names};
use super::person::{Person, Role};
use super::{World, achievements, campus, campus_users, cursus_users, enrolments, titles};
use crate::chance::Chance;
use crate::json::Json;
use crate::moment;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A person in a list, or inside another record.
pub(crate) fn write(world: &World, row: u32, json: &mut Json) {
    json.object(|json| write_keys(world, row, json, true));
}

fn write_keys(world: &World, row: u32, json: &mut Json, in_list: bool) {
    let person = world.people.row(row);
    let names = names_of(world, person);
    json.int("id", i64::from(person.id));
    json.text("email", &email(world, person));
    json.text("login", person.login.as_str());
    json.text("first_name", &names.first);
    json.text("last_name", &names.last);
    json.text("usual_full_name", &names.usual_full);
    // The list fills it with the first name when it is unset, the single record does not.
    json.maybe_text(
        "usual_first_name",
        (in_list || names.usual_first != names.first).then_some(&names.usual_first),
    );
    json.text("url", &format!("{}/v2/users/{}", world.base(), person.login.as_str()));
    json.text("phone", &phone(person));
    json.text("displayname", &names.display);
    json.text("kind", kind(person));
    write_image(world, person, json.key("image"));
    json.flag("staff?", person.role == Role::Admin);
    json.int("correction_point", i64::from(person.points));
    json.text("pool_month", month(person));
    json.text("pool_year", &person.year.to_string());
    json.maybe_text("location", location(world, person).as_deref());
    json.int("wallet", i64::from(person.wallet));
    let zone = world.campuses[usize::from(person.campus)].zone;
    let erasure = moment::midnight(i64::from(person.erasure), zone.minutes_east, zone.summer_time);
    json.text("anonymize_date", &erasure);
    json.text("data_erasure_date", &erasure);
    json.time("created_at", person.created);
    json.time("updated_at", person.updated);
    let alumnized = i64::from(person.alumnized) * 1_000 + i64::from(person.id % 1_000);
    json.maybe_time("alumnized_at", (person.alumnized > 0).then_some(alumnized));
    json.flag("alumni?", person.role == Role::Alumnus);
    json.flag("active?", person.active);
}

/// Hidden, but for a few: a number that begins as no other number does.
fn phone(person: &Person) -> String {
    if person.id % 12 == 5 && !person.anonymised {
        format!("+42555{}", person.id)
    } else {
        "hidden".to_owned()
    }
}

fn write_image(world: &World, person: &Person, json: &mut Json) {
    let mut chance = Chance::of(world.seed, "image", u64::from(person.id));
    let hash = chance.hex(32);
    let ending = ["jpg", "jpeg", "png", "gif"][chance.weighted(&[35_555.0, 2_407.0, 1_277.0, 15.0])];
    let login = person.login.as_str();
    let link = |size: &str| {
        let address = format!("https://cdn.example.invalid/users/{hash}/{size}{login}.{ending}");
        person.pictured.then_some(address)
    };
    json.object(|json| {
        json.maybe_text("link", link("").as_deref());
        json.key("versions").object(|json| {
            for size in ["large", "medium", "small", "micro"] {
                json.maybe_text(size, link(&format!("{size}_")).as_deref());
            }
        });
    });
}

pub(super) fn names_of(world: &World, person: &Person) -> Names {
    if !person.anonymised {
        return names(world.seed, person.id, person.oddity);
    }
    let hidden = || "3b3".to_owned();
    let full = || "3b3 3b3".to_owned();
    Names { first: hidden(), last: hidden(), usual_first: hidden(), usual_full: full(), display: full() }
}

pub(super) fn email(world: &World, person: &Person) -> String {
    let mut chance = Chance::of(world.seed, "email", u64::from(person.id));
    let campus = &world.campuses[usize::from(person.campus)].slug;
    let host = if chance.happens(0.984) { "student" } else { "staff" };
    let login = person.login.as_str();
    match chance.unit() {
        _ if person.anonymised => format!("{login}@example.invalid"),
        share if share < 0.000_1 => format!("{login}+42@{host}.42{campus}.example.invalid"),
        share if share < 0.003_4 => format!("{login}.{}@{host}.42{campus}.example.invalid", person.id % 90),
        _ => format!("{login}@{host}.42{campus}.example.invalid"),
    }
}

pub(super) const fn kind(person: &Person) -> &'static str {
    match person.role {
        Role::Student | Role::Alumnus | Role::Outside => "student",
        Role::Admin => "admin",
        Role::External => "external",
    }
}

pub(super) const fn month(person: &Person) -> &'static str {
    MONTHS[(person.month as usize + 11) % 12]
}

/// Mostly `c1r2s3`; some campuses count otherwise, so the same seat text may occur at several of them.
fn location(world: &World, person: &Person) -> Option<String> {
    let seat = person.seat.checked_sub(1)?;
    let (cluster, row, place) = (1 + seat % 4, 1 + seat / 4 % 13, 1 + seat / 52 % 12);
    Some(match world.campuses[usize::from(person.campus)].id % 23 {
        7 => format!("{row}A{place}"),
        11 => format!("{cluster}-E-{place}"),
        13 => format!("xx-c{cluster}-r{row}"),
        _ => format!("c{cluster}r{row}s{place}"),
    })
}

/// A person on their own: the keys of the list, then everything that hangs on them.
pub(super) fn write_alone(world: &World, row: u32, json: &mut Json) {
    let enrolments = world.enrolments.of_user(row);
    let badges = world.badges.of_user(world.people.id(row));
    let badges = badges.into_iter().filter_map(|badge| world.achievement_of(badge));
    json.object(|json| {
        write_keys(world, row, json, false);
        json.empty_array("groups");
        json.key("cursus_users").array(|json| {
            world
                .cursus_users
                .of_user(row)
                .iter()
                .for_each(|member| cursus_users::write(world, *member, json));
        });
        json.key("projects_users").array(|json| {
            enrolments.iter().for_each(|enrolment| enrolments::write_short(world, *enrolment, json));
        });
        write_languages(world, row, json);
        json.key("achievements")
            .array(|json| badges.for_each(|badge| achievements::write_short(world, badge, json)));
        write_titles(world, row, json);
        for key in ["partnerships", "patroned", "patroning", "expertises_users", "roles"] {
            json.empty_array(key);
        }
        let places = world.campus_users.of_user(row);
        json.key("campus").array(|json| {
            let rows = places.iter().map(|place| u32::from(world.campus_users.row(*place).campus));
            rows.for_each(|row| campus::write_at(world, row, json, true));
        });
        json.key("campus_users").array(|json| {
            places.iter().for_each(|place| campus_users::write(world, *place, json));
        });
    });
}

fn write_languages(world: &World, row: u32, json: &mut Json) {
    let person = world.people.row(row);
    json.key("languages_users").array(|json| {
        for position in 1..=1 + i64::from(person.id % 2) {
            json.object(|json| {
                json.int("id", i64::from(person.id) * 2 + position);
                json.int("language_id", position);
                json.int("user_id", i64::from(person.id));
                json.int("position", position);
                json.time("created_at", person.created + position);
            });
        }
    });
}

fn write_titles(world: &World, row: u32, json: &mut Json) {
    let person = world.people.row(row);
    let mut chance = Chance::of(world.seed, "titles of", u64::from(person.id));
    let own: Vec<u32> =
        (0..chance.below(3)).map(|_| chance.below(world.titles.len() as u64) as u32).collect();
    json.key("titles").array(|json| own.iter().for_each(|title| titles::write(world, *title, json)));
    json.key("titles_users").array(|json| {
        for (number, title) in own.iter().enumerate() {
            json.object(|json| {
                json.int("id", i64::from(person.id) * 3 + number as i64);
                json.int("user_id", i64::from(person.id));
                json.int("title_id", i64::from(world.titles[*title as usize].id));
                json.flag("selected", number == 0);
                json.time("created_at", person.created + 7);
                json.time("updated_at", person.created + 9);
            });
        }
    });
}
