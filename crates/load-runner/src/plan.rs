//! What a run is: everything a runner needs, valid before it starts.

use std::path::PathBuf;

use crate::binary::MajorVersion;
use crate::environment::RunEnvironment;
use crate::options::RunOptions;
use crate::script::Script;
use crate::target::Target;

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
    /// Which k6.
    pub version: MajorVersion,
    /// The run's own directory. It is made by the runner, for its owner only, and must not
    /// exist yet.
    pub directory: PathBuf,
}
