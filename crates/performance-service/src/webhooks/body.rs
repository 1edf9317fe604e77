//! A webhook and its deliveries as JSON.

use performance_store::{Delivery, DeliveryState, Webhook, WebhookEvent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a webhook is made from.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct WebhookRequest {
    /// 1 to 64 letters, digits, `_` and `-`.
    #[serde(default)]
    pub(crate) name: String,
    /// The name of an address of the service's settings.
    #[serde(default)]
    pub(crate) target: String,
    /// `json` (the default) or `slack`.
    #[serde(default = "json")]
    pub(crate) format: String,
    /// `run.started` and `run.completed`; both when absent.
    #[serde(default = "all_events")]
    pub(crate) events: Vec<String>,
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookBody {
    /// Its name.
    pub(crate) name: String,
    /// The name of its address.
    pub(crate) target: String,
    /// `json` or `slack`.
    pub(crate) format: &'static str,
    /// What it is told of.
    pub(crate) events: Vec<&'static str>,
    /// Who made it.
    pub(crate) created_by: String,
    /// When it was made.
    pub(crate) created_at: String,
    /// Why it is told nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) switched_off: Option<String>,
    /// What its messages are signed with: told when it is made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signing_secret: Option<String>,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryBody {
    /// Its number, which its receiver is told as well.
    pub(crate) id: u64,
    /// What it tells.
    pub(crate) event: &'static str,
    /// The run that it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test_id: Option<String>,
    /// `waiting`, `delivered`, `failed` or `dropped`.
    pub(crate) state: &'static str,
    /// How often it was sent.
    pub(crate) attempts: u32,
    /// When there was something to tell.
    pub(crate) created_at: String,
    /// When it is sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_at: Option<String>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
    /// The status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// What went wrong the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        Self {
            name: webhook.name,
            target: webhook.target,
            format: webhook.format.as_str(),
            events: webhook
                .events
                .into_iter()
                .map(WebhookEvent::as_str)
                .collect(),
            created_by: webhook.created_by,
            created_at: webhook.created_at.to_string(),
            switched_off: webhook.switched_off,
            signing_secret: None,
        }
    }
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        let waits = delivery.state == DeliveryState::Waiting;
        Self {
            id: delivery.id,
            event: delivery.event.as_str(),
            test_id: delivery.run.map(|run| run.to_string()),
            state: delivery.state.as_str(),
            attempts: delivery.attempts,
            created_at: delivery.created_at.to_string(),
            next_at: waits.then(|| delivery.next_at.to_string()),
            ended_at: delivery.ended_at.map(|at| at.to_string()),
            status: delivery.status,
            error: delivery.error,
        }
    }
}

fn json() -> String {
    "json".to_owned()
}

fn all_events() -> Vec<String> {
    super::EVENTS.map(|event| event.as_str().to_owned()).into()
}
