//! The API's own binary with a state directory and a port of its own.

use std::{ffi::OsString, ops::Deref, path::PathBuf, process::ExitStatus, time::Duration};

use anyhow::ensure;
use test_support::{
    FerretDb,
    http::client,
    port,
    process::{Process, Program},
};
use tokio::sync::OnceCell;

use crate::caller::Caller;

/// A debug binary on a machine under load starts in a second or two.
const START_DEADLINE: Duration = Duration::from_secs(40);

/// Longer than the API's own limit for draining.
const STOP_DEADLINE: Duration = Duration::from_secs(45);

/// What the process is started with.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    environment: Vec<(OsString, OsString)>,
}

/// A started API. Killed when dropped.
pub(crate) struct TestApi {
    process: Process,
    address: String,
}

impl Setup {
    /// With this setting as well.
    pub(crate) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts the API and waits until it is ready.
    pub(crate) async fn start(self) -> anyhow::Result<TestApi> {
        let api = self.launch()?;
        api.ready().await?;
        Ok(api)
    }

    /// Starts the API and waits for nothing.
    pub(crate) fn launch(self) -> anyhow::Result<TestApi> {
        let address = format!("127.0.0.1:{}", port::free()?);
        let mut program = Program::new("bookstore-api", env!("CARGO_BIN_EXE_bookstore-api"))?;
        let state = program.directory().join("state");
        program = program
            .env("BOOKSTORE_HTTP_ADDR", &address)
            .env("BOOKSTORE_STATE_DIR", state)
            .env("BOOKSTORE_LOG_FORMAT", "json");
        for (name, value) in self.environment {
            program = program.env(name, value);
        }
        let process = program.start()?;
        Ok(TestApi { process, address })
    }
}

impl TestApi {
    /// A new tenant of this API.
    pub(crate) fn caller(&self) -> anyhow::Result<Caller> {
        Caller::new(&self.base_url())
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The process, for its log and for signals.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// The ledger's file.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.process.directory().join("state/data/ledger.sqlite")
    }

    /// Waits until the readiness probe succeeds.
    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        let (http, url) = (client()?, format!("{}/health/ready", self.base_url()));
        self.process
            .ready(START_DEADLINE, async || {
                let status = http.get(&url).send().await?.status();
                ensure!(status.is_success(), "readiness answers {status}");
                Ok(())
            })
            .await
    }

    /// SIGKILL.
    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// Starts it again on the same port and state, after its end.
    pub(crate) async fn restart(&self) -> anyhow::Result<()> {
        self.process.start_again()?;
        self.ready().await
    }

    /// SIGTERM; returns when the process has ended.
    pub(crate) async fn terminate(&self) -> anyhow::Result<ExitStatus> {
        self.process.terminate(STOP_DEADLINE).await
    }
}

/// A new tenant of the API over `SQLite` that the cases of the contract share.
pub(crate) async fn on_sqlite() -> anyhow::Result<Caller> {
    static SHARED: OnceCell<TestApi> = OnceCell::const_new();
    let api = SHARED.get_or_try_init(|| Setup::default().start()).await?;
    api.caller()
}

/// A caller whose API ends with it.
pub(crate) struct OwnApi {
    _api: TestApi,
    caller: Caller,
}

impl Deref for OwnApi {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

/// A tenant of an API over a server of the `MongoDB` protocol. The cases share the server, and each
/// has a database of its own: the stand-in reads a whole collection for most queries, so that a
/// shared one would make every case slower than the one before.
pub(crate) async fn on_ferretdb() -> anyhow::Result<OwnApi> {
    static SHARED: OnceCell<FerretDb> = OnceCell::const_new();
    let store = SHARED.get_or_try_init(test_support::ferretdb).await?;
    let api = Setup::default()
        .with("MONGODB_URI", store.uri())
        .with(
            "MONGODB_DATABASE",
            format!("case_{:016x}", fastrand::u64(..)),
        )
        .start()
        .await?;
    let caller = api.caller()?;
    Ok(OwnApi { _api: api, caller })
}

/// Makes each case a test over either store.
macro_rules! on_both_stores {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() -> anyhow::Result<()> {
                let caller = crate::test_api::on_sqlite().await?;
                super::$case(&caller).await
            })+
        }

        mod ferretdb {
            $(#[tokio::test]
            async fn $case() -> anyhow::Result<()> {
                let caller = crate::test_api::on_ferretdb().await?;
                super::$case(&caller).await
            })+
        }
    };
}

pub(crate) use on_both_stores;
