//! What a run may ask of k6 beyond its script. Bounded, and checked before anything starts.

mod rate;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use load_analysis::threshold::Threshold;

use crate::duration;
use crate::sample::SampleFormat;

/// Virtual users of one k6 on one machine: 0.2 MB and some thousand requests a second each
/// thousand. Also the bound on what a script asks for by itself.
pub const MAX_VIRTUAL_USERS: u32 = 1_000;

/// k6 refuses shorter ones.
pub const MIN_DURATION: Duration = Duration::from_secs(1);

/// The longest run: soak tests of hours, not of days on a shared machine.
pub const MAX_DURATION: Duration = Duration::from_hours(4);

/// Iterations of one run.
pub const MAX_ITERATIONS: u64 = 10_000_000;

/// Thresholds of one run, counted as expressions: each with tags costs a histogram.
pub const MAX_THRESHOLDS: usize = 100;

/// k6 processes of one run on a machine of any size.
pub const MAX_PROCESSES: u32 = 64;

/// Options as a request has them, unchecked.
#[derive(Debug, Clone, Default)]
pub struct RequestedOptions {
    /// `options.virtualUsers`.
    pub virtual_users: Option<u64>,
    /// `options.duration` in k6's spelling.
    pub duration: Option<String>,
    /// `options.iterations`, shared by all virtual users.
    pub iterations: Option<u64>,
    /// `options.rate`: arrivals per second.
    pub rate: Option<f64>,
    /// `options.thresholds`: expressions by metric.
    pub thresholds: BTreeMap<String, Vec<String>>,
    /// `options.insecureSkipTLSVerify`.
    pub insecure_skip_tls_verify: Option<bool>,
    /// `options.outputFormat`: `json` or `csv`.
    pub output_format: Option<String>,
    /// `options.processes`: k6 processes that share the load.
    pub processes: Option<u64>,
    /// `options.warmUp` in k6's spelling of durations.
    pub warm_up: Option<String>,
    /// `options.runner`: `process`, `processes` or `container`.
    pub runner: Option<String>,
}

/// Checked options. What is absent stays as the script has it.
///
/// Virtual users, duration, iterations and a rate replace the script's scenarios and stages: then
/// the script's default function runs, or its scenarios' functions in turn when it has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunOptions {
    virtual_users: Option<u32>,
    duration: Option<Duration>,
    iterations: Option<u64>,
    rate: Option<f64>,
    thresholds: BTreeMap<String, Vec<Threshold>>,
    insecure_skip_tls_verify: Option<bool>,
    processes: Option<u32>,
    warm_up: Duration,
    runner: Option<RunnerKind>,
    samples: Option<SampleFormat>,
}

/// What k6 runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunnerKind {
    /// Processes of this machine.
    Process,
    /// Containers of an engine on this machine.
    Container,
}

/// A field of a plan and why it is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct InvalidField {
    /// The field as the API spells it, for example `options.duration`.
    pub field: String,
    /// The reason in words.
    pub reason: String,
}

impl RunOptions {
    /// Virtual users, where they were asked for.
    #[must_use]
    pub const fn virtual_users(&self) -> Option<u32> {
        self.virtual_users
    }

    /// The thresholds that come in the place of the script's.
    #[must_use]
    pub fn thresholds(&self) -> Vec<Threshold> {
        self.thresholds.values().flatten().cloned().collect()
    }

    /// The duration, where it was asked for.
    #[must_use]
    pub const fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Checks requested options.
    ///
    /// # Errors
    /// Every field that is refused, with its reason.
    pub fn parse(requested: &RequestedOptions) -> Result<Self, Vec<InvalidField>> {
        let mut errors = Vec::new();
        let mut options = Self {
            insecure_skip_tls_verify: requested.insecure_skip_tls_verify,
            ..Self::default()
        };
        let mut keep = |result: Result<(), InvalidField>| errors.extend(result.err());
        keep(options.set_virtual_users(requested));
        keep(options.set_duration(requested));
        keep(options.set_iterations(requested));
        keep(options.set_rate(requested));
        keep(options.set_output_format(requested));
        keep(options.set_runner(requested));
        keep(options.set_processes(requested));
        keep(options.set_warm_up(requested));
        errors.extend(options.set_thresholds(requested));
        if errors.is_empty() {
            Ok(options)
        } else {
            Err(errors)
        }
    }

    /// How many k6 share the load.
    #[must_use]
    pub fn processes(&self) -> u32 {
        self.processes.unwrap_or(1)
    }

    /// How long after its begin the load is not judged; k6 itself knows nothing of it.
    #[must_use]
    pub const fn warm_up(&self) -> Duration {
        self.warm_up
    }

    /// What k6 is to run as, where that was asked for.
    #[must_use]
    pub const fn runner(&self) -> Option<RunnerKind> {
        self.runner
    }

    /// What samples are to be written as, where that was asked for.
    #[must_use]
    pub const fn samples(&self) -> Option<SampleFormat> {
        self.samples
    }

