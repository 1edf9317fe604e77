//! Carries searches on: one run after another through the queue, until each search ends.
//!
//! A run's id is stored before the run is queued. After a crash the run is there and its end is
//! awaited, or it is not and is queued under the same id: none is made twice.

use std::sync::Arc;
use std::time::Duration;

use load_analysis::capacity::{End, Step};
use performance_store::{
    Run, RunAddress, RunId, RunStore, SearchChange, SearchRecord, SearchStatus, StoreError,
};
use service_defaults::problem::Problem;
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::document::Document;
use super::request::{self, Wanted};
use crate::announcer::{Announcement, Announcer, kind};
use crate::conductor::{Asked, Conductor};

/// How often searches are looked at when nothing is told: a queue that was full, a store that did
/// not answer.
const LOOK: Duration = Duration::from_secs(5);

/// Steps of one search in one look: an end that is recorded, and the next run that is queued.
const MAX_STEPS: usize = 4;

/// Looks at a search that changes while it is stopped.
const MAX_LOOKS: u32 = 5;

/// Carries searches on; clones are the same one.
#[derive(Clone)]
pub(crate) struct Searcher {
    store: RunStore,
    conductor: Conductor,
    announcer: Announcer,
    /// Says that a search was added.
    added: Arc<Notify>,
}

/// What came of one step.
enum Turn {
    /// There is more to do at once.
    Again(Box<SearchRecord>),
    /// Something must happen first.
    Wait,
}

impl Searcher {
    pub(crate) fn new(store: RunStore, conductor: Conductor, announcer: Announcer) -> Self {
        Self {
            store,
            conductor,
            announcer,
            added: Arc::new(Notify::new()),
        }
    }

    /// A search was stored.
    pub(crate) fn notice(&self) {
        self.added.notify_one();
    }

    /// Goes on until the shutdown; a search goes on after the next start.
    pub(crate) async fn search(self, shutdown: CancellationToken) {
        let mut ends = self.announcer.subscribe();
        loop {
            match self.store.searching().await {
                Ok(searches) => {
                    for search in searches {
                        self.carry_on(search).await;
                    }
                }
                Err(error) => tracing::error!("the searches cannot be read: {error}"),
            }
            let something = async {
                tokio::select! {
                    () = self.added.notified() => {}
                    () = end_of_a_run(&mut ends) => {}
                }
            };
            if shutdown
                .run_until_cancelled(timeout(LOOK, something))
                .await
                .is_none()
            {
                return;
            }
        }
    }

    /// Stops a search, and its run.
    ///
    /// # Errors
    /// 404 for an unknown one, 409 for one that is over.
    pub(crate) async fn cancel(&self, search: SearchRecord) -> Result<(), Problem> {
        let mut search = search;
        for _ in 0..MAX_LOOKS {
            if search.status.is_final() {
                let detail = format!("the search is over: it is {}", search.status.as_str());
                return Err(Problem::conflict(detail));
            }
            let mut document = Document::of(&search).map_err(|_| Problem::internal())?;
            document.end(End::Stopped);
            let change = SearchChange {
                status: SearchStatus::Cancelled,
                run: None,
                document: document.json(),
            };
            match self.store.change_search(&search, change).await {
                Ok(_) => {
                    self.stop_run(&search).await;
                    return Ok(());
                }
                Err(StoreError::Superseded) => {
                    let found = self.store.search(&search.tenant, search.id).await;
                    search = found.map_err(request::from_store)?;
                }
                Err(error) => return Err(request::from_store(error)),
            }
        }
        Err(request::from_store(StoreError::Superseded))
    }

    async fn stop_run(&self, search: &SearchRecord) {
        if let Some(run) = search.run
            && let Err(problem) = self.conductor.cancel(&address(search, run)).await
        {
            // It is over, or not queued yet: then who queues it finds the search stopped.
            tracing::debug!(test.id = %run, "the run of a stopped search: {}", problem.detail());
        }
    }

    async fn carry_on(&self, search: SearchRecord) {
        let mut search = search;
        for _ in 0..MAX_STEPS {
            match self.turn(search).await {
                Ok(Turn::Again(changed)) => search = *changed,
                Ok(Turn::Wait) => return,
                Err(error) => {
                    tracing::warn!("a search does not go on yet: {error}");
                    return;
                }
            }
        }
    }

    async fn turn(&self, search: SearchRecord) -> Result<Turn, StoreError> {
        let read = request::stored(&search.request)
            .and_then(|wanted| Ok((wanted, Document::of(&search)?)));
        let (wanted, document) = match read {
            Ok(read) => read,
            Err(reason) => return self.fail(&search, None, reason).await,
        };
        let Some(run) = search.run else {
            return self.next(&search, &wanted, document).await;
        };
        match self.store.get(&address(&search, run)).await {
            Ok(run) if run.status.is_final() => self.record(&search, document, &run).await,
            Ok(_) => Ok(Turn::Wait),
            Err(StoreError::NotFound) => self.begin(&search, &wanted, document, run).await,
            Err(error) => Err(error),
        }
    }

