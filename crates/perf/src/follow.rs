//! A run that goes on, from here to its end.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::service::{Event, Run, Service};

/// For a service that does not answer while it is started anew.
const PATIENCE: Duration = Duration::from_secs(60);

/// Before the service is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// One run and what was seen of it.
struct Follower<'a> {
    service: &'a Service,
    id: &'a str,
    progress: Progress,
    seen: u64,
    /// When the service was last heard of, by its stream or by an answer.
    answered: Instant,
}

/// Shows what happens until the run is over, and returns it with its results. An interrupt
/// cancels the run, whose end is still waited for; a second one leaves it.
///
/// # Errors
/// The service does not answer any more, or the wait was given up.
pub(crate) async fn to_end(
    service: &Service,
    run: &Run,
    progress: Progress,
    interrupt: &mut Interrupt,
) -> Result<Run, Failure> {
    let mut follower = Follower {
        service,
        id: &run.test_id,
        progress,
        seen: 0,
        answered: Instant::now(),
    };
    let ended = tokio::select! {
        ended = follower.follow() => Some(ended),
        () = interrupt.received() => None,
    };
    if let Some(ended) = ended {
        return ended;
    }
    follower.progress.say("cancelling the run");
    tokio::select! {
        ended = follower.cancel() => ended,
        () = interrupt.received() => Err(Failure::Broken(format!(
            "left {} before its end; `perf cancel {}` waits for it",
            run.name(),
            run.number
        ))),
    }
}

impl Follower<'_> {
    async fn cancel(&mut self) -> Result<Run, Failure> {
        self.service.cancel(self.id).await?;
        self.follow().await
    }

    async fn follow(&mut self) -> Result<Run, Failure> {
        loop {
            self.watch().await;
            match self.service.run(self.id).await {
                Ok(run) if run.is_over() => return Ok(run),
                Ok(_) => self.answered = Instant::now(),
                Err(failure) if failure.may_pass() && self.answered.elapsed() < PATIENCE => {}
                Err(failure) => return Err(failure),
            }
            pause().await;
        }
    }

    /// Tells what the stream tells, until it ends or breaks off. Without one the run is asked for
    /// from time to time.
    async fn watch(&mut self) {
        let Ok(events) = self.service.events(self.id, self.seen).await else {
            return;
        };
        let mut events = pin!(events);
        self.answered = Instant::now();
        while let Some((seen, event)) = events.next().await {
            self.answered = Instant::now();
            self.seen = self.seen.max(seen);
            match event {
                Event::Seconds(points) => self.progress.seconds(&points),
                Event::Status(told) => self.progress.say(&told),
                Event::End => return,
                Event::Other => {}
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a back-off, so that a service that answers nothing is not asked without end"
)]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
