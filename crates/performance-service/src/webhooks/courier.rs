//! Sends what webhooks are to be told. Runs do not wait for it: what is to be told lies in the
//! store, and each webhook is told one thing after the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use instrumentation::catalogue;
use jiff::{SignedDuration, Timestamp};
use performance_store::{
    Attempt, Delivery, DeliveryState, NewAuditRecord, ObjectHashes, RunAddress, RunStore,
    StoreError, Webhook,
};
use reqwest::Client;
use service_defaults::http_client::{self, HttpClientConfig};
use tenancy::TenantId;
use tokio::sync::{Notify, broadcast};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::retry::{self, MAX_ATTEMPTS, Meaning};
use super::targets::WebhookTargets;
use super::{message, signature};
use crate::announcer::{Announcement, Announcer, kind};
use crate::audit;

/// Webhooks that are told something at once: a slow one takes one of these places.
const AT_ONCE: usize = 8;

/// The longest that one attempt may take.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(10);

/// The longest wait between two looks: a call that timed out may have stored something in
/// silence.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Sends deliveries. Clones are the same courier.
#[derive(Clone)]
pub(crate) struct Courier {
    shared: Arc<Shared>,
}

struct Shared {
    store: RunStore,
    targets: WebhookTargets,
    client: Client,
    /// Where links lead.
    pages: String,
    /// Says that there is something to send.
    called: Notify,
}

/// Whose webhook it is, and its name.
type Place = (TenantId, String);

/// What is being sent.
#[derive(Default)]
struct Sending {
    tasks: JoinSet<()>,
    places: HashMap<task::Id, Place>,
}

impl Courier {
    /// A courier for these targets; `pages` is where links lead.
    ///
    /// # Errors
    /// The HTTP client cannot be built.
    pub(crate) fn new(
        store: RunStore,
        targets: WebhookTargets,
        pages: String,
    ) -> Result<Self, reqwest::Error> {
        let client = http_client::build(&HttpClientConfig {
            total: Some(ATTEMPT_DEADLINE),
            idle_connections: 1,
            ..HttpClientConfig::default()
        })?;
        Ok(Self {
            shared: Arc::new(Shared {
                store,
                targets,
                client,
                pages,
                called: Notify::new(),
            }),
        })
    }

    /// Says that there is something to send.
    pub(crate) fn called(&self) {
        self.shared.called.notify_one();
    }

