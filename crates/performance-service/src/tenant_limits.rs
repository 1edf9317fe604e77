//! How much load one tenant may ask for.

use std::fmt::Display;
use std::time::{Duration, Instant};

use http::StatusCode;
use jiff::{Timestamp, tz::TimeZone};
use load_analysis::dollars::Dollars;
use load_runner::options::{MAX_DURATION, MAX_VIRTUAL_USERS, RunOptions};
use load_runner::plan::Bounds;
use serde_json::Value;
use service_defaults::environment::Environment;
use service_defaults::problem::Problem;
use tenancy::TenantId;

use crate::windows::Windows;

/// The window in which triggers are counted.
const MINUTE: Duration = Duration::from_mins(1);

/// When a run that waits has left the queue, most likely: a smoke run takes about this long.
const QUEUE_RETRY: Duration = Duration::from_secs(30);

/// When a capacity search may have ended: the shortest ones take some minutes.
const SEARCH_RETRY: Duration = Duration::from_mins(5);

/// What one tenant may ask for.
#[derive(Debug, Clone, Copy)]
pub struct TenantLimits {
    /// Virtual users of a run.
    pub virtual_users: u32,
    /// Minutes of a run.
    pub minutes: u32,
    /// Virtual users times minutes of all runs in a day, from midnight UTC.
    pub daily_minutes: u64,
    /// Real dollars of all runs in a day, from midnight UTC.
    pub daily_dollars: Dollars,
    /// Runs that wait.
    pub queued: u64,
    /// Runs, forecasts, checks of what runs later, and generated scripts asked for in a minute,
    /// refused ones included.
    pub triggers: u32,
}

/// Counts what tenants ask for.
pub(crate) struct Triggers {
    allowed: u32,
    windows: Windows<TenantId>,
}

impl TenantLimits {
    /// Reads the settings. The defaults are what a run may be at most, and more than one machine
    /// does in a day.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let limits = Self {
            virtual_users: environment.parsed(
                "PERFORMANCE_TENANT_VIRTUAL_USERS",
                "1000",
                "Virtual users of a tenant's run",
            ),
            minutes: environment.parsed(
                "PERFORMANCE_TENANT_RUN_MINUTES",
                "240",
                "Minutes of a tenant's run",
            ),
            daily_minutes: environment.parsed(
                "PERFORMANCE_TENANT_DAILY_VU_MINUTES",
                "1000000",
                "Virtual users times minutes of a tenant's runs, from midnight to midnight UTC",
            ),
            daily_dollars: environment.parsed(
                "PERFORMANCE_TENANT_DAILY_USD",
                "100",
                "Real dollars of a tenant's runs, from midnight to midnight UTC",
            ),
            queued: environment.parsed(
                "PERFORMANCE_TENANT_QUEUED",
                "50",
                "Runs of a tenant that may wait for their turn",
            ),
            triggers: environment.parsed(
                "PERFORMANCE_TENANT_TRIGGERS_PER_MINUTE",
                "120",
                "Runs, forecasts, checks of schedules and configurations, and generated scripts that a tenant may ask for in a minute",
            ),
        };
        for (name, zero) in [
            (
                "PERFORMANCE_TENANT_VIRTUAL_USERS",
                limits.virtual_users == 0,
            ),
            ("PERFORMANCE_TENANT_RUN_MINUTES", limits.minutes == 0),
        ] {
            if zero {
                environment.reject(name, "must be 1 or more");
            }
        }
        limits
    }

    /// The same as the store counts: in seconds.
    pub(crate) const fn daily_seconds(&self) -> u64 {
        self.daily_minutes.saturating_mul(60)
    }

    /// The same for k6, whose script may ask for more than the request.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            virtual_users: self.virtual_users.min(MAX_VIRTUAL_USERS),
            duration: self.duration().min(MAX_DURATION),
            virtual_user_seconds: None,
        }
    }

    /// Checks what a request asks for.
    ///
    /// # Errors
    /// 403 for a run that is too large at any time.
    pub(crate) fn check(&self, options: &RunOptions) -> Result<(), Problem> {
        if let Some(asked) = options.virtual_users()
            && asked > self.virtual_users
        {
            return Err(never(
                "virtualUsers",
                asked.into(),
                self.virtual_users.into(),
            ));
        }
        if let Some(asked) = options.duration()
            && asked > self.duration()
        {
            let minutes = asked.as_secs().div_ceil(60);
            return Err(never("runMinutes", minutes, self.minutes.into()));
        }
        Ok(())
    }

    const fn duration(&self) -> Duration {
        Duration::from_secs(self.minutes as u64 * 60)
    }
}

