//! How a list that moves is followed by the time of its changes: what is due next, and what is done. No calls here:
//! answers are an argument.
//!
//! Three ways, and each gives every row that changed before the reading ended:
//! - *keyset*: sorted by time, always the first page above the last row seen;
//! - *tie*: sorted by id, within an instant that fills more than a page;
//! - *windows*: without any order, windows of time so small that each is one page, and so one picture.
//!
//! Instants are milliseconds, as the API shows them; its own clock may be finer, and whether the ends of a range
//! belong to it is not known. So every range is asked wider than what is then taken for done.

use crate::course::PAGE_SIZE;
use crate::listing::{Listing, id};
use anyhow::{anyhow, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use verdict::{Judge, Verdict};

/// 2999-12-31: a range without an end may be refused.
const FAR: i64 = 32_503_593_600_000;

/// The largest PostgreSQL integer: what is larger may be refused.
const LARGEST_ID: u64 = 2_147_483_647;

/// How many answers in a row may bring nothing although rows are announced.
const VAIN: u32 = 3;

/// What is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Range of time, in milliseconds; the ends may belong to it or not.
    pub(crate) time: (i64, i64),
    /// Range of ids, likewise.
    pub(crate) ids: Option<(u64, u64)>,
    pub(crate) order: Order,
}

/// The order that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Whatever the list has.
    Any,
    ByTime,
    ById,
}

/// The API's answer to an ask: a page, or that it grants no such order.
pub(crate) enum Heard {
    Page(Listing),
    Unsortable(anyhow::Error),
}

/// Where a following is; its JSON is the cursor. Everything up to `low` is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// One page without an order, which may be all there is.
    Glance {
        low: i64,
    },
    Keyset {
        low: i64,
    },
    /// Within the instant above `low`; ids up to `after` are done.
    Tie {
        low: i64,
        after: u64,
    },
    Windows {
        low: i64,
    },
    /// Without an order within the instant above `low`; ids up to `after` are done.
    Crowd {
        low: i64,
        after: u64,
    },
    Done,
}

/// The window that is tried; what is not set is open to the top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Window {
    /// Newest instant.
    high: Option<i64>,
    /// Highest id.
    last: Option<u64>,
}

/// The following of one list.
pub(crate) struct Steps {
    /// Key of the records that holds the time.
    field: String,
    top: Option<i64>,
    sort_is_documented: bool,
    way: Way,
    window: Window,
    /// The API's clock, as last heard.
    now: Option<i64>,
    vain: u32,
}

impl Steps {
    /// Begins behind `from`, or at the cursor that an interrupted following left.
    pub(crate) fn new(
        field: &str,
        from: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
        sort_is_documented: bool,
        cursor: Option<&str>,
    ) -> anyhow::Result<Self> {
        let low = from.timestamp_millis() - 1;
        let way = match cursor {
            Some(cursor) => {
                serde_json::from_str(cursor).map_err(|error| anyhow!("a cursor that is none: {error}"))?
            }
            None if sort_is_documented => Way::Keyset { low },
            None => Way::Glance { low },
        };
        let top = until.map(|until| until.timestamp_millis());
        Ok(Self {
            field: field.to_owned(),
            top,
            sort_is_documented,
            way,
            window: Window::default(),
            now: None,
            vain: 0,
        })
    }

