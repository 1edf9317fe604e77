//! Accounts in Redis, for several processes that spend the same tenants' money.
//!
//! It has a connection of its own, which it may not do without: the cache's is given up at the
//! first sign of trouble, and is no loss then.

mod scripts;
mod settler;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, RedisError, RedisResult, Script, ScriptInvocation,
    aio::MultiplexedConnection,
};
use jiff::Timestamp;
use money::PicoUsd;
use secrecy::{ExposeSecret, SecretString};
use tenancy::TenantId;
use tokio::sync::Mutex;

use super::{
    AccountsError, BudgetAccounts, BudgetRefusal, Claim, Epoch, LimitKind, Settlement, Standing,
    Verdict, period::Periods,
};
use scripts::{FORGET, OPEN, RESERVE, SETTLE, STANDING};
use settler::{Settler, ends};

/// Longest set-up of a connection.
const CONNECT: Duration = Duration::from_millis(500);

/// Longest call: a script takes well below a millisecond.
const COMMAND: Duration = Duration::from_millis(500);

/// Accounts on a Redis server.
#[derive(Debug)]
pub struct RedisAccounts {
    connected: Arc<Connected>,
    settler: Settler,
}

/// The way to the server.
struct Connected {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl fmt::Debug for Connected {
    /// Without the address, for its password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connected").finish_non_exhaustive()
    }
}

impl RedisAccounts {
    /// Accounts at this address; connects when they are first asked.
    ///
    /// # Errors
    /// An address that cannot be read; it is not repeated, for its password.
    pub fn new(url: &SecretString) -> Result<Self, AccountsError> {
        let client = Client::open(url.expose_secret())
            .map_err(|_| AccountsError::Failed("REDIS_URL cannot be read".to_owned()))?;
        let connection = Mutex::default();
        Ok(Self {
            connected: Arc::new(Connected { client, connection }),
            settler: Settler::default(),
        })
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
        let mut script = account_keys(&RESERVE, &claim.tenant, claim.simulated);
        script
            .key(rate_key(claim))
            .arg(at.as_millisecond())
            .arg(claim.id.to_string())
            .arg(periods.day())
            .arg(periods.month())
            .arg(limit(claim.day.map(PicoUsd::get)))
            .arg(limit(claim.month.map(PicoUsd::get)))
            .arg(more.get())
            .arg(ends(claim).as_millisecond())
            .arg(limit(claim.rate.requests_per_minute.map(whole)))
            .arg(limit(claim.rate.tokens_per_minute.map(whole)))
            .arg(whole(claim.tokens))
            .arg(u8::from(is_new));
        let answer = self.connected.run(script).await?;
        read_verdict(&answer, &periods, more, claim.tokens)
    }

    /// Until it is done, nobody asks the account.
    async fn forget_kind(&self, tenant: &TenantId, simulated: bool) -> Result<(), AccountsError> {
        self.settler.doubt(tenant, simulated);
        let script = account_keys(&FORGET, tenant, simulated);
        self.connected.run(script).await?;
        self.settler.trust(tenant, simulated);
        Ok(())
    }
}

impl Connected {
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
}

#[async_trait]
impl BudgetAccounts for RedisAccounts {
    async fn reserve(&self, claim: &Claim) -> Result<Verdict, AccountsError> {
        if self.settler.doubts(&claim.tenant, claim.simulated) {
            self.forget_kind(&claim.tenant, claim.simulated).await?;
        }
        self.ask(claim, claim.money, true).await
    }

    async fn open(
        &self,
        claim: &Claim,
        epoch: Epoch,
        day: PicoUsd,
        month: PicoUsd,
    ) -> Result<(), AccountsError> {
        let periods = Periods::at(claim.at);
        let mut script = account_keys(&OPEN, &claim.tenant, claim.simulated);
        script
            .arg(periods.day())
            .arg(day.get())
            .arg(periods.month())
            .arg(month.get())
            .arg(epoch);
        self.connected.run(script).await.map(drop)
    }

    async fn extend(&self, claim: &Claim, more: PicoUsd) -> Result<Verdict, AccountsError> {
        self.ask(claim, more, false).await
    }

    fn settle(&self, settlement: Settlement) {
        self.settler.settle(&self.connected, settlement);
    }

    async fn forget(&self, tenant: &TenantId) -> Result<(), AccountsError> {
        for simulated in [false, true] {
            self.settler.doubt(tenant, simulated);
        }
        for simulated in [false, true] {
            self.forget_kind(tenant, simulated).await?;
        }
        Ok(())
    }

    async fn standing(
        &self,
        tenant: &TenantId,
        simulated: bool,
        at: Timestamp,
    ) -> Result<Option<Standing>, AccountsError> {
        let periods = Periods::at(at);
        let mut script = account_keys(&STANDING, tenant, simulated);
        script
            .arg(at.as_millisecond())
            .arg(periods.day())
            .arg(periods.month());
        let answer = self.connected.run(script).await?;
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

/// A script with the keys of an account; the braces keep them together on a cluster.
fn account_keys<'a>(
    script: &'a Script,
    tenant: &TenantId,
    simulated: bool,
) -> ScriptInvocation<'a> {
    let money = if simulated { "simulated" } else { "real" };
    let account = format!("v2:budget:{{{tenant}}}:{money}");
    let mut invocation = script.key(&account);
    for part in ["held", "ends", "before"] {
        invocation.key(format!("{account}:{part}"));
    }
    invocation
}

fn rate_key(claim: &Claim) -> String {
    format!("v2:budget:{{{}}}:rate:{}", claim.tenant, claim.provider)
}

fn read_verdict(
    answer: &[String],
    periods: &Periods,
    more: PicoUsd,
    tokens: u64,
) -> Result<Verdict, AccountsError> {
    let [word, kind, allowed, left, wait] = answer else {
        return match answer {
            [word] if word == "granted" => Ok(Verdict::Granted),
            [word, epoch] if word == "unknown" => {
                let epoch = u64::try_from(number(epoch)?).unwrap_or_default();
                Ok(Verdict::Unknown(epoch))
            }
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
