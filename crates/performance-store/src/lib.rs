//! What happened in load tests, kept in `SQLite`: runs and their state machine,
//! per-second histograms, results, log lines and events; and who did what, append-only.
//!
//! Read in this order: [run](Run) (what a run is), [runs](RunStore) (the state
//! machine), `seconds`, [events](Event), [logs](LogLine),
//! [spend](SpendTotal), [schedules](Schedule), [webhooks](Webhook) with their `deliveries`,
//! `configurations`, `idempotency`, `audit`, `retention`, and at the bottom `database` and `schema`.
//!
//! Three rules hold everywhere:
//! * every method that touches a run takes its [`tenancy::TenantId`]; only the
//!   methods that the conductor needs for all tenants (`next_queued`,
//!   `active`) do not, and they give the tenant back with each run;
//! * every write about a running test carries the run's *fence*, a number that
//!   grows with each take-over, so a conductor that lost its run cannot write;
//! * every call has a deadline, and `SQLite` is interrupted when it passes. A write may have
//!   happened all the same. Asking again is safe: a step or an end answers
//!   [`StoreError::Moved`] then, and [seconds](SecondsPart) carry a number.

mod run;
mod runs;
mod tenant_load;

mod scheduled_starts;
mod schedules;

mod deliveries;
mod webhooks;

mod configurations;
mod idempotency;

mod audit;
mod baseline_figures;
mod baseline_runs;
mod baselines;
mod events;
mod figures;
mod history;
mod latest_series;
mod logs;
mod neighbours;
mod pinned_baselines;
mod resources;
mod searches;
mod seconds;
mod spend;
mod step_notes;
mod test_summaries;

mod removal;
mod retention;
mod search;

mod clock;
mod database;
mod error;
mod schema;

pub use audit::{
    AuditFilter, AuditHash, AuditRecord, AuditState, MAX_AUDIT_PAGE, MAX_AUDIT_RECORDS,
    NewAuditRecord, ObjectHashes,
};
pub use baseline_figures::BaselineFigures;
pub use baselines::{BaselineName, BaselineVersion, MAX_BASELINE_VERSIONS, MAX_BASELINES};
pub use clock::Clock;
pub use configurations::{Configuration, ConfigurationName, MAX_CONFIGURATIONS, NewConfiguration};
pub use database::{LongReader, RunStore, StoreConfig};
pub use deliveries::{
    Attempt, Delivery, DeliveryState, MAX_DELIVERIES, MAX_WAITING_DELIVERIES,
    MAX_WAITING_OF_WEBHOOK,
};
pub use error::StoreError;
pub use events::{Event, MAX_EVENTS_PER_RUN, NewEvent};
pub use history::{Alike, MAX_HISTORY, TestName, WithResults};
pub use idempotency::{Claim, KEY_LIFETIME, KeptAnswer, KeyedRequest, MAX_KEYS};
pub use latest_series::{LatestSeries, SeriesPoint};
pub use logs::{LogLine, MAX_LOG_LINE_BYTES, MAX_LOG_LINES_PER_RUN};
pub use neighbours::Neighbours;
pub use pinned_baselines::MAX_PINNED_BASELINES;
pub use resources::MAX_RESOURCE_BYTES;
pub use run::{
    LoadProcess, MalformedRunId, NewRun, Outcome, Position, Run, RunAddress, RunId, RunStatus, Step,
};
pub use runs::{MAX_LISTED_RUNS, RunFilter, ToldSeconds};
pub use scheduled_starts::{MAX_STARTS, ScheduledStart, StartOutcome};
pub use schedules::{MAX_SCHEDULES, NextStart, Schedule};
pub use search::{Found, RunQuery};
pub use searches::{
    MAX_LISTED_SEARCHES, MAX_SEARCHES_AT_ONCE, NewSearch, SearchChange, SearchRecord, SearchStatus,
};
pub use seconds::{MAX_SECOND_BYTES_PER_RUN, SecondsPart};
pub use spend::{BudgetStop, MAX_SPEND_GROUPS, MeanCost, Period, SpendGroup, SpendTotal};
pub use step_notes::{MAX_NOTED_STEPS, NotedStep, StepNote};
pub use test_summaries::{MAX_LISTED_TESTS, Passed, Shape, TestSummary};
pub use webhooks::{MAX_WEBHOOKS, Webhook, WebhookEvent, WebhookFormat};
