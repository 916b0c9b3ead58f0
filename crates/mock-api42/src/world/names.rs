//! Names that nobody has, spelt as badly as real ones: accents, apostrophes, hyphens, stray spaces.

use crate::chance::Chance;

/// All the names of a person.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) usual_first: String,
    pub(crate) usual_full: String,
    pub(crate) display: String,
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    None,
    FirstEndsInSpace,
    LastEndsInSpace,
    LastStartsWithSpace,
    DoubleSpace,
    ApostropheInFirst,
    ApostropheInLast,
    Digits,
}

/// Each oddity, and how many of 40,341 students have it (DATA.md, section 1).
const ODDITIES: [(Oddity, f64); 7] = [
    (Oddity::FirstEndsInSpace, 42.0),
    (Oddity::LastEndsInSpace, 32.0),
    (Oddity::LastStartsWithSpace, 1.0),
    (Oddity::DoubleSpace, 137.0),
    (Oddity::ApostropheInFirst, 19.0),
    (Oddity::ApostropheInLast, 64.0),
    (Oddity::Digits, 57.0),
];

impl Oddity {
    /// The oddity of the student with that ordinal: each occurs in the smallest world, and at its rate in a large one.
    pub(crate) fn invent(chance: &mut Chance, ordinal: Option<u32>) -> Self {
        let forced =
            ordinal.filter(|ordinal| ordinal % 3 == 2).and_then(|ordinal| ODDITIES.get(ordinal as usize / 3));
        if let Some((oddity, _)) = forced {
            return *oddity;
        }
        let mut share = chance.unit() * 40_341.0;
        for (oddity, rate) in ODDITIES {
            share -= rate;
            if share < 0.0 {
                return oddity;
            }
        }
        Self::None
    }
}

const PLAIN: [&str; 40] = [
    "Anouk", "Basile", "Cosma", "Dario", "Elwin", "Fenna", "Gaspard", "Hilda", "Ilario", "Jorun", "Kelda",
    "Lazar", "Mirela", "Nolwenn", "Odalric", "Petra", "Quirin", "Rosmarie", "Sabeth", "Tiber", "Ulric",
    "Vesna", "Wanda", "Xaver", "Yorick", "Zelda", "Amadou", "Birk", "Calla", "Djuna", "Enzo", "Farida",
    "Goran", "Hana", "Imre", "Jana", "Kofi", "Lior", "Mei", "Nuno",
];
const ACCENTED: [&str; 12] =
    ["Élodie", "Zoë", "Bjørn", "Łukasz", "Inès", "João", "Mária", "Åsa", "Günther", "Chloé", "Žiga", "Tomáš"];
/// With the mark of [`MARK`], so that a first name on its own is known for one, too.
const DOUBLE: [&str; 6] =
    ["Jean-Qwyloup", "Marie Qwyanne", "Anna-Qwylena", "Juan Qwypablo", "Li-Qwymei", "Abd Qwyel"];

/// How each family name begins: nothing else is spelt so. Tests look for it where no name may be; logins are made of names.
const MARK: &str = "Qwy";

/// The names that belong to an id.
pub(crate) fn names(seed: u64, id: u32, oddity: Oddity) -> Names {
    let mut chance = Chance::of(seed, "name", u64::from(id));
    let mut first = match chance.unit() {
        share if share < 0.079 => (*chance.pick(&ACCENTED)).to_owned(),
        share if share < 0.16 => (*chance.pick(&DOUBLE)).to_owned(),
        _ => (*chance.pick(&PLAIN)).to_owned(),
    };
    let mut last = last_name(&mut chance);
    match oddity {
        Oddity::FirstEndsInSpace => first.push(' '),
        Oddity::LastEndsInSpace => last.push(' '),
        Oddity::LastStartsWithSpace => last.insert(0, ' '),
        Oddity::ApostropheInFirst => first = format!("M'{first}"),
        Oddity::ApostropheInLast => last = format!("D'{last}"),
        Oddity::DoubleSpace | Oddity::Digits | Oddity::None => {}
    }
    let usual_first = if chance.happens(0.05) { (*chance.pick(&PLAIN)).to_owned() } else { first.clone() };
    let usual_full = match oddity {
        Oddity::DoubleSpace => format!("{usual_first}  {last}"),
        Oddity::Digits => format!("{usual_first} {last} 2"),
        _ if chance.happens(0.03) => format!("{usual_first} {}", last_name(&mut chance)),
        _ => format!("{usual_first} {last}"),
    };
    let display = if chance.happens(0.008) { format!("{first} {last}") } else { usual_full.clone() };
    Names { first, last, usual_first, usual_full, display }
}

