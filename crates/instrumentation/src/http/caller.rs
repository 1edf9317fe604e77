//! What the head of a request says of its caller.

use http::{HeaderMap, HeaderValue};

/// Longest request id that is taken over from a caller.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// The headers that telemetry reads, found in one pass: a look-up by name costs more than a look at
/// each of the few headers of a request.
#[derive(Default)]
pub(super) struct Caller<'a> {
    pub(super) traceparent: Option<&'a HeaderValue>,
    pub(super) baggage: Option<&'a HeaderValue>,
    correlation_id: Option<&'a HeaderValue>,
    request_id: Option<&'a HeaderValue>,
}

impl<'a> Caller<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut caller = Self::default();
        for (name, value) in headers {
            let place = match name.as_str() {
                "traceparent" => &mut caller.traceparent,
                "baggage" => &mut caller.baggage,
                "x-correlation-id" => &mut caller.correlation_id,
                "x-request-id" => &mut caller.request_id,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        caller
    }

    /// The request id that the caller chose.
    pub(super) fn request_id(&self) -> Option<&'a str> {
        let given = [self.correlation_id, self.request_id];
        given.into_iter().flatten().find_map(|value| {
            let text = value.to_str().ok()?;
            (!text.is_empty() && text.len() <= MAX_REQUEST_ID_BYTES).then_some(text)
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    #[test]
    fn the_first_of_each_header_is_taken() {
        let mut headers = headers(&[("host", "a"), ("traceparent", "one"), ("baggage", "b=1")]);
        headers.append("traceparent", HeaderValue::from_static("two"));
        let caller = Caller::of(&headers);
        assert_eq!(caller.traceparent.unwrap(), "one");
        assert_eq!(caller.baggage.unwrap(), "b=1");
        assert_eq!(caller.request_id(), None);
    }

    #[test]
    fn a_correlation_id_goes_before_a_request_id_unless_it_is_too_long() {
        let id = |correlation: &str| {
            let headers = headers(&[("x-request-id", "7"), ("x-correlation-id", correlation)]);
            Caller::of(&headers).request_id().map(str::to_owned)
        };
        assert_eq!(id("order-7").as_deref(), Some("order-7"));
        assert_eq!(id(&"x".repeat(129)).as_deref(), Some("7"));
        assert_eq!(id("").as_deref(), Some("7"));
    }
}
