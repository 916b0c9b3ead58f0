//! The escape hatch: any path of the API as NDJSON, with our token and our pace.

use crate::sink::Stdout;
use crate::summary::Summary;
use crate::{lists, record};
use anyhow::{Result, anyhow};
use api42::{Answer, List, Resume, id};
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use std::sync::Arc;
use tool::{Judge, Progress, Verdict};

/// Records in a full page.
const PAGE: u64 = 100;

/// Prints what a path answers: an object as one line, a list record by record to its last page, or the one page that
/// the path itself names.
pub(crate) fn print(name: &'static str, path: &str) -> Result<Verdict> {
    let (path, query) = split(path)?;
    let progress = Arc::new(Progress::new(&path, "rows"));
    let client = lists::client(&progress)?;
    let mut stdout = Stdout::open();
    let mut summary = Summary::start(name, &path);
    let names_page = query
        .iter()
        .any(|(key, _)| matches!(key.as_str(), "page" | "per_page" | "page[number]" | "page[size]"));
    let mut first = query.clone();
    if !names_page {
        first.extend([("page".to_owned(), "1".to_owned()), ("per_page".to_owned(), "100".to_owned())]);
    }
    let answer = client.get(&path, &first)?;
    let records = records(&answer)?;
    let count = records.len() as u64;
    let is_list = answer.body.get().trim_start().starts_with('[');
    let is_all = answer.total.map_or(count < PAGE, |total| count >= total);
    // A first page that is not full though more is announced is no page to go on from.
    let is_full = count == PAGE;
    if is_full || is_all || names_page || !is_list {
        summary.page(records.len());
        stdout.write(&lines(&records)?)?;
    }
    if is_list && !names_page && !is_all {
        let resume =
            Resume { next_page: 2, total: answer.total, ids: records.iter().filter_map(|r| id(r)).collect() };
        let rest = List { path, query, resume: is_full.then_some(resume), ..List::default() };
        for page in client.walk(vec![rest]) {
            let page = page?;
            summary.page(page.records.len());
            progress.total(page.announced);
            progress.done(summary.rows);
            stdout.write(&lines(&page.records)?)?;
        }
    }
    progress.clear();
    summary.finish(&client.tally(), "");
    Ok(Verdict::Done)
}

/// `/v2/campus?filter[id]=1` → path and decoded pairs.
fn split(text: &str) -> Result<(String, Vec<(String, String)>)> {
    if !text.starts_with('/') {
        return Err(anyhow!("--path starts at the API's root: /v2/…").verdict(Verdict::Usage));
    }
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    Ok((path.to_owned(), pairs.map(|(key, value)| (decode(key), decode(value))).collect()))
}

/// The records of an answer: the items of an array, or the answer itself.
fn records(answer: &Answer) -> Result<Vec<Box<RawValue>>> {
    let text = answer.body.get();
    if text.trim_start().starts_with('[') {
        Ok(serde_json::from_str(text)?)
    } else {
        Ok(vec![answer.body.clone()])
    }
}

fn lines(records: &[Box<RawValue>]) -> Result<Vec<String>> {
    let lines = records.iter().map(|record| record::line(record.get(), &[]));
    lines.collect::<Result<_>>().verdict(Verdict::Refused)
}
