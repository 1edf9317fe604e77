//! What every process of this workspace does the same way, and nothing of its business.
//!
//! In the order of a process' life: [`process::run`] reads the [`environment`], starts telemetry
//! and hands over to the service, which builds a router [`router::with_defaults`], its [`health`]
//! checks, and is served by [`serve::serve`] until the shutdown. Requests come in through
//! [`extract`] after [`access`] has asked who sends them, failures go out as a [`problem::Problem`]. Calls outwards use [`http_client`] and
//! are checked by [`allow_list`]; [`host_names`] checks by which name a service was called.

pub mod access;
pub mod allow_list;
pub mod environment;
pub mod extract;
pub mod health;
pub mod host_names;
pub mod http_client;
pub mod listen;
pub mod patience;
pub mod problem;
pub mod process;
pub mod router;
pub mod same_origin;
pub mod serve;
pub mod telemetry_settings;
mod trace_settings;
