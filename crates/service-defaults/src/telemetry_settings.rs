//! The telemetry settings that every process has.

mod switches;

use std::{io::IsTerminal, str::FromStr};

use instrumentation::{LogFormat, TelemetryConfig, http::Sampling};

use crate::{environment::Environment, trace_settings};

/// Telemetry and sampling, as read from the environment.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// For [`instrumentation::Telemetry::start`].
    pub telemetry: TelemetryConfig,
    /// For the HTTP layer.
    pub sampling: Sampling,
}

impl TelemetrySettings {
    /// Reads the settings; `sampling_name` is the process' own variable for sampling shares.
    pub fn read(
        environment: &mut Environment,
        service_name: &str,
        sampling_name: &'static str,
        version: &'static str,
    ) -> Self {
        let format = environment.choice(
            "BOOKSTORE_LOG_FORMAT",
            "auto",
            &["auto", "json", "pretty"],
            "How log lines look: json, pretty, or auto (pretty at a terminal)",
        );
        let disabled = switches::read_disabled(environment);
        let pretty = format == "pretty" || (format == "auto" && std::io::stdout().is_terminal());
        let telemetry = TelemetryConfig {
            service_name: environment.text(
                "OTEL_SERVICE_NAME",
                service_name,
                "Name of the service in traces and logs",
            ),
            service_version: version,
            environment: environment.text(
                "BOOKSTORE_ENVIRONMENT",
                "local",
                "Name of the deployment in traces",
            ),
            otlp_endpoint: environment
                .optional_text(
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                    "Collector that takes traces over OTLP gRPC, such as http://127.0.0.1:4317; without it none are sent",
                )
                .filter(|_| !disabled),
            otlp_http: trace_settings::collectors(environment)
                .into_iter()
                .filter(|_| !disabled)
                .collect(),
            trace_query: trace_settings::trace_query(environment),
            log_filter: environment.text("RUST_LOG", "info", "Filter of log lines"),
            log_format: if pretty { LogFormat::Pretty } else { LogFormat::Json },
            switches: switches::read(environment, disabled),
        };
        // What telemetry refuses at its start is told with the other settings.
        if let Err(reason) = telemetry.check_log_filter() {
            environment.reject("RUST_LOG", reason);
        }
        if let Err(reason) = telemetry.check_otlp_endpoint() {
            environment.reject("OTEL_EXPORTER_OTLP_ENDPOINT", reason);
        }
        trace_settings::check_trace_query(environment, &telemetry);
        let sampling = environment.parsed::<SamplingText>(
            sampling_name,
            "catalogue=0.01,ai=1,ops=0",
            "Share of traces recorded by route class, unless the caller decided",
        );
        Self {
            telemetry,
            sampling: Sampling {
                slow: trace_settings::slow(environment),
                excluded: switches::read_excluded(environment),
                ..sampling.0
            },
        }
    }
}

/// `catalogue=0.01,ai=1,ops=0`, each part optional.
struct SamplingText(Sampling);

impl FromStr for SamplingText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut sampling = Sampling::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (class, share) = part.split_once('=').ok_or("must be class=share,…")?;
            let share: f64 = share
                .trim()
                .parse()
                .map_err(|_| "has a share that is no number")?;
            if !(0.0..=1.0).contains(&share) {
                return Err("has a share outside 0 to 1".to_owned());
            }
            match class.trim() {
                "catalogue" => sampling.catalogue = share,
                "ai" => sampling.ai = share,
                "ops" => sampling.ops = share,
                other => return Err(format!("has an unknown class {other:?}")),
            }
        }
        Ok(Self(sampling))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_switch_turns_traces_and_metrics_off() {
        for (value, sent) in [("false", true), ("true", false)] {
            let pairs = [
                ("OTEL_SDK_DISABLED", value),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"),
            ];
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let mut environment = Environment::of_pairs(pairs);
            let name = "BOOKSTORE_TRACE_SAMPLING";
            let settings = TelemetrySettings::read(&mut environment, "x", name, "1");
            assert!(environment.errors().is_empty());
            assert_eq!(settings.telemetry.otlp_endpoint.is_some(), sent, "{value}");
            assert_eq!(
                settings.telemetry.switches.metrics.is_some(),
                sent,
                "{value}"
            );
        }
    }

    #[test]
    fn shares_are_read_and_checked() {
        let sampling = "ai=0.5, catalogue=0"
            .parse::<SamplingText>()
            .ok()
            .unwrap()
            .0;
        assert_eq!(
            sampling,
            Sampling {
                catalogue: 0.0,
                ai: 0.5,
                ops: 0.0,
                ..Sampling::default()
            }
        );
        for text in ["ai", "ai=2", "ai=x", "books=1"] {
            assert!(text.parse::<SamplingText>().is_err(), "{text}");
        }
    }
}
