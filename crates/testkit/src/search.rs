//! Looking for words everywhere: in all texts of a database, in all files below a folder.

use crate::Database;
use std::path::{Path, PathBuf};

impl Database {
    /// The places, `table.column: word`, at which these words stand: in any text or JSON of any table, ours or not.
    #[must_use]
    pub fn places_of(&self, words: &[String]) -> Vec<String> {
        let columns = "SELECT format('%I.%I', n.nspname, c.relname), a.attname::text
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
              AND a.attnum > 0 AND NOT a.attisdropped
              AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype, 'json'::regtype)
            ORDER BY 1, 2";
        let mut client = self.connect();
        let mut places = Vec::new();
        for row in client.query(columns, &[]).expect("the system's catalogs") {
            let (table, column): (String, String) = (row.get(0), row.get(1));
            let query = format!(
                "SELECT DISTINCT w FROM unnest($1::text[]) w, {table} t WHERE position(w IN t.\"{column}\"::text) > 0"
            );
            let found = client.query(&query, &[&words]).unwrap_or_else(|error| panic!("{query}: {error:?}"));
            places.extend(found.iter().map(|row| format!("{table}.{column}: {}", row.get::<_, String>(0))));
        }
        places
    }
}

/// The places, `file: word`, at which these words stand in files below a folder.
#[must_use]
pub fn places_in_files(folder: &Path, words: &[String]) -> Vec<String> {
    let mut places = Vec::new();
    assert!(folder.is_dir(), "{}: no folder", folder.display());
    for file in files(folder) {
        let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let text = String::from_utf8_lossy(&bytes);
        let found = words.iter().filter(|word| text.contains(word.as_str()));
        places.extend(found.map(|word| format!("{}: {word}", file.display())));
    }
    places
}

/// The files below a folder, or the one that it is; none where there is nothing, and none behind links.
pub(crate) fn files(place: &Path) -> Vec<PathBuf> {
    let Ok(about) = std::fs::symlink_metadata(place) else { return Vec::new() };
    if !about.is_dir() {
        return if about.is_file() { vec![place.to_owned()] } else { Vec::new() };
    }
    let entries = std::fs::read_dir(place).into_iter().flatten().filter_map(Result::ok);
    entries.flat_map(|entry| files(&entry.path())).collect()
}
