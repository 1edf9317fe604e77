//! The switches of telemetry, as settings.

use std::str::FromStr;

use instrumentation::{MetricSources, SpanSources, Switches, http::ExcludedPaths};

use crate::environment::Environment;

/// Most attributes of the resource, and bytes of each: they go with every batch of spans.
const MAX_ATTRIBUTES: usize = 32;
const MAX_ATTRIBUTE_BYTES: usize = 256;

/// Most paths without traces.
const MAX_PATHS: usize = 32;

/// Attributes that other settings have.
const RESERVED: [&str; 3] = [
    "service.name",
    "service.version",
    "deployment.environment.name",
];

/// Whether the standard's own switch turns telemetry off: traces, and `/metrics`. Logs stay.
pub(super) fn read_disabled(environment: &mut Environment) -> bool {
    environment.choice(
        "OTEL_SDK_DISABLED",
        "false",
        &["false", "true"],
        "true: no traces are sent and there is no /metrics; logs stay",
    ) == "true"
}

/// Reads the switches.
pub(super) fn read(environment: &mut Environment, disabled: bool) -> Switches {
    let spans = environment.parsed::<Sources>(
        "BOOKSTORE_TRACE_SOURCES",
        "store,model",
        "Spans below those of requests: of calls to stores and caches (store), of model calls (model)",
    );
    let mut on = |name, help| environment.choice(name, "on", &["on", "off"], help) == "on";
    let counted = on("BOOKSTORE_METRICS", "off: there is no /metrics");
    let metrics = MetricSources {
        process: on(
            "BOOKSTORE_PROCESS_METRICS",
            "Metrics of processor, memory, files and threads",
        ),
        runtime: on(
            "BOOKSTORE_RUNTIME_METRICS",
            "Metrics of the asynchronous runtime",
        ),
    };
    let resource = environment.parsed::<Attributes>(
        "OTEL_RESOURCE_ATTRIBUTES",
        "",
        "Further attributes of the process in traces: name=value,…, percent-encoded",
    );
    Switches {
        spans: spans.0,
        metrics: (counted && !disabled).then_some(metrics),
        resource: resource.0,
    }
}

/// Reads the paths whose requests have no trace, whoever asks for one.
pub(super) fn read_excluded(environment: &mut Environment) -> ExcludedPaths {
    let paths = environment.parsed::<Paths>(
        "BOOKSTORE_TRACE_EXCLUDED_PATHS",
        "/health,/metrics,/swagger",
        "Beginnings of paths whose requests have no trace, whoever asks for one",
    );
    ExcludedPaths::new(paths.0)
}

/// `store,model`, or fewer.
struct Sources(SpanSources);

impl FromStr for Sources {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut stores, mut models) = (false, false);
        for name in words(text) {
            match name {
                "store" => stores = true,
                "model" => models = true,
                // An empty value is the default.
                "none" => {}
                other => return Err(format!("has {other:?}; it may have store, model, or none")),
            }
        }
        Ok(Self(SpanSources { stores, models }))
    }
}

/// `name=value,…` of the W3C's baggage, as the standard has it.
struct Attributes(Vec<(String, String)>);

impl FromStr for Attributes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pairs = words(text).map(|pair| {
            let (name, value) = pair.split_once('=').ok_or("must be name=value,…")?;
            let value = percent_encoding::percent_decode_str(value.trim())
                .decode_utf8()
                .map_err(|_| "has a value that is no UTF-8")?;
            let name = name.trim();
            if name.is_empty() || name.len() + value.len() > MAX_ATTRIBUTE_BYTES {
                return Err(format!(
                    "has an attribute of more than {MAX_ATTRIBUTE_BYTES} bytes, or without a name"
                ));
            }
            if RESERVED.contains(&name) {
                return Err(format!("has {name}, which other settings say"));
            }
            Ok((name.to_owned(), value.into_owned()))
        });
        let pairs = pairs.collect::<Result<Vec<_>, String>>()?;
        if pairs.len() > MAX_ATTRIBUTES {
            return Err(format!("has more than {MAX_ATTRIBUTES} attributes"));
        }
        Ok(Self(pairs))
    }
}

