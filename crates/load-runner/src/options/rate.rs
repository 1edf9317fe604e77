//! Load of the open model: arrivals at a constant rate, whether they are answered or not.

use std::time::Duration;

use serde_json::{Value, json};

use super::{InvalidField, MAX_VIRTUAL_USERS, RequestedOptions, RunOptions, invalid};
use crate::duration;

/// Arrivals per second. One k6 makes some ten thousand requests a second.
pub(super) const MAX_RATE: f64 = 100_000.0;

/// One arrival in a hundred seconds.
const MIN_RATE: f64 = 0.01;

/// k6 counts whole arrivals: hundredths of one in a second are arrivals in a hundred seconds.
const SECONDS: u32 = 100;

impl RunOptions {
    /// Arrivals per second, where they were asked for.
    #[must_use]
    pub const fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// So many users that no arrival of a run ever finds all of them busy, as far as a run may
    /// have them.
    #[must_use]
    pub fn users_at(rate: f64, length: Duration) -> u32 {
        let all = whole(rate * length.as_secs_f64());
        all.saturating_add(1).min(MAX_VIRTUAL_USERS)
    }

    pub(super) fn set_rate(&mut self, requested: &RequestedOptions) -> Result<(), InvalidField> {
        let Some(rate) = requested.rate else {
            return Ok(());
        };
        if !(MIN_RATE..=MAX_RATE).contains(&rate) {
            let reason = format!("must be {MIN_RATE} to {MAX_RATE} arrivals per second");
            return Err(invalid("rate", reason));
        }
        if requested.duration.is_none() || requested.iterations.is_some() {
            let reason = "goes with options.duration, and not with options.iterations".to_owned();
            return Err(invalid("rate", reason));
        }
        self.rate = Some(rate);
        Ok(())
    }

    /// k6's scenarios for a constant rate. All users are there from the beginning: making one
    /// under load would cost what is to be measured.
    pub(super) fn arrivals(&self) -> Option<Value> {
        let (rate, length) = self.rate.zip(self.duration)?;
        let users = self.virtual_users;
        let users = users.unwrap_or_else(|| Self::users_at(rate, length));
        let (rate, unit) = if rate.fract() == 0.0 {
            (whole(rate), "1s".to_owned())
        } else {
            (whole(rate * f64::from(SECONDS)), format!("{SECONDS}s"))
        };
        Some(json!({"arrivals": {
            "executor": "constant-arrival-rate",
            "rate": rate,
            "timeUnit": unit,
            "duration": duration::format(length),
            "preAllocatedVUs": users,
            "maxVUs": users,
        }}))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "above zero and far below the largest number, by the bounds of rates and durations"
)]
fn whole(number: f64) -> u32 {
    number.ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(rate: f64) -> RequestedOptions {
        RequestedOptions {
            rate: Some(rate),
            duration: Some("20s".to_owned()),
            ..RequestedOptions::default()
        }
    }

    #[test]
    fn rates_become_arrivals() {
        let options =
            |requested: &RequestedOptions| RunOptions::parse(requested).unwrap().to_json();
        let whole = options(&asked(12.0));
        let arrivals = &whole["scenarios"]["arrivals"];
        assert_eq!(
            (&arrivals["rate"], &arrivals["timeUnit"]),
            (&json!(12), &json!("1s"))
        );
        assert_eq!(arrivals["maxVUs"], 241);
        assert!(whole.get("duration").is_none() && whole.get("vus").is_none());

        let part = options(&RequestedOptions {
            virtual_users: Some(7),
            ..asked(0.35)
        });
        let arrivals = &part["scenarios"]["arrivals"];
        assert_eq!(
            (&arrivals["rate"], &arrivals["timeUnit"]),
            (&json!(35), &json!("100s"))
        );
        assert_eq!(arrivals["preAllocatedVUs"], 7);
        let many = options(&asked(MAX_RATE));
        assert_eq!(many["scenarios"]["arrivals"]["maxVUs"], MAX_VIRTUAL_USERS);
    }

    #[test]
    fn rates_without_an_end_are_refused() {
        let without_time = RequestedOptions {
            duration: None,
            ..asked(5.0)
        };
        let with_iterations = RequestedOptions {
            iterations: Some(9),
            ..asked(5.0)
        };
        for requested in [
            asked(0.0),
            asked(f64::NAN),
            asked(-1.0),
            asked(1e6),
            without_time,
            with_iterations,
        ] {
            let errors = RunOptions::parse(&requested).unwrap_err();
            assert_eq!(errors[0].field, "options.rate", "{requested:?}");
        }
    }
}
