//! Waiting for a condition of another process, with a deadline.

use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, timeout_at};

/// Pause between two looks. Short beside what is waited for (a process that
/// starts, a span that is exported), long enough to cost nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Asks `attempt` again and again until it succeeds, and returns what it found.
///
/// `attempt` says "not yet" by an error; [`anyhow::ensure!`] reads well there.
/// Use this where no event can be awaited, because the other side is another
/// process.
///
/// # Errors
/// When `deadline` has passed: names `what` and the last reason of `attempt`.
pub async fn until<T>(
    what: &str,
    deadline: Duration,
    mut attempt: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let end = Instant::now() + deadline;
    let mut reason = anyhow::anyhow!("the first attempt did not end");
    loop {
        match timeout_at(end, attempt()).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(not_yet)) => reason = not_yet,
            Err(_) => return Err(reason).with_context(|| late(what, deadline)),
        }
        if Instant::now() + POLL_INTERVAL >= end {
            return Err(reason).with_context(|| late(what, deadline));
        }
        pause().await;
    }
}

fn late(what: &str, deadline: Duration) -> String {
    format!("waited {deadline:?} in vain: {what}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one poll interval of all tests; it is bounded by the caller's deadline"
)]
async fn pause() {
    tokio::time::sleep(POLL_INTERVAL).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn returns_what_a_later_attempt_finds() {
        let mut looks = 0;
        let found = until("a third look", Duration::from_secs(5), async || {
            looks += 1;
            anyhow::ensure!(looks == 3, "look {looks}");
            Ok(looks)
        })
        .await;
        assert_eq!(found.unwrap(), 3);
    }

    #[tokio::test]
    async fn names_what_was_waited_for_and_the_last_reason() {
        let failure = until("a miracle", Duration::from_millis(50), async || {
            anyhow::bail!("none seen");
            #[expect(unreachable_code, reason = "gives the closure its type")]
            Ok(())
        })
        .await
        .unwrap_err();
        let text = format!("{failure:#}");
        assert!(
            text.contains("a miracle") && text.contains("none seen"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn ends_an_attempt_that_hangs() {
        let failure = until("an answer", Duration::from_millis(50), async || {
            std::future::pending::<anyhow::Result<()>>().await
        })
        .await
        .unwrap_err();
        assert!(format!("{failure:#}").contains("did not end"));
    }
}
