//! Log lines that found no room in the queue.

use metrics::Counter;

use crate::{catalogue::TELEMETRY_DROPPED_LOG_LINES, log_queue::LogQueue};

/// Tells what the queue counts.
pub(crate) struct LogLoss {
    queue: LogQueue,
    counter: Counter,
}

impl LogLoss {
    pub(crate) fn new(queue: LogQueue) -> Self {
        let counter = TELEMETRY_DROPPED_LOG_LINES.counter(&[]);
        Self { queue, counter }
    }

    pub(crate) fn observe(&self) {
        self.counter.absolute(self.queue.lost());
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn lines_without_room_are_counted() {
        let (queue, _text) = LogQueue::of_test();
        let recorder = PrometheusBuilder::new().build_recorder();
        let loss = metrics::with_local_recorder(&recorder, || LogLoss::new(queue.clone()));
        let shown = || {
            loss.observe();
            recorder.handle().render()
        };
        assert!(shown().contains("bookstore_telemetry_dropped_log_lines_total 0\n"));
        let line = [b'x'; 1_024];
        for _ in 0..LogQueue::room(line.len()) + 7 {
            queue.push(&line);
        }
        let text = shown();
        assert!(
            text.contains("bookstore_telemetry_dropped_log_lines_total 7\n"),
            "{text}"
        );
    }
}
