//! What PostgreSQL says before and after a run: its log, who wrote which row, and what the table holds.

use crate::generate::Snapshot;
use crate::workload::World;
use anyhow::{Context, Result, ensure};
use catalog::Resource;
use postgres::config::Host;
use postgres::{Client, Config, NoTls};
use std::fs::File;
use std::process::Command;
use verdict::{Judge, Verdict};
use warehouse::quoted;

/// A database of the bench's own.
pub(crate) struct Server {
    client: Client,
    url: String,
}

/// A moment of the server.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    log_position: String,
    next_transaction: i64,
}

/// What a table holds: how many rows, and a sum of their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) rows: i64,
    digest: String,
}

impl Server {
    /// Makes the database of a world anew, and its tables.
    ///
    /// # Errors
    /// [`Verdict::Config`] when `DATABASE_URL` names no server on a unix socket, [`Verdict::Unreachable`] when it is away.
    pub(crate) fn make(world: World) -> Result<Self> {
        let named =
            std::env::var("DATABASE_URL").context("DATABASE_URL names no server").verdict(Verdict::Config)?;
        let mut config: Config = named.parse().context("DATABASE_URL").verdict(Verdict::Config)?;
        config.options("-c client_min_messages=warning");
        let [Host::Unix(folder)] = config.get_hosts() else {
            return Err(anyhow::anyhow!(
                "DATABASE_URL is of a server elsewhere; scripts/bench.sh brings up one of its own"
            ))
            .verdict(Verdict::Config);
        };
        let (folder, user) = (folder.display().to_string(), config.get_user().unwrap_or_default().to_owned());
        let name = world.database();
        let mut client = config.connect(NoTls).verdict(Verdict::Unreachable)?;
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        client.batch_execute(&format!("CREATE DATABASE {name}"))?;
        // It would start in the middle of somebody's run. Everybody gets what it does between two runs.
        client.batch_execute("ALTER SYSTEM SET autovacuum = off")?;
        client.batch_execute("SELECT pg_reload_conf()")?;
        let client = config.dbname(name).connect(NoTls).verdict(Verdict::Unreachable)?;
        let url = format!("postgresql:///{name}?host={folder}&user={user}");
        let mut tables = Command::new(sibling::program("init-db"));
        let output = tables.env("DATABASE_URL", &url).env("CATALOG_DIR", world.folder()).output()?;
        ensure!(output.status.success(), "init-db: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(Self { client, url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn version(&mut self) -> Result<String> {
        Ok(self.client.query_one("SHOW server_version", &[])?.get(0))
    }

    /// Empties a table and what refers to it, and takes the tables of peers away.
    pub(crate) fn clear(&mut self, resource: &Resource) -> Result<()> {
        let peers = "DROP SCHEMA IF EXISTS sling, dlt, dlt_staging CASCADE";
        self.client.batch_execute(&format!("{peers}; CREATE SCHEMA sling"))?;
        Ok(self.client.batch_execute(&format!("TRUNCATE {} CASCADE", quoted(&resource.table)))?)
    }

    /// What autovacuum does between two runs, and a checkpoint: the same beginning for everybody.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.client.batch_execute("VACUUM ANALYZE")?;
        Ok(self.client.batch_execute("CHECKPOINT")?)
    }

    pub(crate) fn mark(&mut self) -> Result<Mark> {
        let query =
            "SELECT pg_current_wal_insert_lsn()::text, pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
        let row = self.client.query_one(query, &[])?;
        Ok(Mark { log_position: row.get(0), next_transaction: row.get(1) })
    }

    /// Bytes that were written to the write-ahead log since.
    pub(crate) fn logged_since(&mut self, mark: &Mark) -> Result<u64> {
        let query = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::text::pg_lsn)::bigint";
        let bytes: i64 = self.client.query_one(query, &[&mark.log_position])?.get(0);
        Ok(u64::try_from(bytes)?)
    }

    /// Rows of a table that were written since: those whose version is of a later transaction.
    pub(crate) fn written_since(&mut self, mark: &Mark, table: &str) -> Result<u64> {
        // The cluster is young: no number has come round.
        let query = format!("SELECT count(*) FROM {table} WHERE xmin::text::bigint >= $1");
        let rows: i64 = self.client.query_one(&query, &[&mark.next_transaction])?.get(0);
        Ok(u64::try_from(rows)?)
    }

    pub(crate) fn contents(&mut self, resource: &Resource, table: &str) -> Result<Contents> {
        let query = format!(
            "SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)::numeric), 0)::text FROM ({}) r",
            rows_of(resource, table)
        );
        let row = self.client.query_one(&query, &[])?;
        Ok(Contents { rows: row.get(0), digest: row.get(1) })
    }

    /// Copies a snapshot's text into a table, and says what it holds then.
    pub(crate) fn fill(&mut self, resource: &Resource, snapshot: &Snapshot, table: &str) -> Result<Contents> {
        let columns: Vec<_> = resource.columns.iter().map(|column| quoted(&column.name)).collect();
        let mut copy = self.client.copy_in(&format!("COPY {table} ({}) FROM STDIN", columns.join(", ")))?;
        std::io::copy(&mut File::open(&snapshot.text)?, &mut copy)?;
        copy.finish()?;
        self.contents(resource, table)
    }

    /// What a table holds after a snapshot was loaded as it should be; writes it as a file for binary COPY, too.
    pub(crate) fn reference(&mut self, resource: &Resource, snapshot: &Snapshot) -> Result<Contents> {
        self.make_reference(resource)?;
        let contents = self.fill(resource, snapshot, "reference");
        let copy = format!("COPY ({}) TO STDOUT (FORMAT binary)", rows_of(resource, "reference"));
        std::io::copy(&mut self.client.copy_out(&copy)?, &mut File::create(&snapshot.binary)?)?;
        self.client.batch_execute("DROP TABLE reference")?;
        contents
    }

    /// How many rows of a table are not as they should be, and of those that should be, are not there.
    pub(crate) fn differences(
        &mut self,
        resource: &Resource,
        snapshot: &Snapshot,
        table: &str,
    ) -> Result<u64> {
        self.make_reference(resource)?;
        self.fill(resource, snapshot, "reference")?;
        let (is, should) = (rows_of(resource, table), rows_of(resource, "reference"));
        let query = format!(
            "SELECT greatest((SELECT count(*) FROM (({is}) EXCEPT ALL ({should})) a),
                (SELECT count(*) FROM (({should}) EXCEPT ALL ({is})) b))"
        );
        let count: i64 = self.client.query_one(&query, &[])?.get(0);
        self.client.batch_execute("DROP TABLE reference")?;
        Ok(u64::try_from(count)?)
    }

    fn make_reference(&mut self, resource: &Resource) -> Result<()> {
        let like = quoted(&resource.table);
        Ok(self
            .client
            .batch_execute(&format!("CREATE TEMP TABLE reference (LIKE {like} INCLUDING DEFAULTS)"))?)
    }
}

fn rows_of(resource: &Resource, table: &str) -> String {
    let columns = resource.columns.iter().map(|column| format!("{}::{}", quoted(&column.name), column.kind));
    format!("SELECT {} FROM {table}", columns.collect::<Vec<_>>().join(", "))
}
