//! The performance service: runs load tests against listed targets, shows them live and
//! judges them.
//!
//! A request (`runs::request`) is checked by the planner and queued; the conductor
//! takes one run at a time, has k6 carry it out, puts what it measured into the store second
//! by second, and ends it with a verdict. The announcer and the hub tell watchers;
//! Pages show the same to people. The scheduler asks for runs by the clock; the courier tells
//! webhooks of them. [`serve`] puts the parts together and runs them.
//!
//! The state of a run is written by the conductor alone. A judgement is made once, by
//! `load-analysis`; everything that shows a verdict shows that record.

mod app;
mod config;

mod openapi;
mod permissions;
mod problems;
mod router;

mod audit;
mod baselines;
mod capacity;
mod configured_tests;
mod criteria;
mod generation;
mod hub;
mod idempotency;
mod pages;
mod presentation;
mod reports;
mod runs;
mod saved_scripts;
mod schedules;
mod webhooks;

mod announcer;
mod attention;
mod background;
mod change_points;
mod clock_file;
mod comparing;
mod comparisons;
mod conductor;
mod faults;
mod generated_scripts;
mod k6;
mod ledger;
mod money_limits;
mod names;
mod observation;
mod outside_pages;
mod picture;
mod planner;
mod recently_made;
mod relay;
mod remote_write;
mod runner_settings;
mod scenarios;
mod shared_places;
mod tenant_limits;
mod timeline;
mod windows;

pub use app::{run, serve};
pub use clock_file::ClockFile;
pub use config::{Config, Retention};
pub use configured_tests::environments::Environments;
pub use ledger::LedgerSettings;
pub use money_limits::{MoneyLimits, UnknownSpend};
pub use outside_pages::OutsidePages;
pub use relay::RelayPrices;
pub use runner_settings::RunnerSettings;
pub use tenant_limits::TenantLimits;
pub use webhooks::targets::WebhookTargets;
