//! Where books and authors are kept: a store, and two levels of cache before it.
//!
//! [`Storage::connect`] opens what [`StorageConfig`] names. [`Books`] and [`Authors`] are what a
//! service works with; behind them stands a [`Store`] on `SQLite` or `MongoDB`, of which nothing is
//! seen outside. Every call takes the tenant whose data it may touch.
//!
//! Reading order: the traits in `store`, one of the stores, then `cache`, whose module
//! documentation says what readers may rely on.

mod cache;
mod calls;
mod config;
mod entity;
mod error;
mod holdings;
mod mongo;
mod search;
mod sqlite;
mod storage;
mod store;

pub use cache::{
    Authors, Books, Cached, CachedBody, Level, RedisState, Summary, SummaryCache, SummaryKey,
};
pub use config::{Backend, CacheLimits, StorageConfig, StoreLimits, is_mongodb_uri, is_redis_url};
pub use entity::Entity;
pub use error::StorageError;
pub use holdings::Holdings;
pub use storage::{BodyEncoders, Storage};
pub use store::{BookStore, Store};
