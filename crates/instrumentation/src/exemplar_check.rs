//! Looks whether exemplars lead to traces that are there.

use std::{sync::Arc, time::Duration};

use metrics::{Counter, Gauge};
use reqwest::{Client, StatusCode, Url, redirect::Policy};
use tokio::task::JoinHandle;

use crate::{
    catalogue::{EXEMPLARS_DANGLING_RATIO, EXEMPLARS_LOOK_UPS},
    exemplars::Exemplars,
};

/// How often it looks. Two hundred look-ups in this time are a small load for a trace store.
const EVERY: Duration = Duration::from_secs(15);

/// How long one look-up may take.
const LOOK_UP: Duration = Duration::from_secs(2);

/// What is told of the look-ups.
struct Told {
    ratio: Gauge,
    found: Counter,
    missing: Counter,
    failed: Counter,
}

/// How many of the traces were looked up, and are not there.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Found {
    looked_up: u32,
    missing: u32,
}

/// Starts the job that looks every 15 seconds at Jaeger's query API, until it is aborted.
///
/// # Errors
/// There can be no client.
pub(crate) fn spawn(
    store: Url,
    exemplars: Arc<Exemplars>,
) -> Result<JoinHandle<()>, reqwest::Error> {
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(LOOK_UP)
        .build()?;
    Ok(tokio::spawn(async move {
        let mut interval = tokio::time::interval(EVERY);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let told = Told::new();
        loop {
            interval.tick().await;
            match look(&client, &store, &exemplars).await {
                Ok(found) => told.tell(found),
                Err(error) => {
                    told.fail();
                    let error = error.without_url().to_string();
                    tracing::debug!(error, "the trace store does not answer");
                }
            }
        }
    }))
}

/// Looks each trace up; ends with the first look-up that has no answer.
async fn look(
    client: &Client,
    store: &Url,
    exemplars: &Exemplars,
) -> Result<Found, reqwest::Error> {
    let mut found = Found::default();
    for trace_id in exemplars.arrived() {
        let mut url = store.clone();
        let base = store.path().trim_end_matches('/');
        url.set_path(&format!("{base}/api/traces/{}", trace_id.as_str()));
        let reply = client.get(url).send().await?;
        if reply.status() == StatusCode::NOT_FOUND {
            found.missing += 1;
        } else {
            reply.error_for_status()?;
        }
        found.looked_up += 1;
    }
    Ok(found)
}

impl Told {
    fn new() -> Self {
        let look_ups = |outcome| EXEMPLARS_LOOK_UPS.counter(&[("outcome", outcome)]);
        let told = Self {
            ratio: EXEMPLARS_DANGLING_RATIO.gauge(&[]),
            found: look_ups("found"),
            missing: look_ups("missing"),
            failed: look_ups("failed"),
        };
        told.tell(Found::default());
        told.failed.increment(0);
        told
    }

    fn tell(&self, found: Found) {
        self.ratio.set(found.ratio());
        self.missing.increment(u64::from(found.missing));
        self.found
            .increment(u64::from(found.looked_up - found.missing));
    }

    fn fail(&self) {
        self.ratio.set(f64::NAN);
        self.failed.increment(1);
    }
}

impl Found {
    /// NaN when none was looked up: nothing is known then.
    fn ratio(self) -> f64 {
        f64::from(self.missing) / f64::from(self.looked_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_looked_at_nothing_says_nothing() {
        assert!(Found::default().ratio().is_nan());
        let half = Found {
            looked_up: 200,
            missing: 100,
        };
        assert!((half.ratio() - 0.5).abs() < f64::EPSILON);
    }
}
