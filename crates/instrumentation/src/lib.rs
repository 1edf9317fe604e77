//! Traces, metrics and logs, the same way in every process.
//!
//! [`Telemetry::start`] is called once, before a port is bound. [`catalogue`] holds every metric
//! name; components make handles from it. [`http`] measures requests, [`client_span!`] and
//! [`propagation`] follow them outwards. A request that no trace is recorded of pays for no span.

pub mod buckets;
pub mod catalogue;
mod config;
mod cut;
mod exemplar_check;
mod exemplars;
pub mod gen_ai;
pub mod http;
mod json_log;
mod log_loss;
mod log_queue;
mod metrics_export;
mod process_metrics;
pub mod propagation;
pub mod request;
mod shared_work;
mod span;
mod switches;
mod telemetry;
mod traces;

pub use config::{LogFormat, OtlpHttpCollector, TelemetryConfig};
pub use metrics_export::MetricsText;
pub use shared_work::{SharedWork, WorkTrace};
pub use span::{below_request, record_texts, span_event};
pub use switches::{MetricSources, SpanSources, Switches, wants_client_span};
pub use telemetry::{Telemetry, TelemetryError};

#[doc(hidden)]
pub use tracing as __tracing;