/// `/path,…`
struct Paths(Vec<String>);

impl FromStr for Paths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let paths: Vec<String> = words(text)
            .filter(|path| *path != "none")
            .map(str::to_owned)
            .collect();
        if paths.len() > MAX_PATHS {
            return Err(format!("has more than {MAX_PATHS} paths"));
        }
        match paths.iter().find(|path| !path.starts_with('/')) {
            Some(path) => Err(format!("has {path:?}, which does not begin with /")),
            None => Ok(Self(paths)),
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(pairs: &[(&str, &str)]) -> (Switches, ExcludedPaths, Vec<String>) {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut environment = Environment::of_pairs(pairs);
        let disabled = read_disabled(&mut environment);
        let switches = read(&mut environment, disabled);
        let excluded = read_excluded(&mut environment);
        let errors = environment.errors().iter().map(|error| error.name.clone());
        let errors = errors.collect();
        (switches, excluded, errors)
    }

    #[test]
    fn everything_is_on_by_default() {
        let (switches, excluded, errors) = read_from(&[]);
        assert_eq!((switches, errors), (Switches::default(), vec![]));
        for (path, expected) in [
            ("/health", true),
            ("/health/ready", true),
            ("/healthy", false),
            ("/api/v1/books", false),
            ("/swagger/index.html", true),
        ] {
            assert_eq!(excluded.contains(path), expected, "{path}");
        }
    }

    fn spans(stores: bool, models: bool) -> Switches {
        let spans = SpanSources { stores, models };
        Switches {
            spans,
            ..Switches::default()
        }
    }

    fn metrics(metrics: Option<(bool, bool)>) -> Switches {
        let metrics = metrics.map(|(process, runtime)| MetricSources { process, runtime });
        Switches {
            metrics,
            ..Switches::default()
        }
    }

    #[test]
    fn each_switch_turns_its_own_off() {
        let attributes = [("team", "books"), ("zone", "a,b")];
        let resource = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let named = Switches {
            resource: resource.to_vec(),
            ..Switches::default()
        };
        for (name, value, expected) in [
            ("BOOKSTORE_TRACE_SOURCES", "store", spans(true, false)),
            ("BOOKSTORE_TRACE_SOURCES", "none", spans(false, false)),
            ("BOOKSTORE_METRICS", "off", metrics(None)),
            ("OTEL_SDK_DISABLED", "true", metrics(None)),
            (
                "BOOKSTORE_PROCESS_METRICS",
                "off",
                metrics(Some((false, true))),
            ),
            (
                "BOOKSTORE_RUNTIME_METRICS",
                "off",
                metrics(Some((true, false))),
            ),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=books, zone=a%2Cb", named),
        ] {
            let (switches, _, errors) = read_from(&[(name, value)]);
            assert_eq!((switches, errors), (expected, vec![]), "{name}={value}");
        }
        let named = read_from(&[("BOOKSTORE_TRACE_EXCLUDED_PATHS", "none")]);
        assert!(!named.1.contains("/health"));
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (name, value) in [
            ("BOOKSTORE_TRACE_SOURCES", "sql"),
            ("BOOKSTORE_METRICS", "maybe"),
            ("OTEL_SDK_DISABLED", "yes"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=x"),
            ("OTEL_RESOURCE_ATTRIBUTES", "x=%ff"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                &format!("x={}", "y".repeat(256)),
            ),
            ("OTEL_RESOURCE_ATTRIBUTES", &"x=y,".repeat(33)),
            ("BOOKSTORE_TRACE_EXCLUDED_PATHS", "health"),
            ("BOOKSTORE_TRACE_EXCLUDED_PATHS", &"/x,".repeat(33)),
        ] {
            assert_eq!(read_from(&[(name, value)]).2, [name], "{value}");
        }
    }
}