    /// Where it is, as a text to begin at again.
    pub(crate) fn cursor(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(&self.way)?)
    }

    /// What is due; none when everything is done.
    pub(crate) fn ask(&self) -> Option<Ask> {
        let end = self.top.map_or(FAR, |top| top + 2);
        let (time, ids, order) = match self.way {
            Way::Done => return None,
            Way::Glance { low } => ((low, end), None, Order::Any),
            Way::Keyset { low } => ((low, end), None, Order::ByTime),
            // Up to low + 3: then rows below low + 3 are done even where ends do not belong to a range, and the
            // keyset may go on at low + 2 without meeting the instant again where they do.
            Way::Tie { low, after } => ((low, low + 3), Some((after, LARGEST_ID)), Order::ById),
            Way::Windows { low } => ((low, self.window.high.map_or(end, |high| high + 2)), None, Order::Any),
            Way::Crowd { low, after } => {
                let last = self.window.last.map_or(LARGEST_ID, |last| last + 1);
                ((low, low + 3), Some((after, last)), Order::Any)
            }
        };
        Some(Ask { time, ids, order })
    }

    /// Takes the answer in; gives the records that are to be kept.
    ///
    /// # Errors
    /// When the API does not keep to ranges, or announces rows that it never gives.
    pub(crate) fn hear(&mut self, heard: Heard) -> anyhow::Result<Vec<Box<RawValue>>> {
        let listing = match heard {
            Heard::Page(listing) => listing,
            Heard::Unsortable(error) => {
                let (Way::Keyset { low } | Way::Tie { low, .. }) = self.way else { return Err(error) };
                log::info!("{error:#}; going on by windows of time");
                self.way = Way::Windows { low };
                return Ok(Vec::new());
            }
        };
        self.now = listing.date.map(|date| date.timestamp_millis()).or(self.now);
        let page = Page::of(&listing, &self.field);
        if let Some(low) = self.low()
            && page.times.iter().flatten().any(|time| *time < low)
        {
            bail!(
                "the API gives rows from outside of range[{}], so their changes cannot be followed",
                self.field
            );
        }
        let before = (self.way.clone(), self.window);
        let is_kept = !Self::is_hollow(&page) && self.advance(&page);
        self.vain = if (&before.0, before.1) == (&self.way, self.window) { self.vain + 1 } else { 0 };
        if self.vain == VAIN {
            let problem = "the API announces changed rows and does not give them";
            return Err(anyhow!("{problem}, {VAIN} times in a row")).verdict(Verdict::Unreachable);
        }
        Ok(if is_kept { listing.records } else { Vec::new() })
    }

    const fn low(&self) -> Option<i64> {
        match self.way {
            Way::Glance { low }
            | Way::Keyset { low }
            | Way::Tie { low, .. }
            | Way::Windows { low }
            | Way::Crowd { low, .. } => Some(low),
            Way::Done => None,
        }
    }

    /// Whether rows are announced and none is there.
    const fn is_hollow(page: &Page) -> bool {
        page.times.is_empty() && !page.is_whole
    }

    /// Moves on, if the page lets it; says whether the page's rows count.
    fn advance(&mut self, page: &Page) -> bool {
        let whole = page.is_whole;
        match self.way {
            Way::Done => {}
            Way::Glance { .. } | Way::Keyset { .. } if whole => self.way = Way::Done,
            Way::Glance { low } => {
                self.way = Way::Keyset { low };
                return false;
            }
            Way::Keyset { low } => match self.last_of_sorted(page) {
                None => {
                    log::info!("the API does not sort by {}; going on by windows of time", self.field);
                    self.way = Way::Windows { low };
                    return false;
                }
                Some(last) if last - 1 > low && page.is_one_instant() => {
                    self.way = Way::Tie { low: last - 1, after: 0 };
                    return false;
                }
                // Below the last row: where ends do not belong to a range, its own instant would be left out.
                Some(last) if last - 1 > low => self.way = Way::Keyset { low: last - 1 },
                Some(_) => {
                    self.way = Way::Tie { low, after: 0 };
                    return false;
                }
            },
            Way::Tie { low, .. } if whole => self.pass(low + 2, |low| Way::Keyset { low }),
            Way::Tie { low, after } => match page.last_of_rising_ids() {
                Some(last) if last > after => self.way = Way::Tie { low, after: last },
                Some(_) => {}
                None => {
                    self.way = Way::Windows { low };
                    return false;
                }
            },
            Way::Windows { low } if whole => self.next_window(low, page),
            Way::Windows { low } => {
                self.narrow(low, page);
                return false;
            }
            Way::Crowd { low, .. } if whole && self.window.last.is_none() => {
                self.pass(low + 2, |low| Way::Windows { low });
            }
            Way::Crowd { low, after } if whole => {
                let after = self.window.last.take().unwrap_or(after);
                self.way = Way::Crowd { low, after };
            }
            Way::Crowd { after, .. } => {
                self.window.last = Some(page.middle_id(after + 1, self.window.last.unwrap_or(LARGEST_ID)));
                return false;
            }
        }
        true
    }

    /// The last time of a page that is sorted by time. Ids that rise or fall with the times may be the whole order: new
    /// rows have it by chance, and those behind the page may have changed before its last. Only a documented sort is
    /// trusted then.
    fn last_of_sorted(&self, page: &Page) -> Option<i64> {
        page.last_of_rising_times().filter(|_| self.sort_is_documented || !page.is_sorted_by_id())
    }

    /// Goes on above an instant, unless that is the end.
    fn pass(&mut self, low: i64, way: impl FnOnce(i64) -> Way) {
        self.window = Window::default();
        self.way = if self.top.is_some_and(|top| low > top) { Way::Done } else { way(low) };
    }

    /// Takes the window above one that was a page.
    fn next_window(&mut self, low: i64, page: &Page) {
        let Some(high) = self.window.high else {
            self.way = Way::Done;
            return;
        };
        self.pass(high + 1, |low| Way::Windows { low });
        self.window.high = self.wider(high, high - low, page);
    }

    /// Takes less of a window that was more than a page.
    fn narrow(&mut self, low: i64, page: &Page) {
        let span = match self.window.high {
            Some(high) if high - low <= 1 => {
                self.window = Window::default();
                self.way = Way::Crowd { low, after: 0 };
                return;
            }
            Some(high) => high - low,
            None => {
                let newest = page.times.iter().flatten().max().copied();
                self.end().or(newest).unwrap_or(low) - low
            }
        };
        self.window.high = Some(low + narrower(span, page));
    }

    /// Where there is nothing more: now, or the end of what is wanted.
    fn end(&self) -> Option<i64> {
        [self.top, self.now].into_iter().flatten().min()
    }

    /// The top of the window after one that ended at `high`, was `width` long and one page; none where now is reached.
    fn wider(&self, high: i64, width: i64, page: &Page) -> Option<i64> {
        let rows = page.times.len() as i64;
        // Three quarters of a page are aimed at.
        let width = width.saturating_mul(4).min(width.saturating_mul(75) / rows.max(1)).max(1);
        let next = high.saturating_add(1).saturating_add(width);
        let end = self.end().unwrap_or(i64::MAX);
        (next < end).then_some(next)
    }
}

