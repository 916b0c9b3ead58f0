//! The store in PostgreSQL, for workers on several hosts: `ops.backlog` and `ops.backlog_processed`. All SQL of the
//! backlog is here, and every instant in it is the database's.
//!
//! Each operation is one transaction on a connection of its own: a server that was away for a while is met again. Rows
//! are locked in the order of their ids, so that two operations never wait for each other.

use crate::item::{Asked, Item, Lease, Outcome, Processed};
use crate::settings::Settings;
use crate::store::{Added, Counts, Failed, Group, LEFT, LOST_ALONE, LOST_TOGETHER, Snapshot, State, Store};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use postgres::types::ToSql;
use postgres::{Client, Row, Transaction};
use serde_json::Map;

/// Days for which it is remembered who left.
const REMEMBERED: i32 = 30;

/// Columns of an item, as [`item`] reads them.
const ITEM: &str =
    "b.id, reason, added_at, due_at, attempts, lost, error, lease_owner, lease_until, again, died_at";

const RELEASED: &str = "lease_owner = NULL, lease_until = NULL, again = false";

/// The backlog in a database.
#[derive(Debug)]
pub(crate) struct Postgres {
    settings: Settings,
}

impl Postgres {
    pub(crate) const fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Runs one transaction.
    fn change<Answer>(&self, change: impl FnOnce(&mut Session<'_>) -> Result<Answer>) -> Result<Answer> {
        let mut client: Client = warehouse::connect("backlog")?;
        let run = |client: &mut Client| -> Result<Answer> {
            let transaction = client.transaction().map_err(|error| warehouse::fault(&error))?;
            let mut session = Session { transaction };
            let answer = change(&mut session)?;
            warehouse::commit(session.transaction)?;
            Ok(answer)
        };
        run(&mut client).context("the backlog")
    }
}

/// A transaction whose errors are ours.
struct Session<'a> {
    transaction: Transaction<'a>,
}

impl Session<'_> {
    fn rows(&mut self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.transaction.query(sql, values).map_err(|error| warehouse::fault(&error))
    }

    fn execute(&mut self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        self.transaction.execute(sql, values).map_err(|error| warehouse::fault(&error))
    }

    /// Locks rows in the order of their ids.
    fn lock(&mut self, ids: &[i64]) -> Result<()> {
        let query = "SELECT FROM ops.backlog WHERE id = ANY($1) ORDER BY id FOR UPDATE";
        self.rows(query, &[&ids]).map(drop)
    }

    /// Frees the leases that ran out.
    fn rescue(&mut self, settings: &Settings) -> Result<()> {
        let rescue = format!(
            "UPDATE ops.backlog b SET {RELEASED}, lost = lost + 1 FROM
                 (SELECT id FROM ops.backlog WHERE lease_until <= now() ORDER BY id FOR UPDATE SKIP LOCKED) over
             WHERE b.id = over.id RETURNING b.id, b.lost, b.attempts"
        );
        for row in self.rows(&rescue, &[])? {
            let (id, lost, attempts): (i64, i32, i32) = (row.get(0), row.get(1), row.get(2));
            if count(lost) > LOST_TOGETHER + 1 {
                self.blame(id, count(attempts) + 1, LOST_ALONE, settings)?;
            }
        }
        Ok(())
    }

    fn blame(&mut self, id: i64, attempts: u32, error: &str, settings: &Settings) -> Result<Failed> {
        let number = i32::try_from(attempts).unwrap_or(i32::MAX);
        let base = format!("UPDATE ops.backlog SET {RELEASED}, attempts = $2, error = $3");
        if attempts <= settings.max_retries {
            let rest = settings.backoff(attempts).as_secs_f64();
            let delay = format!("{base}, due_at = now() + make_interval(secs => $4) WHERE id = $1");
            self.execute(&delay, &[&id, &number, &error, &rest])?;
            return Ok(Failed::Delayed { seconds: rest, attempts });
        }
        self.execute(&format!("{base}, died_at = now() WHERE id = $1"), &[&id, &number, &error])?;
        Ok(Failed::Dead { attempts })
    }

    fn now(&mut self) -> Result<DateTime<Utc>> {
        Ok(self.rows("SELECT now()", &[])?.first().map_or_else(Utc::now, |row| row.get(0)))
    }

    /// The last ones who left, in that order.
    fn left(&mut self, most: i64) -> Result<Vec<Processed>> {
        let left = "SELECT id, reason, added_at, processed_at, outcome, attempts, seconds
             FROM ops.backlog_processed ORDER BY number DESC LIMIT $1";
        let mut left: Vec<Processed> = self.rows(left, &[&most])?.iter().map(processed).collect();
        left.reverse();
        Ok(left)
    }

    /// Notes that rows leave.
    fn note(&mut self, ids: &[i64], outcome: Outcome, seconds: Option<f64>) -> Result<()> {
        let insert = "INSERT INTO ops.backlog_processed (id, reason, added_at, outcome, attempts, seconds)
             SELECT id, reason, added_at, $2, attempts, $3 FROM ops.backlog WHERE id = ANY($1) ORDER BY id";
        self.execute(insert, &[&ids, &outcome.name(), &seconds])?;
        let forget =
            "DELETE FROM ops.backlog_processed WHERE processed_at < now() - make_interval(days => $1)";
        self.execute(forget, &[&REMEMBERED]).map(drop)
    }
}

