//! Reads `operations.sql` as tables: a plain SQL file for people, data for the comparison with a database.

use super::{Column, Constraint, Index, Table};

/// The operational tables, as plain SQL.
const TEXT: &str = include_str!("operations.sql");

/// The tables that the file describes.
pub(super) fn tables() -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut comment = "";
    for line in TEXT.lines() {
        let line = line.trim().trim_end_matches([',', ';']);
        if let Some(text) = line.strip_prefix("-- ") {
            comment = text;
        } else if let Some(name) = line.strip_prefix("CREATE TABLE ") {
            let name = name.trim_end_matches(" (").to_owned();
            let (columns, constraints, indexes) = (Vec::new(), Vec::new(), Vec::new());
            tables.push(Table { name, comment: comment.to_owned(), columns, constraints, indexes });
        } else if let Some(table) = tables.last_mut() {
            add(table, line);
        }
    }
    tables
}

fn add(table: &mut Table, line: &str) {
    let unique = line.strip_prefix("CREATE UNIQUE INDEX ").map(|rest| (rest, "UNIQUE "));
    let index = unique.or_else(|| line.strip_prefix("CREATE INDEX ").map(|rest| (rest, "")));
    if let Some((rest, unique)) = index {
        let name = rest.split(' ').next().unwrap_or_default().to_owned();
        let columns = rest.find('(').map_or("", |start| &rest[start..]);
        table.indexes.push(Index { name, definition: format!("{unique}{columns}") });
    } else if let Some((name, definition)) =
        line.strip_prefix("CONSTRAINT ").and_then(|rest| rest.split_once(' '))
    {
        table.constraints.push(Constraint { name: name.to_owned(), definition: definition.to_owned() });
    } else if let Some((name, rest)) = line.split_once(' ') {
        table.columns.push(column(name, rest));
    }
}

/// `text NOT NULL DEFAULT 'x'`: the type ends where one of the other parts starts.
fn column(name: &str, rest: &str) -> Column {
    let (kind, after) = match rest.split_once(" NOT NULL") {
        Some((kind, after)) => (kind, after),
        None => rest.split_at(rest.find(" DEFAULT").unwrap_or(rest.len())),
    };
    Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        not_null: rest.contains(" NOT NULL"),
        filled: after.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without white space and comments, so that only the words are compared.
    fn words(sql: &str) -> String {
        let lines = sql.lines().filter(|line| !line.starts_with("--") && !line.starts_with("COMMENT"));
        lines
            .flat_map(str::split_whitespace)
            .collect::<Vec<_>>()
            .join(" ")
            .replace("( ", "(")
            .replace(" )", ")")
    }

    #[test]
    fn nothing_of_the_file_is_lost_in_reading() {
        let statements: Vec<String> =
            tables().iter().flat_map(Table::create).map(|sql| format!("{sql};\n")).collect();
        assert_eq!(words(&statements.concat()), words(TEXT));
        assert!(tables().iter().all(|table| table.comment.starts_with(super::super::MARK)));
    }
}
