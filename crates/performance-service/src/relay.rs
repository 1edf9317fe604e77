//! Stamps the streams of foreign models for k6, which shows a reply only when it is whole.
//!
//! A script sends its request here instead of to the target; the relay sends it on to the one
//! target of the script's run, stamps the first byte, the first token and the gaps between tokens
//! of the streamed reply, and hands the whole of it back with the stamps in its head:
//!
//! * `Server-Timing: head;dur=…, ttft;dur=…, inter_token;dur=…, inter_token_max;dur=…,
//!   total;dur=…, relay;dur=…`, in milliseconds. All but the last are of the target: from the
//!   request's last byte on its way to it. `inter_token` is the mean gap, `relay` the relay's own
//!   time;
//! * `X-Relay-Model`, `X-Relay-Input-Tokens`, `X-Relay-Cached-Tokens` (of the input, from the
//!   vendor's cache), `X-Relay-Output-Tokens` as the reply tells them;
//! * `X-Relay-Cost-Pico-Usd` where the model has a price in `PERFORMANCE_RELAY_PRICES`.
//!
//! It listens on loopback, on a port of its own: a script that reached the service's own could
//! start runs.

mod exchange;
mod prices;
mod reading;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use performance_store::RunId;
use reqwest::{Client, Url};
use service_defaults::problem::Problem;
use service_defaults::serve::{self, ServeConfig};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use self::prices::RelayPrices;

/// Exchanges at once: as many as a run may have virtual users.
const MAX_EXCHANGES: usize = 1_000;

/// When a full relay is worth another try.
const RETRY: Duration = Duration::from_secs(1);

/// How long exchanges may take after the shutdown began: k6 is stopped then anyway.
const DRAIN: Duration = Duration::from_secs(1);

/// The file that remembers the port, in the state directory.
const PORT_FILE: &str = "relay-port";

/// The relay of this process. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Relay {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    prices: RelayPrices,
    port: u16,
    /// Base addresses of the targets of runs that may use it.
    targets: Mutex<HashMap<String, String>>,
    places: Semaphore,
}

/// Lets one run use the relay as long as it is held.
#[derive(Debug)]
pub(crate) struct Admission {
    relay: Relay,
    run: String,
}

impl Relay {
    /// Binds a free loopback port, the one of the last life where nobody else has it: a run that
    /// goes on knows it.
    ///
    /// # Errors
    /// No port is free.
    pub(crate) async fn bind(
        client: Client,
        prices: RelayPrices,
        state: &Path,
    ) -> std::io::Result<(Self, TcpListener)> {
        let file = state.join(PORT_FILE);
        let before = std::fs::read_to_string(&file).ok();
        let before: u16 = before
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0);
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, before)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        };
        let port = listener.local_addr()?.port();
        std::fs::write(&file, port.to_string())?;
        let shared = Shared {
            client,
            prices,
            port,
            targets: Mutex::default(),
            places: Semaphore::new(MAX_EXCHANGES),
        };
        let relay = Self {
            shared: Arc::new(shared),
        };
        Ok((relay, listener))
    }

    /// Serves until the shutdown.
    pub(crate) async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let limits = ServeConfig {
            max_connections: MAX_EXCHANGES,
            drain: DRAIN,
            ..ServeConfig::default()
        };
        let router: Router = Router::new().fallback(relay).with_state(self);
        serve::serve(listener, router, limits, shutdown).await;
    }

    /// Where it listens on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.shared.port
    }

    /// The address that the script of a run sends its requests to.
    pub(crate) fn address(port: u16, run: RunId) -> String {
        format!("http://127.0.0.1:{port}/{run}")
    }

    /// Lets a run reach its target through the relay.
    pub(crate) fn admit(&self, run: RunId, base_url: &str) -> Admission {
        let run = run.to_string();
        let target = base_url.trim_end_matches('/').to_owned();
        self.targets().insert(run.clone(), target);
        Admission {
            relay: self.clone(),
            run,
        }
    }

    fn target_of(&self, run: &str) -> Option<String> {
        self.targets().get(run).cloned()
    }

    fn targets(&self) -> MutexGuard<'_, HashMap<String, String>> {
        let targets = self.shared.targets.lock();
        targets.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A path below an address; `None` for one that climbs out of it, in whatever spelling.
fn below(address: &str, path: &str) -> Option<Url> {
    let base: Url = format!("{address}/").parse().ok()?;
    let url: Url = format!("{address}/{path}").parse().ok()?;
    url.as_str().starts_with(base.as_str()).then_some(url)
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.relay.targets().remove(&self.run);
    }
}

/// `/{run}/{path of the target}`.
async fn relay(State(relay): State<Relay>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
    let (run, rest) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or_default();
    let Some(target) = relay.target_of(run) else {
        let detail = "no run under way has this address, or it did not ask for the relay";
        return Problem::not_found(detail).into_response();
    };
    let Ok(_place) = relay.shared.places.try_acquire() else {
        let detail = format!("{MAX_EXCHANGES} exchanges are under way");
        return Problem::unavailable(detail, RETRY).into_response();
    };
    let Some(address) = below(&target, rest) else {
        let reason = "leads out of the target's address";
        return Problem::invalid_field("path", reason).into_response();
    };
    let exchange = exchange::exchange(&relay.shared.client, address, request);
    match exchange.await {
        Ok(reply) => reply.into_response(&relay.shared.prices),
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_address_of_the_target() {
        let at = |path: &str| below("http://127.0.0.1:9000/shop", path);
        let inside = at("v1/messages?a=../b").map(String::from);
        let expected = "http://127.0.0.1:9000/shop/v1/messages?a=../b";
        assert_eq!(inside.as_deref(), Some(expected));
        assert!(at("").is_some() && at("a/../b").is_some());
        for path in ["../api", "a/../../api", "%2e%2e/api", ".%2E/api", "..\\api"] {
            assert_eq!(at(path), None, "{path}");
        }
    }
}
