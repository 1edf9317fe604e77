//! The commands, one file each.

pub(crate) mod baseline;
pub(crate) mod cancel;
pub(crate) mod capacity;
pub(crate) mod chaos;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod forecast;
pub(crate) mod gate;
pub(crate) mod list;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod schedules;
pub(crate) mod validate;
