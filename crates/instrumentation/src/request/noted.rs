//! What is noted of a request while it is under way, for the span that tells of it in the end.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use opentelemetry::{KeyValue, time, trace::Event};
use opentelemetry_sdk::trace::SpanEvents;

use crate::traces::MAX_EVENTS;

/// Attributes of one request that are kept: ours, a few.
const MAX_ATTRIBUTES: usize = 128;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<Notes>);

/// The notes themselves.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) events: SpanEvents,
}

impl Noted {
    pub(super) fn attribute(&self, attribute: KeyValue) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.attributes.len() < MAX_ATTRIBUTES {
            notes.attributes.push(attribute);
        }
    }

    pub(crate) fn event(&self, name: &'static str, attributes: Vec<KeyValue>) {
        let event = Event::new(Cow::Borrowed(name), time::now(), attributes, 0);
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.events.len() < MAX_EVENTS as usize {
            notes.events.events.push(event);
        } else {
            notes.events.dropped_count += 1;
        }
    }

    /// All of it, once.
    pub(crate) fn take(&self) -> Notes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
