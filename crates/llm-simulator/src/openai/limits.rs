//! What a caller has left, in this vendor's headers.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::rate_limit::{RateState, Reading};

/// Requests and tokens; this vendor counts those of prompts and answers together.
pub(super) fn add(headers: &mut HeaderMap, state: &RateState) {
    for (name, reading) in [("requests", state.requests), ("tokens", tokens(state))] {
        if let Some(reading) = reading {
            add_reading(headers, name, &reading);
        }
    }
}

fn add_reading(headers: &mut HeaderMap, name: &str, reading: &Reading) {
    let values = [
        ("limit", reading.limit.to_string()),
        ("remaining", reading.remaining.to_string()),
        ("reset", duration(reading.reset)),
    ];
    for (part, value) in values {
        let name = HeaderName::try_from(format!("x-ratelimit-{part}-{name}"));
        // These names, numbers and durations always make a header.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

fn tokens(state: &RateState) -> Option<Reading> {
    match (state.input_tokens, state.output_tokens) {
        (Some(input), Some(output)) => Some(Reading {
            limit: input.limit + output.limit,
            remaining: input.remaining + output.remaining,
            reset: input.reset.max(output.reset),
        }),
        (input, output) => input.or(output),
    }
}

/// `12ms`, `1.5s` or `6m0s`.
fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_nanos().div_ceil(1_000_000);
    match milliseconds {
        0..1_000 => format!("{milliseconds}ms"),
        1_000..60_000 if milliseconds.is_multiple_of(1_000) => format!("{}s", milliseconds / 1_000),
        1_000..60_000 => {
            let text = format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000);
            format!("{}s", text.trim_end_matches('0'))
        }
        _ => {
            let seconds = milliseconds.div_ceil(1_000);
            format!("{}m{}s", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_are_written_as_the_vendor_does() {
        for (milliseconds, text) in [
            (0, "0ms"),
            (12, "12ms"),
            (1_000, "1s"),
            (1_500, "1.5s"),
            (59_020, "59.02s"),
            (60_000, "1m0s"),
            (360_000, "6m0s"),
            (61_001, "1m2s"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }
}
