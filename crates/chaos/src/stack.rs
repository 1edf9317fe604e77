//! The servers of one experiment: started, broken, mended, ended.

mod clock;
mod disk;
mod names;
mod programs;
mod tls;
mod vendor;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use fault_proxy::{Behaviour, FaultProxy};
use local_servers::process::Process;
use local_servers::{FerretDb, Redis, ferretdb, redis, wait};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::disk::Disk;
use self::programs::{Addresses, end_processes_of};
use self::vendor::Vendor;
use crate::api::Api;
use crate::plan::{Dependency, Handshake, Part, StackPlan};
use crate::run::Places;

/// A debug binary on a busy machine starts in a few seconds.
const START_DEADLINE: Duration = Duration::from_secs(40);

/// Longer than the API's own limit for draining.
const STOP_DEADLINE: Duration = Duration::from_secs(45);

/// For a command to a Redis on this machine.
const REDIS_DEADLINE: Duration = Duration::from_secs(5);

/// Everything that was started. Dropping it ends all of it.
pub(crate) struct Stack {
    addresses: Addresses,
    api: Process,
    simulator: Process,
    performance: Process,
    mongo: Option<FerretDb>,
    redis: Option<Redis>,
    proxies: Vec<(Dependency, FaultProxy)>,
    vendor: Vendor,
    directory: TempDir,
}

