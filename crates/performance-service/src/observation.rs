//! What can be seen of a target from outside while it is under load.

mod metrics_page;
mod prometheus;
mod resources;
mod signals;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use load_analysis::resources::Resources;
use load_analysis::verdict::{Seen, TargetStart};
use performance_store::RunAddress;
use reqwest::Client;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use self::prometheus::Prometheus;
pub(crate) use self::resources::RunTime;

/// The longest that all looks at a target at the end of its run may take: its end waits for them.
const DEADLINE: Duration = Duration::from_secs(3);

/// Seconds that a start may seem to lie after the begin of the load and yet be before it: the
/// uptime that a process tells may be a second old.
const MARGIN: f64 = 1.5;

/// How old the resources of a run that goes on may be: whoever watches it asks for the same.
const FRESH: Duration = Duration::from_secs(2);

/// Looks at targets. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    client: Client,
    prometheus: Option<Prometheus>,
    /// The resources of the run under way as they were seen last.
    seen: Arc<Mutex<Option<(RunAddress, Instant, Resources)>>>,
}

impl Observation {
    /// With the address of the Prometheus that scrapes the targets, if there is one.
    pub(crate) fn new(client: Client, prometheus: Option<Url>) -> Self {
        let of = |address| Prometheus::new(client.clone(), address);
        Self {
            prometheus: prometheus.map(of),
            client,
            seen: Arc::default(),
        }
    }

    /// What a target used in the time of a run.
    pub(crate) async fn resources(&self, base_url: &str, time: RunTime) -> Resources {
        match &self.prometheus {
            Some(prometheus) => resources::read(prometheus, base_url, time).await,
            None => Resources::none("no Prometheus is set (PERFORMANCE_PROMETHEUS_URL)."),
        }
    }

    /// The same of a run that goes on: one question for all who ask at the same time.
    pub(crate) async fn resources_now(
        &self,
        run: &RunAddress,
        base_url: &str,
        time: RunTime,
    ) -> Resources {
        let mut seen = self.seen.lock().await;
        if let Some((of, at, resources)) = seen.as_ref()
            && of == run
            && at.elapsed() < FRESH
        {
            return resources.clone();
        }
        let resources = self.resources(base_url, time).await;
        *seen = Some((run.clone(), Instant::now(), resources.clone()));
        resources
    }

    /// Whether a target's process began before the load did, by what its own `/metrics` says;
    /// `load_began` is in seconds since the Unix epoch.
    pub(crate) async fn target_start(&self, base_url: &str, load_began: f64) -> Seen<TargetStart> {
        let looked = tokio::time::timeout(DEADLINE, metrics_page::start(&self.client, base_url));
        let start = looked
            .await
            .unwrap_or(Err("it does not answer in time".to_owned()));
        match start {
            Ok(start) => {
                let after = start - load_began;
                Seen::Value(TargetStart {
                    after_load_began: if after <= MARGIN {
                        after.min(0.0)
                    } else {
                        after
                    },
                })
            }
            Err(why) => Seen::Unknown(format!(
                "Whether the target was restarted cannot be told from its /metrics: {why}."
            )),
        }
    }
}

/// Seconds since the Unix epoch.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0.0, |since| since.as_secs_f64())
}
