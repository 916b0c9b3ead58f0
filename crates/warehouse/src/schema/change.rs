//! What it takes to get from the tables that are there to the tables that are wanted.

use super::{Column, Constraint, Index, MARK, Table};
use crate::name::quoted;

/// One difference, and the statement that ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// What is different: `users: column x is missing`.
    pub(super) difference: String,
    pub(super) statement: String,
    pub(super) how: How,
}

/// Who may run the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// `init-db`: nothing is lost by it. Says what was done, and which query shows rows that stand in its way.
    Mend { done: String, obstacles: Option<String> },
    /// A person: data or somebody's own work would be lost.
    Drift,
}

/// Everything that is different, in an order in which the statements can run.
pub(super) fn between(wanted: &[Table], live: &[Table]) -> Vec<Change> {
    let mut changes = Vec::new();
    for table in wanted {
        match live.iter().find(|other| other.name == table.name) {
            Some(there) => within(table, there, &mut changes),
            None => changes.push(creation(table)),
        }
    }
    for table in live.iter().filter(|table| table.comment.starts_with(MARK)) {
        if !wanted.iter().any(|other| other.name == table.name) {
            let difference = format!("{}: no file of the catalog describes this table", table.name);
            changes.push(drift(difference, format!("DROP TABLE {}", table.name)));
        }
    }
    changes
}

fn creation(table: &Table) -> Change {
    Change {
        difference: format!("{}: the table is missing", table.name),
        statement: table.create().join(";\n"),
        how: How::Mend { done: format!("created table {}", table.name), obstacles: None },
    }
}

fn within(wanted: &Table, live: &Table, changes: &mut Vec<Change>) {
    let table = &wanted.name;
    for column in &wanted.columns {
        match live.column(&column.name) {
            Some(there) => columns_differ(table, column, there, changes),
            None => changes.push(missing_column(table, column)),
        }
    }
    for column in live.columns.iter().filter(|column| wanted.column(&column.name).is_none()) {
        let difference = format!("{table}: the catalog has no column {}", column.name);
        changes.push(drift(difference, format!("ALTER TABLE {table} DROP COLUMN {}", quoted(&column.name))));
    }
    constraints_differ(wanted, live, changes);
    indexes_differ(wanted, live, changes);
    if wanted.comment != live.comment {
        let difference = format!("{table}: the comment differs");
        changes.push(mend(difference, wanted.comment_on(), format!("set the comment of {table}"), None));
    }
}

fn missing_column(table: &str, column: &Column) -> Change {
    let name = &column.name;
    let obstacles = (column.not_null && column.filled.is_empty()).then(|| format!("SELECT * FROM {table}"));
    let statement = format!("ALTER TABLE {table} ADD COLUMN {}", column.sql());
    mend(
        format!("{table}: column {name} is missing"),
        statement,
        format!("added column {table}.{name}"),
        obstacles,
    )
}

fn columns_differ(table: &str, wanted: &Column, live: &Column, changes: &mut Vec<Change>) {
    let (name, alter) = (&wanted.name, format!("ALTER TABLE {table} ALTER COLUMN {}", quoted(&wanted.name)));
    if wanted.kind != live.kind {
        let difference = format!("{table}: column {name} is {}, not {}", live.kind, wanted.kind);
        changes
            .push(drift(difference, format!("{alter} TYPE {0} USING {1}::{0}", wanted.kind, quoted(name))));
    }
    if wanted.not_null && !live.not_null {
        let difference = format!("{table}: column {name} may be null");
        let obstacles = format!("SELECT * FROM {table} WHERE {} IS NULL", quoted(name));
        let done = format!("made {table}.{name} NOT NULL");
        changes.push(mend(difference, format!("{alter} SET NOT NULL"), done, Some(obstacles)));
    }
    if live.not_null && !wanted.not_null {
        let difference = format!("{table}: column {name} may not be null");
        let done = format!("let {table}.{name} be null");
        changes.push(mend(difference, format!("{alter} DROP NOT NULL"), done, None));
    }
    if wanted.filled != live.filled {
        let difference = format!("{table}: column {name} has `{}`, not `{}`", live.filled, wanted.filled);
        let identity = wanted.filled.contains("IDENTITY") || live.filled.contains("IDENTITY");
        changes.push(match wanted.filled.is_empty() {
            _ if identity => drift(difference, format!("{alter} ADD {}", wanted.filled)),
            true => {
                mend(difference, format!("{alter} DROP DEFAULT"), format!("default of {table}.{name}"), None)
            }
            false => mend(
                difference,
                format!("{alter} SET {}", wanted.filled),
                format!("default of {table}.{name}"),
                None,
            ),
        });
    }
}

