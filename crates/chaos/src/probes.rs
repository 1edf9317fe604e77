//! Users of the API's whose every answer is told apart. They ask at fixed times, whether the
//! answer before has come or not: a slow system would otherwise be asked less and look better.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use service_defaults::http_client::{self, HttpClientConfig};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant as Moment, MissedTickBehavior, interval_at};

use crate::ledger::{Ledger, Write};
use crate::samples::{Answer, Sample, Samples};

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

/// A user gives up then; longer than every deadline of the API's but that of a silent model.
const PATIENCE: Duration = Duration::from_secs(20);

/// Requests of one probe that wait for their answers; a further one is not sent and counts as
/// unanswered.
const MAX_WAITING: usize = 64;

/// Of what is read of an answer.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Books that are asked for summaries in turn; a summary is stored on its book, so that what is
/// read from the cache is none of them.
const BOOKS: usize = 8;

/// Ids have 12 bytes; one drawn from all of them is nobody's.
const NO_IDS: u128 = 1 << 96;

/// Probes and the ledger's books are a tenant of their own, whom the load does not touch.
const TENANT: &str = "chaos";

/// The API as users reach it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
}

impl Api {
    /// # Errors
    /// No HTTP client can be made.
    pub(crate) fn new(base: &str) -> anyhow::Result<Self> {
        let config = HttpClientConfig {
            total: Some(PATIENCE),
            read: PATIENCE,
            ..HttpClientConfig::default()
        };
        Ok(Self {
            client: http_client::build(&config).context("an HTTP client")?,
            base: base.to_owned(),
        })
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.prepared(self.client.get(format!("{}{path}", self.base)))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.base));
        self.prepared(request).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.client.put(format!("{}{path}", self.base));
        self.prepared(request).json(body)
    }

    fn patch(&self, path: &str, body: &Value) -> RequestBuilder {
        let request = self.client.patch(format!("{}{path}", self.base));
        self.prepared(request).json(body)
    }

    fn prepared(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("x-tenant-name", TENANT)
    }

    /// A request for a summary that no earlier one answers.
    pub(crate) fn summary(&self, book: &str, streamed: bool) -> RequestBuilder {
        let path = format!("/api/v1/books/{book}/generate-summary?provider=claude&refresh=true");
        let request = self.client.post(format!("{}{path}", self.base));
        let request = self.prepared(request);
        if streamed {
            request.header("accept", "text/event-stream")
        } else {
            request
        }
    }

    /// Stores a book and gives its id.
    ///
    /// # Errors
    /// The API does not store it.
    pub(crate) async fn create(&self, title: &str) -> anyhow::Result<String> {
        let reply = self.post("/api/v1/books", &book(title)).send().await?;
        let status = reply.status();
        let text = reply.text().await?;
        ensure!(
            status.as_u16() == 201,
            "POST /api/v1/books: {status} {text}"
        );
        let stored: Value = serde_json::from_str(&text)?;
        Ok(stored["id"].as_str().context("an id")?.to_owned())
    }

    /// Every book of the probes' tenant.
    ///
    /// # Errors
    /// The API does not answer, or what cannot be read.
    pub(crate) async fn all_books(&self) -> anyhow::Result<Vec<Value>> {
        let mut books = Vec::new();
        for page in 1.. {
            let path = format!("/api/v1/books?page={page}&pageSize=100");
            let reply = self.get(&path).send().await?.error_for_status()?;
            let list: Value = reply.json().await?;
            books.extend(list["books"].as_array().context("books")?.iter().cloned());
            if page >= list["totalPages"].as_u64().context("totalPages")? {
                break;
            }
        }
        Ok(books)
    }
}

fn book(title: &str) -> Value {
    json!({
        "title": title,
        "author": "The ledger",
        "description": "A book that is written while things break.",
    })
}

/// All probes; they end when this is dropped.
pub(crate) struct Probes {
    tasks: JoinSet<()>,
}

impl Probes {
    /// Stores the books that are read, and begins to ask.
    ///
    /// # Errors
    /// The API does not store the books.
    pub(crate) async fn start(
        api: &Api,
        samples: &Samples,
        ledger: &Arc<Ledger>,
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
            let every = Duration::from_millis(every_ms);
            tasks.spawn(user.clone().ask_at_fixed_times(probe, every));
        }
        tasks.spawn(user.change_one_after_the_other());
        Ok(Self { tasks })
    }

    /// Ends all of them; what waits for its answer is given up.
    pub(crate) async fn stop(mut self) {
        self.tasks.shutdown().await;
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
    async fn ask_at_fixed_times(self, probe: &'static str, every: Duration) {
        let mut clock = interval_at(Moment::now() + every, every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let places = Arc::new(Semaphore::new(MAX_WAITING));
        let mut waiting = JoinSet::new();
        for number in 0.. {
            clock.tick().await;
            while waiting.try_join_next().is_some() {}
            let at = self.samples.now();
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                self.note(probe, at, Instant::now(), (Answer::Nothing, false));
                continue;
            };
            let user = self.clone();
            waiting.spawn(async move {
                let _place = place;
                let began = Instant::now();
                let outcome = user.ask(probe, number).await;
                user.note(probe, at, began, outcome);
            });
        }
    }

    fn note(&self, probe: &'static str, at: f64, began: Instant, outcome: (Answer, bool)) {
        let (answer, right) = outcome;
        self.samples.add(Sample {
            probe,
            at,
            took_ms: began.elapsed().as_secs_f64() * 1_000.0,
            answer,
            right,
        });
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
    #[expect(clippy::infinite_loop, reason = "ends with its task")]
    async fn change_one_after_the_other(self) {
        let path = format!("/api/v1/books/{}", self.changed);
        let mut clock = tokio::time::interval(Duration::from_millis(200));
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            let (at, began) = (self.samples.now(), Instant::now());
            let request = |number: u64| self.api.patch(&path, &json!({"stockQuantity": number}));
            let answer = self.ledger.write(Write::Change, request).await;
            let right = answer == Answer::Status(200);
            self.note(CHANGE, at, began, (answer, right));
        }
    }
}

fn book_of_ledger(number: u64) -> Value {
    book(&crate::ledger::title(number))
}

/// The status of a reply that came whole.
pub(crate) async fn whole(request: RequestBuilder) -> Answer {
    match read(request).await {
        Ok((status, _)) => Answer::Status(status),
        Err(instead) => instead,
    }
}

/// A streamed summary: 200 only if it says that it is done.
async fn stream(request: RequestBuilder) -> Answer {
    match read(request).await {
        Ok((200, text)) if text.contains("event: summary.done") => Answer::Status(200),
        Ok((200, text)) if text.contains("event: summary.error") => Answer::StreamError,
        Ok((200, _)) => Answer::Nothing,
        Ok((status, _)) => Answer::Status(status),
        Err(instead) => instead,
    }
}

/// The status and the text of a reply, to its end; or what came in its place.
async fn read(request: RequestBuilder) -> Result<(u16, String), Answer> {
    let reply = request.send().await.map_err(|error| {
        if error.is_connect() {
            Answer::Unreached
        } else {
            Answer::Nothing
        }
    })?;
    let status = reply.status().as_u16();
    let mut text = Vec::new();
    let mut body = reply.bytes_stream();
    while let Some(piece) = body.next().await {
        text.extend_from_slice(&piece.map_err(|_| Answer::Nothing)?);
        if text.len() > MAX_ANSWER_BYTES {
            return Err(Answer::Nothing);
        }
    }
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}
