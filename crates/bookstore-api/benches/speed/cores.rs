//! One core for the server, another one for everything that asks it.

use anyhow::{Context, ensure};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use test_support::process::Program;

/// The cores of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    server: usize,
    generator: usize,
}

impl Cores {
    /// Picks two cores and moves this process, hence whatever it starts, onto the generator's.
    pub(crate) fn take() -> anyhow::Result<Self> {
        let own = Pid::from_raw(0);
        let allowed = sched_getaffinity(own).context("the cores of this process")?;
        let mut usable =
            (0..CpuSet::count()).filter(|&core| matches!(allowed.is_set(core), Ok(true)));
        let cores = usable.next().zip(usable.next());
        let (server, generator) =
            cores.context("two cores are needed: one serves, one generates load")?;
        let mut set = CpuSet::new();
        set.set(generator)?;
        sched_setaffinity(own, &set).context("this process cannot be pinned to a core")?;
        ensure!(server != generator, "two different cores are needed");
        Ok(Self { server, generator })
    }

    /// `program` on the server's core.
    pub(crate) fn serving(self, name: &str, program: &str) -> anyhow::Result<Program> {
        pinned(name, program, &self.server.to_string())
    }

    /// `program` on both cores, as users run it.
    pub(crate) fn anywhere(self, name: &str, program: &str) -> anyhow::Result<Program> {
        pinned(
            name,
            program,
            &format!("{},{}", self.server, self.generator),
        )
    }
}

fn pinned(name: &str, program: &str, cores: &str) -> anyhow::Result<Program> {
    Ok(Program::new(name, "taskset")?.args(["--cpu-list", cores, program]))
}
