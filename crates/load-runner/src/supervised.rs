//! What all runs have in common whose k6 is on this machine, under a supervisor: how they are
//! prepared, bounded, started and followed.

mod arguments;
mod follow;
mod launch;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Client;

pub(crate) use self::arguments::Arguments;
pub(crate) use self::follow::Supervised;
use self::launch::Launch;
use crate::container::Containers;
use crate::entry;
use crate::options::RunnerKind;
use crate::plan::{Bounds, RunPlan};
use crate::process::ProcessIdentity;
use crate::runner::{AdoptError, Requirements, RunArtifacts, RunHandle, StartError};
use crate::sample::SampleFormat;
use crate::sandbox::{Limits, Sandbox};
use crate::script::Origin;
use crate::supervisor::Order;
use crate::trace::TraceContext;

/// Reading a script takes 0.03 s, a large one with data files some seconds.
pub(crate) const INSPECT_DEADLINE: Duration = Duration::from_secs(30);

/// Iterations get time to end after the load, 30 s if the script does not say otherwise; a
/// script may run this much longer than [`MAX_DURATION`](crate::options::MAX_DURATION).
const GRACE: Duration = Duration::from_mins(5);

/// Setup and teardown may take k6's own 60 s each.
const SETUP_AND_TEARDOWN: Duration = Duration::from_secs(120);

/// For everything that the plan does not tell: last flush, summary.
const MARGIN: Duration = Duration::from_secs(60);

/// What starts a run whose files are there.
pub(crate) struct Start<'a> {
    /// The program whose subcommands watch and confine.
    pub(crate) program: &'a Path,
    /// It talks to k6's REST interface.
    pub(crate) client: &'a Client,
    /// Of k6.
    pub(crate) version: &'a str,
    /// Where each k6 runs in a container instead of a process of ours.
    pub(crate) containers: Option<Containers>,
    /// What the confinement leaves open.
    pub(crate) gap: Option<&'static str>,
}

/// The files of a run that are there before k6 is.
pub(crate) struct Prepared {
    pub(crate) artifacts: RunArtifacts,
    pub(crate) arguments: Arguments,
    /// What the first k6 may do, as yet without the network.
    pub(crate) sandbox: Sandbox,
    /// What the samples are to be written as, where somebody asked for it.
    asked_format: Option<SampleFormat>,
    /// Requests a second, by earlier runs.
    expected_rate: Option<f64>,
    /// The trace that the run is part of.
    trace: TraceContext,
}

impl Prepared {
    /// Makes the run's directory with what k6, `program`, starts from.
    ///
    /// # Errors
    /// The target has no address, or the directory exists already or cannot be made.
    pub(crate) async fn new(
        plan: &RunPlan,
        program: PathBuf,
        limits: Limits,
    ) -> Result<Self, StartError> {
        let blocked = plan.target.everything_else(plan.relay.is_some()).await?;
        create_private(&plan.directory)?;
        // k6 gets full paths: its own directory is not ours.
        let directory = plan.directory.canonicalize()?;
        let processes = plan.options.processes() as usize;
        let artifacts = RunArtifacts::within(&directory, processes, SampleFormat::default());
        for files in &artifacts.processes {
            create_private(&files.directory)?;
        }
        let entry = entry::write(&directory, &plan.script, &plan.options)?;
        let arguments = Arguments::new(plan, &entry, blocked)?;
        let mut readable = plan.target.files();
        readable.extend(entry::FILES.map(|file| artifacts.directory.join(file)));
        readable.push(plan.script.directory.clone());
        let sandbox = Sandbox {
            program,
            directory: artifacts.processes[0].directory.clone(),
            readable,
            connect: Vec::new(),
            bind: Vec::new(),
            limits,
        };
        Ok(Self {
            artifacts,
            arguments,
            sandbox,
            asked_format: plan.options.samples(),
            expected_rate: plan.expected_rate,
            trace: plan.trace.clone(),
        })
    }

    /// The same with a network of these ports.
    pub(crate) fn connecting(mut self, ports: impl Iterator<Item = u16>) -> Self {
        self.sandbox.connect = ports.collect();
        self
    }

