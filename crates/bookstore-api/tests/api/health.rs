//! The probes while all is well; outages have suites of their own.

use std::time::Duration;

use anyhow::ensure;
use test_support::{port, wait};

use crate::test_api::{Setup, on_sqlite};

#[tokio::test]
async fn health_is_a_word() -> anyhow::Result<()> {
    let reply = on_sqlite().await?.get("/health").await?;
    assert_eq!(reply.expect(200)?.text(), "Healthy");
    assert!(reply.header("content-type").starts_with("text/plain"));
    Ok(())
}

#[tokio::test]
async fn probes_tell_of_each_check() -> anyhow::Result<()> {
    let caller = on_sqlite().await?;
    for probe in ["ready", "startup"] {
        let document = caller.read(&format!("/health/{probe}")).await?;
        assert_eq!(document["status"], "healthy", "{probe}");
        assert_eq!(document["checks"]["store"]["status"], "healthy", "{probe}");
        assert_eq!(document["checks"]["store"]["needed"], true, "{probe}");
        assert_eq!(document["checks"]["redis"]["needed"], false, "{probe}");
    }
    assert_eq!(caller.read("/health/live").await?["status"], "healthy");
    Ok(())
}

#[tokio::test]
async fn a_redis_that_was_never_there_is_told_and_survived() -> anyhow::Result<()> {
    let nobody = format!("redis://127.0.0.1:{}", port::free()?);
    let api = Setup::default().with("REDIS_URL", nobody).start().await?;
    let caller = api.caller()?;
    let address = caller.create_book("T").await?;
    caller.read(&address).await?;
    wait::until(
        "the lost Redis is told",
        Duration::from_secs(20),
        async || {
            let document = caller.read("/health/ready").await?;
            ensure!(document["status"] == "healthy", "{document}");
            ensure!(
                document["checks"]["redis"]["status"] == "unhealthy",
                "{document}"
            );
            Ok(())
        },
    )
    .await
}