fn last_name(chance: &mut Chance) -> String {
    const STARTS: [&str; 24] = [
        "Ba", "Ce", "Dro", "Fa", "Gri", "Ha", "Ja", "Ko", "La", "Me", "Ne", "O", "Pa", "Que", "Ro", "Sa",
        "Ta", "U", "Ve", "Wa", "Ye", "Za", "Bru", "Sti",
    ];
    const MIDDLES: [&str; 24] = [
        "ra", "ve", "li", "mon", "ter", "sa", "du", "ki", "nel", "bo", "ska", "ri", "ma", "tou", "che",
        "van", "del", "ro", "si", "la", "gar", "no", "zi", "pe",
    ];
    const ENDS: [&str; 20] = [
        "n", "rd", "ski", "o", "et", "es", "in", "u", "va", "sen", "ez", "ard", "elle", "i", "ic", "mann",
        "a", "oux", "ley", "i",
    ];
    let prefix = match chance.unit() {
        share if share < 0.04 => "El ",
        share if share < 0.07 => "De ",
        share if share < 0.08 => "Ben-",
        _ => "",
    };
    let mut name = format!("{prefix}{MARK}{}", chance.pick(&STARTS).to_lowercase());
    for _ in 0..1 + chance.weighted(&[0.45, 0.45, 0.1]) {
        name.push_str(chance.pick::<&str>(&MIDDLES));
    }
    name.push_str(chance.pick::<&str>(&ENDS));
    if chance.happens(0.06) {
        name = format!("{name}-{}{}", chance.pick(&STARTS), chance.pick(&ENDS));
    }
    if chance.happens(0.101) { accent(&name) } else { name }
}

fn accent(name: &str) -> String {
    const ACCENTS: [(char, char); 6] =
        [('e', 'é'), ('a', 'á'), ('o', 'ö'), ('i', 'ï'), ('u', 'ü'), ('c', 'ç')];
    let found = ACCENTS.iter().find(|(plain, _)| name.contains(*plain));
    found.map_or_else(
        || format!("{name}ñ"),
        |(plain, accented)| name.replacen(*plain, &accented.to_string(), 1),
    )
}

/// Letters of a login: lower case, without accents; what is no letter becomes a hyphen.
pub(crate) fn letters(name: &str) -> String {
    let plain = |character: char| match character {
        'é' | 'è' | 'ë' | 'É' => 'e',
        'á' | 'ã' | 'Å' | 'à' => 'a',
        'ö' | 'ø' => 'o',
        'ü' => 'u',
        'ï' => 'i',
        'ç' => 'c',
        'ñ' => 'n',
        'š' => 's',
        'Ž' => 'z',
        'Ł' => 'l',
        ' ' | '-' => '-',
        _ => character.to_ascii_lowercase(),
    };
    name.trim().chars().filter(|character| *character != '\'').map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::{Oddity, letters, names};

    #[test]
    fn letters_of_every_first_name_are_plain() {
        for name in super::ACCENTED.iter().chain(&super::PLAIN).chain(&super::DOUBLE) {
            assert!(letters(name).bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        }
    }

    #[test]
    fn about_a_tenth_of_the_last_names_is_not_ascii() {
        let foreign = (0..10_000).filter(|id| !names(42, *id, Oddity::None).last.is_ascii()).count();
        assert!((700..1_400).contains(&foreign), "{foreign}");
    }

    #[test]
    fn an_odd_name_is_odd() {
        assert!(names(42, 1, Oddity::FirstEndsInSpace).first.ends_with(' '));
        assert!(names(42, 1, Oddity::DoubleSpace).usual_full.contains("  "));
        assert!(names(42, 1, Oddity::ApostropheInLast).last.contains('\''));
    }
}
