//! Erasing people: who is due, what is deleted for whom, and the tombstones that keep it so.
//!
//! # Layout
//! - this file: an erasure, as one transaction.
//! - [`Tombstone`]: who was erased; what two places know of it, made one.
//! - `quarantine`: what waits of the erased, or names them.
//! - [`held()`]: all that is there of one person.

mod held;
mod quarantine;
mod tombstones;

use crate::fault;
use crate::load::{self, locks};
use crate::name::{literal, quoted};
use anyhow::{Context, Result, anyhow, ensure};
use catalog::{Catalog, Resource};
use chrono::{DateTime, Utc};
pub use held::held;
use postgres::types::ToSql;
use postgres::{Client, Row, Transaction};
pub use quarantine::Sifted;
use std::collections::BTreeMap;
pub use tombstones::{Tombstone, Why, allow, tombstones};
use verdict::{Judge, Verdict};

/// An erasure that is going on: no load of people, or of what hangs on them, runs beside it.
pub struct Erasure<'a> {
    catalog: &'a Catalog,
    people: &'a Resource,
    transaction: Transaction<'a>,
}

impl<'a> Erasure<'a> {
    /// Waits for the loads that are under way, and begins.
    ///
    /// # Errors
    /// [`Verdict::Config`] when no resource of the catalog is people, or the tables are not there; [`Verdict::Busy`] when
    /// a load goes on for too long.
    pub fn begin(client: &'a mut Client, catalog: &'a Catalog) -> Result<Self> {
        let people = catalog.people().context("catalog: no resource says erase_at, so nobody can be erased");
        let people = people.verdict(Verdict::Config)?;
        let transaction = client.transaction().map_err(|error| fault::of(&error))?;
        let mut erasure = Self { catalog, people, transaction };
        let waiting = locks::statements(catalog, people, &locks::below(catalog, people));
        let locked = erasure.transaction.batch_execute(&waiting);
        locked.map_err(|error| fault::of(&error)).context(locks::WAITING)?;
        Ok(erasure)
    }

