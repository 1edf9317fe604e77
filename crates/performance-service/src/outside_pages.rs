//! Where people find the rest of a run's story: the pages of the tools beside this service.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
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
        let to = run.completed_at.unwrap_or_else(Timestamp::now).max(from);
        let margin = SignedDuration::from_secs(MARGIN_SECONDS);
        let id = run.id.to_string();
        let link = |text, page: Option<Url>, pairs: &[(&str, String)]| {
            let mut address = page?;
            address.query_pairs_mut().extend_pairs(pairs);
            Some(Link {
                text,
                address: address.into(),
            })
        };
        let traces = search(&id, from - margin, to + margin);
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

    /// The page of one trace.
    pub(crate) fn trace(&self, id: &str) -> Option<String> {
        let search = self.trace_search.as_ref()?;
        let is_page = search.path().ends_with("/search");
        // The API has its traces below the search, the pages beside it.
        let parent = search
            .path()
            .rsplit_once('/')
            .map_or("", |(parent, _)| parent);
        let path = if is_page {
            format!("{parent}/trace/{id}")
        } else {
            format!("{}/{id}", search.path())
        };
        let mut address = search.clone();
        address.set_path(&path);
        address.set_query(None);
        Some(address.into())
    }

    /// A search for the traces of a run that took so long, in milliseconds, and ended within
    /// these moments.
    pub(crate) fn traces_within(
        &self,
        run: &Run,
        ended: Range<Timestamp>,
        took: &Range<f64>,
    ) -> Option<String> {
        let mut address = self.trace_search.clone()?;
        let longest = SignedDuration::try_from_secs_f64(took.end / 1_000.0).unwrap_or_default();
        // A search is by the begin.
        let pairs = search(&run.id.to_string(), ended.start - longest, ended.end);
        let [at_least, at_most] =
            [took.start, took.end].map(|milliseconds| format!("{:.0}us", milliseconds * 1_000.0));
        let durations = [("minDuration", at_least), ("maxDuration", at_most)];
        address
            .query_pairs_mut()
            .extend_pairs(pairs)
            .extend_pairs(durations);
        Some(address.into())
    }
}

/// What Jaeger's search is asked for.
fn search(id: &str, from: Timestamp, to: Timestamp) -> [(&'static str, String); 5] {
    let microseconds = |at: Timestamp| at.as_microsecond().to_string();
    [
        ("service", "bookstore-api".to_owned()),
        ("tags", serde_json::json!({"test.id": id}).to_string()),
        ("start", microseconds(from)),
        ("end", microseconds(to)),
        ("limit", MAX_TRACES.to_owned()),
    ]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_its_page_beside_the_search() {
        let page = |search: &str| {
            let pages = OutsidePages {
                trace_search: Url::parse(search).ok(),
                metric_graph: None,
            };
            pages.trace("0af7").unwrap()
        };
        for (search, expected) in [
            ("http://h:16686/search", "http://h:16686/trace/0af7"),
            ("http://h/jaeger/search?x=1", "http://h/jaeger/trace/0af7"),
            (
                "http://h:16686/api/traces",
                "http://h:16686/api/traces/0af7",
            ),
        ] {
            assert_eq!(page(search), expected);
        }
        assert_eq!(OutsidePages::default().trace("0af7"), None);
    }

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
