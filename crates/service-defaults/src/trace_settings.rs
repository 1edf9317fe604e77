//! Which traces are kept for their end, and who is sent them beside the collector of OTLP gRPC.

use std::{str::FromStr, time::Duration};

use instrumentation::{OtlpHttpCollector, TelemetryConfig, http::Slow};
use secrecy::{ExposeSecret, SecretString};

use crate::{environment::Environment, patience::Patience};

/// Collectors that take OTLP over HTTP.
pub(crate) fn collectors(environment: &mut Environment) -> Vec<OtlpHttpCollector> {
    let endpoint = environment.optional_text(
        "BOOKSTORE_OTLP_HTTP_ENDPOINT",
        "Collector that takes traces over OTLP HTTP, such as http://127.0.0.1:4318; /v1/traces is added",
    );
    let headers = environment.secret(
        "BOOKSTORE_OTLP_HTTP_HEADERS",
        "Headers for it, secrets among them: name=value,…",
    );
    let traceloop = environment.text(
        "TRACELOOP_BASE_URL",
        "https://api.traceloop.com",
        "Where traces go once there is a TRACELOOP_API_KEY",
    );
    let key = environment.secret(
        "TRACELOOP_API_KEY",
        "Key of Traceloop; without it none are sent",
    );
    let mut collectors = Vec::new();
    if let Some(endpoint) = endpoint {
        let headers = headers.as_ref().map(ExposeSecret::expose_secret);
        let headers = read_headers(headers.unwrap_or_default());
        if headers.is_none() {
            environment.reject("BOOKSTORE_OTLP_HTTP_HEADERS", "must be name=value,…");
        }
        let collector = OtlpHttpCollector {
            name: "otlp_http",
            endpoint,
            headers: headers.unwrap_or_default(),
        };
        let names = [
            "BOOKSTORE_OTLP_HTTP_ENDPOINT",
            "BOOKSTORE_OTLP_HTTP_HEADERS",
        ];
        collectors.extend(usable(environment, collector, names));
    }
    if let Some(key) = key {
        let bearer = SecretString::from(format!("Bearer {}", key.expose_secret()));
        let collector = OtlpHttpCollector {
            name: "traceloop",
            endpoint: traceloop,
            headers: vec![("authorization".to_owned(), bearer)],
        };
        let names = ["TRACELOOP_BASE_URL", "TRACELOOP_API_KEY"];
        collectors.extend(usable(environment, collector, names));
    }
    collectors
}

/// What telemetry would refuse at its start is told with the other settings.
fn usable(
    environment: &mut Environment,
    collector: OtlpHttpCollector,
    [endpoint, headers]: [&str; 2],
) -> Option<OtlpHttpCollector> {
    let wrong = [
        (endpoint, collector.traces_url().err()),
        (headers, collector.header_map().err()),
    ];
    let mut usable = true;
    for (name, reason) in wrong {
        if let Some(reason) = reason {
            environment.reject(name, reason);
            usable = false;
        }
    }
    usable.then_some(collector)
}

fn read_headers(text: &str) -> Option<Vec<(String, SecretString)>> {
    let parts = text.split(',').filter(|part| !part.trim().is_empty());
    let pairs = parts.map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned().into()))
    });
    pairs.collect()
}

/// Where the job looks that checks what exemplars lead to.
pub(crate) fn trace_query(environment: &mut Environment) -> Option<String> {
    environment.optional_text(
        "BOOKSTORE_TRACE_QUERY",
        "Jaeger's query API, such as http://127.0.0.1:16686, where the traces of exemplars are looked up; without it they are not",
    )
}

/// Whether the trace store's address can be used.
pub(crate) fn check_trace_query(environment: &mut Environment, telemetry: &TelemetryConfig) {
    if let Err(reason) = telemetry.trace_query_url() {
        environment.reject("BOOKSTORE_TRACE_QUERY", reason);
    }
}

/// From when on requests are slow.
pub(crate) fn slow(environment: &mut Environment) -> Slow {
    environment
        .parsed::<SlowText>(
            "BOOKSTORE_TRACE_SLOW",
            "catalogue=50ms,ai=10s,ops=off",
            "Requests that take longer keep their trace, as failed ones do; ten a second of each class, since under load all may be slow",
        )
        .0
}

/// `catalogue=50ms,ai=10s,ops=off`, each part optional.
struct SlowText(Slow);

impl FromStr for SlowText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut slow = Slow::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (class, time) = part.split_once('=').ok_or("must be class=time,…")?;
            let time = match time.trim() {
                "off" => None,
                time => Some(read_time(time)?),
            };
            match class.trim() {
                "catalogue" => slow.catalogue = time,
                "ai" => slow.ai = time,
                "ops" => slow.ops = time,
                other => return Err(format!("has an unknown class {other:?}")),
            }
        }
        Ok(Self(slow))
    }
}

fn read_time(text: &str) -> Result<Duration, String> {
    match text.parse::<Patience>() {
        Ok(Patience(time)) => Ok(time),
        Err(expected) => Err(format!("has a time that {expected}, or off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        let pairs = pairs.iter();
        Environment::of_pairs(pairs.map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn both_kinds_of_collectors_are_read_and_their_keys_are_not_shown() {
        let mut environment = environment(&[
            ("BOOKSTORE_OTLP_HTTP_ENDPOINT", "http://127.0.0.1:4318/"),
            ("BOOKSTORE_OTLP_HTTP_HEADERS", "x-key=canary-1, x-team = a"),
            ("TRACELOOP_API_KEY", "canary-2"),
        ]);
        let collectors = collectors(&mut environment);
        let urls = collectors
            .iter()
            .map(|one| one.traces_url().unwrap().to_string());
        assert_eq!(
            urls.collect::<Vec<_>>(),
            [
                "http://127.0.0.1:4318/v1/traces",
                "https://api.traceloop.com/v1/traces"
            ]
        );
        let headers: Vec<_> = collectors
            .iter()
            .map(|one| one.header_map().unwrap())
            .collect();
        assert_eq!(headers[0]["x-key"], "canary-1");
        assert_eq!(headers[0]["x-team"], "a");
        assert_eq!(headers[1]["authorization"], "Bearer canary-2");
        let shown = format!("{collectors:?}{headers:?}{:?}", environment.settings());
        assert!(!shown.contains("canary"), "{shown}");
        assert!(environment.errors().is_empty());
    }

    #[test]
    fn what_cannot_be_sent_is_said_without_the_secret() {
        let mut environment = environment(&[
            ("BOOKSTORE_OTLP_HTTP_ENDPOINT", "collector:4318"),
            ("BOOKSTORE_OTLP_HTTP_HEADERS", "x y=canary-1"),
            ("TRACELOOP_API_KEY", "canary\n2"),
        ]);
        assert!(collectors(&mut environment).is_empty());
        let errors: Vec<String> = environment
            .errors()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[0].starts_with("BOOKSTORE_OTLP_HTTP_ENDPOINT: must be an address"));
        assert!(
            errors.iter().all(|error| !error.contains("canary")),
            "{errors:?}"
        );
    }

    #[test]
    fn times_are_read_by_class() {
        let slow = |text: &str| text.parse::<SlowText>().map(|text| text.0);
        let expected = Slow {
            catalogue: Some(Duration::from_millis(200)),
            ai: None,
            ..Slow::default()
        };
        assert_eq!(slow("catalogue=200ms, ai=off"), Ok(expected));
        for text in ["ai", "ai=5", "ai=0s", "books=1s"] {
            assert!(slow(text).is_err(), "{text}");
        }
    }
}
