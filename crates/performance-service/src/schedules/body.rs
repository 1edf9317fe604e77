//! A schedule as JSON: what is asked for, and what is told of it.

use jiff::Zoned;
use performance_store::{Schedule, ScheduledStart};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cost::{ExpectedCost, MonthlyCost};
use crate::runs::request::StartBody;

/// What is started and when.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduleDocument {
    /// 1 to 64 letters, digits, `_` and `-`. In a change it is that of the address, or absent.
    #[serde(default, skip_serializing)]
    pub(crate) name: Option<String>,
    /// Minute, hour, day of month, month, day of week, such as `0 2 * * MON-FRI`.
    pub(crate) cron: String,
    /// The zone that the expression is meant in, such as `Europe/Berlin`.
    #[serde(default = "utc")]
    pub(crate) time_zone: String,
    /// Each start comes up to so many seconds later, evenly spread; less than the time between
    /// two starts, at most 3,600.
    #[serde(default)]
    pub(crate) jitter_seconds: u32,
    /// What happens while another run is under way or waits.
    #[serde(default)]
    pub(crate) when_busy: WhenBusy,
    /// Whether a start that was missed is made up for: once, whatever was missed.
    #[serde(default)]
    pub(crate) catch_up: bool,
    /// What is started, as for `POST /start`.
    #[serde(default)]
    pub(crate) run: StartBody,
    /// What one run was forecast to cost when the schedule was made; what is sent is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(read_only)]
    pub(crate) expected: Option<ExpectedCost>,
}

/// What happens while another run is under way or waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WhenBusy {
    /// The run waits for its turn, unless the schedule's run before still does.
    #[default]
    Queue,
    /// There is no run this time.
    Skip,
}

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduleBody {
    /// Its name.
    pub(crate) name: String,
    /// What is started and when.
    #[serde(flatten)]
    pub(crate) document: ScheduleDocument,
    /// Whether nothing is started until it is resumed.
    pub(crate) paused: bool,
    /// Who made or changed it last: its runs are started on this user's behalf.
    pub(crate) owner: String,
    /// When that was.
    pub(crate) changed_at: String,
    /// The next three times, before their jitter.
    pub(crate) next: Vec<TimeBody>,
    /// What became of the latest starts, newest first.
    pub(crate) starts: Vec<StartRecordBody>,
    /// What it costs in a month.
    pub(crate) monthly_cost: MonthlyCost,
}

/// A time to come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimeBody {
    /// The instant, UTC.
    pub(crate) at: String,
    /// The same by the clock of the schedule's zone, with its offset.
    pub(crate) local: String,
}

/// What became of a start.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartRecordBody {
    /// The time that the expression names; of several that were missed, the first.
    pub(crate) due: String,
    /// When it was taken.
    pub(crate) at: String,
    /// `taken`, `started`, `skipped`, `missed` or `refused`.
    pub(crate) outcome: &'static str,
    /// How many were missed together, else 1.
    pub(crate) starts: u64,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test_id: Option<String>,
    /// Why there is none, or why it came late.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cause: String,
}

impl ScheduleBody {
    pub(crate) fn new(
        schedule: Schedule,
        document: ScheduleDocument,
        (next, starts): (&[Zoned], Vec<ScheduledStart>),
        monthly_cost: MonthlyCost,
    ) -> Self {
        Self {
            name: schedule.name,
            document,
            paused: schedule.paused,
            owner: schedule.owner,
            changed_at: schedule.changed_at.to_string(),
            next: next.iter().map(TimeBody::from).collect(),
            starts: starts.into_iter().map(StartRecordBody::from).collect(),
            monthly_cost,
        }
    }
}

impl From<&Zoned> for TimeBody {
    fn from(time: &Zoned) -> Self {
        Self {
            at: time.timestamp().to_string(),
            local: time.to_string(),
        }
    }
}

impl From<ScheduledStart> for StartRecordBody {
    fn from(start: ScheduledStart) -> Self {
        Self {
            due: start.due.to_string(),
            at: start.at.to_string(),
            outcome: start.outcome.as_str(),
            starts: start.starts,
            test_id: start.run.map(|run| run.to_string()),
            cause: start.cause,
        }
    }
}

fn utc() -> String {
    "UTC".to_owned()
}
