//! What the LLM layer adds to calls that the simulator answers: time, lost frames, memory.
//!
//! It is compared in one run and in turn with a bare HTTP/1.1 client that sends the same bytes and
//! reads the reply without understanding it. The layer has everything on: retries, a bulkhead, a
//! circuit breaker, a budget for the tenant, the price, the ledger, metrics, and a span that goes to
//! a collector. It has a core to itself; the simulators and the collector share another one.

mod bare;
mod calls;
mod layer;
mod memory;
mod row;
mod stage;
mod streams;

use stage::Others;
use test_support::bench::is_wanted;

fn main() -> anyhow::Result<()> {
    let wanted = [
        is_wanted(&calls::ROWS)?,
        is_wanted(&streams::ROWS)?,
        is_wanted(&memory::ROWS)?,
    ];
    if wanted == [false; 3] {
        return Ok(());
    }
    drop(rustls::crypto::ring::default_provider().install_default());
    let others = stage::set()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure(&others, wanted))
}

async fn measure(others: &Others, [calls, streams, memory]: [bool; 3]) -> anyhow::Result<()> {
    let telemetry = others.start_telemetry()?;
    if calls {
        calls::measure(others).await?;
    }
    if streams {
        streams::measure(others).await?;
    }
    if memory {
        memory::measure(others).await?;
    }
    telemetry.shutdown().await;
    Ok(())
}