impl Store for Postgres {
    fn add(&mut self, asked: &[Asked]) -> Result<Added> {
        let mut asked = asked.to_vec();
        asked.sort_by_key(|one| one.id);
        let ids: Vec<i64> = asked.iter().map(|one| one.id).collect();
        let reasons: Vec<&str> = asked.iter().map(|one| one.reason.as_str()).collect();
        self.change(|session| {
            session.lock(&ids)?;
            let insert = "INSERT INTO ops.backlog (id, reason) SELECT DISTINCT ON (id) id, reason
                 FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY a (id, reason, place) ORDER BY id, place
                 ON CONFLICT (id) DO NOTHING";
            let added = session.execute(insert, &[&ids, &reasons])?;
            let again = "UPDATE ops.backlog SET again = true
                 WHERE id = ANY($1) AND lease_owner IS NOT NULL AND NOT again";
            session.execute(again, &[&ids])?;
            let dead = "SELECT count(*) FROM unnest($1::bigint[]) a (id) JOIN ops.backlog b USING (id)
                 WHERE b.died_at IS NOT NULL";
            let dead = session.rows(dead, &[&ids])?.first().map_or(0, |row| row.get::<_, i64>(0)).unsigned_abs();
            Ok(Added { added, dead, known: ids.len() as u64 - added - dead })
        })
    }

    fn claim(&mut self, most: usize) -> Result<Vec<Item>> {
        let claim = |doubtful: &str| {
            format!(
                // Materialized: a plan that looked twice would lease more than was asked for. An array: a join may read all.
                "WITH due AS MATERIALIZED
                     (SELECT id FROM ops.backlog WHERE died_at IS NULL AND due_at <= now() AND lease_owner IS NULL
                          AND lost {doubtful} {LOST_TOGETHER}
                      ORDER BY due_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)
                 UPDATE ops.backlog b SET lease_owner = $2, lease_until = now() + make_interval(secs => $3)
                 WHERE b.id = ANY (ARRAY (SELECT id FROM due)) RETURNING {ITEM}"
            )
        };
        let lease = self.settings.lease.as_secs_f64();
        self.change(|session| {
            session.rescue(&self.settings)?;
            let most = i64::try_from(most)?;
            let mut rows = session.rows(&claim("<="), &[&most, &self.settings.owner, &lease])?;
            if rows.is_empty() {
                rows = session.rows(&claim(">"), &[&1_i64, &self.settings.owner, &lease])?;
            }
            let mut items: Vec<Item> = rows.iter().map(item).collect();
            items.sort_by_key(|item| (item.due, item.id));
            Ok(items)
        })
    }

