//! Accounts in Redis, for several processes that spend the same tenants' money.
//!
//! It has a connection of its own, which it may not do without: the cache's is given up at the
//! first sign of trouble, and is no loss then.

mod scripts;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, RedisError, RedisResult, Script, ScriptInvocation,
    aio::MultiplexedConnection,
};
use jiff::{SignedDuration, Timestamp};
use money::PicoUsd;
use secrecy::{ExposeSecret, SecretString};
use tenancy::TenantId;
use tokio::{
    runtime::Handle,
    sync::Mutex,
    time::{MissedTickBehavior, interval},
};

use super::{
    AccountsError, BudgetAccounts, BudgetRefusal, Claim, LimitKind, Settlement, Standing, Verdict,
    period::Periods,
};
use scripts::{OPEN, RESERVE, SETTLE, STANDING};

/// Longest set-up of a connection.
const CONNECT: Duration = Duration::from_millis(500);

/// Longest call: a script takes well below a millisecond.
const COMMAND: Duration = Duration::from_millis(500);

/// Tries of a settlement, a second apart. What is not settled by then is missing from the account
/// until Redis forgets it; the ledger has it.
const SETTLE_TRIES: u32 = 5;

/// Accounts on a Redis server.
#[derive(Clone)]
pub struct RedisAccounts {
    client: Client,
    connection: Arc<Mutex<Option<MultiplexedConnection>>>,
}

/// Names of what a claim touches; the braces keep them together on a cluster.
struct Keys {
    account: String,
    held: String,
    ends: String,
    rate: String,
}

impl RedisAccounts {
    /// Accounts at this address; connects when they are first asked.
    ///
    /// # Errors
    /// An address that cannot be read; it is not repeated, for its password.
    pub fn new(url: &SecretString) -> Result<Self, AccountsError> {
        let client = Client::open(url.expose_secret())
            .map_err(|_| AccountsError::Failed("REDIS_URL cannot be read".to_owned()))?;
        Ok(Self {
            client,
            connection: Arc::default(),
        })
    }

    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(COMMAND));
        let new = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        *connection = Some(new.clone());
        Ok(new)
    }

    async fn run(&self, script: ScriptInvocation<'_>) -> Result<Vec<String>, AccountsError> {
        let attempt = async {
            let mut connection = self.connection().await?;
            script.invoke_async(&mut connection).await
        };
        match attempt.await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.failed(&error).await),
        }
    }

    async fn failed(&self, error: &RedisError) -> AccountsError {
        if error.is_timeout() || error.is_io_error() || error.is_connection_dropped() {
            *self.connection.lock().await = None;
        }
        if error.is_timeout() {
            AccountsError::Late
        } else {
            AccountsError::Failed(error.to_string())
        }
    }

    /// `more` is what is asked for; `is_new` also asks for a request and its tokens.
    async fn ask(
        &self,
        claim: &Claim,
        more: PicoUsd,
        is_new: bool,
    ) -> Result<Verdict, AccountsError> {
        let at = if is_new { claim.at } else { Timestamp::now() };
        let periods = Periods::at(at);
        let limit = |limit: Option<i64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let lives = SignedDuration::try_from(claim.lives).unwrap_or(SignedDuration::MAX);
        let ends = claim.at.saturating_add(lives).unwrap_or(Timestamp::MAX);
        let mut script = Keys::of(&claim.tenant, claim).invocation(&RESERVE);
        script
            .arg(at.as_millisecond())
            .arg(claim.id.to_string())
            .arg(periods.day())
            .arg(periods.month())
            .arg(limit(claim.day.map(PicoUsd::get)))
            .arg(limit(claim.month.map(PicoUsd::get)))
            .arg(more.get())
            .arg(ends.as_millisecond())
            .arg(limit(claim.rate.requests_per_minute.map(whole)))
            .arg(limit(claim.rate.tokens_per_minute.map(whole)))
            .arg(whole(claim.tokens))
            .arg(u8::from(is_new));
        let answer = self.run(script).await?;
        read_verdict(&answer, &periods, more, claim.tokens)
    }
}

#[async_trait]
impl BudgetAccounts for RedisAccounts {
    async fn reserve(&self, claim: &Claim) -> Result<Verdict, AccountsError> {
        self.ask(claim, claim.money, true).await
    }

