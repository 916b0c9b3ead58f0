//! Reading without a database: what a load would make of records, up to the rows that it would send.

use crate::convert::{Converter, NoRecord, Outcome};
use crate::copy::Fields;
use crate::input::{Form, Input, refusal};
use anyhow::{Result, ensure};
use catalog::Resource;
use std::io::Read;

/// What the source is called in errors.
const NAME: &str = "rehearsal";

/// How many records would become what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// Rows of the table.
    pub typed: u64,
    /// None: they are not for this mirror.
    pub out_of_scope: u64,
    /// Records that wait in quarantine.
    pub rejected: u64,
}

/// Reads records as a load of them would, and drops the rows.
///
/// # Errors
/// [`Verdict::Refused`](verdict::Verdict::Refused) when a load would be refused for what its input is. Any other one is a
/// mistake of ours: a row that PostgreSQL would not understand.
pub fn rehearse(resource: &Resource, form: Form, reader: Box<dyn Read + Send>) -> Result<Rehearsal> {
    let mut input = Input::of(reader, NAME.to_owned(), form, resource)?;
    let converter = Converter::new(resource);
    let (mut rehearsal, mut fields) = (Rehearsal::default(), Fields::default());
    while let Some((line, text)) = input.next()? {
        match converter.text(text, &mut fields) {
            Ok(Outcome::Typed { .. }) => rehearsal.typed += 1,
            Ok(Outcome::Rejected { .. }) => rehearsal.rejected += 1,
            Ok(Outcome::OutOfScope) => {
                rehearsal.out_of_scope += 1;
                continue;
            }
            Err(NoRecord { column, problem }) => {
                return Err(refusal(NAME, &format!("line {line} column {column}"), &problem));
            }
        }
        let count = fields.count_anew();
        ensure!(count == Some(resource.columns.len()), "line {line} became {count:?} fields");
    }
    Ok(rehearsal)
}
