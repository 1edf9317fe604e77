//! Both stores and both cache levels, on real servers.

mod books;
mod cache;
mod conformance;
mod fixtures;
mod lists;
mod metrics;
mod model;
mod mongo;
mod outage;
mod search;
mod sqlite;
mod summaries;
