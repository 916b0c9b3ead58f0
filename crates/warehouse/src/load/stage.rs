//! The stage: the input as typed rows in a temporary table, each key once.

use super::attempt::{Attempt, Lacking};
use super::known::Known;
use super::sql::{OWN_COLUMNS, Terms};
use crate::convert::{Converter, NoRecord, Outcome};
use crate::copy::{Copy, Fields};
use crate::input::{self, Input, Text};
use crate::name::quoted;
use anyhow::{Result, anyhow};
use postgres::Transaction;
use verdict::{Judge, Verdict};

/// So many records may always be rejected: one new word of an enumeration must not stop a table of seventy rows for good.
const ALWAYS: u64 = 1;

/// How many reasons a refusal quotes.
const REASONS: usize = 3;

/// How many records go by between two words on progress.
pub(super) const STRIDE: u64 = 1024;

/// Creates the stage and streams the input into it.
///
/// # Errors
/// [`Verdict::Refused`] when a line is no record, when too many records are rejected, or when an export does not hold
/// the rows that its manifest promises.
pub(super) fn fill(
    attempt: &mut Attempt<'_>,
    input: &mut Input,
    mut known: Option<&mut Known>,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let columns = attempt.load.resource.columns.iter();
    let columns = columns.map(|column| format!("{} {}", quoted(&column.name), column.kind));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let create = format!("CREATE TEMP TABLE _stage ({OWN_COLUMNS}, {columns}) ON COMMIT DROP");
    attempt.run("creating the stage", &create)?;
    let mut rows = Rows::open(&mut attempt.transaction, attempt.terms)?;
    let converter = Converter::new(attempt.load.resource);
    let mut reasons: Vec<String> = Vec::new();
    let summary = &mut attempt.summary;
    while let Some((line, text)) = input.next()? {
        summary.read += 1;
        if summary.read.is_multiple_of(STRIDE) {
            progress(summary.read);
        }
        match rows.convert(&converter, text) {
            Ok(Outcome::Typed { absent }) => {
                if known.as_mut().is_some_and(|known| known.holds(&rows.fields, absent)) {
                    attempt.held += 1;
                } else {
                    rows.typed(line, absent)?;
                }
            }
            Ok(Outcome::OutOfScope) => summary.out_of_scope += 1,
            Ok(Outcome::Rejected { reason, keyed }) => {
                let reason = format!("line {line}, {reason}");
                if let Some(known) = &mut known {
                    known.hear(&rows.fields);
                }
                rows.rejected(line, text, &reason)?;
                summary.rejected += 1;
                attempt.keyless += u64::from(!keyed);
                if reasons.len() < REASONS {
                    reasons.push(reason);
                }
            }
            Err(NoRecord { column, problem }) => {
                return Err(input::refusal(
                    &summary.source,
                    &format!("line {line} column {column}"),
                    &problem,
                ));
            }
        }
    }
    progress(summary.read);
    rows.finish()?;
    refuse(attempt, input, &reasons)?;
    let analyze = format!("ANALYZE _stage ({})", attempt.terms.key(""));
    attempt.run("looking at the stage", &analyze)
}

fn refuse(attempt: &Attempt<'_>, input: &Input, reasons: &[String]) -> Result<()> {
    let summary = &attempt.summary;
    let problem = match &input.manifest {
        Some(manifest) if manifest.rows != summary.read => {
            format!(
                "{} holds {} records, its manifest promises {}",
                summary.source, summary.read, manifest.rows
            )
        }
        _ if exceeds(summary.rejected, summary.read, attempt.load.limits.rejects) => format!(
            "{}: {} of {} records cannot be typed, more than --max-rejects {} allows: {}",
            summary.source,
            summary.rejected,
            summary.read,
            attempt.load.limits.rejects,
            reasons.join("; ")
        ),
        _ => return Ok(()),
    };
    Err(anyhow!("{problem}; nothing was written").verdict(Verdict::Refused))
}

/// Whether a part is more than a share of the whole.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay far below 2^53")]
fn exceeds(part: u64, whole: u64, share: f64) -> bool {
    part > ALWAYS && part as f64 > share * whole as f64
}

/// Rows on their way into the stage.
pub(super) struct Rows<'a> {
    copy: Copy<'a>,
    lead: Fields,
    fields: Fields,
}

impl<'a> Rows<'a> {
    pub(super) fn open(transaction: &'a mut Transaction<'_>, terms: Terms<'_>) -> Result<Self> {
        let columns = terms.columns("");
        let statement =
            format!("COPY _stage (_line, _absent, _record, _reason, {columns}) FROM STDIN (FORMAT binary)");
        let copy = Copy::start(transaction, &statement)?;
        Ok(Self { copy, lead: Fields::default(), fields: Fields::default() })
    }

    /// Reads a record into the row at hand.
    pub(super) fn convert(&mut self, converter: &Converter<'_>, text: Text<'_>) -> Result<Outcome, NoRecord> {
        match text {
            Text::Line(line) => converter.line(line, &mut self.fields),
            Text::Cells(cells) => Ok(converter.cells(cells, &mut self.fields)),
        }
    }

    /// Sends the row at hand.
    pub(super) fn typed(&mut self, line: u64, absent: i64) -> Result<()> {
        self.lead.clear();
        self.lead.bigint(i64::try_from(line)?);
        self.lead.bigint(absent);
        self.lead.null();
        self.lead.null();
        self.copy.row(&self.lead, &self.fields)
    }

    /// Ends the stream.
    pub(super) fn finish(self) -> Result<()> {
        self.copy.finish()
    }

    /// Sends the row at hand, which holds no more than a key, with the record as it was written.
    fn rejected(&mut self, line: u64, text: Text<'_>, reason: &str) -> Result<()> {
        self.lead.clear();
        self.lead.bigint(i64::try_from(line)?);
        self.lead.bigint(0);
        match text {
            Text::Line(line) => self.lead.text(line),
            Text::Cells(cells) => self.lead.text(&serde_json::to_string(cells)?),
        }
        self.lead.text(reason);
        self.copy.row(&self.lead, &self.fields)
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
