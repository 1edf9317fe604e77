//! Reads what k6 writes while it runs: samples into histograms, log lines as they come.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use load_analysis::aggregate::{Aggregator, SecondBucket};
use load_analysis::limits::Limit;
use load_runner::log::LogReader;
use load_runner::runner::{Requirements, RunArtifacts};
use load_runner::sample::RunSamples;
use performance_store::LogLine;

/// The most errors of outputs that are kept; the first ones name the cause.
const MAX_OUTPUT_ERRORS: usize = 20;

const K6: &str = "k6";
const SUPERVISOR: &str = "supervisor";

/// Characters of a log message that a reason quotes.
const MAX_EXCERPT: usize = 300;

/// Everything that is known of a run from its files. Its methods block.
pub(super) struct Collector {
    samples: RunSamples,
    /// With what wrote each of them.
    logs: Vec<(&'static str, LogReader)>,
    pub(super) aggregator: Aggregator,
    pub(super) output_errors: Vec<String>,
    /// The first error that was logged, and what logged it: mostly the reason for what it did next.
    pub(super) first_error: Option<LoggedError>,
}

/// An error in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoggedError {
    /// `k6`, or `supervisor` where k6 had no fault.
    pub(super) of: &'static str,
    pub(super) text: String,
}

/// What one reading brought.
#[derive(Default)]
pub(super) struct Batch {
    /// Seconds that have passed, oldest first.
    pub(super) seconds: Vec<SecondBucket>,
    /// All lines of what was read, at most 1 MiB. The store decides how many it keeps.
    pub(super) lines: Vec<LogLine>,
    pub(super) samples: u64,
    /// The age of the newest sample.
    pub(super) lag: Option<Duration>,
    /// Whether there is more to read at once.
    pub(super) more: bool,
}

impl Collector {
    /// Reads the files of a run that is held against these limits.
    pub(super) fn new(
        artifacts: &RunArtifacts,
        requirements: Requirements,
        limits: &[Limit],
    ) -> Self {
        let logs = artifacts.processes.iter();
        let logs = logs.map(|files| (K6, &files.log));
        // It has a line only where it failed.
        let logs = logs.chain([(SUPERVISOR, &artifacts.supervisor_log)]);
        Self {
            samples: RunSamples::new(artifacts),
            logs: logs
                .map(|(of, log)| (of, LogReader::new(log.clone())))
                .collect(),
            aggregator: Aggregator::new(requirements.thresholds)
                .keeping(Limit::wanted_tags(limits)),
            output_errors: Vec::new(),
            first_error: None,
        }
    }

    /// Reads what is new.
    pub(super) fn read(&mut self) -> std::io::Result<Batch> {
        let mut batch = Batch::default();
        let mut newest: Option<i64> = None;
        let progress = self.samples.read(|sample| {
            self.aggregator.add(sample);
            batch.samples += 1;
            newest = newest.max(Some(sample.time));
        })?;
        batch.more = progress.more;
        batch.lag = newest.and_then(age);
        batch.seconds = self.aggregator.take_passed();
        batch.more |= self.read_log(&mut batch.lines)?;
        Ok(batch)
    }

    /// All k6 have ended, in whatever way: the next reading gets what is left.
    pub(super) fn note_end(&mut self) {
        self.samples.note_end();
    }

    /// Lines that could not be read.
    pub(super) fn unreadable_lines(&self) -> u64 {
        self.samples.unreadable_lines()
    }

    fn read_log(&mut self, lines: &mut Vec<LogLine>) -> std::io::Result<bool> {
        let Self {
            logs,
            output_errors: errors,
            first_error,
            ..
        } = self;
        let mut more = false;
        for (of, log) in logs {
            let of = *of;
            let progress = log.read(|line| {
                // What k6 says of itself is worth more.
                let is_first = first_error
                    .as_ref()
                    .is_none_or(|known| known.of == SUPERVISOR && of == K6);
                if line.level == "error" && is_first {
                    let text = excerpt(&line.to_string());
                    *first_error = Some(LoggedError { of, text });
                }
                if line.is_output_error() && errors.len() < MAX_OUTPUT_ERRORS {
                    errors.push(line.to_string());
                }
                lines.push(LogLine {
                    at: line.time.parse().unwrap_or_else(|_| Timestamp::now()),
                    source: if line.level.is_empty() {
                        of.to_owned()
                    } else {
                        format!("{of} {}", line.level)
                    },
                    text: line.to_string(),
                });
            })?;
            more |= progress.more;
        }
        Ok(more)
    }
}

/// The first line of a message, which may go on with a stack.
fn excerpt(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.chars().take(MAX_EXCERPT).collect()
}

fn age(microseconds: i64) -> Option<Duration> {
    let at = Duration::from_micros(u64::try_from(microseconds).ok()?);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    Some(now.saturating_sub(at))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use load_runner::sample::SampleFormat;

    use super::*;

    /// A script that logs at each request writes thousands of lines between two readings.
    #[test]
    fn every_line_of_the_log_is_handed_out() {
        const LINES: usize = 4_000;
        let directory = tempfile::tempdir().unwrap();
        let artifacts = RunArtifacts::within(directory.path(), 1, SampleFormat::Json);
        std::fs::create_dir(&artifacts.processes[0].directory).unwrap();
        let mut log = String::new();
        for number in 0..LINES {
            writeln!(log, r#"{{"level":"info","msg":"line {number}"}}"#).unwrap();
        }
        std::fs::write(&artifacts.processes[0].log, log).unwrap();
        let requirements = Requirements {
            total_duration: Duration::from_secs(1),
            max_virtual_users: 1,
            thresholds: Vec::new(),
            execution: None,
        };
        let mut collector = Collector::new(&artifacts, requirements, &[]);
        let batch = collector.read().unwrap();
        assert_eq!(batch.lines.len(), LINES);
        assert_eq!(batch.lines[LINES - 1].text, format!("line {}", LINES - 1));
    }
}
