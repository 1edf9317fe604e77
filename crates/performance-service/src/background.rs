//! The tasks that work from the start of the process to its shutdown.

use std::collections::HashMap;
use std::time::Duration;

use service_defaults::process::RunError;
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the tasks may take after the shutdown began. The end of a run takes longest: k6 gets
/// 10 s to stop.
const LAST_DEADLINE: Duration = Duration::from_secs(20);

/// Tasks that nobody may outlive: without one of them runs are accepted and never begin, or
/// schedules are kept and never looked at.
#[derive(Default)]
pub(crate) struct Background {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Background {
    /// Begins a task, whose name is for the log.
    pub(crate) fn spawn(
        &mut self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.tasks.spawn(work);
        self.names.insert(task.id(), name);
    }

    /// Watches over the tasks until all of them have ended after the shutdown. One that ends
    /// before, which is a bug, begins the shutdown.
    ///
    /// # Errors
    /// The task that ended too early.
    pub(crate) async fn watch(mut self, shutdown: CancellationToken) -> Result<(), RunError> {
        let mut broken = None;
        let watched = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                let name = self.names.remove(&id).unwrap_or_default();
                if !shutdown.is_cancelled() {
                    tracing::error!("the {name} has ended before the shutdown");
                    broken = Some(name);
                    shutdown.cancel();
                }
            }
        };
        let overdue = async {
            shutdown.cancelled().await;
            timeout(LAST_DEADLINE, std::future::pending::<()>()).await
        };
        tokio::select! {
            () = watched => {}
            _ = overdue => {
                let names: Vec<&str> = self.names.values().copied().collect();
                tracing::error!("did not end in time: {}", names.join(", "));
            }
        }
        broken.map_or(Ok(()), |name| {
            Err(format!("the {name} has ended before the shutdown").into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn until(shutdown: CancellationToken) {
        shutdown.cancelled().await;
    }

    #[tokio::test]
    async fn a_task_that_panics_ends_the_process() {
        let shutdown = CancellationToken::new();
        let mut background = Background::default();
        background.spawn("conductor", until(shutdown.clone()));
        background.spawn("courier", async { panic!("a bug") });
        let error = background.watch(shutdown.clone()).await.unwrap_err();
        assert!(error.to_string().contains("the courier"), "{error}");
        assert!(shutdown.is_cancelled(), "the others are told");
    }

    #[tokio::test]
    async fn tasks_that_end_with_the_shutdown_are_no_error() {
        let shutdown = CancellationToken::new();
        let mut background = Background::default();
        background.spawn("conductor", until(shutdown.clone()));
        shutdown.cancel();
        assert!(background.watch(shutdown).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_hangs_does_not_hold_up_the_end() {
        let shutdown = CancellationToken::new();
        let mut background = Background::default();
        background.spawn("conductor", std::future::pending());
        shutdown.cancel();
        assert!(background.watch(shutdown).await.is_ok());
    }
}
