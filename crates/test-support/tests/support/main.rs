//! The started tools, tested as their users use them.

mod faults;
mod observability;
mod servers;
mod tidy;