    fn renew(&mut self) -> Result<()> {
        let lease = self.settings.lease.as_secs_f64();
        let renew = "UPDATE ops.backlog b SET lease_until = now() + make_interval(secs => $2) FROM
                 (SELECT id FROM ops.backlog WHERE lease_until IS NOT NULL AND lease_owner = $1 ORDER BY id FOR UPDATE) mine
             WHERE b.id = mine.id";
        self.change(|session| session.execute(renew, &[&self.settings.owner, &lease]).map(drop))
    }

    fn settle(&mut self, done: &[(i64, Outcome)], seconds: f64) -> Result<()> {
        let ids: Vec<i64> = done.iter().map(|(id, _)| *id).collect();
        self.change(|session| {
            session.lock(&ids)?;
            let mine = "SELECT id FROM ops.backlog WHERE id = ANY($1) AND lease_owner = $2";
            let mine: Vec<i64> =
                session.rows(mine, &[&ids, &self.settings.owner])?.iter().map(|row| row.get(0)).collect();
            for outcome in [Outcome::Loaded, Outcome::Absent] {
                let wanted = |(id, other): &&(i64, Outcome)| *other == outcome && mine.contains(id);
                let ids: Vec<i64> = done.iter().filter(wanted).map(|(id, _)| *id).collect();
                session.note(&ids, outcome, Some(seconds))?;
            }
            session.execute("DELETE FROM ops.backlog WHERE id = ANY($1) AND NOT again", &[&mine])?;
            let again = format!(
                "UPDATE ops.backlog SET {RELEASED}, attempts = 0, lost = 0, error = NULL, due_at = now()
                 WHERE id = ANY($1)"
            );
            session.execute(&again, &[&mine]).map(drop)
        })
    }

    fn fail(&mut self, id: i64, error: &str) -> Result<Option<Failed>> {
        self.change(|session| {
            let query = "SELECT attempts FROM ops.backlog WHERE id = $1 AND lease_owner = $2 FOR UPDATE";
            let rows = session.rows(query, &[&id, &self.settings.owner])?;
            let Some(row) = rows.first() else { return Ok(None) };
            session.blame(id, count(row.get(0)) + 1, error, &self.settings).map(Some)
        })
    }

    fn release(&mut self) -> Result<u64> {
        let release = format!(
            "UPDATE ops.backlog b SET {RELEASED} FROM
                 (SELECT id FROM ops.backlog WHERE lease_until IS NOT NULL AND lease_owner = $1 ORDER BY id FOR UPDATE) mine
             WHERE b.id = mine.id"
        );
        self.change(|session| session.execute(&release, &[&self.settings.owner]))
    }

    fn mark(&mut self, ids: &[i64]) -> Result<u64> {
        self.change(|session| {
            session.lock(ids)?;
            session.note(ids, Outcome::Marked, None)?;
            session.execute("DELETE FROM ops.backlog WHERE id = ANY($1)", &[&ids])
        })
    }

    fn retry(&mut self, ids: &[i64]) -> Result<u64> {
        let dead = "UPDATE ops.backlog b SET died_at = NULL, attempts = 0, lost = 0, due_at = now() FROM
                 (SELECT id FROM ops.backlog WHERE died_at IS NOT NULL AND (cardinality($1::bigint[]) = 0 OR id = ANY($1))
                  ORDER BY id FOR UPDATE) chosen
             WHERE b.id = chosen.id";
        let delayed = "UPDATE ops.backlog b SET due_at = now() FROM
                 (SELECT id FROM ops.backlog WHERE due_at > now() AND id = ANY($1) ORDER BY id FOR UPDATE) chosen
             WHERE b.id = chosen.id";
        self.change(|session| Ok(session.execute(dead, &[&ids])? + session.execute(delayed, &[&ids])?))
    }

