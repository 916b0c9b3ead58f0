//! Writes JSON as Rails does: keys in the order in which they are given, `&`, `<` and `>` escaped in strings.

use crate::moment;

/// JSON in the making.
#[derive(Debug, Default)]
pub(crate) struct Json {
    out: Vec<u8>,
    separate: bool,
}

impl Json {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), separate: false }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// An object: whatever `fill` writes, between braces.
    pub(crate) fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.between(b'{', b'}', fill);
    }

    /// An array of what `fill` writes.
    pub(crate) fn array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.between(b'[', b']', fill);
    }

    /// The key of the value that is written next.
    pub(crate) fn key(&mut self, key: &str) -> &mut Self {
        self.comma();
        self.quoted(key);
        self.out.push(b':');
        self.separate = false;
        self
    }

    pub(crate) fn int(&mut self, key: &str, value: i64) {
        self.key(key).value(value);
    }

    pub(crate) fn maybe_int(&mut self, key: &str, value: Option<i64>) {
        match value {
            Some(value) => self.int(key, value),
            None => self.null(key),
        }
    }

    /// A float as Ruby prints it: `4.0`, `7.42`.
    pub(crate) fn float(&mut self, key: &str, value: f64) {
        self.key(key).raw(&format!("{value:?}"));
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key).string(value);
    }

    pub(crate) fn maybe_text(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.null(key),
        }
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.key(key).raw(if value { "true" } else { "false" });
    }

    /// An instant in milliseconds since 1970.
    pub(crate) fn time(&mut self, key: &str, moment: i64) {
        self.key(key).raw("\"");
        self.out.extend_from_slice(moment::utc(moment).as_bytes());
        self.out.push(b'"');
    }

    pub(crate) fn maybe_time(&mut self, key: &str, moment: Option<i64>) {
        match moment {
            Some(moment) => self.time(key, moment),
            None => self.null(key),
        }
    }

    pub(crate) fn null(&mut self, key: &str) {
        self.key(key).raw("null");
    }

    /// A null without a key, for values that another function writes.
    pub(crate) fn nothing(&mut self) {
        self.raw("null");
    }

    pub(crate) fn empty_array(&mut self, key: &str) {
        self.key(key).raw("[]");
    }

    /// A number without a key, for arrays.
    pub(crate) fn value(&mut self, value: i64) {
        self.raw(&value.to_string());
    }

    /// A string without a key, for arrays.
    pub(crate) fn string(&mut self, value: &str) {
        self.comma();
        self.quoted(value);
        self.separate = true;
    }

    fn raw(&mut self, text: &str) {
        self.comma();
        self.out.extend_from_slice(text.as_bytes());
        self.separate = true;
    }

    fn between(&mut self, open: u8, close: u8, fill: impl FnOnce(&mut Self)) {
        self.comma();
        self.out.push(open);
        self.separate = false;
        fill(self);
        self.out.push(close);
        self.separate = true;
    }

    fn comma(&mut self) {
        if self.separate {
            self.out.push(b',');
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push(b'"');
        let mut plain = 0;
        for (at, character) in text.char_indices().filter(|(_, character)| is_escaped(*character)) {
            self.out.extend_from_slice(&text.as_bytes()[plain..at]);
            plain = at + character.len_utf8();
            match character {
                '"' => self.out.extend_from_slice(b"\\\""),
                '\\' => self.out.extend_from_slice(b"\\\\"),
                '\n' => self.out.extend_from_slice(b"\\n"),
                '\r' => self.out.extend_from_slice(b"\\r"),
                '\t' => self.out.extend_from_slice(b"\\t"),
                _ => self.out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes()),
            }
        }
        self.out.extend_from_slice(&text.as_bytes()[plain..]);
        self.out.push(b'"');
    }
}

const fn is_escaped(character: char) -> bool {
    matches!(character, '"' | '\\' | '&' | '<' | '>' | '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn strings_are_escaped_as_rails_escapes_them() {
        let mut json = Json::default();
        json.object(|json| {
            json.text("a?", "R&D <b>\t\"é\\\u{1}");
            json.array_of_two();
            json.float("level", 4.0);
            json.null("end_at");
        });
        let text = String::from_utf8(json.into_bytes()).unwrap();
        let expected =
            r#"{"a?":"R\u0026D \u003cb\u003e\t\"é\\\u0001","ids":[1,2],"level":4.0,"end_at":null}"#;
        assert_eq!(text, expected);
    }

    impl Json {
        fn array_of_two(&mut self) {
            self.key("ids").array(|json| {
                json.value(1);
                json.value(2);
            });
        }
    }
}