    /// Sends what there is until the shutdown. What is under way then is sent again after the
    /// next start.
    pub(crate) async fn deliver(self, announcer: Announcer, shutdown: CancellationToken) {
        let mut news = announcer.subscribe();
        let mut sending = Sending::default();
        loop {
            let wait = match self.send_due(&mut sending).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!("deliveries cannot be read: {error}");
                    LONGEST_WAIT
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(done) = sending.tasks.join_next_with_id() => sending.forget(&done),
                // Whatever it was, it is time for a look.
                _ = timeout(wait, self.something(&mut news)) => {}
            }
        }
    }

    /// Resolves when there may be something to send.
    async fn something(&self, news: &mut broadcast::Receiver<Announcement>) {
        let told = async {
            loop {
                match news.recv().await {
                    Ok(told) if !matches!(told.event.kind.as_str(), kind::STARTED | kind::END) => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = told => {}
            () = self.shared.called.notified() => {}
        }
    }

    /// Sends what is due to webhooks that are told nothing yet; how long nothing else is due.
    async fn send_due(&self, sending: &mut Sending) -> Result<Duration, StoreError> {
        let mut wait = LONGEST_WAIT;
        for (webhook, delivery) in self.shared.store.first_deliveries().await? {
            let place = (webhook.tenant.clone(), webhook.name.clone());
            if sending.is_busy(&place) {
                continue;
            }
            let until = delivery
                .next_at
                .duration_since(self.shared.store.clock().now());
            if let Ok(until) = Duration::try_from(until)
                && !until.is_zero()
                // Further away than that it is only when the clock was set back meanwhile.
                && until <= retry::LONGEST_WAIT
            {
                wait = wait.min(until);
                continue;
            }
            let shared = Arc::clone(&self.shared);
            let work = async move { shared.send(&webhook, &delivery).await };
            sending.places.insert(sending.tasks.spawn(work).id(), place);
        }
        Ok(wait)
    }
}

impl Sending {
    fn is_busy(&self, place: &Place) -> bool {
        self.tasks.len() >= AT_ONCE || self.places.values().any(|busy| busy == place)
    }

    /// Forgets a task that has ended, whatever its end.
    fn forget(&mut self, done: &Result<(task::Id, ()), JoinError>) {
        let id = match done {
            Ok((id, ())) => *id,
            Err(error) => {
                tracing::error!("a message could not be sent: {error}");
                error.id()
            }
        };
        self.places.remove(&id);
    }
}

impl Shared {
    async fn send(&self, webhook: &Webhook, delivery: &Delivery) {
        let attempt = self.attempt(webhook, delivery).await;
        let outcome = attempt.state.as_str();
        catalogue::PERFORMANCE_WEBHOOK_ATTEMPTS
            .counter(&[("outcome", outcome)])
            .increment(1);
        if let Some(error) = &attempt.error {
            tracing::warn!(webhook = %webhook.name, "delivery {} is {outcome}: {error}", delivery.id);
        }
        if attempt.switches_off.is_some() {
            self.record(webhook).await;
        }
        if let Err(error) = self.store.note_attempt(delivery.id, attempt).await {
            // It is sent again: the receiver knows it by its number.
            tracing::error!("how delivery {} went is not kept: {error}", delivery.id);
        }
    }

    /// The audit record of a webhook that its receiver switched off.
    async fn record(&self, webhook: &Webhook) {
        let entry = NewAuditRecord {
            tenant: Some(webhook.tenant.clone()),
            user: webhook.created_by.clone(),
            action: "switch off".to_owned(),
            object: format!("/api/v1/performancetest/webhooks/{}", webhook.name),
            outcome: "done".to_owned(),
            status: StatusCode::GONE.as_u16(),
            request_id: String::new(),
            hashes: ObjectHashes::default(),
        };
        audit::keep(&self.store, entry).await;
    }

    async fn attempt(&self, webhook: &Webhook, delivery: &Delivery) -> Attempt {
        let Some(address) = self.targets.address(&webhook.target) else {
            return failed("the settings have no target of this name any more".to_owned());
        };
        let run = match delivery.run {
            None => None,
            Some(id) => {
                let tenant = webhook.tenant.clone();
                match self.store.get(&RunAddress { tenant, id }).await {
                    Ok(run) => Some(run),
                    Err(StoreError::NotFound) => return failed("the run was removed".to_owned()),
                    Err(error) => return self.again(delivery, None, error.to_string()),
                }
            }
        };
        let body = message::render(webhook, delivery, run.as_ref(), &self.pages);
        let now = Timestamp::now();
        let secret = self.targets.secret_of(&webhook.salt);
        let request = self
            .client
            .post(address.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-bookstore-event", delivery.event.as_str())
            .header("x-bookstore-delivery", delivery.id)
            .header("x-bookstore-timestamp", now.as_second())
            .header(
                "x-bookstore-signature",
                signature::sign(&secret, now, &body),
            )
            .body(body);
        let answer = match request.build() {
            Ok(request) => http_client::send(&self.client, request).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => self.judged(delivery, &answer),
            Err(error) => self.again(delivery, None, cause(&error).to_owned()),
        }
    }

    /// What an answer means. Its body is nobody's business and is not read.
    fn judged(&self, delivery: &Delivery, answer: &reqwest::Response) -> Attempt {
        let status = answer.status();
        let said = format!("the receiver answered {}", status.as_u16());
        let mut attempt = match retry::meaning(status) {
            Meaning::Taken => Attempt {
                state: DeliveryState::Delivered,
                error: None,
                ..failed(String::new())
            },
            Meaning::Later => self.again(delivery, asked(answer.headers()), said),
            Meaning::Never if status.is_redirection() => {
                failed(format!("{said}: a redirect is not followed"))
            }
            Meaning::Never => failed(said),
            Meaning::Gone => Attempt {
                switches_off: Some("the receiver answered 410 Gone".to_owned()),
                ..failed(said)
            },
        };
        attempt.status = Some(status.as_u16());
        attempt
    }

    /// One more time, unless there were enough.
    fn again(&self, delivery: &Delivery, asked: Option<Duration>, error: String) -> Attempt {
        let attempts = delivery.attempts + 1;
        if attempts >= MAX_ATTEMPTS {
            return failed(error);
        }
        let wait = SignedDuration::try_from(retry::wait(attempts, asked)).unwrap_or_default();
        Attempt {
            state: DeliveryState::Waiting,
            next_at: self.store.clock().now() + wait,
            ..failed(error)
        }
    }
}

fn failed(error: String) -> Attempt {
    Attempt {
        state: DeliveryState::Failed,
        next_at: Timestamp::now(),
        status: None,
        error: Some(error),
        switches_off: None,
    }
}

/// What the receiver asks for, as far as it says so in seconds.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// Why there was no answer; never with the address.
fn cause(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer within 10 s"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    }
}
