//! The seconds of a run as comma-separated values (RFC 4180), times in milliseconds.

use std::fmt::Write as _;

use crate::timeline::TimelinePoint;

const HEAD: &str = "t_seconds,requests,requests_per_second,p50_ms,p95_ms,p99_ms,error_rate,\
                    checks_passed,checks_failed,virtual_users\r\n";

pub(super) fn render(seconds: &[TimelinePoint]) -> String {
    let mut text = String::from(HEAD);
    // What had no sample is an empty field, never 0.
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for point in seconds {
        let _infallible = write!(
            text,
            "{},{},{},{},{},{},{},{},{},{}\r\n",
            point.t,
            point.requests,
            point.requests_per_second,
            optional(point.p50),
            optional(point.p95),
            optional(point.p99),
            optional(point.error_rate),
            point.checks_passed,
            point.checks_failed,
            optional(point.virtual_users),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_sample_is_empty() {
        let point = TimelinePoint {
            t: 3,
            requests: 2,
            requests_per_second: 2.0,
            p50: Some(1.5),
            ..TimelinePoint::default()
        };
        let text = render(&[point]);
        let rows: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(rows[1], "3,2,2,1.5,,,,0,0,");
        assert_eq!(rows[0].split(',').count(), rows[1].split(',').count());
    }
}
