//! Kinds of work, and what each may take of the hour.

use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// The kind of work that a process does; the variable `PACE_CLASS` names it.
///
/// Live work takes the next slot before all others. The others leave it a reserve of the hour, and what live work was
/// seen to need. None is left out: see [`Class::hour_share`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Follows changes minute by minute.
    Live,
    /// A person at a shell.
    #[default]
    Hand,
    /// Works off a queue.
    Backlog,
    /// Walks whole lists.
    Bulk,
}

/// Each class, its name, and how far it may fill the hour.
const CLASSES: [(Class, &str, f64); 4] = [
    (Class::Live, "live", 1.0),
    (Class::Hand, "hand", 0.97),
    (Class::Backlog, "backlog", 0.9),
    (Class::Bulk, "bulk", 0.8),
];

/// A number of calls for each class, in the order of [`Class::ALL`].
pub(crate) type PerClass = [u32; CLASSES.len()];

impl Class {
    /// Every class, the one that is served first in front.
    pub const ALL: [Self; CLASSES.len()] = [CLASSES[0].0, CLASSES[1].0, CLASSES[2].0, CLASSES[3].0];

    /// Its name, as `PACE_CLASS` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        CLASSES[self.index()].1
    }

    /// Up to which share of the hour's calls, by all classes together, this one goes on. A class that had no call for a
    /// minute may take one beyond it, as long as the hour is not used up.
    #[must_use]
    pub const fn hour_share(self) -> f64 {
        CLASSES[self.index()].2
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Class {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|class| class.name() == text.trim()).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::Class;

    #[test]
    fn classes_stand_in_the_table_where_their_numbers_say() {
        for (position, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), position);
            assert_eq!(class.name().parse(), Ok(class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        }
        assert_eq!("Live".parse::<Class>(), Err(()));
        assert!(Class::ALL.windows(2).all(|pair| pair[0].hour_share() > pair[1].hour_share()));
    }
}