    /// The options under k6's names, for the run's `options.json`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::Map::new();
        let mut put = |name: &str, value: Option<serde_json::Value>| {
            json.extend(value.map(|value| (name.to_owned(), value)));
        };
        match self.arrivals() {
            Some(arrivals) => put("scenarios", Some(arrivals)),
            None => {
                put("vus", self.virtual_users.map(Into::into));
                let length = self.duration.map(duration::format);
                put("duration", length.map(Into::into));
            }
        }
        put("iterations", self.iterations.map(Into::into));
        put(
            "insecureSkipTLSVerify",
            self.insecure_skip_tls_verify.map(Into::into),
        );
        if !self.thresholds.is_empty() {
            let thresholds = self.thresholds.iter().map(|(metric, thresholds)| {
                let expressions = thresholds.iter().map(|t| t.expression.source.clone());
                (metric.clone(), expressions.collect::<Vec<_>>().into())
            });
            put(
                "thresholds",
                Some(serde_json::Value::Object(thresholds.collect())),
            );
        }
        json.into()
    }

    fn set_virtual_users(&mut self, requested: &RequestedOptions) -> Result<(), InvalidField> {
        let Some(users) = requested.virtual_users else {
            return Ok(());
        };
        self.virtual_users = u32::try_from(users)
            .ok()
            .filter(|n| (1..=MAX_VIRTUAL_USERS).contains(n));
        match self.virtual_users {
            Some(_) => Ok(()),
            None => Err(invalid(
                "virtualUsers",
                format!("must be 1 to {MAX_VIRTUAL_USERS}"),
            )),
        }
    }

    fn set_duration(&mut self, requested: &RequestedOptions) -> Result<(), InvalidField> {
        let Some(text) = &requested.duration else {
            return Ok(());
        };
        let length =
            duration::parse(text).map_err(|error| invalid("duration", error.to_string()))?;
        if length < MIN_DURATION || length > MAX_DURATION {
            return Err(invalid("duration", "must be 1s to 4h".to_owned()));
        }
        self.duration = Some(length);
        Ok(())
    }

    fn set_iterations(&mut self, requested: &RequestedOptions) -> Result<(), InvalidField> {
        let Some(iterations) = requested.iterations else {
            return Ok(());
        };
        // k6 refuses fewer iterations than users.
        let least = requested.virtual_users.unwrap_or(1).max(1);
        if !(least..=MAX_ITERATIONS).contains(&iterations) {
            let reason = format!("must be {least} (the virtual users) to {MAX_ITERATIONS}");
            return Err(invalid("iterations", reason));
        }
        self.iterations = Some(iterations);
        Ok(())
    }

    /// `processes` is one k6 per processor where `options.processes` says no other number.
    fn set_runner(&mut self, requested: &RequestedOptions) -> Result<(), InvalidField> {
        let Some(runner) = requested.runner.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        self.runner = RunnerKind::parse(runner);
        match (self.runner, runner) {
            (None, _) => {
                let reason = "must be process, processes or container".to_owned();
                Err(invalid("runner", reason))
            }
            (_, "process") if requested.processes.is_some_and(|n| n > 1) => {
                let reason = "process is one k6; with options.processes it is processes".to_owned();
                Err(invalid("runner", reason))
            }
            (_, "processes") => {
                self.processes = Some(most_processes());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn set_output_format(&mut self, requested: &RequestedOptions) -> Result<(), InvalidField> {
        let format = requested.output_format.as_deref();
        let Some(format) = format.filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        self.samples = SampleFormat::parse(format);
        match self.samples {
            Some(_) => Ok(()),
            None => Err(invalid("outputFormat", "must be json or csv".to_owned())),
        }
    }

    fn set_processes(&mut self, requested: &RequestedOptions) -> Result<(), InvalidField> {
        let Some(processes) = requested.processes else {
            return Ok(());
        };
        let most = most_processes();
        self.processes = u32::try_from(processes)
            .ok()
            .filter(|n| (1..=most).contains(n));
        match self.processes {
            Some(_) => Ok(()),
            None => Err(invalid(
                "processes",
                format!("must be 1 to {most}, the processors of this machine"),
            )),
        }
    }

    fn set_warm_up(&mut self, requested: &RequestedOptions) -> Result<(), InvalidField> {
        let Some(text) = &requested.warm_up else {
            return Ok(());
        };
        let length = duration::parse(text).map_err(|error| invalid("warmUp", error.to_string()))?;
        let load = self.duration.unwrap_or(MAX_DURATION);
        if length >= load {
            return Err(invalid(
                "warmUp",
                "must be shorter than the load".to_owned(),
            ));
        }
        self.warm_up = length;
        Ok(())
    }

    fn set_thresholds(&mut self, requested: &RequestedOptions) -> Vec<InvalidField> {
        let count: usize = requested.thresholds.values().map(Vec::len).sum();
        if count > MAX_THRESHOLDS {
            return vec![invalid(
                "thresholds",
                format!("at most {MAX_THRESHOLDS} expressions"),
            )];
        }
        let mut errors = Vec::new();
        for (metric, expressions) in &requested.thresholds {
            let parsed: Result<Vec<_>, _> = expressions
                .iter()
                .map(|text| Threshold::parse(metric, text))
                .collect();
            match parsed {
                Ok(thresholds) => {
                    self.thresholds.insert(metric.clone(), thresholds);
                }
                Err(error) => errors.push(invalid("thresholds", error.to_string())),
            }
        }
        errors
    }
}

impl RunnerKind {
    /// Reads `process`, `processes` or `container`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "process" | "processes" => Some(Self::Process),
            "container" => Some(Self::Container),
            _ => None,
        }
    }
}

/// More k6 than processors only wait for each other.
fn most_processes() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(processors).map_or(MAX_PROCESSES, |most| most.min(MAX_PROCESSES))
}

fn invalid(option: &str, reason: String) -> InvalidField {
    InvalidField {
        field: format!("options.{option}"),
        reason,
    }
}