    /// Decides what comes next.
    async fn next(
        &self,
        search: &SearchRecord,
        wanted: &Wanted,
        mut document: Document,
    ) -> Result<Turn, StoreError> {
        let took = self.store.clock().now().duration_since(search.created_at);
        let cap = wanted.most_money;
        let spent = document.spent();
        let step = document.search.next_step();
        if let Step::Done(capacity) = step {
            document.result = Some(capacity);
            return self.finish(search, &document, SearchStatus::Done).await;
        }
        let early = if took.unsigned_abs() + wanted.step > wanted.longest {
            Some(End::OutOfTime)
        } else {
            let over = cap.is_some_and(|cap| spent.iter().any(|spent| *spent >= cap));
            over.then_some(End::OutOfMoney)
        };
        if let Some(end) = early {
            document.end(end);
            return self.finish(search, &document, SearchStatus::Done).await;
        }
        let change = SearchChange {
            status: SearchStatus::Searching,
            run: Some(self.store.clock().run_id()),
            document: document.json(),
        };
        self.change(search, change).await
    }

    /// Queues the run whose id is stored.
    async fn begin(
        &self,
        search: &SearchRecord,
        wanted: &Wanted,
        document: Document,
        run: RunId,
    ) -> Result<Turn, StoreError> {
        let Step::Try { rate, .. } = document.search.next_step() else {
            return self.clear(search, &document).await;
        };
        let body = wanted.run_at(rate, self.conductor.most_users());
        let address = address(search, run);
        let asked = Asked {
            started_by: &search.started_by,
            triggered_by: format!("capacity {}", search.id),
            configuration: None,
        };
        let queued = self.conductor.submit_child(address, asked, body);
        match queued.await {
            Ok(_) => {
                let now = self.store.search(&search.tenant, search.id).await?;
                if now.status.is_final() {
                    self.stop_run(search).await;
                }
                Ok(Turn::Wait)
            }
            // The queue is full, or somebody does not answer: the next look tries again.
            Err(problem) if problem.status().is_server_error() || problem.status() == 429 => {
                tracing::warn!("the run of a search is not queued: {}", problem.detail());
                Ok(Turn::Wait)
            }
            Err(problem) => {
                let reason = problem.detail().to_owned();
                self.fail(search, Some(document), reason).await
            }
        }
    }

    /// Takes the end of a run.
    async fn record(
        &self,
        search: &SearchRecord,
        mut document: Document,
        run: &Run,
    ) -> Result<Turn, StoreError> {
        if let Step::Try { rate, purpose } = document.search.next_step() {
            let results = self.store.results(&run.address()).await?;
            document.record(run, rate, purpose, results.as_deref());
        }
        self.clear(search, &document).await
    }

    /// No run is under way any more.
    async fn clear(&self, search: &SearchRecord, document: &Document) -> Result<Turn, StoreError> {
        let change = SearchChange {
            status: SearchStatus::Searching,
            run: None,
            document: document.json(),
        };
        self.change(search, change).await
    }

    async fn fail(
        &self,
        search: &SearchRecord,
        document: Option<Document>,
        reason: String,
    ) -> Result<Turn, StoreError> {
        tracing::warn!("a search failed: {reason}");
        let document = document.map(|mut document| {
            document.end(End::Stopped);
            document.error = Some(reason);
            document.json()
        });
        let change = SearchChange {
            status: SearchStatus::Failed,
            run: None,
            document: document.unwrap_or_else(|| search.document.clone()),
        };
        self.change(search, change).await
    }

    async fn finish(
        &self,
        search: &SearchRecord,
        document: &Document,
        status: SearchStatus,
    ) -> Result<Turn, StoreError> {
        let change = SearchChange {
            status,
            run: None,
            document: document.json(),
        };
        let sentence = document.result.as_ref().map(|it| it.sentence.as_str());
        tracing::info!("a search is over: {}", sentence.unwrap_or_default());
        self.change(search, change).await
    }

    async fn change(
        &self,
        search: &SearchRecord,
        change: SearchChange,
    ) -> Result<Turn, StoreError> {
        match self.store.change_search(search, change).await {
            Ok(changed) if changed.status.is_final() => Ok(Turn::Wait),
            Ok(changed) => Ok(Turn::Again(Box::new(changed))),
            // It was stopped in this moment.
            Err(StoreError::Superseded) => Ok(Turn::Wait),
            Err(error) => Err(error),
        }
    }
}

fn address(search: &SearchRecord, run: RunId) -> RunAddress {
    RunAddress {
        tenant: search.tenant.clone(),
        id: run,
    }
}

/// Awaits the end of any run; what is missed is found by the next look.
async fn end_of_a_run(announced: &mut Receiver<Announcement>) {
    while let Ok(announcement) = announced.recv().await {
        if announcement.event.kind == kind::END {
            return;
        }
    }
}
