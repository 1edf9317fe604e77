//! `Idempotency-Key`: a request that is sent again is answered as it was, and not carried out
//! again.
//!
//! What changed something is kept for a day; a request that was refused changed nothing, so its
//! key is free again. Who leaves before the answer does not end what was begun, so that it can be
//! asked for by the same key. A request that nobody knows the end of, since the service or the
//! store failed meanwhile, is carried out again: what it makes has an id that was stored with the
//! key, by which it is found if it was made before. See [`making`].

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use instrumentation::request::scope_current;
use performance_store::{Claim, Clock, KeptAnswer, KeyedRequest, RunId};
use service_defaults::extract::WholeBody;
use service_defaults::problem::Problem;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tenancy::Principal;
use tracing::Instrument;

use crate::app::App;
use crate::problems;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key, in bytes.
const MAX_KEY: usize = 128;

/// The longest answer that is kept: those of the routes here have a few kilobytes.
const MAX_ANSWER: usize = 256 * 1_024;

/// When a request that is being carried out is worth another look.
const IN_FLIGHT_RETRY: Duration = Duration::from_secs(1);

/// The header, as the descriptions of routes have it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes; the layer reads the header")]
pub(crate) struct KeyHeader {
    /// The same key gets the same answer for a day, also when the service was killed meanwhile;
    /// with another request it is a 422, and while the first one is carried out a 409.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

/// What the request with a key that is being carried out makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making {
    /// The id that it gets.
    id: RunId,
    /// Whether it may have been made before.
    again: bool,
}

tokio::task_local! {
    static MAKING: Making;
}

/// The id of what the present request makes: stored with its key, if it has one.
pub(crate) fn id_of_new(clock: &Clock) -> RunId {
    making().map_or_else(|| clock.run_id(), |making| making.id)
}

/// The id of what the present request may have made before.
pub(crate) fn id_of_made() -> Option<RunId> {
    making()
        .filter(|making| making.again)
        .map(|making| making.id)
}

fn making() -> Option<Making> {
    MAKING.try_with(|making| *making).ok()
}

/// Carries a request out that makes something under a stored id.
pub(crate) async fn scope<T>(making: Making, work: impl Future<Output = T>) -> T {
    MAKING.scope(making, work).await
}

/// What a repeated request gets in the place of an answer that may be given once only.
#[derive(Debug, Clone)]
pub(crate) struct Repeated(pub(crate) Bytes);

/// Says of a request that was carried out that it made nothing: its key is free again.
#[derive(Debug, Clone)]
pub(crate) struct MadeNothing;

/// Carries a request with a key out once.
pub(crate) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    let answered = carry_out(app, request, next).await;
    answered.unwrap_or_else(IntoResponse::into_response)
}

async fn carry_out(app: App, request: Request, next: Next) -> Result<Response, Problem> {
    let key = key(request.headers())?;
    let caller = request.extensions().get::<Principal>().cloned();
    let caller = caller.ok_or_else(|| Problem::forbidden("nobody was let in by a role"))?;
    let (parts, body) = request.into_parts();
    let copy = Request::from_parts(parts.clone(), body);
    let WholeBody(body) = WholeBody::from_request(copy, &()).await?;
    let mut hash = Sha256::new();
    for part in [parts.method.as_str(), &parts.uri.to_string()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(&body);
    let keyed = KeyedRequest {
        caller,
        key,
        fingerprint: hash.finalize().into(),
    };
    let now = app.store.clock().now();
    let claim = app.store.claim_key(keyed.clone(), now).await;
    let making = match claim.map_err(problems::from_store)? {
        Claim::New(id) => Making { id, again: false },
        Claim::Again(id) => Making { id, again: true },
        known => return repeated(known),
    };
    let request = Request::from_parts(parts, Body::from(body));
    let (of_task, of_key) = (app.clone(), keyed.clone());
    let work = async move {
        let response = scope(making, next.run(request)).await;
        keep(&of_task, of_key, response).await
    };
    let done = tokio::spawn(scope_current(work).in_current_span()).await;
    if let Err(error) = &done {
        tracing::error!("a request with a key failed: {error}");
        abandon(&app, keyed).await;
    }
    done.map_err(|_| Problem::internal())
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let key = keys.next().and_then(|key| key.to_str().ok());
    let good = |key: &&str| {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        (1..=MAX_KEY).contains(&key.len()) && visible
    };
    let key = key.filter(good).filter(|_| keys.next().is_none());
    key.map(str::to_owned).ok_or_else(|| {
        let reason = format!("must stand once, with 1 to {MAX_KEY} visible ASCII characters");
        Problem::invalid_field("Idempotency-Key", reason)
    })
}

/// The answer to a request whose key is known.
fn repeated(claim: Claim) -> Result<Response, Problem> {
    match claim {
        Claim::Answered(kept) => answer(kept),
        Claim::InFlight => Err(
            Problem::conflict("a request with this key is being carried out")
                .with_kind("request-in-flight")
                .with_retry_after(IN_FLIGHT_RETRY),
        ),
        Claim::OtherRequest | Claim::New(_) | Claim::Again(_) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "Idempotency key reused",
            "another request was sent with this key",
        )),
    }
}

fn answer(kept: KeptAnswer) -> Result<Response, Problem> {
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).map_err(|_| Problem::internal())?;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::LOCATION, kept.location),
        (header::CONTENT_TYPE, kept.content_type),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps the answer of what made something; gives the key of what made nothing back. What failed
/// may have changed something all the same.
async fn keep(app: &App, keyed: KeyedRequest, response: Response) -> Response {
    let status = response.status();
    if status.is_server_error() {
        abandon(app, keyed).await;
        return response;
    }
    if status.is_client_error() || response.extensions().get::<MadeNothing>().is_some() {
        if let Err(error) = app.store.release_key(keyed).await {
            tracing::error!("an idempotency key is not given back: {error}");
        }
        return response;
    }
    let (parts, body) = response.into_parts();
    let (kept, body) = match parts.extensions.get::<Repeated>() {
        Some(Repeated(other)) => (other.clone(), body),
        None => {
            let Ok(body) = to_bytes(body, MAX_ANSWER).await else {
                tracing::error!("an answer to a request with a key is too long to be kept");
                abandon(app, keyed).await;
                return Problem::internal().into_response();
            };
            (body.clone(), Body::from(body))
        }
    };
    let text = |name| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let kept = KeptAnswer {
        status: status.as_u16(),
        location: text(header::LOCATION),
        content_type: text(header::CONTENT_TYPE),
        body: kept.to_vec(),
    };
    if let Err(error) = app.store.keep_answer(keyed.clone(), kept).await {
        tracing::error!("an answer to a request with a key is not kept: {error}");
        abandon(app, keyed).await;
    }
    Response::from_parts(parts, body)
}

/// Lets the same request be carried out again. A store that does not take this either has it taken
/// at the next start of the service.
async fn abandon(app: &App, keyed: KeyedRequest) {
    if let Err(error) = app.store.abandon_key(keyed).await {
        tracing::error!("an idempotency key is not given free: {error}");
    }
}
