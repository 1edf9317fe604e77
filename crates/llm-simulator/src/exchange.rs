//! One HTTP exchange: what the layer around the dialects tells a call about its
//! request, and what the call tells the layer to do to the reply.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use http::{Extensions, HeaderMap, StatusCode};
use tokio::time::Instant;

use crate::{connection::Connection, wire::WireFault};

/// Shared by the layer and the call; a default one asks for nothing.
#[derive(Clone, Default)]
pub(crate) struct Exchange(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// The request's headers, kept only while a fault rule looks at headers.
    headers: Option<HeaderMap>,
    test_id: Option<String>,
    connection: Option<Connection>,
    fault: OnceLock<WireFault>,
    due: AtomicBool,
    first_token_sent: OnceLock<Instant>,
    refusal: OnceLock<StatusCode>,
}

impl Exchange {
    pub(crate) fn new(
        headers: Option<HeaderMap>,
        test_id: Option<String>,
        connection: Option<Connection>,
    ) -> Self {
        Self(Arc::new(Inner {
            headers,
            test_id,
            connection,
            ..Inner::default()
        }))
    }

    /// The exchange that a request belongs to.
    pub(crate) fn of(request: &Extensions) -> Self {
        request.get().cloned().unwrap_or_default()
    }

    pub(crate) fn headers(&self) -> Option<&HeaderMap> {
        self.0.headers.as_ref()
    }

    pub(crate) fn test_id(&self) -> Option<&str> {
        self.0.test_id.as_deref()
    }

    /// What is to be done to the reply's bytes.
    pub(crate) fn fault(&self) -> Option<&WireFault> {
        self.0.fault.get()
    }

    /// Decides what is to be done; a call decides once.
    pub(crate) fn order(&self, fault: WireFault) {
        self.0.fault.get_or_init(|| fault);
    }

    /// Says that the next frame is the one to be spoiled.
    pub(crate) fn spoil_next_frame(&self) {
        self.0.due.store(true, Ordering::Release);
    }

    pub(crate) fn is_due(&self) -> bool {
        self.0.due.load(Ordering::Acquire)
    }

    /// Takes the order to spoil a frame, if there is one.
    pub(crate) fn take_due(&self) -> bool {
        self.0.due.swap(false, Ordering::AcqRel)
    }

    /// Has the call refused in its dialect's own shape.
    pub(crate) fn refuse(&self, status: StatusCode) {
        self.0.refusal.get_or_init(|| status);
    }

    pub(crate) fn refusal(&self) -> Option<StatusCode> {
        self.0.refusal.get().copied()
    }

    /// Breaks the connection without a reply.
    pub(crate) fn reset(&self) {
        if let Some(connection) = &self.0.connection {
            connection.reset();
        }
    }

    /// Has the next write to the socket noted as that of the first token.
    pub(crate) fn watch_first_token(&self) {
        if let Some(connection) = &self.0.connection {
            connection.note_next_write(self.clone());
        }
    }

    pub(crate) fn note_first_token_sent(&self) {
        self.0.first_token_sent.get_or_init(Instant::now);
    }

    pub(crate) fn first_token_sent(&self) -> Option<Instant> {
        self.0.first_token_sent.get().copied()
    }
}
