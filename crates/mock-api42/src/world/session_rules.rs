//! The rules of a session, invented from its id: nobody keeps eleven thousand of them.

use super::World;
use crate::chance::Chance;
use crate::moment::{DAY, END_OF_PAST};

/// What is invented of a session on the fly.
pub(super) struct Rules {
    pub(super) begin: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) estimate: Option<String>,
    pub(super) difficulty: Option<i64>,
    pub(super) objectives: Option<Vec<&'static str>>,
    pub(super) description: Option<String>,
    pub(super) duration: Option<i64>,
    pub(super) terminating: Option<i64>,
    pub(super) max_people: Option<i64>,
    pub(super) solo: bool,
    pub(super) subscriptable: bool,
    pub(super) behaviour: &'static str,
    pub(super) commit: Option<String>,
    pub(super) minimum: Option<i64>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) chance: Chance,
}

pub(super) fn rules(world: &World, row: u32) -> Rules {
    let session = world.sessions.row(row);
    let mut chance = Chance::of(world.seed, "session", u64::from(session.id));
    let solo = chance.happens(0.7);
    let created = END_OF_PAST - (3_000 - i64::from(session.id) / 11).max(30) * DAY + chance.between(0, DAY);
    let begin = chance.happens(0.34).then(|| created + chance.between(0, 90 * DAY));
    Rules {
        begin,
        end: begin.map(|begin| begin + chance.between(10, 2_000) * DAY),
        estimate: (!chance.happens(0.11)).then(|| invent_estimate(&mut chance)),
        difficulty: (!chance.happens(0.036)).then(|| chance.between(0, 25_000)),
        objectives: (!chance.happens(0.025)).then(|| invent_objectives(&mut chance)),
        description: (!chance.happens(0.024)).then(|| invent_description(&mut chance)),
        duration: chance.happens(0.023).then(|| chance.between(1, 30)),
        terminating: (!chance.happens(0.54)).then(|| chance.between(1, 120)),
        max_people: chance.happens(0.002).then(|| chance.between(10, 300)),
        solo,
        subscriptable: chance.happens(0.6),
        behaviour: ["user", "by_rule", "upload", "none"][chance.weighted(&[0.6, 0.3, 0.05, 0.05])],
        commit: (!chance.happens(0.37)).then(|| chance.hex(40)),
        minimum: (!chance.happens(0.2)).then(|| chance.between(50, 100)),
        created,
        updated: created + chance.between(DAY, 25 * DAY),
        chance,
    }
}

/// Free text, not a number.
fn invent_estimate(chance: &mut Chance) -> String {
    if chance.happens(0.6) {
        format!("{} days", chance.between(1, 90))
    } else {
        format!("{} hours", chance.between(1, 400))
    }
}

fn invent_objectives(chance: &mut Chance) -> Vec<&'static str> {
    const GOALS: [&str; 8] = [
        "Unix logic",
        "Algorithms & AI",
        "Rigour\n",
        "Sortie\tstandard",
        "Réseau",
        "Group & interpersonal",
        "<pipes>",
        "Imperative programming",
    ];
    (0..chance.below(8)).map(|_| *chance.pick(&GOALS)).collect()
}

fn invent_description(chance: &mut Chance) -> String {
    match chance.below(20) {
        0..=9 => String::new(),
        10..=12 => {
            "Ce projet vous fait découvrir l'écriture d'un <glacier>.\r\n\r\nBonus & détails dans le sujet."
                .to_owned()
        }
        13 => "A long story. ".repeat(60),
        _ => "This project asks you to write a function that reads one line.".to_owned(),
    }
}
