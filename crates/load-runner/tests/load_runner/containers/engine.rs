//! The engine that the tests share, and labs that use it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use load_runner::binary::MajorVersion;
use load_runner::container::{ContainerConfig, ContainerLimits, ContainerRunner};
use test_support::{ContainerEngine, container_engine, http, tools};

use crate::lab::{Lab, PROGRAM};

/// What a k6 of these tests needs, and no more.
pub(crate) const LIMITS: ContainerLimits = ContainerLimits {
    memory: 384 * 1024 * 1024,
    processors: 2,
    processes: 128,
};

/// A lab with the engine that all tests of the moment share.
pub(crate) async fn open(version: MajorVersion) -> anyhow::Result<Lab<ContainerRunner>> {
    open_with(shared().await?, version, LIMITS).await
}

pub(crate) async fn open_with(
    engine: Arc<ContainerEngine>,
    version: MajorVersion,
    limits: ContainerLimits,
) -> anyhow::Result<Lab<ContainerRunner>> {
    let config = config(&engine, limits).await?;
    let runner = ContainerRunner::new(config, http::client()?, PROGRAM.into());
    Lab::of(runner, version, Some(engine)).await
}

pub(crate) async fn config(
    engine: &ContainerEngine,
    limits: ContainerLimits,
) -> anyhow::Result<ContainerConfig> {
    let v1 = engine.import(&tools::k6_v1()?).await?;
    let v2 = engine.import(&tools::k6()?).await?;
    let images = [(MajorVersion::V1, v1), (MajorVersion::V2, v2)];
    let images: Result<HashMap<_, _>, _> = images
        .into_iter()
        .map(|(version, image)| Ok::<_, anyhow::Error>((version, image.parse()?)))
        .collect();
    Ok(ContainerConfig {
        socket: engine.socket().to_owned(),
        images: images?,
        limits,
    })
}

/// One engine for as long as a test has it.
pub(crate) async fn shared() -> anyhow::Result<Arc<ContainerEngine>> {
    static SHARED: Mutex<Weak<ContainerEngine>> = Mutex::new(Weak::new());
    static STARTING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one_at_a_time = STARTING.lock().await;
    let found = SHARED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .upgrade();
    if let Some(engine) = found {
        return Ok(engine);
    }
    let engine = Arc::new(container_engine().await?);
    *SHARED.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&engine);
    Ok(engine)
}
