//! What a caller has left, in this vendor's headers.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use crate::rate_limit::{RateState, Reading};

/// Requests, both kinds of tokens, and the scarcer of these as `tokens`.
pub(super) fn add(headers: &mut HeaderMap, state: &RateState) {
    let scarcer = match (state.input_tokens, state.output_tokens) {
        (Some(input), Some(output)) if output.remaining < input.remaining => Some(output),
        (input, output) => input.or(output),
    };
    for (name, reading) in [
        ("requests", state.requests),
        ("tokens", scarcer),
        ("input-tokens", state.input_tokens),
        ("output-tokens", state.output_tokens),
    ] {
        if let Some(reading) = reading {
            add_reading(headers, name, &reading);
        }
    }
}

fn add_reading(headers: &mut HeaderMap, name: &str, reading: &Reading) {
    let values = [
        ("limit", reading.limit.to_string()),
        ("remaining", reading.remaining.to_string()),
        ("reset", full_at(reading)),
    ];
    for (part, value) in values {
        let name = HeaderName::try_from(format!("anthropic-ratelimit-{name}-{part}"));
        // These names, numbers and instants always make a header.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

/// The second in which the bucket will be full again.
fn full_at(reading: &Reading) -> String {
    let seconds = reading.reset.as_nanos().div_ceil(1_000_000_000);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let at = Timestamp::now().saturating_add(SignedDuration::from_secs(seconds));
    at.map_or_else(|_| String::new(), |at| format!("{at:.0}"))
}
