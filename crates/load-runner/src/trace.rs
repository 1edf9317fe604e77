//! The trace that a run is part of, as its processes are told of it.

use serde::{Deserialize, Serialize};

/// What the supervisor and each k6 of a run find in their environment. Scripts do not see it: their
/// requests have traces of their own, and name the run by the baggage of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    /// W3C Trace Context: the run's span; absent where no trace is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// W3C Baggage: which run it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baggage: Option<String>,
}

impl TraceContext {
    /// Names and values, as OpenTelemetry passes them on to processes.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named = [
            ("TRACEPARENT", self.traceparent.as_deref()),
            ("BAGGAGE", self.baggage.as_deref()),
        ];
        named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
}
