//! Who has which core, and those whom the clients ask.

use std::sync::mpsc;

use anyhow::Context;
use instrumentation::{LogFormat, Telemetry, TelemetryConfig};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use test_support::{
    Jaeger, jaeger,
    llm_simulator::{Profile, Running, Simulator, SimulatorConfig},
};
use tokio::net::TcpListener;

/// Two simulators and a collector of traces, on a core of their own until the process ends.
pub(crate) struct Others {
    /// Answers at once.
    pub(crate) instant: Running,
    /// Writes like a large hosted model, a token at a time.
    pub(crate) paced: Running,
    collector: String,
}

impl Others {
    /// Starts this process' telemetry, whose spans go to the collector.
    pub(crate) fn start_telemetry(&self) -> anyhow::Result<Telemetry> {
        Ok(Telemetry::start(&TelemetryConfig {
            service_name: "overhead".to_owned(),
            service_version: "0",
            environment: "bench".to_owned(),
            otlp_endpoint: Some(self.collector.clone()),
            otlp_http: Vec::new(),
            trace_query: None,
            log_filter: "warn".to_owned(),
            log_format: LogFormat::Json,
            switches: instrumentation::Switches::default(),
        })?)
    }
}

/// Starts the others, and gives the other core to this thread and what it starts from here on.
pub(crate) fn set() -> anyhow::Result<Others> {
    let [own, theirs] = two_cores()?;
    let (started, others_started) = mpsc::channel();
    std::thread::spawn(move || {
        if let Err(failure) = run_others(theirs, &started) {
            drop(started.send(Err(failure)));
        }
    });
    let others = others_started.recv().context("nobody to ask")??;
    pin(own)?;
    Ok(others)
}

/// Two of the cores that this process may use.
fn two_cores() -> anyhow::Result<[usize; 2]> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let mut usable = (0..CpuSet::count()).filter(|&core| matches!(allowed.is_set(core), Ok(true)));
    let cores = usable.next().zip(usable.next());
    let (one, other) = cores.context("two cores are needed")?;
    Ok([one, other])
}

fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

fn run_others(core: usize, started: &mpsc::Sender<anyhow::Result<Others>>) -> anyhow::Result<()> {
    pin(core)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let collector: Jaeger = jaeger().await?;
        let mut pace = Profile::by_name("claude-like")?.text().clone();
        // Whoever waits in a queue does not stream.
        pace.load = None;
        started.send(Ok(Others {
            instant: simulator(Profile::instant()).await?,
            paced: simulator(Profile::check(pace)?).await?,
            collector: collector.otlp_endpoint(),
        }))?;
        std::future::pending::<anyhow::Result<()>>().await
    })
}

async fn simulator(profile: Profile) -> anyhow::Result<Running> {
    let config = SimulatorConfig {
        profile,
        ..SimulatorConfig::standard()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(Simulator::build(config).spawn(listener)?)
}
