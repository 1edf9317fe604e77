//! The BookStore API: books and authors from a store behind two cache levels, summaries by
//! language models.
//!
//! A request reads in this order: [`router`](mod@router) says which handler, the handler (in
//! `books`, `authors`, `summaries` …) translates, `resource` and the summary service decide, the
//! `storage` and `llm` crates talk. Every failure becomes a problem document in `problems`.

mod accounts;
mod app;
mod authors;
mod books;
mod command;
mod conditional;
mod config;
mod error_lab;
mod experiments;
mod fields;
mod identity;
mod openapi;
mod permissions;
mod problems;
mod resource;
mod router;
mod seed;
mod summaries;
mod user;

pub use app::App;
pub use command::{ABOUT, command};
pub use config::AppConfig;