    fn clear(&mut self, dead: bool) -> Result<Vec<i64>> {
        let pile = "SELECT id FROM ops.backlog WHERE (died_at IS NOT NULL) = $1 ORDER BY id FOR UPDATE";
        self.change(|session| {
            let ids: Vec<i64> = session.rows(pile, &[&dead])?.iter().map(|row| row.get(0)).collect();
            session.execute("DELETE FROM ops.backlog WHERE id = ANY($1)", &[&ids])?;
            Ok(ids)
        })
    }

    fn forget(&mut self, ids: &[i64]) -> Result<u64> {
        self.change(|session| {
            session.lock(ids)?;
            let waiting = session.execute("DELETE FROM ops.backlog WHERE id = ANY($1)", &[&ids])?;
            let left = session.execute("DELETE FROM ops.backlog_processed WHERE id = ANY($1)", &[&ids])?;
            Ok(waiting + left)
        })
    }

    fn read(&mut self) -> Result<Snapshot> {
        self.change(|session| {
            let now = session.now()?;
            let rows = session.rows(&format!("SELECT {ITEM} FROM ops.backlog b ORDER BY due_at, id"), &[])?;
            let (mut dead, mut pending): (Vec<Item>, Vec<Item>) =
                rows.iter().map(item).partition(|item| item.died.is_some());
            for item in &mut pending {
                // Shown as what the next claim will make of it.
                item.lease = item.lease.take().filter(|lease| lease.until > now);
            }
            dead.sort_by_key(|item| std::cmp::Reverse(item.died));
            Ok(Snapshot { now, pending, dead, processed: session.left(i64::MAX)? })
        })
    }

    fn count(&mut self) -> Result<Counts> {
        let groups = "SELECT CASE WHEN died_at IS NOT NULL THEN 'dead' WHEN lease_until > now() THEN 'leased'
                     WHEN due_at > now() THEN 'delayed' ELSE 'due' END,
                 reason, error, count(*), min(added_at), sum(attempts)::bigint
             FROM ops.backlog GROUP BY 1, 2, 3";
        self.change(|session| {
            let now = session.now()?;
            let groups = session.rows(groups, &[])?.iter().map(group).collect();
            Ok(Counts { now, groups, processed: session.left(i64::try_from(LEFT)?)?, unreadable: 0 })
        })
    }
}

fn group(row: &Row) -> Group {
    Group {
        state: match row.get(0) {
            "dead" => State::Dead,
            "leased" => State::Leased,
            "delayed" => State::Delayed,
            _ => State::Due,
        },
        reason: row.get(1),
        error: row.get(2),
        items: row.get::<_, i64>(3).unsigned_abs(),
        oldest: row.get(4),
        attempts: row.get::<_, i64>(5).unsigned_abs(),
    }
}

fn item(row: &Row) -> Item {
    let owner: Option<String> = row.get(7);
    let until = row.get(8);
    Item {
        id: row.get(0),
        reason: row.get(1),
        added: row.get(2),
        due: row.get(3),
        attempts: count(row.get(4)),
        lost: count(row.get(5)),
        error: row.get(6),
        lease: owner.zip(until).map(|(owner, until)| Lease { owner, until }),
        again: row.get(9),
        died: row.get(10),
        more: Map::new(),
    }
}

fn processed(row: &Row) -> Processed {
    Processed {
        id: row.get(0),
        reason: row.get(1),
        added: Some(row.get(2)),
        processed: Some(row.get(3)),
        outcome: Outcome::of(row.get(4)),
        attempts: count(row.get(5)),
        seconds: row.get(6),
    }
}

fn count(number: i32) -> u32 {
    number.try_into().unwrap_or(0)
}
