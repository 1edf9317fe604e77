//! The connection to Redis, and whether it may be believed.
//!
//! All requests share one multiplexed connection. It is not redis-rs' `ConnectionManager`, which
//! reconnects by itself: a Redis that comes back may hold entries that writes could not mark in the
//! meantime, so here a connection is used only after the epoch was raised over it. A pool would pay
//! a PING for each checkout, so there is none.
//!
//! A connection that is lost, late a few times in a row, or that failed a write's protocol is
//! dropped at once; [`Redis::maintain`] brings the next one, off the path of any request.

use std::{
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, RedisError, RedisResult, aio::MultiplexedConnection,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::Notify, time::timeout};

use super::{
    budget::{Budget, COMMAND},
    metrics::{Command, RedisMetrics},
    scripts::{AGREE_ON_EPOCH, EPOCH, PUT_IF_NEWER},
    warning::Warning,
};
use crate::StorageError;

/// Longest set-up of a connection.
const CONNECT: Duration = Duration::from_millis(200);

/// Commands that may wait to be sent: as many requests as are served at once.
const SEND_QUEUE: usize = 1_024;

/// Late answers in a row after which Redis is passed by: one may be bad luck.
const MAX_LATE: u32 = 3;

/// Attempts to raise the epoch between two writes, before the next round of maintenance.
const MAX_JOINS: u32 = 20;

/// Whether Redis takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisState {
    /// None is configured.
    Disabled,
    /// It answers and is used.
    Healthy,
    /// It is passed by until it answers again.
    Unavailable,
}

/// Why a command brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// No answer in time; the command may have been carried out.
    Late,
    /// The connection is gone.
    Lost,
    /// Redis answered with an error.
    Refused(String),
}

/// The outcome of a command; `None`: it was not sent, because Redis is passed by or the call has no
/// time left for it.
pub(super) type Answer<T> = Option<Result<T, Failure>>;

/// A connection, in the epoch that was agreed on over it.
#[derive(Clone)]
pub(super) struct Live {
    connection: MultiplexedConnection,
    pub(super) epoch: u64,
    serial: u64,
}

/// The connection and its trust.
pub(super) struct Redis {
    client: Client,
    state: RwLock<State>,
    late: AtomicU32,
    /// Told when a connection was given up, so that the next one is tried for at once: meanwhile
    /// other processes may read what writes of this one could not mark.
    given_up: Notify,
    metrics: RedisMetrics,
    warning: Warning,
}

struct State {
    live: Option<Live>,
    /// The newest epoch seen; 0 before the first connection.
    epoch: u64,
    /// Counts writes of which Redis knows nothing.
    unsynced: u64,
    /// Counts connections.
    serial: u64,
}

impl Redis {
    /// Reads the address; connects to nothing yet.
    pub(super) fn new(url: &SecretString) -> Result<Self, StorageError> {
        // The library's message may repeat the address with its password.
        let client = Client::open(url.expose_secret())
            .map_err(|_| StorageError::Unavailable("the Redis address cannot be read".into()))?;
        let state = State {
            live: None,
            epoch: 0,
            unsynced: 0,
            serial: 0,
        };
        Ok(Self {
            client,
            state: RwLock::new(state),
            late: AtomicU32::new(0),
            given_up: Notify::new(),
            metrics: RedisMetrics::new(),
            warning: Warning::new(),
        })
    }

    /// The connection, unless Redis is passed by.
    pub(super) fn live(&self) -> Option<Live> {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .live
            .clone()
    }

    pub(super) fn state(&self) -> RedisState {
        if self.live().is_some() {
            RedisState::Healthy
        } else {
            RedisState::Unavailable
        }
    }

    /// Runs one command within the budget.
    pub(super) async fn run<T>(
        &self,
        command: Command,
        live: &mut Live,
        budget: &mut Budget,
        send: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Answer<T> {
        let limit = budget.next()?;
        let serial = live.serial;
        let attempt = async {
            let answer = send(&mut live.connection);
            // The connection's own limit holds unless less time is left.
            if limit < COMMAND {
                timeout(limit, answer)
                    .await
                    .map_err(|_| Failure::Late)?
                    .map_err(classify)
            } else {
                answer.await.map_err(classify)
            }
        };
        let (result, took) = self.metrics.observe(command, attempt).await;
        budget.waited(took);
        match &result {
            Ok(_) => self.answered(),
            Err(Failure::Refused(reason)) => {
                self.answered();
                self.warning.once_a_minute(reason);
            }
            Err(Failure::Late) => {
                budget.spend();
                if self.late.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_LATE {
                    self.disconnect(serial);
                }
            }
            Err(Failure::Lost) => {
                budget.spend();
                self.disconnect(serial);
            }
        }
        Some(result)
    }

    /// Notes a write that Redis may know nothing of: until the epoch has been raised, nothing in
    /// it can be believed.
    pub(super) fn distrust(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let had_one = state.live.take().is_some();
        state.unsynced += 1;
        drop(state);
        if had_one {
            self.gave_up();
        }
    }

    /// Waits until a connection is given up.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }

    /// Goes over to an epoch that another process has raised.
    pub(super) fn adopt(&self, epoch: u64) -> Option<Live> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.epoch = state.epoch.max(epoch);
        let epoch = state.epoch;
        let live = state.live.as_mut()?;
        live.epoch = epoch;
        Some(live.clone())
    }

