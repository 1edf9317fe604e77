//! `/performance-hub`: what happens in runs, as it happens.
//!
//! With `test` the stream is that of one run and gapless: it begins with what the watcher
//! missed since `Last-Event-ID` or `after` (the larger wins) and ends with the run. Without
//! `test` it tells of all the tenant's runs from now on. With `Upgrade` the same events come over a
//! WebSocket, whose client joins and leaves runs as it likes.

mod backlog;
mod stream;
mod web_socket;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use instrumentation::catalogue;
use metrics::Gauge;
use performance_store::{RunAddress, StoreError};
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use tenancy::{Principal, TenantId};

use self::stream::Told;
use crate::app::App;
use crate::problems;
use crate::shared_places::{Place, SharedPlaces, Taken};

/// Watchers at once. Each holds a connection and a place in the announcer.
const MAX_WATCHERS: usize = 500;

/// Those of one tenant, so that others have a view of their runs too.
const MAX_OF_TENANT: usize = 250;

/// Those of one user: a browser has four, a program that leaks them has any number.
const MAX_OF_USER: usize = 100;

/// A comment this often keeps proxies from closing a silent stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How soon a browser whose connection was cut comes back: by itself it waits for three seconds.
const RECONNECT: Duration = Duration::from_secs(1);

/// When a watcher that found no place is told to come back.
const RETRY: Duration = Duration::from_secs(10);

/// Which run, and from where.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HubQuery {
    /// The run to watch; all runs when absent.
    test: Option<String>,
    /// The id of the last event that the watcher has seen.
    after: Option<u64>,
}

/// Places for watchers.
pub(crate) struct WatcherPlaces {
    tenants: SharedPlaces<TenantId>,
    users: SharedPlaces<(TenantId, Arc<str>)>,
}

/// What a watcher holds as long as it watches.
pub(crate) struct WatcherPlace {
    subscribers: Gauge,
    _of_user: Place,
    _of_tenant: Place,
}

impl WatcherPlace {
    fn new(of_user: Place, of_tenant: Place) -> Self {
        let subscribers = catalogue::PERFORMANCE_EVENTS_SUBSCRIBERS.gauge(&[]);
        subscribers.increment(1.0);
        Self {
            subscribers,
            _of_user: of_user,
            _of_tenant: of_tenant,
        }
    }
}

impl Drop for WatcherPlace {
    fn drop(&mut self) {
        self.subscribers.decrement(1.0);
    }
}

impl WatcherPlaces {
    pub(crate) fn new() -> Self {
        // It shall be there before somebody watches.
        catalogue::PERFORMANCE_EVENTS_SUBSCRIBERS
            .gauge(&[])
            .set(0.0);
        Self {
            tenants: SharedPlaces::new(MAX_WATCHERS, MAX_OF_TENANT),
            users: SharedPlaces::new(MAX_WATCHERS, MAX_OF_USER),
        }
    }

    fn take(&self, caller: &Principal) -> Result<WatcherPlace, Problem> {
        let refused = |who: &'static str, allowed: usize| {
            move |taken| match taken {
                Taken::ByKey => {
                    let detail = format!("this {who} watches {allowed} times already");
                    Problem::too_many_requests(detail, RETRY).with_kind("too-many-watchers")
                }
                Taken::ByOthers => {
                    Problem::unavailable("too many watchers; come back later", RETRY)
                }
            }
        };
        let user = (caller.tenant.clone(), Arc::clone(&caller.user));
        let of_user = self.users.try_take(&user);
        let of_user = of_user.map_err(refused("user", MAX_OF_USER))?;
        let of_tenant = self.tenants.try_take(&caller.tenant);
        let of_tenant = of_tenant.map_err(refused("tenant", MAX_OF_TENANT))?;
        Ok(WatcherPlace::new(of_user, of_tenant))
    }
}

/// Streams the events of one run or of all runs.
#[utoipa::path(
    get,
    path = "/performance-hub",
    tag = "live",
    params(HubQuery),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream"),
        (status = 204, description = "The run is over and the watcher has seen everything"),
        (status = 404, description = "No such run"),
        (status = 101, description = "A WebSocket, when asked for with `Upgrade`"),
        (status = 403, description = "A WebSocket for a page of another site"),
        (status = 429, description = "The user or the tenant watches too often at once"),
    )
)]
pub(crate) async fn watch(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    ValidQuery(query): ValidQuery<HubQuery>,
) -> Result<Response, Problem> {
    let place = app.watchers.take(&caller)?;
    if headers.contains_key(header::UPGRADE) {
        let upgrade = upgrade.map_err(|refused| Problem::malformed(refused.to_string()))?;
        let first = query.test.map(|test| (test, query.after.unwrap_or(0)));
        return web_socket::watch(app, caller.tenant, (upgrade, headers), first, place);
    }
    let Some(test) = query.test else {
        let events = stream::all_runs(&app, caller.tenant, place);
        return Ok(respond(events));
    };
    let run = RunAddress {
        tenant: caller.tenant,
        id: test.parse().map_err(|_| problems::no_such_run())?,
    };
    let after = query.after.max(last_event_id(&headers)).unwrap_or(0);
    let over = is_seen(&app, &run, after)
        .await
        .map_err(problems::from_store)?;
    if over {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(respond(stream::one_run(&app, run, after, place)))
}

/// Whether the run is over and nothing is left to tell.
async fn is_seen(app: &App, run: &RunAddress, after: u64) -> Result<bool, StoreError> {
    let found = app.store.get(run).await?;
    Ok(found.status.is_final() && app.store.last_event(run).await? <= after)
}

/// What a browser sends when it connects again. It repeats what we gave it; anything else
/// counts as nothing seen.
fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

fn respond(events: impl Stream<Item = Told> + Send + 'static) -> Response {
    let first = std::future::ready(sse::Event::default().retry(RECONNECT));
    let events = futures_util::stream::once(first).chain(events.map(message));
    let events = events.map(Ok::<_, Infallible>);
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let mut response = sse.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that buffer would turn a live stream into a late one.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn message(Told { id, event }: Told) -> sse::Event {
    let message = sse::Event::default().event(event.kind).data(event.data);
    match id {
        Some(id) => message.id(id.to_string()),
        None => message,
    }
}
