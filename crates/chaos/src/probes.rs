//! Users of the API's whose every answer is told apart. They ask at fixed times, whether the
//! answer before has come or not: a slow system would otherwise be asked less and look better.
//! What is still unanswered in the end is an answer too: none.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant as Moment, MissedTickBehavior, interval_at, timeout};

use crate::api::{Api, PATIENCE, book, stream, whole};
use crate::ledger::{Ledger, Write};
use crate::samples::{Answer, Asked, Samples};

pub(crate) const CACHED_READ: &str = "cached read";
pub(crate) const ABSENT_READ: &str = "absent read";
pub(crate) const LIST: &str = "list";
pub(crate) const CREATE: &str = "create";
pub(crate) const CHANGE: &str = "change";
pub(crate) const SUMMARY: &str = "summary";
pub(crate) const STREAM: &str = "stream";
pub(crate) const LIVE: &str = "live";
pub(crate) const READY: &str = "ready";

/// All of them, as expectations name them.
pub(crate) const NAMES: [&str; 9] = [
    CACHED_READ,
    ABSENT_READ,
    LIST,
    CREATE,
    CHANGE,
    SUMMARY,
    STREAM,
    LIVE,
    READY,
];

/// Those that are no users: they ask the API how it is.
pub(crate) const OPERATORS: [&str; 2] = [LIVE, READY];

/// Requests of one probe that wait for their answers; a further one is not sent and counts as
/// unanswered.
const MAX_WAITING: usize = 64;

/// Books that are asked for summaries in turn; a summary is stored on its book, so that what is
/// read from the cache is none of them.
const BOOKS: usize = 8;

/// What it may take to note those who were given up.
const GIVING_UP: Duration = Duration::from_secs(1);

/// Ids have 12 bytes; one drawn from all of them is nobody's.
const NO_IDS: u128 = 1 << 96;

/// All probes; they end when this is dropped.
pub(crate) struct Probes {
    tasks: JoinSet<()>,
    /// Once they are to ask no more: how long they may wait for what they asked.
    end: watch::Sender<Option<Duration>>,
}

impl Probes {
    /// Stores the books that are read, and begins to ask, at this share of the usual rates.
    ///
    /// # Errors
    /// The API does not store the books.
    pub(crate) async fn start(
        api: &Api,
        samples: &Samples,
        ledger: &Arc<Ledger>,
        share: f64,
    ) -> anyhow::Result<Self> {
        let mut books = Vec::with_capacity(BOOKS);
        for number in 0..BOOKS {
            books.push(api.create(&format!("summed-up-{number}")).await?);
        }
        let cached = api.create("cached").await?;
        let changed = api.create(crate::ledger::CHANGED).await?;
        let user = User {
            api: api.clone(),
            samples: samples.clone(),
            ledger: Arc::clone(ledger),
            books: books.into(),
            cached: cached.into(),
            changed: changed.into(),
        };
        let (end, watched) = watch::channel(None);
        let mut tasks = JoinSet::new();
        for (probe, every_ms) in [
            (CACHED_READ, 100),
            (ABSENT_READ, 200),
            (LIST, 250),
            (CREATE, 200),
            (SUMMARY, 500),
            (STREAM, 500),
            (LIVE, 250),
            (READY, 250),
        ] {
            let every = Duration::from_millis(every_ms).div_f64(share);
            tasks.spawn(
                user.clone()
                    .ask_at_fixed_times(probe, every, watched.clone()),
            );
        }
        let pause = Duration::from_millis(200).div_f64(share);
        tasks.spawn(user.change_one_after_the_other(pause, watched));
        Ok(Self { tasks, end })
    }

    /// Nobody asks any more; what waits for its answer gets it, or counts as unanswered once a
    /// user has lost patience.
    pub(crate) async fn stop(self) {
        self.stop_within(PATIENCE).await;
    }

