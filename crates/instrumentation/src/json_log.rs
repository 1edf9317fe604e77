//! Log events as JSON lines with the ids of the request that they belong to.

use std::{
    cell::Cell,
    fmt::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use crate::{cut::cut, log_queue::LogQueue, request, span::current_ids};

/// Longest text of one field in a line; what is beyond it is cut and marked.
const MAX_FIELD_BYTES: usize = 4_096;

/// More than most messages have.
const MANY_BYTES: usize = 256;

/// Members of every line, which no field may have the name of.
const TIMESTAMP: &str = "timestamp";
const LEVEL: &str = "level";
const TARGET: &str = "target";
const SERVICE: &str = "service.name";

/// Members of the lines of a request; a field of the same name takes their place.
const TRACE: &str = "trace_id";
const SPAN: &str = "span_id";
const REQUEST: &str = "request.id";

thread_local! {
    /// The memory of the last line.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Writes each event as one JSON object.
pub(crate) struct JsonLog {
    service_name: String,
    queue: LogQueue,
}

impl JsonLog {
    pub(crate) const fn new(service_name: String, queue: LogQueue) -> Self {
        Self {
            service_name,
            queue,
        }
    }

    fn write(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        let mut line = Line(line);
        line.0.extend_from_slice(b"{\"timestamp\":\"");
        write_timestamp(line.0);
        line.0.push(b'"');
        line.member(LEVEL, event.metadata().level().as_str());
        line.member(TARGET, event.metadata().target());
        line.member(SERVICE, &self.service_name);
        let fields = event.metadata().fields();
        let is_free = |name: &str| fields.field(name).is_none();
        // What tells of a request when it is over has them all.
        if is_free(TRACE) {
            write_ids(&mut line, is_free);
        }
        event.record(&mut line);
        line.0.extend_from_slice(b"}\n");
    }
}

fn write_ids(line: &mut Line<'_>, is_free: impl Fn(&str) -> bool) {
    let ids = current_ids();
    let identity = request::current();
    if ids.is_valid() {
        line.member(TRACE, ids.trace_id().to_string());
        if is_free(SPAN) {
            line.member(SPAN, ids.span_id().to_string());
        }
    } else if let Some(identity) = &identity {
        line.member(TRACE, identity.trace_id.as_str());
    }
    if let Some(identity) = identity
        && is_free(REQUEST)
    {
        line.member(REQUEST, identity.request_id());
    }
}

impl<S: Subscriber> Layer<S> for JsonLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Taken, since what is written may itself be told of.
        let mut line = LINE.take();
        line.clear();
        self.write(event, &mut line);
        self.queue.push(&line);
        LINE.set(line);
    }
}

/// RFC 3339 in UTC with milliseconds.
fn write_timestamp(text: &mut Vec<u8>) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let (days, second) = (now.as_secs() / 86_400, now.as_secs() % 86_400);
    let (year, month, day) = civil_date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let parts = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (hour, 2, b':'),
        (minute, 2, b':'),
        (second, 2, b'.'),
        (now.subsec_millis().into(), 3, b'Z'),
    ];
    for (number, digits, end) in parts {
        let tens = [1_000, 100, 10, 1];
        for ten in &tens[tens.len() - digits..] {
            // The remainder is a digit.
            text.push(b'0' + (number / ten % 10).to_le_bytes()[0]);
        }
        text.push(end);
    }
}

/// Year, month and day of a number of days since 1970-01-01
/// (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
const fn civil_date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (
        year_of_era + era * 400 + if month <= 2 { 1 } else { 0 },
        month,
        day,
    )
}

/// A line whose object is open and has a member already.
struct Line<'a>(&'a mut Vec<u8>);

impl Line<'_> {
    fn member(&mut self, name: &str, value: impl Serialize) {
        // Names are words of our own and of libraries, which need no escape.
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        // Numbers and texts, into memory: nothing of it can fail.
        serde_json::to_writer(&mut *self.0, &value).ok();
    }

    fn field(&mut self, field: &Field, value: impl Serialize) {
        if ![TIMESTAMP, LEVEL, TARGET, SERVICE].contains(&field.name()) {
            self.member(field.name(), value);
        }
    }
}

impl Visit for Line<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.field(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match cut(value, MAX_FIELD_BYTES) {
            Some(cut) => self.field(field, cut),
            None => self.field(field, value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::with_capacity(MANY_BYTES);
        write!(text, "{value:?}").ok();
        self.record_str(field, &text);
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::request::{RequestIdentity, TraceIdText, scope_sync};

    #[test]
    fn days_become_dates() {
        assert_eq!(civil_date(0), (1970, 1, 1));
        assert_eq!(civil_date(19_782), (2024, 2, 29));
        assert_eq!(civil_date(20_778), (2026, 11, 21));
    }

    /// The lines of what is told within a request.
    fn lines(tell: impl FnOnce()) -> Vec<serde_json::Value> {
        let (queue, text) = LogQueue::of_test();
        let log = JsonLog::new("a \"service\"".to_owned(), queue);
        let identity = RequestIdentity::new(TraceIdText::new(7));
        let subscriber = tracing_subscriber::registry().with(log);
        tracing::subscriber::with_default(subscriber, || scope_sync(identity.into(), tell));
        let text = text();
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn every_kind_of_field_becomes_json() {
        let lines = lines(|| {
            tracing::info!(
                text = "a \"b\"\n\u{1}", long = "x".repeat(100_000), debug = ?Some("c"), float = 1.0,
                nan = f64::NAN, whole = -1, large = u64::MAX, yes = true, none = None::<&str>,
                "and {}", "so on"
            );
        });
        let line = &lines[0];
        assert_eq!(line["service.name"], "a \"service\"");
        assert_eq!(line["text"], "a \"b\"\n\u{1}");
        assert_eq!(
            line["long"].as_str().unwrap().len(),
            4_096 + "… (cut)".len()
        );
        assert_eq!(line["debug"], "Some(\"c\")");
        assert!(line["float"].is_f64() && line["nan"].is_null());
        assert_eq!(
            (&line["whole"], &line["large"]),
            (&(-1).into(), &u64::MAX.into())
        );
        assert_eq!((&line["yes"], line.get("none")), (&true.into(), None));
        assert_eq!(line["message"], "and so on");
        assert_eq!(line["trace_id"], TraceIdText::new(7).as_str());
        assert_eq!(line["request.id"], line["trace_id"]);
    }

    #[test]
    fn no_member_stands_twice() {
        let (queue, text) = LogQueue::of_test();
        let log = JsonLog::new("service".to_owned(), queue);
        let subscriber = tracing_subscriber::registry().with(log);
        let identity = RequestIdentity::new(TraceIdText::new(7));
        tracing::subscriber::with_default(subscriber, || {
            scope_sync(identity.into(), || {
                tracing::info!(level = "odd", "request.id" = "named", "one");
                tracing::info!(trace_id = "named", "two");
            });
        });
        let text = text();
        let count = |line: &str, name: &str| line.matches(&format!("\"{name}\":")).count();
        let lines: Vec<&str> = text.lines().collect();
        for name in ["timestamp", "level", "request.id", "trace_id"] {
            assert_eq!(count(lines[0], name), 1, "{text}");
        }
        assert!(
            lines[0].contains("INFO") && lines[0].contains("named"),
            "{text}"
        );
        assert_eq!(count(lines[1], "trace_id"), 1, "{text}");
        assert!(lines[1].contains("named"), "{text}");
    }
}
