//! One run after another against one target, with what is needed to look at them.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use load_analysis::aggregate::Aggregator;
use load_analysis::results::Results;
use load_analysis::verdict::{Evidence, Verdict, judge};
use load_runner::binary::MajorVersion;
use load_runner::environment::RunEnvironment;
use load_runner::exit::K6Exit;
use load_runner::local::LocalProcess;
use load_runner::log::LogReader;
use load_runner::options::{RequestedOptions, RunOptions};
use load_runner::plan::{Bounds, RunPlan};
use load_runner::process::{ProcessIdentity, working_in};
use load_runner::runner::{LoadRunner, RunEnd, RunHandle, StartError, StopReason};
use load_runner::sample::{RunSamples, SampleFormat};
use load_runner::sandbox::Limits;
use load_runner::script::ScriptDirectory;
use load_runner::summary::Summary;
use load_runner::target::Target;
use load_runner::trace::TraceContext;

use crate::target::TargetService;

/// A stopped run is gone within this.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The program that becomes k6.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_run-k6");

pub(crate) struct Lab<R = LocalProcess> {
    pub(crate) runner: R,
    pub(crate) target: TargetService,
    pub(crate) version: MajorVersion,
    /// The k6 of each run.
    pub(crate) processes: usize,
    pub(crate) runs: tempfile::TempDir,
    /// The engine of the runner, for as long as there is a lab.
    keeps: Option<Arc<dyn Any + Send + Sync>>,
}

/// A run that is over, with everything that its files say.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) end: RunEnd,
    pub(crate) results: Results,
    pub(crate) summary: Option<Summary>,
    pub(crate) verdict: Verdict,
    pub(crate) log: Vec<String>,
}

impl Lab {
    pub(crate) async fn open(version: MajorVersion) -> anyhow::Result<Self> {
        let binaries = [
            (MajorVersion::V1, test_support::tools::k6_v1()?),
            (MajorVersion::V2, test_support::tools::k6()?),
        ];
        let client = test_support::http::client()?;
        let runner = LocalProcess::new(binaries, client, PROGRAM.into());
        Self::of(runner, version, None).await
    }

    /// The same lab with other bounds of a k6.
    pub(crate) fn with_limits(mut self, limits: Limits) -> Self {
        self.runner = self.runner.with_limits(limits);
        self
    }
}

impl<R: LoadRunner> Lab<R> {
    /// Whether its k6 runs in containers.
    pub(crate) fn has_an_engine(&self) -> bool {
        self.keeps.is_some()
    }

    pub(crate) async fn of(
        runner: R,
        version: MajorVersion,
        keeps: Option<Arc<dyn Any + Send + Sync>>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            runner,
            target: TargetService::start().await?,
            version,
            processes: 1,
            runs: tempfile::tempdir()?,
            keeps,
        })
    }

    /// The same lab with several k6 for each run.
    pub(crate) fn with_processes(mut self, processes: usize) -> Self {
        self.processes = processes;
        self
    }

    /// A plan of a script beside these tests.
    pub(crate) fn plan(&self, script: &str, requested: &RequestedOptions) -> RunPlan {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/load_runner/scripts");
        self.plan_in(scripts, script, requested)
    }

    /// A plan of a script of another directory.
    pub(crate) fn plan_in(
        &self,
        scripts: PathBuf,
        script: &str,
        requested: &RequestedOptions,
    ) -> RunPlan {
        RunPlan {
            relay: None,
            bounds: Bounds::default(),
            expected_rate: None,
            script: ScriptDirectory::new(scripts)
                .resolve(script)
                .expect("a script of the tests"),
            options: RunOptions::parse(&RequestedOptions {
                processes: Some(self.processes as u64),
                ..requested.clone()
            })
            .expect("options of the tests"),
            environment: RunEnvironment::default(),
            target: Target::parse(&self.target.base_url).expect("the target's address"),
            version: self.version,
            directory: self.directory(),
            trace: TraceContext::default(),
        }
    }

    /// A plan of `endings.js`, which ends as the scenario says.
    pub(crate) fn ending(&self, scenario: &str) -> RunPlan {
        let mut plan = self.plan("endings.js", &RequestedOptions::default());
        plan.environment = environment(&[("SCENARIO", scenario)]);
        plan
    }

    pub(crate) async fn start(&self, plan: RunPlan) -> Result<RunHandle, StartError> {
        self.runner.start(plan).await
    }

    pub(crate) async fn run(&self, plan: RunPlan) -> anyhow::Result<Finished> {
        let handle = self.start(plan).await?;
        finish(&handle).await
    }

    /// The next directory of a run; k6's runner makes it.
    fn directory(&self) -> PathBuf {
        let count = std::fs::read_dir(self.runs.path()).map_or(0, Iterator::count);
        self.runs.path().join(count.to_string())
    }
}

