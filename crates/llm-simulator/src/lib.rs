//! A model server for tests and benches: it speaks the vendors' protocols on one
//! port, answers at a seeded pace, counts every token by itself, and fails when
//! it is told to.
//!
//! In reading order: a [`dialect`] understands a request, [`call`] numbers and
//! admits it and gives its answer token by token at the [`profile`]'s pace,
//! broken where the [`faults`] say so; the [`meter`] books it; [`control`]
//! changes and reads all that while it runs.
//!
//! Nothing here is shared with the `llm` crate. Both were written from the
//! vendors' descriptions, so a wrong reading of one shows at the other.

mod accounts;
mod answer;
mod anthropic;
pub mod app;
mod bedrock;
mod body;
mod call;
mod config;
mod connection;
mod control;
mod credentials;
mod dialect;
mod distribution;
mod engine;
mod exchange;
mod faults;
mod file;
mod framing;
mod invoice;
mod journal;
mod library;
mod listener;
mod load;
mod meter;
mod ollama;
mod openai;
pub mod options;
mod page;
mod price_list;
mod profile;
mod prompt;
mod prompt_cache;
mod rate_limit;
mod router;
mod running;
mod seed;
mod service_tier;
mod telemetry;
mod tokenizer;
mod wire;

pub use body::MAX_REQUEST_BYTES;
pub use config::{ProcessConfig, SimulatorConfig};
pub use connection::{Connection, ConnectionStream};
pub use control::Control;
pub use credentials::{ListedKeys, ListedKeysError};
pub use dialect::Dialect;
pub use distribution::Percentiles;
pub use engine::MAX_ANSWERS;
pub use faults::{
    Fault, FaultFileError, FaultRule, FaultRuleError, FaultRules, HeaderCondition, MAX_RULES,
    Reported, ResetAt, Window, Within,
};
pub use invoice::{Bill, Invoice, ModelBill};
pub use journal::{CallFilter, CallRecord, JOURNAL_CALLS, Operation, Outcome, SentTokens};
pub use library::{
    Library, LibraryError, Miss, Recorder, RecorderConfig, RecorderError, ReplayConfig,
};
pub use listener::SimulatorListener;
pub use load::Load;
pub use meter::{MeterReading, MeterRow, Usage};
pub use price_list::Charge;
pub use profile::{
    Assignment, AssignmentError, BUILT_IN, ModelProfiles, Profile, ProfileError, ProfileText,
    TokenRange,
};
pub use rate_limit::{RateLimits, RateLimitsError};
pub use running::Running;
pub use service_tier::ServiceTier;

use std::{io, sync::Arc};

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use service_defaults::{problem::Problem, same_origin};
use tokio::net::TcpListener;

use engine::Engine;
use library::Replay;

/// The simulated model servers, all dialects over one state.
#[derive(Clone)]
pub struct Simulator {
    engine: Arc<Engine>,
    replay: Option<Arc<Replay>>,
}

impl Simulator {
    /// Makes a simulator; nothing listens yet.
    #[must_use]
    pub fn build(config: SimulatorConfig) -> Self {
        let replay = config.replay.clone();
        let engine = Arc::new(Engine::new(config));
        let replay = replay.map(|replay| Arc::new(Replay::new(&replay, Arc::clone(&engine))));
        Self { engine, replay }
    }

    /// The dialects and the controls, without health and metrics.
    pub fn router(&self) -> Router {
        let around = from_fn_with_state(Arc::clone(&self.engine), wire::layer);
        let mut dialects = router::dialects();
        if let Some(replay) = &self.replay {
            dialects = dialects.layer(from_fn_with_state(Arc::clone(replay), library::layer));
        }
        dialects
            .layer(around)
            .merge(page::router().layer(from_fn(same_origin::check)))
            .with_state(Arc::clone(&self.engine))
            .merge(self.control_router())
    }

    /// The controls alone, for a second address.
    pub fn control_router(&self) -> Router {
        control::router()
            .layer(from_fn(same_origin::check))
            .with_state(Arc::clone(&self.engine))
    }

    /// The controls from within the process.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.engine))
    }

    /// Listens as the fault rules let it.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn listen(&self, listener: TcpListener) -> io::Result<SimulatorListener> {
        SimulatorListener::new(listener, Arc::clone(&self.engine))
    }

    /// Serves in the background until the returned handle is stopped or dropped.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn spawn(&self, listener: TcpListener) -> io::Result<Running> {
        let router = self
            .router()
            .fallback(|| async { Problem::not_found("there is nothing at this address") });
        Ok(Running::start(
            self.listen(listener)?,
            router,
            self.control(),
        ))
    }
}