impl Default for TenantLimits {
    fn default() -> Self {
        Self::read(&mut Environment::of_pairs([]))
    }
}

/// The load that a request says it puts on: virtual users times seconds; 0 when the script does.
pub(crate) fn load_of(options: &RunOptions) -> u64 {
    let seconds = options.duration().map(|duration| duration.as_secs());
    let users = options.virtual_users().map(u64::from);
    users
        .zip(seconds)
        .map_or(0, |(users, seconds)| users * seconds)
}

impl Triggers {
    pub(crate) fn new(allowed: u32) -> Self {
        Self {
            allowed,
            windows: Windows::new(MINUTE),
        }
    }

    /// Counts that a tenant asks for a run, or for something that takes as much work.
    ///
    /// # Errors
    /// 429 when it has done so too often.
    pub(crate) fn count(&self, tenant: &TenantId) -> Result<(), Problem> {
        let (allowed, now) = (self.allowed, Instant::now());
        let counted = self.windows.count(tenant.clone(), allowed, now);
        counted.map_err(|wait| later("triggersPerMinute", allowed, allowed, wait))
    }
}

/// As many runs of the tenant wait as may wait.
pub(crate) fn queue_full(waiting: u64, allowed: u64) -> Problem {
    later("queuedRuns", waiting, allowed, QUEUE_RETRY)
}

/// As many capacity searches of the tenant go on as may: each takes turns with the others.
pub(crate) fn searches_full(under_way: u64, allowed: u64) -> Problem {
    later("capacitySearches", under_way, allowed, SEARCH_RETRY)
}

/// The tenant's load of the day is used up; both are seconds.
pub(crate) fn day_used_up(used: u64, allowed: u64) -> Problem {
    later(
        "virtualUserMinutesPerDay",
        used.div_ceil(60),
        allowed / 60,
        until_midnight(),
    )
}

/// The tenant's real dollars of the day are spent; both as decimal text.
pub(crate) fn dollars_used_up(used: Dollars, allowed: Dollars) -> Problem {
    let (used, allowed) = (used.decimal(), allowed.decimal());
    later("dollarsPerDay", used, allowed, until_midnight())
}

/// The tenant has as many of a kind as are kept. Waiting does not help, removing does, so that
/// there is no `Retry-After`.
pub(crate) fn as_many_as_kept(what: &'static str, limit: u64) -> Problem {
    let detail = format!("there are {limit} {what} already, and no more are kept");
    let problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "tenant-limit",
        "Too many",
        detail,
    );
    with_numbers(problem, what, limit, limit)
}

fn until_midnight() -> Duration {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    let midnight = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
    let wait = midnight.map(|midnight| midnight.duration_since(&now).unsigned_abs());
    wait.unwrap_or(Duration::from_hours(24))
}

/// The last midnight in UTC: where days begin.
pub(crate) fn midnight(now: Timestamp) -> Timestamp {
    let begin = now.to_zoned(TimeZone::UTC).start_of_day();
    begin.map_or(now, |begin| begin.timestamp())
}

fn later<T: Into<Value> + Display>(
    limit: &'static str,
    used: T,
    allowed: T,
    wait: Duration,
) -> Problem {
    let detail = format!("the tenant's limit {limit} is reached: {used} of {allowed} are used");
    with_numbers(
        Problem::too_many_requests(detail, wait),
        limit,
        used,
        allowed,
    )
}

fn never(limit: &'static str, asked: u64, allowed: u64) -> Problem {
    let detail = format!("the tenant's limit {limit} is {allowed}, and {asked} are asked for");
    with_numbers(Problem::forbidden(detail), limit, asked, allowed)
}

fn with_numbers<T: Into<Value>>(
    problem: Problem,
    limit: &'static str,
    used: T,
    allowed: T,
) -> Problem {
    let problem = problem
        .with_kind("tenant-limit")
        .with_extension("limit", limit);
    problem
        .with_extension("used", used)
        .with_extension("allowed", allowed)
}
