//! Who was erased, when and why, and whether they may come again.

use super::Erasure;
use crate::fault;
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use postgres::{Client, GenericClient, Row};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Somebody who was erased. As JSON it is a line of the file that outlives the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The person's key.
    pub user_id: i64,
    /// What is older than this brings nobody back.
    pub erased_at: DateTime<Utc>,
    /// Why.
    pub why: Why,
    /// Since when the person may be mirrored again.
    pub lifted_at: Option<DateTime<Utc>>,
}

/// Why somebody was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// The date came.
    Due,
    /// A complete export lacked the person.
    Left,
    /// It was asked for.
    Request,
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Due => "due",
            Self::Left => "left",
            Self::Request => "request",
        })
    }
}

impl Tombstone {
    /// Whether the person is turned away.
    #[must_use]
    pub const fn stands(&self) -> bool {
        self.lifted_at.is_none()
    }

    /// When anything about it was decided last: of two that differ, the later is right.
    #[must_use]
    pub fn decided(&self) -> DateTime<Utc> {
        self.lifted_at.map_or(self.erased_at, |lifted| lifted.max(self.erased_at))
    }
}

/// Every tombstone, by id, the lifted ones included.
///
/// # Errors
/// [`verdict::Verdict::Config`] when the table is missing.
pub fn tombstones(client: &mut Client) -> Result<Vec<Tombstone>> {
    read(client)
}

fn read(client: &mut impl GenericClient) -> Result<Vec<Tombstone>> {
    let query = "SELECT user_id, erased_at, why, lifted_at FROM ops.tombstones ORDER BY user_id";
    let rows = client.query(query, &[]).map_err(|error| fault::of(&error)).context("reading tombstones")?;
    Ok(rows.iter().map(tombstone).collect())
}

fn tombstone(row: &Row) -> Tombstone {
    let why = match row.get(2) {
        "request" => Why::Request,
        "left" => Why::Left,
        _ => Why::Due,
    };
    Tombstone { user_id: row.get(0), erased_at: row.get(1), why, lifted_at: row.get(3) }
}

/// Lifts the tombstones of these people; says how many there were.
///
/// # Errors
/// [`verdict::Verdict::Config`] when the table is missing.
pub fn allow(client: &mut Client, ids: &[i64]) -> Result<u64> {
    let lift = "UPDATE ops.tombstones SET lifted_at = now() WHERE user_id = ANY ($1) AND lifted_at IS NULL";
    client.execute(lift, &[&ids]).map_err(|error| fault::of(&error)).context("lifting tombstones")
}

impl Erasure<'_> {
    /// Every tombstone, by id, the lifted ones included.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn tombstones(&mut self) -> Result<Vec<Tombstone>> {
        read(&mut self.transaction)
    }

    /// Takes in tombstones that are known elsewhere, each of them once: whatever was decided later is right. Says how many
    /// were news.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn remember(&mut self, known: &[Tombstone]) -> Result<u64> {
        let known = serde_json::to_string(known)?;
        let merge = "INSERT INTO ops.tombstones AS x (user_id, erased_at, why, lifted_at)
             SELECT user_id, erased_at, why, lifted_at FROM jsonb_to_recordset($1::text::jsonb)
                 AS k (user_id bigint, erased_at timestamptz, why text, lifted_at timestamptz)
             ON CONFLICT (user_id) DO UPDATE
                 SET erased_at = excluded.erased_at, why = excluded.why, lifted_at = excluded.lifted_at
             WHERE greatest(excluded.erased_at, excluded.lifted_at) > greatest(x.erased_at, x.lifted_at)";
        self.execute("remembering tombstones", merge, &[&known])
    }

    /// Puts up tombstones. One that stands already says who asked for it, if anybody did.
    pub(super) fn bury(&mut self, ids: &[i64], why: Why) -> Result<()> {
        let insert = "INSERT INTO ops.tombstones AS x (user_id, erased_at, why)
             SELECT DISTINCT id, statement_timestamp(), $2::text FROM unnest($1::bigint[]) AS t (id)
             ON CONFLICT (user_id) DO UPDATE SET erased_at = excluded.erased_at, why = excluded.why, lifted_at = NULL
             WHERE x.lifted_at IS NOT NULL OR (excluded.why = 'request' AND x.why <> 'request')";
        self.execute("putting up tombstones", insert, &[&ids, &why.to_string()]).map(drop)
    }
}
