//! k6 as a typed thing: what may be asked of it, how it is started, watched and stopped, and
//! how its samples are read.
//!
//! Reading order: a [`plan::RunPlan`] names a script, [`options::RunOptions`], an
//! [`environment::RunEnvironment`] and a target, all valid by construction. A
//! [`runner::LoadRunner`] turns it into a [`runner::RunHandle`]; [`local::LocalProcess`] is the
//! runner that starts k6 as a child process, in a [`sandbox`], [`container::ContainerRunner`] the
//! one that starts it in a container, and [`choice::Runners`] takes the one that a plan asks
//! for. While it runs, [`sample::SampleReader`] and
//! [`log::LogReader`] read its files by offset; in the end there are a [`exit::K6Exit`] and a
//! [`summary::Summary`].

pub mod duration;
pub mod environment;
pub mod options;
pub mod plan;
pub mod script;

pub mod binary;
pub mod entry;
pub mod inspect;
pub mod target;
pub mod trace;

pub mod runner;

pub mod choice;
pub mod container;
pub mod engine;
pub mod local;
pub mod process;
mod rest;
pub mod sandbox;
pub mod subcommand;
mod supervised;
mod supervisor;

pub mod exit;
pub mod log;
pub mod redaction;
pub mod sample;
pub mod summary;
mod tail;
