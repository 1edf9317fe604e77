//! Ctrl-C, and the command that does the same.

use std::time::Duration;

use anyhow::ensure;
use nix::sys::signal::Signal;
use test_support::process::Process;
use test_support::wait;

use crate::command::{call, end, perf, service};

const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_interrupt_cancels_the_run_and_waits_for_its_end() -> anyhow::Result<()> {
    let service = service().await?;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let before = service.target.requests();
        let running = perf(&service.base_url, &["run", "load"])?.start()?;
        wait::until("load reaches the target", DEADLINE, async || {
            ensure!(service.target.requests() > before, "no request yet");
            Ok(())
        })
        .await?;
        running.signal(signal)?;
        let text = end(&running).await?.ended_with(2);
        assert!(text.contains("cancelling the run"), "{text}");
        assert!(text.contains("INVALID"), "{text}");
        let listed = call(&service, &["list", "--json"]).await?.json();
        assert_eq!(listed[0]["status"], "Cancelled", "{listed}");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_is_cancelled_by_its_number() -> anyhow::Result<()> {
    let service = service().await?;
    let running = perf(&service.base_url, &["run", "load"])?.start()?;
    wait::until("the run is there", DEADLINE, async || {
        let listed = call(&service, &["list", "--json"]).await?.json();
        ensure!(listed[0]["status"] == "Running", "{listed}");
        Ok(())
    })
    .await?;
    let cancelled = call(&service, &["--json", "cancel", "1"]).await?.json();
    assert_eq!(cancelled["status"], "Cancelled", "{cancelled}");
    end(&running).await?.ended_with(2);
    // It is over, which is what was wanted.
    call(&service, &["cancel", "1"]).await?.ended_with(0);
    Ok(())
}

#[tokio::test]
async fn a_service_that_starts_anew_is_waited_for() -> anyhow::Result<()> {
    let service = service().await?;
    let run = ["run", "load", "--vus", "1", "--duration", "6s"];
    let running = perf(&service.base_url, &run)?.start()?;
    shows(&running, " req/s").await?;
    service.process.kill();
    service.process.start_again()?;
    let text = end(&running).await?.ended_with(0);
    assert!(text.contains("#1 load (Load, local): PASS"), "{text}");
    let listed = call(&service, &["list", "--json"]).await?.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    Ok(())
}

async fn shows(process: &Process, words: &str) -> anyhow::Result<()> {
    wait::until(words, DEADLINE, async || {
        let log = process.log();
        ensure!(log.contains(words), "{log}");
        Ok(())
    })
    .await
}