    /// Starts the load and follows the run.
    ///
    /// # Errors
    /// [`StartError`] when k6 does not begin.
    pub(crate) async fn start(
        self,
        start: Start<'_>,
        requirements: Requirements,
    ) -> Result<RunHandle, StartError> {
        let deadline = deadline(&requirements);
        let is_contained = start.containers.is_some();
        let format = self.asked_format.unwrap_or_else(|| {
            SampleFormat::for_load(requirements.execution.as_ref(), self.expected_rate)
        });
        let processes = self.artifacts.processes.len();
        let artifacts = RunArtifacts::within(&self.artifacts.directory, processes, format);
        let mut order = Order::new(&requirements, deadline, self.sandbox.limits);
        order.containers = start.containers;
        order.samples = format;
        order.trace = self.trace.clone();
        start.version.clone_into(&mut order.version);
        let launch = Launch {
            program: start.program,
            sandbox: self.sandbox,
            arguments: &self.arguments,
            artifacts: &artifacts,
            order,
        };
        let supervised = launch.launch(start.client).await?;
        let pid = supervised.process.pid;
        let version = start.version;
        tracing::info!(
            process.pid = pid,
            k6.version = version,
            samples = format.name(),
            is_contained,
            "k6 runs"
        );
        let told = (kind(is_contained), version.to_owned(), self.trace);
        Ok(handle(supervised, artifacts, requirements, start.gap, told))
    }
}

/// Refuses an uploaded script where a sandbox has a gap.
///
/// # Errors
/// [`StartError::Unconfined`].
pub(crate) fn check_origin(plan: &RunPlan, gap: Option<&'static str>) -> Result<(), StartError> {
    match (plan.script.origin, gap) {
        (Origin::Upload, Some(gap)) => Err(StartError::Unconfined(gap)),
        _ => Ok(()),
    }
}

/// Follows a run that an earlier life of this service started.
///
/// # Errors
/// The run's files do not say what it was.
pub(crate) fn adopt(
    directory: &Path,
    process: ProcessIdentity,
    gap: Option<&'static str>,
) -> Result<RunHandle, AdoptError> {
    let directory = directory.canonicalize()?;
    let order = Order::read(&directory)?;
    let requirements = order.requirements()?;
    let artifacts = RunArtifacts::within(&directory, order.generators.len(), order.samples);
    let kind = kind(order.containers.is_some());
    let supervised = Supervised::found(process, directory, order.containers);
    let told = (kind, order.version, order.trace);
    Ok(handle(supervised, artifacts, requirements, gap, told))
}

const fn kind(is_contained: bool) -> RunnerKind {
    if is_contained {
        RunnerKind::Container
    } else {
        RunnerKind::Process
    }
}

/// Follows a run from now on.
fn handle(
    supervised: Supervised,
    artifacts: RunArtifacts,
    requirements: Requirements,
    gap: Option<&'static str>,
    (kind, version, trace): (RunnerKind, String, TraceContext),
) -> RunHandle {
    let process = supervised.process;
    let (end, stop) = supervised.follow();
    RunHandle {
        artifacts,
        requirements,
        gap,
        process,
        kind,
        version,
        trace,
        end,
        stop,
    }
}

/// The longest that a run may take: beyond what k6 computed there are its start, setup,
/// teardown and a margin.
fn deadline(requirements: &Requirements) -> Duration {
    launch::READY_DEADLINE + requirements.total_duration + SETUP_AND_TEARDOWN + MARGIN
}

/// Makes the directory of a run: for its owner only, and new.
fn create_private(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(directory)
}

/// The script's own load is held against the bounds of requested options, too.
///
/// # Errors
/// [`StartError::TooLarge`].
pub(crate) fn check_size(
    requirements: &Requirements,
    processes: u32,
    bounds: Bounds,
) -> Result<(), StartError> {
    let users = requirements.max_virtual_users;
    if users < processes {
        let asked = format!("{users} virtual users, too few for {processes} processes");
        return Err(StartError::TooLarge(asked));
    }
    if users > bounds.virtual_users {
        let asked = format!(
            "{users} virtual users, allowed are {}",
            bounds.virtual_users
        );
        return Err(StartError::TooLarge(asked));
    }
    let total = requirements.total_duration;
    if total > bounds.duration + GRACE {
        let asked = format!(
            "{} s of load, allowed are {} s",
            total.as_secs(),
            bounds.duration.as_secs()
        );
        return Err(StartError::TooLarge(asked));
    }
    let load = requirements.virtual_user_seconds();
    if bounds.virtual_user_seconds.is_some_and(|left| load > left) {
        let left = bounds.virtual_user_seconds.unwrap_or_default();
        let asked = format!("{load} seconds of virtual users, of which {left} are left today");
        return Err(StartError::TooLarge(asked));
    }
    Ok(())
}
