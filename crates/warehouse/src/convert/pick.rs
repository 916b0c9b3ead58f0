//! Picks what is wanted out of a line: one pass over it, no tree of values, nothing copied.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What a line says at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'r> {
    /// Nothing: the column is to be left alone.
    Absent,
    Null,
    /// JSON that is not null, as it is written.
    Json(&'r str),
    /// The step of the pointer above which there should be an object, and is something else.
    Misfit,
}

/// The pointers that are wanted, as a tree; each place is the number of a pointer.
#[derive(Debug, Default)]
pub(super) struct Branch {
    key: String,
    places: Vec<usize>,
    below: Vec<Branch>,
}

impl Branch {
    /// The tree of pointers, each given by its steps.
    pub(super) fn of<'s>(pointers: impl IntoIterator<Item = &'s [String]>) -> Self {
        let mut root = Self::default();
        for (place, steps) in pointers.into_iter().enumerate() {
            let mut branch = &mut root;
            for step in steps {
                let known = branch.below.iter().position(|other| other.key == *step);
                let nth = known.unwrap_or_else(|| {
                    branch.below.push(Self { key: step.clone(), ..Self::default() });
                    branch.below.len() - 1
                });
                branch = &mut branch.below[nth];
            }
            branch.places.push(place);
        }
        root
    }

    /// Reads a line that is an object into as many places as there are pointers.
    ///
    /// # Errors
    /// When it is no JSON, or no object.
    pub(super) fn pick<'r>(&self, line: &'r str, found: &mut [Found<'r>]) -> serde_json::Result<()> {
        found.fill(Found::Absent);
        let mut deserializer = serde_json::Deserializer::from_str(line);
        Object { branches: &self.below, found }.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    /// Notes a value, and what lies below it. The last of several values with one key counts, as a whole.
    fn take<'r>(&self, json: &'r str, found: &mut [Found<'r>]) -> serde_json::Result<()> {
        let here = if json == "null" { Found::Null } else { Found::Json(json) };
        for place in &self.places {
            found[*place] = here;
        }
        if self.below.is_empty() {
            return Ok(());
        }
        let mut deserializer = serde_json::Deserializer::from_str(json);
        match json.as_bytes().first() {
            Some(b'{') => {
                self.fill_below(Found::Absent, found);
                Object { branches: &self.below, found }.deserialize(&mut deserializer)
            }
            // The array is there, so an item that it does not have is null.
            Some(b'[') => {
                self.fill_below(Found::Null, found);
                Array { branches: &self.below, found }.deserialize(&mut deserializer)
            }
            _ => {
                self.fill_below(if here == Found::Null { Found::Null } else { Found::Misfit }, found);
                Ok(())
            }
        }
    }

    fn fill_below<'r>(&self, with: Found<'r>, found: &mut [Found<'r>]) {
        for branch in &self.below {
            for place in &branch.places {
                found[*place] = with;
            }
            branch.fill_below(with, found);
        }
    }
}

/// An object that is being read.
struct Object<'t, 'f, 'r> {
    branches: &'t [Branch],
    found: &'f mut [Found<'r>],
}

impl<'r> DeserializeSeed<'r> for Object<'_, '_, 'r> {
    type Value = ();

    fn deserialize<D: Deserializer<'r>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'r> Visitor<'r> for Object<'_, '_, 'r> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<A: MapAccess<'r>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(branch) = members.next_key_seed(Which(self.branches))? {
            match branch {
                Some(branch) => {
                    let json: &'r RawValue = members.next_value()?;
                    branch.take(json.get(), self.found).map_err(serde::de::Error::custom)?;
                }
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// An array that is being read; its items are called by their numbers.
struct Array<'t, 'f, 'r> {
    branches: &'t [Branch],
    found: &'f mut [Found<'r>],
}

impl<'r> DeserializeSeed<'r> for Array<'_, '_, 'r> {
    type Value = ();

    fn deserialize<D: Deserializer<'r>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'r> Visitor<'r> for Array<'_, '_, 'r> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'r>>(self, mut items: A) -> Result<(), A::Error> {
        let mut number = 0_usize;
        while let Some(json) = items.next_element::<&'r RawValue>()? {
            for branch in self.branches.iter().filter(|branch| branch.key.parse() == Ok(number)) {
                branch.take(json.get(), self.found).map_err(serde::de::Error::custom)?;
            }
            number += 1;
        }
        Ok(())
    }
}

/// Which of the branches a key is; most keys are none.
struct Which<'t>(&'t [Branch]);

impl<'r, 't> DeserializeSeed<'r> for Which<'t> {
    type Value = Option<&'t Branch>;

    fn deserialize<D: Deserializer<'r>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'_> for Which<'t> {
    type Value = Option<&'t Branch>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|branch| branch.key == key))
    }
}

#[cfg(test)]
mod tests {
    use super::{Branch, Found};

    fn check(line: &str, expected: [Found<'_>; 5]) {
        let pointers = ["id", "image", "image/link", "image/versions/small", "list/1/x"];
        let steps = pointers.map(|pointer| pointer.split('/').map(str::to_owned).collect::<Vec<_>>());
        let mut found = [Found::Misfit; 5];
        Branch::of(steps.iter().map(Vec::as_slice)).pick(line, &mut found).unwrap();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn absent_null_and_misfit_are_three_things() {
        use Found::{Absent, Json, Misfit, Null};
        check("{}", [Absent; 5]);
        check(r#"{"id":1,"other":{"id":2}}"#, [Json("1"), Absent, Absent, Absent, Absent]);
        check(r#"{"image":null,"list":[]}"#, [Absent, Null, Null, Null, Null]);
        check(r#"{"image":7,"list":[1,{"x":2}]}"#, [Absent, Json("7"), Misfit, Misfit, Json("2")]);
        let image = r#"{"link": "a", "versions": {}}"#;
        check(&format!("{{\"image\": {image} }}"), [Absent, Json(image), Json("\"a\""), Absent, Absent]);
    }

    #[test]
    fn the_last_of_several_values_counts_as_a_whole() {
        use Found::{Absent, Json};
        let line = r#"{"id":1,"image":{"link":"a"},"id":2,"image":{"versions":{"small":"b"}}}"#;
        check(line, [Json("2"), Json(r#"{"versions":{"small":"b"}}"#), Absent, Json("\"b\""), Absent]);
        check(r#"{"\u0069d":1}"#, [Json("1"), Absent, Absent, Absent, Absent]);
    }
}