pub(crate) fn environment(variables: &[(&str, &str)]) -> RunEnvironment {
    let owned = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    RunEnvironment::parse(owned).expect("variables of the tests")
}

pub(crate) fn users_and_duration(virtual_users: u64, duration: &str) -> RequestedOptions {
    RequestedOptions {
        virtual_users: Some(virtual_users),
        duration: Some(duration.to_owned()),
        ..RequestedOptions::default()
    }
}

/// A request for samples in a format.
pub(crate) fn written_as(format: SampleFormat) -> RequestedOptions {
    RequestedOptions {
        output_format: Some(format.name().to_owned()),
        ..RequestedOptions::default()
    }
}

pub(crate) fn thresholds(list: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    list.iter()
        .map(|(metric, text)| ((*metric).to_owned(), vec![(*text).to_owned()]))
        .collect()
}

/// Awaits the end of a run and reads its files.
pub(crate) async fn finish(handle: &RunHandle) -> anyhow::Result<Finished> {
    let end = handle.ended().await;
    let mut samples = RunSamples::new(&handle.artifacts);
    samples.note_end();
    let mut aggregator = Aggregator::new(handle.requirements.thresholds.clone());
    while samples.read(|sample| aggregator.add(sample))?.more {
        aggregator.take_passed();
    }
    let summary = match handle.artifacts.processes.as_slice() {
        [only] => Summary::read(&only.summary).ok(),
        _ => None,
    };
    let reported = summary.as_ref().map(Summary::thresholds);
    let results = aggregator.results(reported.as_ref());
    let mut log = Vec::new();
    let mut output_errors = Vec::new();
    for files in &handle.artifacts.processes {
        LogReader::new(files.log.clone()).read(|line| {
            output_errors.extend(line.is_output_error().then(|| line.to_string()));
            log.push(line.to_string());
        })?;
    }
    let verdict = judge(&Evidence {
        unreadable_lines: samples.unreadable_lines(),
        output_errors,
        exceptions: end.exceptions,
        ..Evidence::new(end.exit.evidence(), &results)
    });
    Ok(Finished {
        end,
        results,
        summary,
        verdict,
        log,
    })
}

/// The k6 of a run, as processes.
pub(crate) fn k6_of(handle: &RunHandle) -> Vec<ProcessIdentity> {
    let all = handle.artifacts.processes.iter();
    all.flat_map(|files| working_in(&files.directory)).collect()
}

pub(crate) fn check_end(
    end: &RunEnd,
    exit: K6Exit,
    stopped: Option<StopReason>,
) -> anyhow::Result<()> {
    ensure!((end.exit, end.stopped) == (exit, stopped), "{end:?}");
    Ok(())
}

/// Asks a run to stop, and waits for its end, which has to be this one.
pub(crate) async fn stopped(handle: &RunHandle, exit: K6Exit) -> anyhow::Result<Finished> {
    handle.stop();
    let finished = finish(handle).await?;
    check_end(&finished.end, exit, Some(StopReason::Requested))?;
    Ok(finished)
}

/// Until k6 has put load on the target.
pub(crate) async fn until_running(handle: &RunHandle) -> anyhow::Result<()> {
    let samples = &handle.artifacts.processes[0].samples;
    test_support::wait::until("samples of requests", STOP_LIMIT, async || {
        let text = std::fs::read_to_string(samples)?;
        ensure!(
            text.contains(r#""metric":"http_reqs","type":"Point""#),
            "none yet"
        );
        Ok(())
    })
    .await
}

/// Makes a test of both versions of k6 from an async function that takes a [`Lab`].
macro_rules! on_both_versions {
    ($($name:ident),+ $(,)?) => {
        mod v1 {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> anyhow::Result<()> {
                super::$name($crate::lab::Lab::open(load_runner::binary::MajorVersion::V1).await?).await
            })+
        }
        mod v2 {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> anyhow::Result<()> {
                super::$name($crate::lab::Lab::open(load_runner::binary::MajorVersion::V2).await?).await
            })+
        }
    };
}
pub(crate) use on_both_versions;
