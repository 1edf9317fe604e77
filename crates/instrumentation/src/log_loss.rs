//! Log lines that found no room in the queue of the writer.

use metrics::Counter;
use tracing_appender::non_blocking::ErrorCounter;

use crate::catalogue::TELEMETRY_DROPPED_LOG_LINES;

/// Tells what the writer counts.
pub(crate) struct LogLoss {
    lines: ErrorCounter,
    counter: Counter,
}

impl LogLoss {
    pub(crate) fn new(lines: ErrorCounter) -> Self {
        let counter = TELEMETRY_DROPPED_LOG_LINES.counter(&[]);
        Self { lines, counter }
    }

    pub(crate) fn observe(&self) {
        let lines = self.lines.dropped_lines();
        self.counter
            .absolute(u64::try_from(lines).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::mpsc::{self, Receiver},
    };

    use metrics_exporter_prometheus::PrometheusBuilder;
    use tracing_appender::non_blocking::NonBlockingBuilder;

    use super::*;

    /// A terminal on which somebody holds the scroll bar.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _released = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_without_room_are_counted() {
        let (release, stuck) = mpsc::channel();
        let (mut writer, _guard) = NonBlockingBuilder::default()
            .buffered_lines_limit(5)
            .finish(Stuck(stuck));
        let recorder = PrometheusBuilder::new().build_recorder();
        let loss = metrics::with_local_recorder(&recorder, || LogLoss::new(writer.error_counter()));
        let shown = || {
            loss.observe();
            recorder.handle().render()
        };
        assert!(shown().contains("bookstore_telemetry_dropped_log_lines_total 0\n"));
        for _ in 0..100 {
            writer.write_all(b"line\n").unwrap();
        }
        // Five wait, and one is being written if the writer's thread has come that far.
        let text = shown();
        let lost = text.split_whitespace().last().unwrap();
        assert!(["94", "95"].contains(&lost), "{text}");
        drop(release);
    }
}
