//! Scripts from every kind of description, with both lines of real k6.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod configurations;
mod echo;
mod hostile;
mod journeys;
mod k6;
mod openapi;
mod recordings;
