//! One request sent on, and its reply with the stamps.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::{Client, Url};
use service_defaults::problem::Problem;
use tokio::time::timeout;

use super::prices::{RelayPrices, Tokens};
use super::reading::{Reading, Told};

/// The largest request: prompts of some hundred thousand tokens.
const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// The largest reply, which is kept until it is whole.
const MAX_REPLY_BYTES: usize = 16 * 1024 * 1024;

/// The longest exchange: models that think take minutes.
const DEADLINE: Duration = Duration::from_mins(5);

/// What concerns one connection (RFC 9110, 7.6.1), and what the client sets anew.
const NOT_PASSED: [HeaderName; 9] = [
    header::CONNECTION,
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    // The stream is read, so that it must not be packed.
    header::ACCEPT_ENCODING,
    HeaderName::from_static("server-timing"),
];

/// A whole reply with what is known of it.
pub(super) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    told: Told,
    /// From the request to the head, and to the end.
    head: Duration,
    total: Duration,
    /// The relay's own time before the request left.
    before: Duration,
    ended: Instant,
}

/// Sends a request on and reads the reply to its end.
pub(super) async fn exchange(
    client: &Client,
    address: Url,
    request: Request,
) -> Result<Reply, Problem> {
    let arrived = Instant::now();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_REQUEST_BYTES).await;
    let body = body.map_err(|_| Problem::payload_too_large(MAX_REQUEST_BYTES))?;
    let headers = passed(&parts.headers);
    let outgoing = client
        .request(parts.method, address)
        .headers(headers)
        .body(body);
    let sent = Instant::now();
    let reading = read(outgoing.timeout(DEADLINE), sent);
    match timeout(DEADLINE, reading).await {
        Ok(Ok(reply)) => Ok(Reply {
            before: sent - arrived,
            ..reply
        }),
        Ok(Err(problem)) => Err(problem),
        Err(_) => Err(Problem::gateway_timeout(
            "the target did not answer in time",
        )),
    }
}

async fn read(outgoing: reqwest::RequestBuilder, sent: Instant) -> Result<Reply, Problem> {
    let mut reply = outgoing.send().await.map_err(|error| failed(&error))?;
    let head = sent.elapsed();
    let (status, headers) = (reply.status(), passed(reply.headers()));
    let mut reading = Reading::new(sent);
    let mut body = Vec::new();
    while let Some(piece) = reply.chunk().await.map_err(|error| failed(&error))? {
        reading.take(&piece, Instant::now());
        if body.len() + piece.len() > MAX_REPLY_BYTES {
            let detail = format!("the reply is longer than {MAX_REPLY_BYTES} bytes");
            return Err(Problem::bad_gateway(detail));
        }
        body.extend_from_slice(&piece);
    }
    let ended = Instant::now();
    Ok(Reply {
        status,
        headers,
        body,
        told: reading.finish(ended),
        head,
        total: ended - sent,
        before: Duration::ZERO,
        ended,
    })
}

fn failed(error: &reqwest::Error) -> Problem {
    if error.is_timeout() {
        return Problem::gateway_timeout("the target did not answer in time");
    }
    let what = if error.is_connect() {
        "cannot be reached"
    } else {
        "broke off its reply"
    };
    Problem::bad_gateway(format!("the target {what}"))
}

fn passed(headers: &HeaderMap) -> HeaderMap {
    let passed = headers
        .iter()
        .filter(|(name, _)| !NOT_PASSED.contains(name));
    passed
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

impl Reply {
    /// The reply for k6, with the stamps in its head.
    pub(super) fn into_response(self, prices: &RelayPrices) -> Response {
        let Told {
            first,
            gaps,
            gap_sum,
            gap_max,
            ..
        } = self.told;
        let mut timing = vec![entry("head", self.head)];
        timing.extend(first.map(|first| entry("ttft", first)));
        if gaps > 0 {
            timing.push(entry("inter_token", gap_sum / gaps));
            timing.push(entry("inter_token_max", gap_max));
        }
        timing.push(entry("total", self.total));
        timing.push(entry("relay", self.before + self.ended.elapsed()));
        let (input, output) = (self.told.input, self.told.output);
        let model = self.told.model;
        let tokens = model.as_deref().zip(input).zip(output);
        let cached = self.told.cached;
        let cost = tokens.and_then(|((model, input), output)| {
            let tokens = Tokens {
                input,
                cached,
                output,
            };
            prices.cost(model, tokens)
        });
        let stamps = [
            ("server-timing", Some(timing.join(", "))),
            ("x-relay-model", model),
            ("x-relay-input-tokens", input.map(|it| it.to_string())),
            ("x-relay-cached-tokens", input.map(|_| cached.to_string())),
            ("x-relay-output-tokens", output.map(|it| it.to_string())),
            ("x-relay-cost-pico-usd", cost.map(|it| it.get().to_string())),
        ];
        let mut headers = self.headers;
        for (name, text) in stamps {
            // A model's name that is no header value is left out.
            let value = text.and_then(|text| HeaderValue::from_str(&text).ok());
            headers.extend(value.map(|value| (HeaderName::from_static(name), value)));
        }
        (self.status, headers, Body::from(Bytes::from(self.body))).into_response()
    }
}

/// Milliseconds to the microsecond.
fn entry(name: &str, length: Duration) -> String {
    format!("{name};dur={:.3}", length.as_secs_f64() * 1_000.0)
}
