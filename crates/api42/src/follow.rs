//! Following a list: the rows that changed in a window of time, in as few calls as there are pages of them.

use crate::client::{Client, Refused};
use crate::clock::Stop;
use crate::course::PAGE_SIZE;
use crate::follow_steps::{Ask, Heard, Order, Steps, instant};
use crate::listing::{Listing, records};
use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

/// A list to follow, and from where.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Such as `/v2/cursus/21/users`.
    pub path: String,
    /// Filters, not encoded.
    pub query: Vec<(String, String)>,
    /// The key that holds the time of a record's change, which the list takes in `range[…]`.
    pub field: String,
    /// The order by that key, as it is asked for: `updated_at,id`.
    pub sort: String,
    /// Whether the API documents that the list takes this order. Where it does not, the order is asked for only when
    /// more than a page waits, and a list that does not grant it is read by windows of time.
    pub sort_is_documented: bool,
    /// Oldest change that is wanted.
    pub from: DateTime<Utc>,
    /// Newest change that is wanted; none for everything there is.
    pub until: Option<DateTime<Utc>>,
    /// Where an interrupted following of the same feed was: its last [`Changes::cursor`].
    pub cursor: Option<String>,
}

/// Some of the records that changed.
#[derive(Debug)]
pub struct Changes {
    /// As they came. A record may come more than once: the last one counts.
    pub records: Vec<Box<RawValue>>,
    /// The cursor to begin at when these are stored.
    pub cursor: String,
    /// The API's own clock when it answered.
    pub date: Option<DateTime<Utc>>,
}

/// Follows a list. No row that changed in the window before the following began is left out, whatever moves meanwhile,
/// whether ends belong to ranges or not, however many rows share an instant. When one page holds everything it costs
/// one call.
///
/// An item that is an error ends the iteration; what came before it stays valid.
pub struct Follow {
    client: Client,
    feed: Feed,
    steps: Steps,
    ended: bool,
}

impl Follow {
    pub(crate) fn new(client: Client, feed: Feed) -> anyhow::Result<Self> {
        let Feed { field, from, until, sort_is_documented, cursor, .. } = &feed;
        let steps = Steps::new(field, *from, *until, *sort_is_documented, cursor.as_deref())?;
        Ok(Self { client, feed, steps, ended: false })
    }

    fn step(&mut self) -> anyhow::Result<Option<Changes>> {
        let Some(ask) = self.steps.ask() else { return Ok(None) };
        let heard = self.call(&ask)?;
        let date = if let Heard::Page(listing) = &heard { listing.date } else { None };
        let records = self.steps.hear(heard)?;
        Ok(Some(Changes { records, cursor: self.steps.cursor()?, date }))
    }

    fn call(&self, ask: &Ask) -> anyhow::Result<Heard> {
        let query = parameters(&self.feed, ask);
        match self.client.read(&self.feed.path, &query, records, &Stop::default()) {
            Ok((records, exchange)) => {
                let hints = exchange.hints;
                let (total, per_page, date) = (hints.total, hints.per_page, hints.date);
                Ok(Heard::Page(Listing { records, total, per_page, date }))
            }
            Err(error) if ask.order != Order::Any && is_bad_question(&error) => Ok(Heard::Unsortable(error)),
            Err(error) => Err(error),
        }
    }
}

impl Iterator for Follow {
    type Item = anyhow::Result<Changes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step().with_context(|| format!("GET {}", self.feed.path)).transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}

fn is_bad_question(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| matches!(refused.status, 400 | 422))
}

fn parameters(feed: &Feed, ask: &Ask) -> Vec<(String, String)> {
    let mut query = feed.query.clone();
    let (from, to) = ask.time;
    query.push((format!("range[{}]", feed.field), format!("{},{}", instant(from), instant(to))));
    if let Some((first, last)) = ask.ids {
        query.push(("range[id]".to_owned(), format!("{first},{last}")));
    }
    match ask.order {
        Order::Any => {}
        Order::ByTime => query.push(("sort".to_owned(), feed.sort.clone())),
        Order::ById => query.push(("sort".to_owned(), "id".to_owned())),
    }
    query.push(("page".to_owned(), "1".to_owned()));
    query.push(("per_page".to_owned(), PAGE_SIZE.to_string()));
    query
}
