//! Settlements on their way to Redis, which may be away for a while.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tenancy::TenantId;
use tokio::{
    runtime::Handle,
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{Connected, SETTLE, account_keys};
use crate::budget::{AccountsError, Claim, Settlement, period::Periods};

/// Settlements that wait: as many as the ledger's queue has places for their attempts.
const WAITING: usize = 4096;

/// From one try to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells Redis what attempts cost, one after the other, each until it is told or its reservation
/// has ended by time.
#[derive(Debug, Default)]
pub(super) struct Settler {
    queue: Mutex<Option<mpsc::Sender<Settlement>>>,
    /// Accounts that may lack something: at most two of each tenant that has, or had, limits.
    doubtful: Arc<Mutex<HashSet<(TenantId, bool)>>>,
}

impl Settler {
    /// Settles as soon as Redis can be asked. Does not wait.
    pub(super) fn settle(&self, connected: &Arc<Connected>, settlement: Settlement) {
        let Ok(runtime) = Handle::try_current() else {
            // The process is ending; the ledger has the attempt.
            return;
        };
        let mut queue = lock(&self.queue);
        let open = queue.take().filter(|queue| !queue.is_closed());
        let sender = open.unwrap_or_else(|| {
            let (sender, waiting) = mpsc::channel(WAITING);
            let doubtful = Arc::clone(&self.doubtful);
            runtime.spawn(run(Arc::downgrade(connected), waiting, doubtful));
            sender
        });
        if let Err(mpsc::error::TrySendError::Full(lost)) = sender.try_send(settlement) {
            lock(&self.doubtful).insert(account_of(&lost.claim));
        }
        *queue = Some(sender);
    }

    /// Whether the account may lack something, and is to be forgotten before it is asked.
    pub(super) fn doubts(&self, tenant: &TenantId, simulated: bool) -> bool {
        let doubtful = lock(&self.doubtful);
        // Most often there is none, and no key is to be made.
        !doubtful.is_empty() && doubtful.contains(&(tenant.clone(), simulated))
    }

    pub(super) fn doubt(&self, tenant: &TenantId, simulated: bool) {
        lock(&self.doubtful).insert((tenant.clone(), simulated));
    }

    /// The account was forgotten.
    pub(super) fn trust(&self, tenant: &TenantId, simulated: bool) {
        lock(&self.doubtful).remove(&(tenant.clone(), simulated));
    }
}

/// Ends with the accounts, whose sender it was given.
async fn run(
    connected: Weak<Connected>,
    mut waiting: mpsc::Receiver<Settlement>,
    doubtful: Arc<Mutex<HashSet<(TenantId, bool)>>>,
) {
    let mut pause = interval(PAUSE);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Some(settlement) = waiting.recv().await {
        let ends = ends(&settlement.claim);
        loop {
            let Some(connected) = connected.upgrade() else {
                return;
            };
            match send(&connected, &settlement).await {
                Ok(()) => break,
                Err(error) => tracing::warn!(%error, "a budget could not be settled"),
            }
            drop(connected);
            if Timestamp::now() >= ends {
                // Redis releases the reservation by itself.
                lock(&doubtful).insert(account_of(&settlement.claim));
                break;
            }
            pause.tick().await;
        }
    }
}

/// An attempt counts in the day and the month in which it began, as in the ledger.
async fn send(connected: &Connected, settlement: &Settlement) -> Result<(), AccountsError> {
    let claim = &settlement.claim;
    let periods = Periods::at(claim.at);
    let whole = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let mut script = account_keys(&SETTLE, &claim.tenant, claim.simulated);
    script
        .key(super::rate_key(claim))
        .arg(claim.id.to_string())
        .arg(periods.day())
        .arg(periods.month())
        .arg(settlement.spent.get())
        .arg(whole(settlement.tokens).saturating_sub(whole(claim.tokens)))
        .arg(ends(claim).as_millisecond());
    connected.run(script).await.map(drop)
}

/// When a reservation that nobody settles is released.
pub(super) fn ends(claim: &Claim) -> Timestamp {
    let lives = SignedDuration::try_from(claim.lives).unwrap_or(SignedDuration::MAX);
    claim.at.saturating_add(lives).unwrap_or(Timestamp::MAX)
}

fn account_of(claim: &Claim) -> (TenantId, bool) {
    (claim.tenant.clone(), claim.simulated)
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