impl Stack {
    /// Starts what the plan needs and waits until all of it is ready.
    ///
    /// # Errors
    /// A tool or a binary is missing, or does not become ready.
    pub(crate) async fn start(plan: &StackPlan, places: &Places) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("chaos-").tempdir()?;
        let addresses = Addresses::free()?;
        let mongo = if plan.mongo {
            Some(ferretdb().await?)
        } else {
            None
        };
        let redis = if plan.redis {
            Some(redis().await?)
        } else {
            None
        };
        let mut upstreams = Vec::new();
        let local = |port: u16| format!("127.0.0.1:{port}");
        upstreams.extend(mongo.iter().map(|it| (Dependency::Mongo, local(it.port()))));
        upstreams.extend(redis.iter().map(|it| (Dependency::Redis, local(it.port()))));
        if plan.collector {
            // Nobody listens there: a collector that is gone, or that keeps silent.
            upstreams.push((Dependency::Collector, addresses.nobody.clone()));
        }
        let proxy = |upstream| FaultProxy::start(upstream).context("a fault proxy");
        let provider = proxy(addresses.simulator.clone())?;
        let vendor = Vendor::start(plan.provider, provider.address(), directory.path()).await?;
        let mut proxies = vec![(Dependency::Provider, provider)];
        for (dependency, upstream) in upstreams {
            proxies.push((dependency, proxy(upstream)?));
        }
        let simulator = programs::simulator(places, &addresses, &plan.simulator)?;
        let api = programs::api(places, &addresses, (&proxies, &vendor), &plan.api)?;
        let performance = programs::performance(places, &addresses, directory.path(), plan)?;
        let stack = Self {
            addresses,
            api,
            simulator,
            performance,
            mongo,
            redis,
            proxies,
            vendor,
            directory,
        };
        ready(&stack.simulator, &stack.addresses.simulator).await?;
        ready(&stack.api, &stack.addresses.api).await?;
        ready(&stack.performance, &stack.addresses.performance).await?;
        Ok(stack)
    }

    /// `http://127.0.0.1:PORT` of the API.
    pub(crate) fn api_url(&self) -> String {
        format!("http://{}", self.addresses.api)
    }

    /// `http://127.0.0.1:PORT` of the performance service.
    pub(crate) fn performance_url(&self) -> String {
        format!("http://{}", self.addresses.performance)
    }

    /// For files of the experiment; it goes with the stack.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Changes how the connections to a dependency behave.
    ///
    /// # Errors
    /// The stack does not have it.
    pub(crate) fn set(&self, dependency: Dependency, behaviour: Behaviour) -> anyhow::Result<()> {
        self.proxy(dependency)?.set(behaviour);
        Ok(())
    }

    /// The API finds the vendor's name, or not. Connections that were opened by it end.
    ///
    /// # Errors
    /// The vendor has no name.
    pub(crate) fn set_name_known(&self, known: bool) -> anyhow::Result<()> {
        self.vendor.set_known(known)?;
        self.proxy(Dependency::Provider)?.end_connections();
        Ok(())
    }

    /// New connections to the vendor meet these handshakes in turn; open ones end.
    ///
    /// # Errors
    /// There is no TLS before it.
    pub(crate) fn set_handshakes(&self, handshakes: &[Handshake]) -> anyhow::Result<()> {
        self.vendor.set_handshakes(handshakes)
    }

    /// SIGKILL; returns when the process is gone.
    ///
    /// # Errors
    /// The stack does not have it.
    pub(crate) fn kill(&self, part: Part) -> anyhow::Result<()> {
        self.process(part)?.kill();
        Ok(())
    }

    /// SIGSTOP, or SIGCONT.
    ///
    /// # Errors
    /// The process does not run.
    pub(crate) fn freeze(&self, part: Part, frozen: bool) -> anyhow::Result<()> {
        let signal = if frozen {
            Signal::SIGSTOP
        } else {
            Signal::SIGCONT
        };
        self.process(part)?.signal(signal)
    }

    /// SIGTERM; the process must end by itself, and well.
    ///
    /// # Errors
    /// It does not, or not in time.
    pub(crate) async fn terminate(&self, part: Part) -> anyhow::Result<()> {
        let status = self.process(part)?.terminate(STOP_DEADLINE).await?;
        ensure!(
            status.success(),
            "{part:?} ended with {status} after SIGTERM"
        );
        Ok(())
    }

    /// Starts a process that has ended, with the same files on the same port, and waits until it
    /// is ready; gives the time that it took.
    ///
    /// # Errors
    /// It does not become ready.
    pub(crate) async fn start_again(&self, part: Part) -> anyhow::Result<Duration> {
        let began = Instant::now();
        match part {
            Part::Mongo => self.mongo()?.restart().await?,
            Part::Redis => self.redis()?.restart().await?,
            Part::Provider => {
                self.simulator.start_again()?;
                ready(&self.simulator, &self.addresses.simulator).await?;
            }
            Part::Api => {
                self.api.start_again()?;
                ready(&self.api, &self.addresses.api).await?;
            }
            Part::Performance => {
                self.performance.start_again()?;
                ready(&self.performance, &self.addresses.performance).await?;
            }
        }
        Ok(began.elapsed())
    }

    /// The simulator fails by these rules from now on.
    ///
    /// # Errors
    /// It refuses them.
    pub(crate) async fn set_rules(&self, rules: &[Value]) -> anyhow::Result<()> {
        let api = Api::new(&format!("http://{}", self.addresses.simulator_control))?;
        let reply = api.put("/control/faults", &json!({"rules": rules}));
        let reply = reply.send().await?;
        let status = reply.status();
        let text = reply.text().await.unwrap_or_default();
        ensure!(status.is_success(), "the simulator: {status} {text}");
        Ok(())
    }

    /// The performance service's clock is so many seconds ahead of the machine's from now on.
    ///
    /// # Errors
    /// The service does not follow.
    pub(crate) async fn set_clock(&self, seconds: i64) -> anyhow::Result<()> {
        clock::set(&self.performance, seconds).await
    }

    /// Sends commands to Redis itself, past the proxy.
    ///
    /// # Errors
    /// Redis does not answer, or with an error.
    pub(crate) async fn command_redis(&self, commands: &[Vec<String>]) -> anyhow::Result<()> {
        let address = ("127.0.0.1", self.redis()?.port());
        for words in commands {
            let exchange = tokio::time::timeout(REDIS_DEADLINE, exchange(address, words));
            let reply = exchange.await.context("Redis does not answer")??;
            if reply.starts_with('-') {
                bail!("Redis: {words:?}: {}", reply.trim());
            }
        }
        Ok(())
    }

    /// Ends all of it in order: a run under way is stopped by its service.
    pub(crate) async fn stop(self) {
        // Whatever does not end by itself is killed when this value goes.
        drop(self.performance.terminate(STOP_DEADLINE).await);
        drop(self.api.terminate(STOP_DEADLINE).await);
    }

    /// The disk of the performance service's own.
    ///
    /// # Errors
    /// The service does not run.
    pub(crate) fn disk(&self) -> anyhow::Result<Disk> {
        let process = self.performance.pid().context("the performance service")?;
        Disk::of(process, self.directory.path())
    }

    fn proxy(&self, dependency: Dependency) -> anyhow::Result<&FaultProxy> {
        let mut proxies = self.proxies.iter();
        let found = proxies.find(|(it, _)| *it == dependency);
        let (_, proxy) = found.with_context(|| format!("no proxy before {dependency:?}"))?;
        Ok(proxy)
    }

    fn mongo(&self) -> anyhow::Result<&FerretDb> {
        self.mongo.as_ref().context("the stack has no MongoDB")
    }

    fn redis(&self) -> anyhow::Result<&Redis> {
        self.redis.as_ref().context("the stack has no Redis")
    }

    fn process(&self, part: Part) -> anyhow::Result<&Process> {
        Ok(match part {
            Part::Mongo => self.mongo()?.process(),
            Part::Redis => self.redis()?.process(),
            Part::Provider => &self.simulator,
            Part::Api => &self.api,
            Part::Performance => &self.performance,
        })
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.performance.kill();
        // A supervisor of k6 outlives its service, but not its experiment.
        end_processes_of(self.directory.path());
    }
}

async fn ready(process: &Process, address: &str) -> anyhow::Result<()> {
    let api = Api::new(&format!("http://{address}"))?;
    process
        .ready(START_DEADLINE, async || {
            let status = api.get("/health/ready").send().await?.status();
            ensure!(status.is_success(), "{status}");
            Ok(())
        })
        .await
}

/// One command and the begin of its reply.
async fn exchange(address: (&str, u16), words: &[String]) -> anyhow::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    connection.write_all(command.as_bytes()).await?;
    let mut reply = [0; 512];
    let length = connection.read(&mut reply).await?;
    let reply = reply.get(..length).unwrap_or_default();
    ensure!(!reply.is_empty(), "no reply");
    Ok(String::from_utf8_lossy(reply).into_owned())
}

/// Waits until the API says that it is ready, after the last fault.
pub(crate) async fn wait_until_ready(api: &Api) -> anyhow::Result<()> {
    wait::until("the API is ready", START_DEADLINE, async || {
        let status = api.get("/health/ready").send().await?.status();
        ensure!(status.is_success(), "{status}");
        Ok(())
    })
    .await
}
