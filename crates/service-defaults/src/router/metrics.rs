//! `/metrics`, in the format that its reader prefers.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use instrumentation::MetricsText;

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The process' metrics.
pub(super) fn reply(headers: &HeaderMap, metrics: &MetricsText) -> Response {
    let (content_type, text) = if prefers_openmetrics(headers) {
        (OPENMETRICS, metrics.render_openmetrics())
    } else {
        (PROMETHEUS, metrics.render())
    };
    let content_type = HeaderValue::from_static(content_type);
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    (headers, text).into_response()
}

/// Whether `Accept` (RFC 9110, 12.5.1) names `OpenMetrics`, and plain text not before it.
fn prefers_openmetrics(headers: &HeaderMap) -> bool {
    let wanted = |media_type: &str| {
        headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|range| quality(range, media_type))
            .fold(0.0, f32::max)
    };
    let openmetrics = wanted("application/openmetrics-text");
    openmetrics > 0.0 && openmetrics >= wanted("text/plain")
}

/// The `q` of one media range, if it is of this type.
fn quality(range: &str, media_type: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(media_type) {
        return None;
    }
    let given = parts.find_map(|parameter| parameter.strip_prefix("q="));
    Some(given.map_or(1.0, |q| q.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_decides() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("application/openmetrics-text", true),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                true,
            ),
            (
                "application/openmetrics-text;q=0.1, text/plain;q=0.9",
                false,
            ),
            ("application/openmetrics-text;q=0", false),
        ] {
            let value = HeaderValue::from_static(accept);
            let headers = HeaderMap::from_iter([(header::ACCEPT, value)]);
            assert_eq!(prefers_openmetrics(&headers), expected, "{accept}");
        }
    }
}
