//! The cores that the simulator and its callers have.

use anyhow::Context;
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// Two of the cores that this process may use.
pub(crate) fn two() -> anyhow::Result<[usize; 2]> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let mut usable = (0..CpuSet::count()).filter(|&core| matches!(allowed.is_set(core), Ok(true)));
    let cores = usable.next().zip(usable.next());
    let (one, other) = cores.context("two cores are needed")?;
    Ok([one, other])
}

/// Moves this thread, and what it starts from here on, to these cores.
pub(crate) fn pin(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core)?;
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}
