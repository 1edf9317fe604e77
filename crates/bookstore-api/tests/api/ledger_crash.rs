//! What a killed process loses of the ledger: what was not written yet, and nothing else.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use anyhow::Context;
use llm::{Ledger, LedgerFilter, LedgerPage};
use tenancy::TenantId;

use crate::{
    caller::Caller,
    llm_fixture::{SimulatedLlm, ask},
};

/// Rows of attempts that ended longer than this ago are in the file. The writer takes
/// milliseconds; the rest is room for a busy machine.
const WRITTEN_AFTER: Duration = Duration::from_secs(2);

/// Callers at once.
const CALLERS: usize = 8;

/// How long they call before the process is killed.
const TRAFFIC: Duration = Duration::from_secs(4);

/// Calls until nobody answers any more: the traces of the calls that succeeded, and when.
async fn call_until_gone(caller: Caller, book: String) -> anyhow::Result<Vec<(String, Instant)>> {
    let mut ended = Vec::new();
    while let Ok(reply) = ask(&caller, &book, "provider=claude&refresh=true").await {
        if reply.status == 200 {
            ended.push((reply.trace_id()?.to_owned(), Instant::now()));
        }
    }
    Ok(ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_at_most_what_was_still_queued() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start().await?;
    let began = Instant::now();
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        callers.push(tokio::spawn(call_until_gone(
            llm.caller.clone(),
            llm.book().await?,
        )));
    }
    tokio::time::timeout(TRAFFIC, std::future::pending::<()>())
        .await
        .err()
        .context("nothing ends this")?;
    let killed = Instant::now();
    llm.api.kill();
    let mut answered = Vec::new();
    for caller in callers {
        answered.extend(caller.await??);
    }

    let ledger = Ledger::open(&llm.api.ledger())?;
    let filter = LedgerFilter::of(TenantId::parse(llm.caller.tenant())?);
    let mut booked = HashSet::new();
    for offset in (0..).step_by(1_000) {
        let page = LedgerPage {
            offset,
            limit: 1_000,
        };
        let rows = ledger.rows(filter.clone(), page).await?;
        if rows.is_empty() {
            break;
        }
        // Every row that is there is whole.
        assert!(rows.iter().all(|row| row.cost.is_some()));
        booked.extend(rows.into_iter().filter_map(|row| row.trace_id));
    }
    let early = |ended: &Instant| *ended + WRITTEN_AFTER < killed;
    let lost = answered
        .iter()
        .filter(|(trace, ended)| early(ended) && !booked.contains(trace));
    assert_eq!(lost.count(), 0);
    let sure = answered.iter().filter(|(_, ended)| early(ended)).count();
    assert!(sure > CALLERS, "{sure} calls in {:?}", killed - began);
    assert!(
        booked.len() <= answered.len() + CALLERS,
        "rows of calls that nobody made"
    );
    Ok(())
}
