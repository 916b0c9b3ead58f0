//! Everything about the API that is unknown or can be set: options at the start, and by `/_mock/switch` while it runs.

use crate::choices::{
    BadRange, CoalitionsFilter, HourWindow, LinkSize, LongFilter, MissingRecord, OnBad, Order, RangeEnds,
    Toggle, Transfer, Undocumented, UnknownEnum, Until,
};
use crate::latency::Latency;
use crate::page_moves::PageMoves;
use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The switches. Each is an option `--some-name` and a key `some_name` of `POST /_mock/switch`.
#[derive(Args, Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switches {
    /// Calls a second that are let through
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) per_second: u32,
    /// Calls an hour that are let through
    #[arg(long, value_name = "N", default_value_t = 1200)]
    pub(crate) per_hour: u32,
    /// What an hour is (unknown)
    #[arg(long, value_enum, default_value_t = HourWindow::Sliding)]
    pub(crate) hour_window: HourWindow,
    /// Whether a 429 carries Retry-After (both have been seen)
    #[arg(long, value_enum, default_value_t = Toggle::On)]
    pub(crate) retry_after: Toggle,
    /// Text of the 429 of the hourly limit (unknown)
    #[arg(long, value_name = "TEXT", default_value = "429 Too Many Requests (Hourly Rate Limit Exceeded)")]
    pub(crate) hourly_429_body: String,
    /// Whether a 429 counts as a call (unknown)
    #[arg(long, value_enum, default_value_t = Toggle::On)]
    pub(crate) count_429: Toggle,
    /// Whether a 304 counts as a call (unknown)
    #[arg(long, value_enum, default_value_t = Toggle::On)]
    pub(crate) count_304: Toggle,
    /// Whether a call for a token counts (unknown)
    #[arg(long, value_enum, default_value_t = Toggle::Off)]
    pub(crate) count_token_calls: Toggle,
    /// Whether answers carry the four headers of the limits
    #[arg(long, value_enum, default_value_t = Toggle::On)]
    pub(crate) rate_headers: Toggle,
    /// Whether lists carry X-Total (some endpoints do not)
    #[arg(long, value_enum, default_value_t = Toggle::On)]
    pub(crate) x_total: Toggle,
    /// What a page or size that is no positive number gets (unknown)
    #[arg(long, value_enum, default_value_t = OnBad::Refuse)]
    pub(crate) bad_page: OnBad,
    /// What happens to page[size] in the Link header (inferred)
    #[arg(long, value_enum, default_value_t = LinkSize::Lose)]
    pub(crate) link_size: LinkSize,
    /// Order of projects_users and titles (undocumented)
    #[arg(long, value_enum, default_value_t = Order::Id)]
    pub(crate) projects_users_order: Order,
    /// Whether projects_users takes sorts besides marked_at (undocumented)
    #[arg(long, value_enum, default_value_t = Undocumented::Allow)]
    pub(crate) projects_users_sort: Undocumented,
    /// Whether both ends belong to a range (inferred)
    #[arg(long, value_enum, default_value_t = RangeEnds::Inclusive)]
    pub(crate) range_ends: RangeEnds,
    /// What an unknown range field or an unreadable value gets (unknown)
    #[arg(long, value_enum, default_value_t = BadRange::BadRequest)]
    pub(crate) bad_range: BadRange,
    /// Whether a range may lack an end, as in range[id]=7, (unknown)
    #[arg(long, value_enum, default_value_t = Toggle::Off)]
    pub(crate) open_range: Toggle,
    /// What a filter on cursus or campus outside the documented ids gets (unknown)
    #[arg(long, value_enum, default_value_t = UnknownEnum::Refuse)]
    pub(crate) unknown_enum: UnknownEnum,
    /// Which filters coalitions take (one is reported, none documented)
    #[arg(long, value_enum, default_value_t = CoalitionsFilter::None)]
    pub(crate) coalitions_filter: CoalitionsFilter,
    /// Body of the 404 for a missing record (both have been reported)
    #[arg(long, value_enum, default_value_t = MissingRecord::Json)]
    pub(crate) missing_record: MissingRecord,
    /// Body of a 401 on /v2 (unknown); {description} becomes the one of the header
    #[arg(long, value_name = "TEXT", default_value = r#"{"status":401,"error":"{description}"}"#)]
    pub(crate) unauthorized_body: String,
    /// Whether answers are compressed for those who accept it
    #[arg(long, value_enum, default_value_t = Toggle::On)]
    pub(crate) gzip: Toggle,
    /// How bodies are delimited
    #[arg(long, value_enum, default_value_t = Transfer::Length)]
    pub(crate) transfer: Transfer,
    /// Time before an answer: off, real (measured medians) or milliseconds
    #[arg(long, value_name = "off|real|MILLISECONDS", default_value = "off")]
    pub(crate) latency: Latency,
    /// Percentage of calls that get an HTML 502 instead of an answer (frequency unknown)
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pub(crate) error_rate: f64,
    /// secret_valid_until of the token answer; the secret expires then
    #[arg(long, value_name = "EPOCH|null", default_value = "null")]
    pub(crate) secret_valid_until: Until,
    /// The secret has expired: invalid_client, except for the next secret
    #[arg(long)]
    pub(crate) secret_expired: bool,
    /// Whether the next secret works before the first one expires (unknown)
    #[arg(long, value_enum, default_value_t = Toggle::Off)]
    pub(crate) secret_overlap: Toggle,
    /// Seconds that a token is valid
    #[arg(long, value_name = "SECONDS", default_value_t = 7200)]
    pub(crate) token_lifetime: u32,
    /// Calls to /v2 after which a token dies; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) token_calls: u64,
    /// Whether instants are finer in the database than in the answers: ranges and sorts go by what is not shown (unknown)
    #[arg(long, value_enum, default_value_t = Toggle::Off)]
    pub(crate) fine_times: Toggle,
    /// What a filter with more than 100 values gets (unknown)
    #[arg(long, value_enum, default_value_t = LongFilter::Refuse)]
    pub(crate) long_filter: LongFilter,
    /// People that change in a minute, in the measured mix
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) updates_per_minute: u32,
    /// Moves after each answer 200: null, a number of updates, or an object as for /_mock/move, which may also hold
    /// "path" (part of the paths it is about) and "times" (how many moves at most)
    #[arg(long, value_name = "N|JSON|null", default_value_t = PageMoves::default())]
    pub(crate) moves_per_page: PageMoves,
}

impl Switches {
    /// The switches with those of a JSON object changed. Names may be written as options; numbers, booleans, objects and
    /// null stand for the words of the options.
    pub(crate) fn changed(&self, changes: &Value) -> anyhow::Result<Self> {
        let changes = changes.as_object().context("not an object of names and values")?;
        let mut all = serde_json::to_value(self)?;
        for (name, value) in changes {
            let name = name.trim_start_matches("--").replace('-', "_");
            let slot = all.get_mut(&name).with_context(|| format!("no switch is called {name}"))?;
            *slot = match (&slot, value) {
                (Value::String(_), Value::Bool(on)) => Value::from(if *on { "on" } else { "off" }),
                (Value::String(_), Value::Number(_) | Value::Object(_) | Value::Null) => {
                    Value::from(value.to_string())
                }
                _ => value.clone(),
            };
        }
        serde_json::from_value(all).context("a value that its switch does not take")
    }
}
