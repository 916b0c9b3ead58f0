//! The tables that the mirror consists of, as data: from the catalog, and from `operations.sql`.
//!
//! Definitions are written exactly as PostgreSQL gives them back (`pg_get_constraintdef`, `format_type`), so that what
//! is wanted and what is there can be compared as text. A test holds that against a real server.
//!
//! # Layout
//! - this file: tables as data, and their SQL.
//! - `operations`: reads `operations.sql`.
//! - [`live`]: the same data, read from a database.
//! - [`migrate`]: what it takes to get from there to here.

mod change;
pub(crate) mod live;
pub mod migrate;
mod operations;

use crate::name::{list, literal, quoted};
use catalog::{Catalog, Column as CatalogColumn, Resource, Type};

/// How the comment of every table of ours starts: what tells our tables from others in the same database.
pub(crate) const MARK: &str = "mirror42 ";

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// As it is written in SQL: `users`, `ops.loads`.
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<Constraint>,
    /// Those that no constraint brings along.
    pub(crate) indexes: Vec<Index>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As `format_type` spells it.
    pub(crate) kind: String,
    pub(crate) not_null: bool,
    /// What stands behind the type in SQL: `DEFAULT now()`, `GENERATED ALWAYS AS IDENTITY`, or nothing.
    pub(crate) filled: String,
}

/// A primary key, foreign key or check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Constraint {
    pub(crate) name: String,
    /// As `pg_get_constraintdef` spells it.
    pub(crate) definition: String,
}

/// A plain index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    /// `(a, b)`, or what else `pg_get_indexdef` says behind `USING btree`; `UNIQUE ` before it when it is.
    pub(crate) definition: String,
}

/// Every table: the operational ones, then the mirror's in the order of the catalog.
pub(crate) fn wanted(catalog: &Catalog) -> Vec<Table> {
    let mirror = catalog.resources().iter().map(|resource| Table::of(catalog, resource));
    operations::tables().into_iter().chain(mirror).collect()
}

/// The SQL that makes every table in an empty database.
#[must_use]
pub fn sql(catalog: &Catalog) -> String {
    let mut sql = "CREATE SCHEMA IF NOT EXISTS ops;\n".to_owned();
    for table in wanted(catalog) {
        sql.push('\n');
        for statement in table.create() {
            sql.push_str(&statement);
            sql.push_str(";\n");
        }
    }
    sql
}

impl Table {
    fn of(catalog: &Catalog, resource: &Resource) -> Self {
        let table = &resource.table;
        let mut columns: Vec<Column> = resource.columns.iter().map(Column::of).collect();
        columns.push(Column {
            name: "ingested_at".to_owned(),
            kind: "timestamp with time zone".to_owned(),
            not_null: true,
            filled: "DEFAULT now()".to_owned(),
        });
        let key = list("", resource.key.iter().map(String::as_str));
        let mut constraints =
            vec![Constraint { name: format!("{table}_pkey"), definition: format!("PRIMARY KEY ({key})") }];
        constraints.extend(resource.columns.iter().filter_map(|column| check(table, column)));
        constraints.extend(resource.columns.iter().filter_map(|column| foreign_key(catalog, table, column)));
        let indexed = resource.columns.iter().filter(|column| column.index);
        let indexes = indexed.map(|column| Index {
            name: format!("{table}_{}_idx", column.name),
            definition: format!("({})", quoted(&column.name)),
        });
        Self {
            name: quoted(table),
            comment: format!("{MARK}{}: {}", resource.file, resource.about),
            columns,
            constraints,
            indexes: indexes.collect(),
        }
    }

    /// The statements that make it, without semicolons.
    pub(crate) fn create(&self) -> Vec<String> {
        let columns = self.columns.iter().map(Column::sql);
        let constraints = self.constraints.iter().map(Constraint::sql);
        let parts: Vec<String> = columns.chain(constraints).map(|part| format!("    {part}")).collect();
        let mut statements = vec![format!("CREATE TABLE {} (\n{}\n)", self.name, parts.join(",\n"))];
        statements.extend(self.indexes.iter().map(|index| index.create(&self.name)));
        statements.push(self.comment_on());
        statements
    }

    pub(crate) fn comment_on(&self) -> String {
        format!("COMMENT ON TABLE {} IS {}", self.name, literal(&self.comment))
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Column {
    fn of(column: &CatalogColumn) -> Self {
        let kind = match column.kind {
            Type::Timestamptz => "timestamp with time zone".to_owned(),
            kind => kind.to_string(),
        };
        Self { name: column.name.clone(), kind, not_null: !column.null, filled: String::new() }
    }

    pub(crate) fn sql(&self) -> String {
        let not_null = if self.not_null { " NOT NULL" } else { "" };
        let gap = if self.filled.is_empty() { "" } else { " " };
        format!("{} {}{not_null}{gap}{}", quoted(&self.name), self.kind, self.filled)
    }
}

impl Constraint {
    pub(crate) fn sql(&self) -> String {
        format!("CONSTRAINT {} {}", self.name, self.definition)
    }
}

impl Index {
    pub(crate) fn create(&self, table: &str) -> String {
        let plain = self.definition.strip_prefix("UNIQUE ");
        let (unique, definition) = plain.map_or(("", self.definition.as_str()), |plain| ("UNIQUE ", plain));
        format!("CREATE {unique}INDEX {} ON {table} {definition}", self.name)
    }
}

fn check(table: &str, column: &CatalogColumn) -> Option<Constraint> {
    let values: Vec<_> = column.one_of.iter().map(|value| format!("{}::text", literal(value))).collect();
    let name = quoted(&column.name);
    (!values.is_empty()).then(|| Constraint {
        name: format!("{table}_{}_check", column.name),
        definition: format!("CHECK (({name} = ANY (ARRAY[{}])))", values.join(", ")),
    })
}

fn foreign_key(catalog: &Catalog, table: &str, column: &CatalogColumn) -> Option<Constraint> {
    let target = column.references.as_ref()?;
    let parent = catalog.resources().iter().find(|resource| resource.table == *target)?;
    let key = list("", parent.key.iter().map(String::as_str));
    let (name, target) = (quoted(&column.name), quoted(target));
    Some(Constraint {
        name: format!("{table}_{}_fkey", column.name),
        definition: format!("FOREIGN KEY ({name}) REFERENCES {target}({key}) ON DELETE CASCADE"),
    })
}
