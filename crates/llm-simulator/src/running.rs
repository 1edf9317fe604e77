//! A simulator that serves within another process, for tests and benches.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use service_defaults::serve::{ServeConfig, serve};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{control::Control, listener::SimulatorListener};

/// How long answers under way may take once the simulator is stopped. Some are
/// silent on purpose, so this is short.
const DRAIN: Duration = Duration::from_millis(250);

/// A simulator that listens. Dropping it begins its end.
pub struct Running {
    address: SocketAddr,
    control: Control,
    shutdown: CancellationToken,
    serving: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(listener: SimulatorListener, router: Router, control: Control) -> Self {
        let address = listener.address();
        let shutdown = CancellationToken::new();
        let config = ServeConfig {
            drain: DRAIN,
            ..ServeConfig::default()
        };
        let serving = tokio::spawn(serve(listener, router, config, shutdown.clone()));
        Self {
            address,
            control,
            shutdown,
            serving: Some(serving),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address; where the paths of every dialect begin.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What may be changed and read while it runs.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Stops listening, lets answers under way end for a moment, and returns
    /// when the port is free.
    ///
    /// # Errors
    /// The task that served it panicked.
    pub async fn stop(mut self) -> io::Result<()> {
        self.shutdown.cancel();
        match self.serving.take() {
            Some(serving) => serving.await.map_err(io::Error::other),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