    /// Looks after the connection: brings a new one when there is none, else agrees on the epoch.
    pub(super) async fn maintain(&self) {
        let Some(mut live) = self.live() else {
            if let Err(failure) = self.connect().await {
                self.warning.once_a_minute(&format!("{failure:?}"));
            }
            return;
        };
        let known = live.epoch;
        let agree = async |connection: &mut MultiplexedConnection| {
            agree_on_epoch(connection, known, false).await
        };
        let mut budget = Budget::start();
        let agreed = self
            .run(Command::Epoch, &mut live, &mut budget, agree)
            .await;
        if let Some(Ok(epoch)) = agreed
            && epoch != known
        {
            self.adopt(epoch);
        }
    }

    /// Connects, and makes sure that nothing is read which a write could not mark.
    ///
    /// The first connection of a process raises the epoch as well: the process before it may have
    /// ended while Redis missed its writes. So Redis begins empty after each start; a second level
    /// that is cold for minutes costs less than a write that is forgotten for minutes.
    async fn connect(&self) -> Result<(), Failure> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(COMMAND))
            .set_pipeline_buffer_size(SEND_QUEUE);
        let connect = async {
            let mut connection = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            // Loaded here, no request pays for a second round trip.
            PUT_IF_NEWER.load_async(&mut connection).await?;
            Ok(connection)
        };
        let connect = async { connect.await.map_err(classify) };
        let mut connection = self.metrics.observe(Command::Connect, connect).await.0?;
        for _ in 0..MAX_JOINS {
            let (seen, known) = {
                let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
                (state.unsynced, state.epoch)
            };
            let agree = agree_on_epoch(&mut connection, known, true);
            let agree = async { agree.await.map_err(classify) };
            let epoch = self.metrics.observe(Command::Epoch, agree).await.0?;
            if self.join(&connection, epoch, seen) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Begins to use a connection, unless a write went past Redis since `seen`: what was read
    /// before that write could be stored under the new epoch, so the epoch must be raised again.
    fn join(&self, connection: &MultiplexedConnection, epoch: u64, seen: u64) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.epoch = state.epoch.max(epoch);
        if state.unsynced != seen {
            return false;
        }
        state.serial += 1;
        let (connection, serial) = (connection.clone(), state.serial);
        state.live = Some(Live {
            connection,
            epoch,
            serial,
        });
        drop(state);
        self.late.store(0, Ordering::Relaxed);
        true
    }

    fn disconnect(&self, serial: u64) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // A late failure of an older connection says nothing about this one.
        if state.live.take_if(|live| live.serial == serial).is_some() {
            drop(state);
            self.gave_up();
        }
    }

    fn gave_up(&self) {
        self.late.store(0, Ordering::Relaxed);
        self.warning.once_a_minute("it does not answer");
        self.given_up.notify_one();
    }

    fn answered(&self) {
        // Read first: a shared cache line that nobody writes costs nothing.
        if self.late.load(Ordering::Relaxed) > 0 {
            self.late.store(0, Ordering::Relaxed);
        }
    }
}

async fn agree_on_epoch(
    connection: &mut MultiplexedConnection,
    known: u64,
    raise: bool,
) -> RedisResult<u64> {
    let raise = u8::from(raise);
    AGREE_ON_EPOCH
        .key(EPOCH)
        .arg(known)
        .arg(raise)
        .invoke_async(connection)
        .await
}

#[expect(clippy::needless_pass_by_value, reason = "used as map_err(classify)")]
fn classify(error: RedisError) -> Failure {
    if error.is_timeout() {
        Failure::Late
    } else if error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error()
    {
        Failure::Lost
    } else {
        Failure::Refused(error.code().unwrap_or("unknown").to_owned())
    }
}
