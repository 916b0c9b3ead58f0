//! What the records of loads say, against what is there.

use super::{Body, Check, ERASED, Mend, needs};
use crate::action::Action;
use crate::level::Weight;
use catalog::{Catalog, Resource, Severity};
use std::collections::BTreeMap;
use warehouse::{literal, quoted};

/// Whether the rows that the last load wrote are there.
pub(super) fn count(resource: &Resource) -> Check {
    let table = &resource.table;
    Check {
        name: "load_count_vs_rows".to_owned(),
        alias: None,
        table: Some(table.clone()),
        about: format!("The rows that the last load wrote into {table} are there"),
        severity: Severity::Error,
        weight: Weight::Share,
        needs: needs(table, &["ingested_at"]),
        wants_whole: Vec::new(),
        left: "ops.loads.inserted + updated".to_owned(),
        right: format!("{table}.ingested_at"),
        mend: Mend::of_table(Action::ReloadExport, table),
        also: BTreeMap::new(),
        body: Body::Groups(count_statement(table)),
    }
}

/// `wrote` is the last load of two days that wrote a row; `gone` how many of these rows later loads may have taken away:
/// by another write, by deleting them, by deleting what they hang on. Ids of loads are given at their start, so one that
/// ended later may have a somewhat lower one. Where people were erased since, nobody knows how many rows went with them.
/// That anything was written at all is asked for besides, because that is the condition of `loads_changed_idx`.
fn count_statement(table: &str) -> String {
    let (name, text) = (quoted(table), literal(table));
    format!(
        "WITH wrote AS (
             SELECT id, started_at, finished_at, inserted + updated AS rows FROM ops.loads
             WHERE (table_name, id) BETWEEN ({text}, 0::bigint) AND ({text}, 9223372036854775807)
                 AND inserted + updated > 0 AND inserted + updated + deleted > 0
             ORDER BY table_name DESC, id DESC LIMIT 1),
         gone AS (
             SELECT coalesce(sum(coalesce((l.cascaded ->> {text})::bigint, 0)
                 + CASE WHEN l.table_name = {text} THEN l.updated + l.deleted ELSE 0 END), 0) AS rows
             FROM ops.loads l, wrote w WHERE l.id > w.id - 1000 AND l.id <> w.id AND l.finished_at > w.finished_at),
         counted AS (
             SELECT w.id, w.rows AS expected, greatest(w.rows - g.rows - c.rows, 0) AS missing, c.rows AS found
             FROM wrote w, gone g, LATERAL (SELECT count(*) AS rows FROM {name} t
                 WHERE t.ingested_at BETWEEN w.started_at AND w.finished_at) AS c
             WHERE w.finished_at > now() - interval '2 days'
                 AND NOT EXISTS (SELECT FROM {ERASED} x WHERE x.erased_at > w.finished_at))
         SELECT jsonb_build_object('table', {text}) AS subject, jsonb_build_object('load', id, 'rows', expected) AS left_value,
             found AS right_value, missing::bigint AS rows FROM counted WHERE missing > 0
         UNION ALL SELECT NULL, NULL, NULL, (expected - missing)::bigint FROM counted"
    )
}

/// Whether a watermark is ahead of what the load that moved it has seen: what changed in between would never be asked for.
pub(super) fn watermarks(catalog: &Catalog) -> Check {
    let tables: Vec<_> = catalog.resources().iter().map(|resource| literal(&resource.table)).collect();
    let instant = |of: &str| format!("to_char({of} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')");
    let statement = format!(
        "SELECT CASE WHEN l.walk_started >= w.watermark THEN NULL
                 ELSE jsonb_build_object('table', w.table_name) END AS subject,
             {} AS left_value, {} AS right_value
         FROM ops.watermarks w LEFT JOIN ops.loads l ON l.id = w.load_id AND l.table_name = w.table_name
         WHERE w.table_name IN ({})",
        instant("w.watermark"),
        instant("l.walk_started"),
        tables.join(", ")
    );
    Check {
        name: "watermark_vs_data".to_owned(),
        alias: None,
        table: None,
        about: "No watermark is ahead of the walk whose load moved it".to_owned(),
        severity: Severity::Critical,
        weight: Weight::Share,
        needs: Vec::new(),
        wants_whole: Vec::new(),
        left: "ops.watermarks.watermark".to_owned(),
        right: "ops.loads.walk_started".to_owned(),
        mend: Mend { action: Action::RewindWatermark, target: None, id: None },
        also: BTreeMap::new(),
        body: Body::Units(statement),
    }
}
