//! What a delivery is, and how an attempt of it went.

use jiff::Timestamp;

use crate::run::RunId;
use crate::webhooks::WebhookEvent;

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is sent, at once or again later.
    Waiting,
    /// The receiver has taken it.
    Delivered,
    /// It was given up.
    Failed,
    /// There were too many that waited.
    Dropped,
}

/// A delivery as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Names it, also to its receiver; never given twice.
    pub id: u64,
    /// What it tells.
    pub event: WebhookEvent,
    /// The run that it tells of.
    pub run: Option<RunId>,
    /// Where it is.
    pub state: DeliveryState,
    /// How often it was sent.
    pub attempts: u32,
    /// When there was something to tell.
    pub created_at: Timestamp,
    /// When it is sent, while it waits.
    pub next_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// What went wrong the last time.
    pub error: Option<String>,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Where the delivery is now.
    pub state: DeliveryState,
    /// When it is sent again, while it waits.
    pub next_at: Timestamp,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// Why the webhook is told nothing any more.
    pub switches_off: Option<String>,
}

impl DeliveryState {
    pub(super) const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Failed, Self::Dropped];

    /// The word of the API and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}
