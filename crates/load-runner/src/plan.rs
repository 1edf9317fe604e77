//! What a run is: everything a runner needs, valid before it starts.

use std::path::PathBuf;
use std::time::Duration;

use crate::binary::MajorVersion;
use crate::environment::RunEnvironment;
use crate::options::{MAX_DURATION, MAX_VIRTUAL_USERS, RunOptions};
use crate::script::Script;
use crate::target::Target;
use crate::trace::TraceContext;

/// One load test, ready to be started.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// What k6 runs.
    pub script: Script,
    /// What is asked of it beyond the script.
    pub options: RunOptions,
    /// The variables that it reads. `BASE_URL` is the target's, whatever is said here.
    pub environment: RunEnvironment,
    /// Where the load goes: k6 can reach no other address. Whether the target may be loaded
    /// is decided by who makes the plan.
    pub target: Target,
    /// A port on loopback that k6 may reach beside the target: what stands there sends requests
    /// on to the target and nowhere else.
    pub relay: Option<u16>,
    /// The most that script and options may ask for together.
    pub bounds: Bounds,
    /// Requests a second at its peak, where earlier runs tell.
    pub expected_rate: Option<f64>,
    /// Which k6.
    pub version: MajorVersion,
    /// The run's own directory. It is made by the runner, for its owner only, and must not
    /// exist yet.
    pub directory: PathBuf,
    /// The trace that it is part of.
    pub trace: TraceContext,
}

/// The most that a run may put on, as k6 computes it from script and options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Virtual users at once.
    pub virtual_users: u32,
    /// How long the load may last.
    pub duration: Duration,
    /// Virtual users times seconds; any when absent.
    pub virtual_user_seconds: Option<u64>,
}

impl Default for Bounds {
    /// The bounds of requested options.
    fn default() -> Self {
        Self {
            virtual_users: MAX_VIRTUAL_USERS,
            duration: MAX_DURATION,
            virtual_user_seconds: None,
        }
    }
}
