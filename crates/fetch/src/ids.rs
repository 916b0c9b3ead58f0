//! The records of some students, given by their ids.

use crate::roster::{BATCH, Roster, batches};
use crate::sink::Stdout;
use crate::summary::Summary;
use crate::{Job, lists};
use anyhow::{Context, Result, anyhow};
use catalog::Source;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;
use tool::{Judge, Progress, Verdict};

/// The largest id of the API, which keeps them in 32 bits: a larger one may be refused together with 99 others.
const LARGEST: u64 = 2_147_483_647;

/// Ids that are shown as examples.
const EXAMPLES: usize = 5;

/// Prints the records of the job's resource that belong to these students. Ids of others give none.
pub(crate) fn print(job: &Job<'_>, text: &str) -> Result<()> {
    let ids = if text == "-" { from_stdin()? } else { parse(text, "--ids")? };
    if ids.is_empty() && text != "-" {
        return Err(
            anyhow!("--ids names nobody: 1,2,3, or - for one id a line on stdin").verdict(Verdict::Usage)
        );
    }
    let progress = Arc::new(Progress::new(&job.resource.name, "rows"));
    let client = lists::client(&progress)?;
    let roster = Roster::of(job, &client)?;
    let mut roster =
        roster.context("--ids does not apply: its records belong to nobody").verdict(Verdict::Usage)?;
    let mut summary = Summary::start(job.name, &job.resource.name);
    let mut stdout = Stdout::open();
    let asked: Vec<u64> = ids.iter().copied().collect();
    let lists = if roster.is_of_itself() { roster.lookups(&asked) } else { hanging(job, &mut roster, &ids)? };
    let mut found = BTreeSet::new();
    for page in client.walk(lists) {
        let page = page?;
        let lines = if roster.is_of_itself() {
            let people: BTreeSet<u64> = page.records.iter().filter_map(|record| api42::id(record)).collect();
            let lines = roster.introduce(&page.records, &people)?;
            found.extend(people);
            lines
        } else {
            roster.sift(&page.records)?
        };
        summary.page(lines.len());
        progress.total(page.announced);
        progress.done(summary.rows);
        stdout.write(&lines)?;
    }
    if roster.is_of_itself() {
        roster.forget(ids.difference(&found).copied())?;
    }
    progress.clear();
    let strangers = roster.strangers(&ids)?;
    if !strangers.is_empty() {
        let examples: Vec<_> = strangers.iter().take(EXAMPLES).map(u64::to_string).collect();
        let (few, all, examples) = (strangers.len(), ids.len(), examples.join(", "));
        tool::complain(&format!(
            "{}: {}: {few} of {all} ids are no students of the scope, such as {examples}",
            job.name, job.resource.name
        ));
    }
    summary.finish(&client.tally(), &roster.note());
    Ok(())
}

/// The lists that hold what hangs on those of the ids who are students.
fn hanging(job: &Job<'_>, roster: &mut Roster<'_>, ids: &BTreeSet<u64>) -> Result<Vec<api42::List>> {
    roster.meet(ids)?;
    let strangers = roster.strangers(ids)?;
    let students: Vec<u64> = ids.difference(&strangers).copied().collect();
    let Source::Fetch(fetch) = &job.resource.source else { return Ok(Vec::new()) };
    let Some(each) = &fetch.each else { return Ok(Vec::new()) };
    Ok(batches(&students, each.batch.min(BATCH), &fetch.path, &fetch.query, &each.by, job))
}

fn from_stdin() -> Result<BTreeSet<u64>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("stdin").verdict(Verdict::Io)?;
    parse(&text, "stdin")
}

/// Ids with commas or white space between them, each once.
fn parse(text: &str, place: &str) -> Result<BTreeSet<u64>> {
    let words = text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    let id = |word: &str| {
        let id = word.parse().ok().filter(|id| (1..=LARGEST).contains(id));
        id.with_context(|| format!("{place}: `{}` is no id: a whole number from 1 on", tool::printable(word)))
    };
    words.map(id).collect::<Result<_>>().verdict(Verdict::Usage)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn ids_come_with_commas_or_a_line_each_and_count_once() {
        assert_eq!(parse("3,1,,2,3", "").unwrap().into_iter().collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(parse("7\r\n8\n\n7\n", "").unwrap().len(), 2);
        assert_eq!(parse(" \n", "").unwrap().len(), 0);
    }

    #[test]
    fn what_is_no_id_is_named() {
        for wrong in ["0", "-1", "1.5", "one", "2147483648", "1;2", "99999999999999999999"] {
            let error = parse(&format!("1,{wrong}"), "--ids").unwrap_err().to_string();
            assert!(error.contains(&format!("--ids: `{wrong}` is no id")), "{error}");
        }
    }
}
