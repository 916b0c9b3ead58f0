//! What waits in quarantine of people who are erased, or names them.

use super::Erasure;
use crate::name::literal;
use anyhow::Result;
use catalog::Resource;
use exports::Fate;
use serde::Serialize;

/// What became of the records of quarantine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sifted {
    /// Records of people who are erased.
    pub deleted: u64,
    /// Records of others, without the people in them who are erased.
    pub cleansed: u64,
}

impl Erasure<'_> {
    /// Deletes what waits of everybody who has a tombstone. Records that the catalog could not type are `judged` as they
    /// were written.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn sift_quarantine(&mut self, judge: &mut dyn FnMut(&Resource, &str) -> Fate) -> Result<Sifted> {
        let mut sifted = Sifted::default();
        // Each condition is an equality of its own, so that the server joins by hashing.
        let label = literal(&self.people.table);
        let mut conditions = vec![
            format!("q.table_name = {label} AND q.record_key = x.user_id::text"),
            format!("q.parent_table = {label} AND q.parent_key = x.user_id::text"),
        ];
        for resource in self.catalog.resources() {
            for column in self.catalog.owners(resource) {
                let (table, name) = (literal(&resource.table), literal(&column.name));
                conditions.push(format!("q.table_name = {table} AND q.row ->> {name} = x.user_id::text"));
            }
        }
        for condition in conditions {
            let delete = format!(
                "DELETE FROM ops.quarantine q USING ops.tombstones x WHERE x.lifted_at IS NULL AND {condition}"
            );
            sifted.deleted += self.execute("emptying quarantine", &delete, &[])?;
        }
        self.sift_untyped(judge, &mut sifted)?;
        Ok(sifted)
    }

    fn sift_untyped(
        &mut self,
        judge: &mut dyn FnMut(&Resource, &str) -> Fate,
        sifted: &mut Sifted,
    ) -> Result<()> {
        let query = "SELECT table_name, record_key, record FROM ops.quarantine WHERE record IS NOT NULL";
        for row in self.rows("looking into quarantine", query, &[])? {
            let (table, key, record): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            // A table that the catalog has no more: nobody can tell what its records say.
            let Ok(resource) = self.catalog.find(&table) else { continue };
            let which = "WHERE table_name = $1 AND record_key = $2";
            match judge(resource, &record) {
                Fate::Keep => {}
                Fate::Drop => {
                    let delete = format!("DELETE FROM ops.quarantine {which}");
                    sifted.deleted += self.execute("emptying quarantine", &delete, &[&table, &key])?;
                }
                Fate::Replace(text) => {
                    let update = format!("UPDATE ops.quarantine SET record = $3 {which}");
                    sifted.cleansed +=
                        self.execute("cleansing quarantine", &update, &[&table, &key, &text])?;
                }
            }
        }
        Ok(())
    }
}
