//! Where people find the rest of a run's story: the pages of the tools beside this service.

use jiff::Timestamp;
use performance_store::Run;
use service_defaults::environment::Environment;
use url::Url;

/// Traces that a search shows.
const MAX_TRACES: &str = "20";

/// A run's spans may come from before its first sample and after its last one.
const MARGIN_SECONDS: i64 = 30;

/// What a graph of the target shows: its answers by route. `[1m]` holds four scrapes.
const REQUESTS: &str = "sum by (http_route) (rate(http_server_request_duration_seconds_count[1m]))";

/// Addresses for a browser, which may be others than those that services use.
#[derive(Debug, Clone, Default)]
pub struct OutsidePages {
    trace_search: Option<Url>,
    metric_graph: Option<Url>,
}

/// A link and what it leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) text: &'static str,
    pub(crate) address: String,
}

impl OutsidePages {
    /// Reads the settings.
    pub fn read(environment: &mut Environment) -> Self {
        Self {
            trace_search: read_page(
                environment,
                "PERFORMANCE_TRACE_SEARCH",
                "Jaeger's search, for links: http://host:16686/search; /api/traces without pages",
            ),
            metric_graph: read_page(
                environment,
                "PERFORMANCE_METRIC_GRAPH",
                "Prometheus' graph, for links: http://host:9090/graph",
            ),
        }
    }

    /// The links of a run against a target; those of tools that nobody set are missing.
    pub(crate) fn links(&self, run: &Run, target: Option<&Url>) -> Vec<Link> {
        let from = run.started_at.unwrap_or(run.queued_at);
        let to = run.completed_at.unwrap_or_else(Timestamp::now);
        let id = run.id.to_string();
        let link = |text, page: Option<Url>, pairs: &[(&str, String)]| {
            let mut address = page?;
            address.query_pairs_mut().extend_pairs(pairs);
            Some(Link {
                text,
                address: address.into(),
            })
        };
        let traces = [
            ("service", "bookstore-api".to_owned()),
            ("tags", serde_json::json!({"test.id": id}).to_string()),
            ("start", microseconds(from, -MARGIN_SECONDS)),
            ("end", microseconds(to, MARGIN_SECONDS)),
            ("limit", MAX_TRACES.to_owned()),
        ];
        let seconds = to.duration_since(from).as_secs() + 2 * MARGIN_SECONDS;
        let end = Timestamp::from_second(to.as_second() + MARGIN_SECONDS).unwrap_or(to);
        let graph = [
            ("g0.expr", REQUESTS.to_owned()),
            ("g0.tab", "0".to_owned()),
            ("g0.range_input", format!("{seconds}s")),
            (
                "g0.end_input",
                end.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            ),
        ];
        let test = [("testId", id)];
        let ledger = target.and_then(|target| target.join("api/v1/llm/ledger").ok());
        [
            link("Traces of the run", self.trace_search.clone(), &traces),
            link("Metrics of the target", self.metric_graph.clone(), &graph),
            link("Ledger of model calls", ledger, &test),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// An address for a link: nothing but http leads a browser anywhere.
fn read_page(environment: &mut Environment, name: &'static str, help: &'static str) -> Option<Url> {
    let url: Url = environment.optional_parsed(name, help)?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
        environment.reject(name, "must be an http address without credentials");
        return None;
    }
    Some(url)
}

fn microseconds(at: Timestamp, seconds: i64) -> String {
    (at.as_microsecond() + seconds * 1_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_pages_are_linked() {
        for (address, accepted) in [
            ("http://127.0.0.1:16686/search", true),
            ("https://traces.example/jaeger", true),
            ("javascript:alert(1)", false),
            ("http://ana:pw@h", false),
        ] {
            let pairs = [("PERFORMANCE_TRACE_SEARCH".to_owned(), address.to_owned())];
            let mut environment = Environment::of_pairs(pairs);
            let pages = OutsidePages::read(&mut environment);
            assert_eq!(pages.trace_search.is_some(), accepted, "{address}");
            assert_eq!(environment.errors().is_empty(), accepted, "{address}");
        }
    }
}