    /// Gives a tombstone to everybody whose time has come by the database's clock; says who that is.
    ///
    /// # Errors
    /// [`Verdict::Refused`] when that were more than a share of the people: then rather the clock is wrong.
    pub fn due(&mut self, most: f64) -> Result<Vec<i64>> {
        let key = quoted(&self.people.key[0]);
        let column = |name: &String| format!("p.{}", quoted(name));
        let waiting = |name: &String| format!("(q.row ->> {})::timestamptz", literal(name));
        let earliest = |of: &dyn Fn(&String) -> String| {
            self.people.erase_at.iter().map(of).collect::<Vec<_>>().join(", ")
        };
        let query = format!(
            "SELECT id FROM (
                 SELECT p.{key} AS id FROM {table} p WHERE least({columns}) <= statement_timestamp()
                 UNION SELECT (q.row ->> {name})::bigint FROM ops.quarantine q
                 WHERE CASE WHEN q.table_name = {label} AND q.reason_kind = 'parent'
                            THEN least({waiting}) <= statement_timestamp() END) due
             WHERE NOT EXISTS (SELECT FROM ops.tombstones x WHERE x.user_id = due.id AND x.lifted_at IS NULL)
             ORDER BY id",
            table = quoted(&self.people.table),
            columns = earliest(&column),
            name = literal(&self.people.key[0]),
            label = literal(&self.people.table),
            waiting = earliest(&waiting)
        );
        let due: Vec<i64> =
            self.rows("looking for who is due", &query, &[])?.iter().map(|row| row.get(0)).collect();
        self.refuse_too_many(due.len() as u64, most)?;
        self.bury(&due, Why::Due)?;
        Ok(due)
    }

    fn refuse_too_many(&mut self, due: u64, most: f64) -> Result<()> {
        let table = &self.people.table;
        let query = format!("SELECT count(*) FROM {}", quoted(table));
        let rows = self.rows("counting the people", &query, &[])?;
        let rows = rows.first().map_or(0, |row| row.get::<_, i64>(0)).unsigned_abs();
        if due <= load::most(rows, most) {
            return Ok(());
        }
        Err(anyhow!(
            "{due} of {rows} {table} are due, more than --max-erase {most} allows; see whether the database's clock is \
             right, and if it is, raise it; nothing was erased"
        )
        .verdict(Verdict::Refused))
    }

    /// Gives a tombstone to people who asked for it, whether they are mirrored or not.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn request(&mut self, ids: &[i64]) -> Result<()> {
        self.bury(ids, Why::Request)
    }

    /// Deletes the rows of everybody who has a tombstone; says how many of which table.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn delete_rows(&mut self) -> Result<BTreeMap<String, u64>> {
        let mut deleted = BTreeMap::new();
        // Children first, so that each row is counted where it was.
        for resource in self.catalog.resources().iter().rev() {
            for column in self.catalog.owners(resource) {
                let delete = format!(
                    "DELETE FROM {} t USING ops.tombstones x WHERE x.user_id = t.{} AND x.lifted_at IS NULL",
                    quoted(&resource.table),
                    quoted(&column.name)
                );
                let rows = self.execute("deleting rows", &delete, &[])?;
                *deleted.entry(resource.table.clone()).or_default() += rows;
            }
        }
        deleted.retain(|_, rows| *rows > 0);
        Ok(deleted)
    }

    /// The database's clock.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn now(&mut self) -> Result<DateTime<Utc>> {
        let rows = self.rows("asking for the time", "SELECT statement_timestamp()", &[])?;
        rows.first().map(|row| row.get(0)).context("the database says no time")
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// When the connection is lost; nothing was written then.
    pub fn end(self, ending: load::Ending) -> Result<()> {
        let ended = match ending {
            load::Ending::Commit => self.transaction.commit(),
            load::Ending::Rollback => self.transaction.rollback(),
        };
        ended.map_err(|error| fault::of(&error)).context("committing")
    }

    fn rows(&mut self, what: &'static str, query: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.transaction.query(query, values).map_err(|error| fault::of(&error)).context(what)
    }

    fn execute(&mut self, what: &'static str, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        self.transaction.execute(sql, values).map_err(|error| fault::of(&error)).context(what)
    }
}

/// Whether a table may be vacuumed: by its owner or, where there is such a right, by who was given it.
const MAY_VACUUM: &str = "SELECT CASE WHEN pg_has_role(relowner, 'USAGE') THEN true
    WHEN current_setting('server_version_num')::int >= 170000 THEN has_table_privilege(oid, 'MAINTAIN') ELSE false END
    FROM pg_class WHERE oid = to_regclass($1::text)";

/// Takes what is left of deleted rows off the disk, whoever deleted them: until then they are only out of sight.
///
/// # Errors
/// When the connection is lost, when somebody else holds a table for too long, or when we may not: PostgreSQL itself only warns.
pub fn vacuum(client: &mut Client, catalog: &Catalog) -> Result<()> {
    let personal = catalog.resources().iter().filter(|resource| !catalog.owners(resource).is_empty());
    let tables = personal.map(|resource| quoted(&resource.table)).chain(["ops.quarantine".to_owned()]);
    for table in tables {
        let may = client.query_one(MAY_VACUUM, &[&table]).map_err(|error| fault::of(&error))?;
        ensure!(
            may.get::<_, bool>(0),
            "VACUUM {table} is for its owner (GRANT MAINTAIN, from PostgreSQL 17 on): deleted rows are still on the disk"
        );
        // An index of few dead entries would be passed over, and its entries are logins and addresses.
        let vacuum = format!("VACUUM (INDEX_CLEANUP ON) {table}");
        client.batch_execute(&vacuum).map_err(|error| fault::of(&error)).with_context(|| vacuum.clone())?;
    }
    Ok(())
}
