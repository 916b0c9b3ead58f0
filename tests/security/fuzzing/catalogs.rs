//! Files of the catalog, as operators write them.

use catalog::Catalog;
use std::io::Cursor;
use verdict::Verdict;
use warehouse::{Form, rehearse};

/// What stands between two files of one input.
const BETWEEN: char = '\u{c}';

/// Reads an input as the files of a catalog, in order. It is refused, with a name, or else every name in it can stand in SQL as
/// it is, and records can be read by it.
pub(crate) fn one(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let files = text.split(BETWEEN).take(99).enumerate();
    let files: Vec<_> =
        files.map(|(place, file)| (format!("{:02}_file{place}.toml", place + 1), file.to_owned())).collect();
    match Catalog::parse(&files) {
        Err(error) => assert!(format!("{error:#}").starts_with("catalog"), "{error:#}"),
        Ok(catalog) => catalog.resources().iter().for_each(serves),
    }
}

fn serves(resource: &catalog::Resource) {
    let columns = resource.columns.iter().map(|column| &column.name);
    for name in columns.chain([&resource.table]) {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(name.len() <= 63 && !name.is_empty() && name.bytes().all(is_plain), "{name:?}");
    }
    for (form, input) in
        [(Form::Ndjson, "{}\n{\"id\": 1, \"name\": {\"a\": [1]}}\n"), (Form::Csv, "id\n1\n\n\"\"\n")]
    {
        let read = rehearse(resource, form, Box::new(Cursor::new(input)));
        if let Err(error) = read {
            assert_eq!(Verdict::of(&error), Verdict::Refused, "{error:#}");
        }
    }
}

/// The files that are compiled in, one by one with those that they need, and all together.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/catalog/resources");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts: Vec<_> = paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let upto = |count: usize| texts[..count].join(&BETWEEN.to_string()).into_bytes();
    (1..=texts.len()).map(upto).collect()
}

/// What hits where bytes alone do not.
pub(crate) const WORDS: [&str; 24] = [
    "references = \"users\"",
    "null = false",
    "type = \"jsonb\"",
    "type = \"double precision\"",
    "from = \"/a/0/~1~0\"",
    "from = \"/\"",
    "one_of = [\"\"]",
    "index = true",
    "[scope]\n\"/a\" = 1979-05-27",
    "erase_at = [\"id\"]",
    "key = []",
    "version = \"id\"",
    "[live]\n",
    "[lookup]\n",
    "[[claim]]\n",
    "batch = 0",
    "\u{c}",
    "\"\"\"",
    "'''",
    "é",
    "\\u0000",
    "= [[[[[[[[[[[[[[[[",
    "table = \"users\"",
    "\r\n",
];