fn constraints_differ(wanted: &Table, live: &Table, changes: &mut Vec<Change>) {
    let table = &wanted.name;
    for constraint in &wanted.constraints {
        let name = &constraint.name;
        let obstacles = obstacles(table, constraint);
        match live.constraints.iter().find(|other| other.name == *name) {
            None => {
                let statement = format!("ALTER TABLE {table} ADD {}", constraint.sql());
                let done = format!("added constraint {name}");
                changes.push(mend(
                    format!("{table}: constraint {name} is missing"),
                    statement,
                    done,
                    obstacles,
                ));
            }
            Some(there) if !agree(&there.definition, &constraint.definition) => {
                let difference = format!("{table}: constraint {name} is {}", there.definition);
                let statement =
                    format!("ALTER TABLE {table} DROP CONSTRAINT {name}, ADD {}", constraint.sql());
                changes.push(if there.definition.starts_with("PRIMARY KEY") {
                    drift(difference, statement)
                } else {
                    mend(difference, statement, format!("replaced constraint {name}"), obstacles)
                });
            }
            Some(_) => {}
        }
    }
    for surplus in
        live.constraints.iter().filter(|other| !wanted.constraints.iter().any(|c| c.name == other.name))
    {
        let difference = format!("{table}: the catalog has no constraint {}", surplus.name);
        let statement = format!("ALTER TABLE {table} DROP CONSTRAINT {}", quoted(&surplus.name));
        // A rule that the catalog once had and has no more: rows lose nothing by its going, and loads would fail by it.
        let once_ours = live.columns.iter().any(|column| {
            let stem = format!("{}_{}", table.trim_matches('"'), column.name);
            surplus.name == format!("{stem}_check") || surplus.name == format!("{stem}_fkey")
        });
        changes.push(if once_ours {
            mend(difference, statement, format!("dropped constraint {}", surplus.name), None)
        } else {
            drift(difference, statement)
        });
    }
}

/// The query that shows the rows which violate a constraint.
fn obstacles(table: &str, constraint: &Constraint) -> Option<String> {
    let definition = &constraint.definition;
    if let Some(condition) = definition.strip_prefix("CHECK ") {
        return Some(format!("SELECT * FROM {table} WHERE NOT {condition}"));
    }
    if let Some(key) = definition.strip_prefix("PRIMARY KEY (").and_then(|rest| rest.strip_suffix(')')) {
        return Some(format!("SELECT {key}, count(*) FROM {table} GROUP BY {key} HAVING count(*) > 1"));
    }
    let (column, target) = definition.strip_prefix("FOREIGN KEY (")?.split_once(") REFERENCES ")?;
    let (parent, key) = target.split_once('(')?;
    let key = key.split_once(')')?.0;
    Some(format!("SELECT * FROM {table} WHERE {column} NOT IN (SELECT {key} FROM {parent})"))
}

fn indexes_differ(wanted: &Table, live: &Table, changes: &mut Vec<Change>) {
    let table = &wanted.name;
    for index in &wanted.indexes {
        let Index { name, definition } = index;
        match live.indexes.iter().find(|other| other.name == *name) {
            None => {
                let difference = format!("{table}: index {name} is missing");
                changes.push(mend(difference, index.create(table), format!("created index {name}"), None));
            }
            Some(there) if !agree(&there.definition, definition) => {
                let difference =
                    format!("{table}: index {name} is on {}, not on {definition}", there.definition);
                let schema = if table.starts_with("ops.") { "ops." } else { "" };
                changes.push(drift(difference, format!("DROP INDEX {schema}{name}; then init-db")));
            }
            Some(_) => {}
        }
    }
    for surplus in live.indexes.iter().filter(|other| !wanted.indexes.iter().any(|i| i.name == other.name)) {
        let difference = format!("{table}: the catalog has no index {}", surplus.name);
        let schema = if table.starts_with("ops.") { "ops." } else { "" };
        changes.push(drift(difference, format!("DROP INDEX {schema}{}", quoted(&surplus.name))));
    }
}

/// Whether two definitions say the same. Releases of PostgreSQL, even minor ones, disagree about redundant parentheses.
fn agree(one: &str, other: &str) -> bool {
    let bare = |definition: &str| definition.replace(['(', ')'], "");
    bare(one) == bare(other)
}

fn mend(difference: String, statement: String, done: String, obstacles: Option<String>) -> Change {
    Change { difference, statement, how: How::Mend { done, obstacles } }
}

fn drift(difference: String, statement: String) -> Change {
    Change { difference, statement, how: How::Drift }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
