//! The started tools, tested as their users use them.

mod observability;
mod servers;
mod tidy;
