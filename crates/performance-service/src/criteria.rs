//! What is asked of runs and of the service, to be read: `/api/v1/performancetest/limits` and
//! `/slos`.

pub(crate) mod limits;
pub(crate) mod slos;