/// A span of time, at least a millisecond, that should hold less than a page of what is in `span`.
fn narrower(span: i64, page: &Page) -> i64 {
    let total = i64::try_from(page.total.unwrap_or(0)).unwrap_or(i64::MAX);
    let part = if total > 150 { span.saturating_mul(75) / total } else { span / 2 };
    part.clamp(1, (span / 2).max(1))
}

/// What a page says of its rows.
struct Page {
    times: Vec<Option<i64>>,
    ids: Vec<Option<u64>>,
    total: Option<u64>,
    /// Whether nothing of the question is missing in it.
    is_whole: bool,
}

impl Page {
    fn of(listing: &Listing, field: &str) -> Self {
        let rows = listing.records.len() as u64;
        let size = listing.per_page.map_or(PAGE_SIZE, u64::from).clamp(1, PAGE_SIZE);
        Self {
            times: listing.records.iter().map(|record| time(record, field)).collect(),
            ids: listing.records.iter().map(|record| id(record)).collect(),
            total: listing.total,
            // A total below what is there is wrong, and says nothing of what is not.
            is_whole: listing.total.filter(|total| *total >= rows).map_or(rows < size, |total| total == rows),
        }
    }

    /// The last time, when all are there and none falls.
    fn last_of_rising_times(&self) -> Option<i64> {
        let times: Option<Vec<i64>> = self.times.iter().copied().collect();
        times.filter(|times| times.is_sorted())?.last().copied()
    }

    fn is_one_instant(&self) -> bool {
        self.times.first() == self.times.last()
    }

    fn is_sorted_by_id(&self) -> bool {
        self.ids.is_sorted() || self.ids.iter().rev().is_sorted()
    }

    fn last_of_rising_ids(&self) -> Option<u64> {
        let ids: Option<Vec<u64>> = self.ids.iter().copied().collect();
        ids.filter(|ids| ids.is_sorted())?.last().copied()
    }

    /// An id between two, so that about half of the rows are below it as far as this page shows.
    fn middle_id(&self, first: u64, last: u64) -> u64 {
        let largest = self.ids.iter().flatten().max().copied().unwrap_or(last).clamp(first, last);
        first + (largest - first) / 2
    }
}

/// The instant that a record holds under a key.
fn time(record: &RawValue, field: &str) -> Option<i64> {
    let keys: std::collections::HashMap<std::borrow::Cow<'_, str>, &RawValue> =
        serde_json::from_str(record.get()).ok()?;
    let text: &str = serde_json::from_str(keys.get(field)?.get()).ok()?;
    Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis())
}

/// An instant as the API reads it.
pub(crate) fn instant(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