    async fn open(&self, claim: &Claim, day: PicoUsd, month: PicoUsd) -> Result<(), AccountsError> {
        let periods = Periods::at(claim.at);
        let mut script = Keys::of(&claim.tenant, claim).invocation(&OPEN);
        script
            .arg(periods.day())
            .arg(day.get())
            .arg(periods.month())
            .arg(month.get());
        self.run(script).await.map(drop)
    }

    async fn extend(&self, claim: &Claim, more: PicoUsd) -> Result<Verdict, AccountsError> {
        self.ask(claim, more, false).await
    }

    fn settle(&self, settlement: Settlement) {
        let Ok(runtime) = Handle::try_current() else {
            // The process is ending; the ledger has the attempt.
            return;
        };
        let accounts = self.clone();
        runtime.spawn(async move {
            let mut pause = interval(Duration::from_secs(1));
            pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for _ in 0..SETTLE_TRIES {
                pause.tick().await;
                let script = settling(&settlement);
                match accounts.run(script).await {
                    Ok(_) => return,
                    Err(error) => tracing::warn!(%error, "a budget could not be settled"),
                }
            }
        });
    }

    async fn standing(
        &self,
        tenant: &TenantId,
        simulated: bool,
        at: Timestamp,
    ) -> Result<Option<Standing>, AccountsError> {
        let periods = Periods::at(at);
        let account = account_key(tenant, simulated);
        let mut script = STANDING.key(&account);
        script
            .key(format!("{account}:held"))
            .key(format!("{account}:ends"))
            .arg(at.as_millisecond())
            .arg(periods.day())
            .arg(periods.month());
        let answer = self.run(script).await?;
        let [day, month, reserved] = &answer[..] else {
            return Ok(None);
        };
        Ok(Some(Standing {
            day_spent: PicoUsd::new(number(day)?),
            month_spent: PicoUsd::new(number(month)?),
            reserved: PicoUsd::new(number(reserved)?),
        }))
    }
}

impl Keys {
    fn of(tenant: &TenantId, claim: &Claim) -> Self {
        let account = account_key(tenant, claim.simulated);
        Self {
            held: format!("{account}:held"),
            ends: format!("{account}:ends"),
            rate: format!("v1:budget:{{{tenant}}}:rate:{}", claim.provider),
            account,
        }
    }

    fn invocation<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut invocation = script.key(&self.account);
        invocation.key(&self.held).key(&self.ends).key(&self.rate);
        invocation
    }
}

fn account_key(tenant: &TenantId, simulated: bool) -> String {
    let money = if simulated { "simulated" } else { "real" };
    format!("v1:budget:{{{tenant}}}:{money}")
}

/// An attempt counts in the day and the month in which it began, as in the ledger.
fn settling(settlement: &Settlement) -> ScriptInvocation<'static> {
    let claim = &settlement.claim;
    let periods = Periods::at(claim.at);
    let whole = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let mut script = Keys::of(&claim.tenant, claim).invocation(&SETTLE);
    script
        .arg(claim.id.to_string())
        .arg(periods.day())
        .arg(periods.month())
        .arg(settlement.spent.get())
        .arg(whole(settlement.tokens).saturating_sub(whole(claim.tokens)));
    script
}

fn read_verdict(
    answer: &[String],
    periods: &Periods,
    more: PicoUsd,
    tokens: u64,
) -> Result<Verdict, AccountsError> {
    let [word, kind, allowed, left, wait] = answer else {
        return match answer.first().map(String::as_str) {
            Some("granted") => Ok(Verdict::Granted),
            Some("unknown") => Ok(Verdict::Unknown),
            _ => Err(AccountsError::Failed(format!("{answer:?}"))),
        };
    };
    let wait = Duration::from_millis(u64::try_from(number(wait)?).unwrap_or(0));
    let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
    let (limit, asked, retry_after) = match (word.as_str(), kind.as_str()) {
        ("refused", "day") => (LimitKind::Day, more.get(), periods.rest_of_day()),
        ("refused", "month") => (LimitKind::Month, more.get(), periods.rest_of_month()),
        ("refused", "requests") => (LimitKind::Requests, 1, wait),
        ("refused", "tokens") => (LimitKind::Tokens, tokens, wait),
        _ => return Err(AccountsError::Failed(format!("{answer:?}"))),
    };
    Ok(Verdict::Refused(BudgetRefusal::Reached {
        limit,
        allowed: number(allowed)?,
        left: number(left)?,
        asked,
        retry_after,
    }))
}

fn number(text: &str) -> Result<i64, AccountsError> {
    text.parse()
        .map_err(|_| AccountsError::Failed(format!("{text:?} is no number")))
}
