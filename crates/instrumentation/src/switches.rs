//! What an operator turns off, leaves out or adds.

use std::sync::OnceLock;

/// The switches of a process' telemetry. By default everything is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switches {
    /// Which spans there are below those of requests.
    pub spans: SpanSources,
    /// What is counted; `None` is nothing at all, and there is no `/metrics`.
    pub metrics: Option<MetricSources>,
    /// Further attributes of the resource that spans come from.
    pub resource: Vec<(String, String)>,
}

/// What has spans of its own below those of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanSources {
    /// Calls to stores and caches.
    pub stores: bool,
    /// Model calls.
    pub models: bool,
}

/// What is counted beside the work that a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricSources {
    /// `process.*`: processor, memory, files, threads.
    pub process: bool,
    /// `tokio.*`: workers, tasks, queue.
    pub runtime: bool,
}

/// Those of the process, once telemetry has started.
static CURRENT: OnceLock<Switches> = OnceLock::new();

impl Default for Switches {
    fn default() -> Self {
        Self {
            spans: SpanSources {
                stores: true,
                models: true,
            },
            metrics: Some(MetricSources {
                process: true,
                runtime: true,
            }),
            resource: Vec::new(),
        }
    }
}

impl Switches {
    /// Makes them those of the process.
    pub(crate) fn set(&self) {
        let _first = CURRENT.set(self.clone());
    }

    /// Whether calls outwards of a module have spans. A request's own span always is there: without
    /// it there is no trace.
    fn want_spans_of(&self, module: &str) -> bool {
        match module.split("::").next() {
            Some("storage") => self.spans.stores,
            Some("llm") => self.spans.models,
            _ => true,
        }
    }
}

/// Whether a call outwards of this module has a span here and now.
#[doc(hidden)]
#[must_use]
pub fn wants_client_span(module: &str) -> bool {
    crate::request::is_recording() && CURRENT.get().is_none_or(|it| it.want_spans_of(module))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_crate() {
        let switches = Switches {
            spans: SpanSources {
                stores: true,
                models: false,
            },
            ..Switches::default()
        };
        for (module, wanted) in [
            ("llm::measured::span", false),
            ("llm", false),
            ("llm_simulator::app", true),
            ("storage::sqlite", true),
            ("instrumentation::http", true),
        ] {
            assert_eq!(switches.want_spans_of(module), wanted, "{module}");
        }
    }
}
