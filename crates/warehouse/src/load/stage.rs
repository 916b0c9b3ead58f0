//! The stage: the input as typed rows in a temporary table, each key once.

use super::attempt::{Attempt, Lacking};
use super::feed::Record;
use super::sql::{OWN_COLUMNS, Terms};
use crate::convert::Outcome;
use crate::copy::{Copy, Fields, Row, Spool, Takes};
use crate::name::quoted;
use anyhow::Result;
use postgres::Transaction;

/// Creates the stage.
pub(super) fn create(attempt: &mut Attempt<'_>) -> Result<()> {
    let columns = attempt.load.resource.columns.iter();
    let columns = columns.map(|column| format!("{} {}", quoted(&column.name), column.kind));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let create = format!("CREATE TEMP TABLE _stage ({OWN_COLUMNS}, {columns}) ON COMMIT DROP");
    attempt.run("creating the stage", &create)
}

/// Lets the server look at the stage, to plan by.
pub(super) fn analyze(attempt: &mut Attempt<'_>) -> Result<()> {
    let analyze = format!("ANALYZE _stage ({})", attempt.terms.key(""));
    attempt.run("looking at the stage", &analyze)
}

/// Rows on their way into the stage.
pub(super) struct Rows<T> {
    to: T,
    lead: Fields,
}

impl<'a> Rows<Copy<'a>> {
    /// Into the stage itself.
    pub(super) fn open(transaction: &'a mut Transaction<'_>, terms: Terms<'_>) -> Result<Self> {
        let columns = terms.columns("");
        let statement =
            format!("COPY _stage (_line, _absent, _record, _reason, {columns}) FROM STDIN (FORMAT binary)");
        let copy = Copy::start(transaction, &statement)?;
        Ok(Self { to: copy, lead: Fields::default() })
    }

    /// Ends the stream.
    pub(super) fn finish(self) -> Result<()> {
        self.to.finish()
    }
}

impl Rows<Spool> {
    /// Kept until [`Rows::pour`].
    pub(super) fn aside() -> Self {
        Self { to: Spool::new(), lead: Fields::default() }
    }

    /// Sends them all, and ends the stream.
    pub(super) fn pour(self, mut into: Rows<Copy<'_>>) -> Result<()> {
        self.to.pour(&mut into.to)?;
        into.finish()
    }
}

impl<T: Takes> Rows<T> {
    /// Adds a record, unless it is out of scope.
    pub(super) fn record(&mut self, record: &Record<'_>) -> Result<()> {
        match record.outcome {
            Outcome::Typed { absent } => self.typed(record.line, *absent, record.row),
            Outcome::OutOfScope => Ok(()),
            Outcome::Rejected { reason, .. } => self.rejected(record, reason),
        }
    }

    /// Adds a row; the bits of `absent` are the columns that its record lacks.
    pub(super) fn typed(&mut self, line: u64, absent: i64, row: Row<'_>) -> Result<()> {
        self.lead.clear();
        self.lead.bigint(i64::try_from(line)?);
        self.lead.bigint(absent);
        self.lead.null();
        self.lead.null();
        self.to.row(self.lead.as_row(), row)
    }

    /// Adds a row that holds no more than a key, with the record as it was written.
    fn rejected(&mut self, record: &Record<'_>, reason: &str) -> Result<()> {
        self.lead.clear();
        self.lead.bigint(i64::try_from(record.line)?);
        self.lead.bigint(0);
        self.lead.text(record.text);
        self.lead.text(&format!("line {}, {reason}", record.line));
        self.to.row(self.lead.as_row(), record.row)
    }
}

/// Of each key the newest version stays, of several the last record. One that cannot be loaded does not beat one that can, but is set aside beside it.
pub(super) fn dedupe(attempt: &mut Attempt<'_>) -> Result<()> {
    let terms = attempt.terms;
    let key = terms.key("");
    let repeated = format!("SELECT FROM _stage GROUP BY {key} HAVING count(*) > 1");
    let what = "looking for duplicates";
    if !attempt.row(what, &format!("SELECT EXISTS ({repeated})"), &[])?.get::<_, bool>(0) {
        return Ok(());
    }
    let whole = terms.resource.key.iter().map(|name| format!("{} IS NOT NULL", quoted(name)));
    let version = terms.resource.version.iter().map(|name| format!("{} DESC NULLS LAST, ", quoted(name)));
    let delete = format!(
        "DELETE FROM _stage USING (
             SELECT ctid AS place, _reason IS NULL AS good, _line,
                 row_number() OVER (PARTITION BY {key}, _reason IS NULL ORDER BY {version}_line DESC, ctid DESC) AS rank,
                 max(_line) FILTER (WHERE _reason IS NULL) OVER (PARTITION BY {key}) AS last_good
             FROM _stage WHERE {whole}) ranked
         WHERE _stage.ctid = ranked.place
         AND (ranked.rank > 1 OR (NOT ranked.good AND ranked._line < ranked.last_good))",
        version = version.collect::<String>(),
        whole = whole.collect::<Vec<_>>().join(" AND ")
    );
    attempt.summary.duplicates = attempt.execute("removing duplicates", &delete)?;
    Ok(())
}

/// Counts what the stage holds now, and which columns its records lack.
pub(super) fn count(attempt: &mut Attempt<'_>) -> Result<()> {
    let query = "SELECT count(*) FILTER (WHERE _reason IS NULL), count(_parent_table),
        count(*) FILTER (WHERE _reason IS NOT NULL AND _parent_table IS NULL),
        coalesce(bit_and(_absent) FILTER (WHERE _reason IS NULL), 0),
        coalesce(bit_or(_absent) FILTER (WHERE _reason IS NULL), 0) FROM _stage";
    let row = attempt.row("counting", query, &[])?;
    attempt.good = u64::try_from(row.get::<_, i64>(0))?;
    attempt.summary.quarantined = u64::try_from(row.get::<_, i64>(1))?;
    attempt.summary.rejected = u64::try_from(row.get::<_, i64>(2))?;
    let (always, ever): (i64, i64) = (row.get(3), row.get(4));
    attempt.lacking = Lacking { always, sometimes: ever & !always };
    Ok(())
}