    async fn stop_within(mut self, patience: Duration) {
        self.end.send_replace(Some(patience));
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(patience + GIVING_UP, all).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

/// Who asks.
#[derive(Clone)]
struct User {
    api: Api,
    samples: Samples,
    ledger: Arc<Ledger>,
    books: Arc<[String]>,
    cached: Arc<str>,
    changed: Arc<str>,
}

impl User {
    async fn ask_at_fixed_times(
        self,
        probe: &'static str,
        every: Duration,
        mut end: watch::Receiver<Option<Duration>>,
    ) {
        let mut clock = interval_at(Moment::now() + every, every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let places = Arc::new(Semaphore::new(MAX_WAITING));
        let mut waiting = JoinSet::new();
        for number in 0.. {
            tokio::select! {
                _ = clock.tick() => {}
                _ = end.wait_for(Option::is_some) => break,
            }
            while waiting.try_join_next().is_some() {}
            let asked = Asked::new(&self.samples, probe);
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                // Dropped, it is unanswered.
                continue;
            };
            let user = self.clone();
            waiting.spawn(async move {
                let _place = place;
                let (answer, right) = user.ask(probe, number).await;
                asked.end(answer, right);
            });
        }
        let patience = end.borrow().unwrap_or_default();
        let all = async { while waiting.join_next().await.is_some() {} };
        if timeout(patience, all).await.is_err() {
            waiting.shutdown().await;
        }
    }

    /// Sends one request of a probe; says what came, and whether that is right.
    async fn ask(&self, probe: &'static str, number: usize) -> (Answer, bool) {
        let book = |number: usize| {
            let index = number % self.books.len();
            self.books.get(index).map_or("", String::as_str)
        };
        let wanted = |answer: Answer, status: u16| (answer, answer == Answer::Status(status));
        match probe {
            CACHED_READ => {
                let path = format!("/api/v1/books/{}", self.cached);
                wanted(whole(self.api.get(&path)).await, 200)
            }
            ABSENT_READ => {
                let nobody = fastrand::u128(..NO_IDS);
                let path = format!("/api/v1/books/{nobody:024x}");
                wanted(whole(self.api.get(&path)).await, 404)
            }
            LIST => wanted(whole(self.api.get("/api/v1/books?pageSize=5")).await, 200),
            LIVE => wanted(whole(self.api.get("/health/live")).await, 200),
            READY => wanted(whole(self.api.get("/health/ready")).await, 200),
            SUMMARY => wanted(whole(self.api.summary(book(number), false)).await, 200),
            STREAM => wanted(stream(self.api.summary(book(number), true)).await, 200),
            _ => {
                let title = |number| book_of_ledger(number);
                let request = |number| self.api.post("/api/v1/books", &title(number));
                let answer = self.ledger.write(Write::Create, request).await;
                wanted(answer, 201)
            }
        }
    }

    /// One change waits for the one before, so that the last acknowledged one is known.
    async fn change_one_after_the_other(
        self,
        pause: Duration,
        mut end: watch::Receiver<Option<Duration>>,
    ) {
        let path = format!("/api/v1/books/{}", self.changed);
        let mut clock = tokio::time::interval(pause);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = clock.tick() => {}
                _ = end.wait_for(Option::is_some) => break,
            }
            let asked = Asked::new(&self.samples, CHANGE);
            let request = |number: u64| self.api.patch(&path, &json!({"stockQuantity": number}));
            let answer = self.ledger.write(Write::Change, request).await;
            asked.end(answer, answer == Answer::Status(200));
        }
    }
}

fn book_of_ledger(number: u64) -> Value {
    book(&crate::ledger::title(number))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::samples::Sample;

    #[tokio::test]
    async fn who_waits_to_the_end_got_no_answer_and_waited_so_long() {
        drop(rustls::crypto::ring::default_provider().install_default());
        // Connections come about, and nobody answers.
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = silent.local_addr().expect("an address");
        let directory = tempfile::tempdir().expect("a directory");
        let samples = Samples::new();
        let user = User {
            api: Api::new(&format!("http://{address}")).expect("a client"),
            samples: samples.clone(),
            ledger: Arc::new(Ledger::create(directory.path()).expect("a ledger")),
            books: Arc::from(["book".to_owned()]),
            cached: Arc::from("book"),
            changed: Arc::from("book"),
        };
        let (end, watched) = watch::channel(None);
        let mut tasks = JoinSet::new();
        let every = Duration::from_millis(10);
        tasks.spawn(
            user.clone()
                .ask_at_fixed_times(LIST, every, watched.clone()),
        );
        tasks.spawn(user.change_one_after_the_other(every, watched));
        let probes = Probes { tasks, end };
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(silent.accept().await.expect("who asks"));
        }
        let patience = Duration::from_millis(100);
        probes.stop_within(patience).await;
        let all = samples.all();
        for probe in [LIST, CHANGE] {
            let of_probe = all.iter().filter(|one| one.probe == probe);
            let of_probe: Vec<&Sample> = of_probe.collect();
            assert!(!of_probe.is_empty(), "{probe} was asked");
            for one in of_probe {
                assert_eq!((one.answer, one.right), (Answer::Nothing, false));
                assert!(one.took_ms >= 100.0, "{one:?}");
            }
        }
    }
}
