//! The started tools, tested as their users use them.

mod conventions;
mod faults;
mod objectives;
mod observability;
mod servers;
mod tidy;
