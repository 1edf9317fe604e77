//! A real container engine: Docker's daemon with files, sockets and containers of its own.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::process::{Process, Program};
use crate::{http, tools};

/// Daemon and runtime are up within a second or two.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A daemon stops its containers and takes its mounts away.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// Packing a binary of 50 MB.
const PACK_DEADLINE: Duration = Duration::from_secs(30);

/// A container engine with nothing in it. Stopped when dropped.
#[derive(Debug)]
pub struct ContainerEngine {
    process: Process,
    socket: PathBuf,
    client: reqwest::Client,
}

/// Starts an engine and waits until it answers. It takes root: an engine makes mounts, control
/// groups and namespaces.
///
/// # Errors
/// When it is not installed or does not start.
pub async fn container_engine() -> anyhow::Result<ContainerEngine> {
    ensure!(
        std::fs::metadata("/proc/self")?.uid() == 0,
        "a container engine starts as root only: run deploy/scripts/test-containers.sh as root, \
         or in a privileged container"
    );
    let daemon = tools::dockerd()?;
    // What the daemon starts stands beside it, or where everything does.
    let beside = daemon.parent().map(Path::to_owned).into_iter();
    let usual = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from);
    let path = std::env::join_paths(beside.chain(usual))?;
    let program = Program::new("dockerd", daemon)?;
    let directory = program.directory().to_owned();
    let socket = directory.join("docker.sock");
    let process = program
        .env("PATH", path)
        .args(["--storage-driver=vfs", "--bridge=none", "--iptables=false"])
        .args(["--ip6tables=false", "--log-level=warn", "--data-root"])
        .arg(directory.join("data"))
        .arg("--exec-root")
        .arg(directory.join("exec"))
        .arg("--pidfile")
        .arg(directory.join("pid"))
        .arg("--host")
        .arg(format!("unix://{}", socket.display()))
        .start()?;
    let client = http::over_socket(&socket)?;
    let engine = ContainerEngine {
        process,
        socket,
        client,
    };
    engine.ready().await?;
    Ok(engine)
}

impl ContainerEngine {
    /// Its Unix socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Makes an image of one static binary, which it starts. Gives the image's id.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn import(&self, binary: &Path) -> anyhow::Result<String> {
        let name = binary.file_name().context("a file")?;
        let tar = Program::new("tar", tools::tar()?)?;
        let archive = tar.directory().join("image.tar");
        let packing = tar
            .args(["--dereference", "--create", "--file"])
            .arg(&archive)
            .arg("--directory")
            .arg(binary.parent().context("a directory")?)
            .arg(name)
            .start()?;
        let status = packing.wait(PACK_DEADLINE).await?;
        ensure!(status.success(), "{}", packing.log());
        let change = format!("ENTRYPOINT [\"/{}\"]", name.display());
        let url = reqwest::Url::parse_with_params(
            "http://localhost/images/create",
            [("fromSrc", "-"), ("changes", change.as_str())],
        )?;
        let request = self.client.post(url).body(std::fs::read(&archive)?);
        let answer: Value = answer(request).await?;
        let id = answer["status"].as_str();
        Ok(id.with_context(|| format!("{answer}"))?.to_owned())
    }

    /// Makes a container, which does not run.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn create(&self, description: &Value) -> anyhow::Result<Value> {
        let url = "http://localhost/containers/create";
        answer(self.client.post(url).json(description)).await
    }

    /// Every container, in whatever state.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn containers(&self) -> anyhow::Result<Vec<Value>> {
        let listed = self.get("/containers/json?all=true").await?;
        Ok(serde_json::from_value(listed)?)
    }

    /// The containers with this label, in whatever state.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn labelled(&self, name: &str, value: &str) -> anyhow::Result<Vec<Value>> {
        let mut all = self.containers().await?;
        all.retain(|container| container["Labels"][name] == value);
        Ok(all)
    }

    /// Asks for a document.
    ///
    /// # Errors
    /// The engine refuses or does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        answer(self.client.get(format!("http://localhost{path}"))).await
    }

    /// Ends the daemon at once. Its containers go on, until it is started again.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Starts it again after a [`Self::kill`].
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_again(&self) -> anyhow::Result<()> {
        self.process.start_again()?;
        self.ready().await
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let answers = async || {
            self.get("/version").await?;
            Ok(())
        };
        let ready = self.process.ready(START_DEADLINE, answers).await;
        ready.context(
            "a container engine needs mounts, control groups and namespaces, which a container \
             without --privileged lacks",
        )
    }
}

async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
    let answer = request.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    ensure!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).with_context(|| text.clone())
}

impl Drop for ContainerEngine {
    /// Killed at once, it would leave mounts below its directory.
    fn drop(&mut self) {
        let asked = Instant::now();
        if self.process.signal(Signal::SIGTERM).is_err() {
            return;
        }
        while asked.elapsed() < STOP_DEADLINE && self.socket.exists() {
            pause();
        }
        while asked.elapsed() < STOP_DEADLINE && self.process.signal(Signal::SIGCONT).is_ok() {
            pause();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a value that is dropped cannot await"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
