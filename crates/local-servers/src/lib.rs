//! Starts servers on this machine for as long as a value lives: Redis, a server of the `MongoDB`
//! protocol, and any program of ours.
//!
//! Each binds a free loopback port, keeps its files in a temporary directory of its own, and is
//! gone when its value is dropped, also when its owner panics or is killed. A missing tool is an
//! error that names `make setup`.
//!
//! Modules in reading order: [`wait`] and [`port`] are the two primitives, [`tools`] finds
//! binaries, [`process`] runs them, the rest is one server each.

pub mod port;
pub mod wait;

pub mod process;
pub mod tools;

mod ferretdb;
mod redis;

pub use crate::ferretdb::{FerretDb, ferretdb};
pub use crate::redis::{Redis, redis, redis_with};
