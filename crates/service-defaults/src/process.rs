//! The life of a process: options, settings, runtime, signals, exit code.

use std::{
    error::Error,
    future::Future,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::environment::Environment;

/// How long `--healthcheck` waits for an answer.
const HEALTHCHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// What `--help` and `--version` say.
#[derive(Debug, Clone, Copy)]
pub struct ProcessInfo {
    /// Name of the binary.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// One sentence about it.
    pub about: &'static str,
}

/// What a service's run may end with.
pub type RunError = Box<dyn Error + Send + Sync>;

/// What a process was started with.
pub struct Invocation {
    /// Its settings.
    pub environment: Environment,
    /// Its options.
    pub options: Vec<String>,
}

impl Invocation {
    /// This process' own.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            environment: Environment::of_process(),
            options: std::env::args().skip(1).collect(),
        }
    }
}

/// Runs a service: all of a `main` function.
///
/// `read` makes the configuration; `health_address` says where the service listens, for
/// `--healthcheck`; `serve` runs until the token is cancelled by SIGINT or SIGTERM. Exit codes: 0,
/// 1 for a failed run or health check, 64 (`EX_USAGE`) for bad options or settings.
pub fn run<C, F>(
    info: &ProcessInfo,
    read: impl FnOnce(&mut Environment) -> C,
    health_address: impl FnOnce(&C) -> SocketAddr,
    serve: impl FnOnce(C, CancellationToken) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), RunError>>,
{
    run_as(Invocation::of_process(), info, read, health_address, serve)
}

/// The same, for a process that has read some options by itself.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the command line's own answers"
)]
pub fn run_as<C, F>(
    invocation: Invocation,
    info: &ProcessInfo,
    read: impl FnOnce(&mut Environment) -> C,
    health_address: impl FnOnce(&C) -> SocketAddr,
    serve: impl FnOnce(C, CancellationToken) -> F,
) -> ExitCode
where
    F: Future<Output = Result<(), RunError>>,
{
    let Invocation {
        mut environment,
        options,
    } = invocation;
    let config = read(&mut environment);
    match options
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => {}
        ["--help" | "-h"] => {
            println!("{}", help(info, &environment));
            return ExitCode::SUCCESS;
        }
        ["--version" | "-V"] => {
            println!("{} {}", info.name, info.version);
            return ExitCode::SUCCESS;
        }
        ["--check-config"] => {
            println!("{}", effective(&environment));
            return report(info, &environment);
        }
        ["--healthcheck"] => return healthcheck(health_address(&config)),
        other => {
            eprintln!(
                "{}: unknown option {}; see --help",
                info.name,
                other.join(" ")
            );
            return usage_error();
        }
    }
    if !environment.errors().is_empty() {
        return report(info, &environment);
    }
    drop(environment);
    match block_on(|shutdown| serve(config, shutdown)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", info.name);
            ExitCode::FAILURE
        }
    }
}

fn block_on<F>(serve: impl FnOnce(CancellationToken) -> F) -> Result<(), RunError>
where
    F: Future<Output = Result<(), RunError>>,
{
    // One TLS stack; an embedding test may have installed it before.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        cancel_on_signal(shutdown.clone())?;
        serve(shutdown).await
    });
    // What is still blocked in a thread has had its deadline; the process does not wait for it.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Cancels the token on SIGINT or SIGTERM.
///
/// # Errors
/// The signals cannot be listened to.
pub fn cancel_on_signal(shutdown: CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("shutting down");
        shutdown.cancel();
    });
    Ok(())
}

fn help(info: &ProcessInfo, environment: &Environment) -> String {
    let mut text = format!(
        "{} {}\n{}\n\nOptions:\n  --check-config  show the settings in force and whether they are valid\n  --healthcheck   exit 0 if the running service is ready\n  --help          show this\n  --version       show the version\n\nSettings (environment variables):\n",
        info.name, info.version, info.about
    );
    for setting in environment.settings() {
        text.push_str(&format!("  {}\n      {}", setting.name, setting.help));
        if !setting.default.is_empty() {
            text.push_str(&format!(" [default: {}]", setting.default));
        }
        text.push('\n');
    }
    text
}

fn effective(environment: &Environment) -> String {
    let lines = environment.settings().iter();
    lines
        .map(|setting| format!("{}={}\n", setting.name, setting.effective))
        .collect()
}

#[expect(clippy::print_stderr, reason = "the command line's own answers")]
fn report(info: &ProcessInfo, environment: &Environment) -> ExitCode {
    for error in environment.errors() {
        eprintln!("{}: {error}", info.name);
    }
    if environment.errors().is_empty() {
        ExitCode::SUCCESS
    } else {
        usage_error()
    }
}

/// `EX_USAGE` of sysexits.h.
fn usage_error() -> ExitCode {
    ExitCode::from(64)
}

#[expect(clippy::print_stderr, reason = "the command line's own answers")]
fn healthcheck(address: SocketAddr) -> ExitCode {
    match ask_ready(address) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("{address} is not ready");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn ask_ready(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, HEALTHCHECK_TIMEOUT)?;
    stream.set_read_timeout(Some(HEALTHCHECK_TIMEOUT))?;
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(head == *b"HTTP/1.1 200")
}
