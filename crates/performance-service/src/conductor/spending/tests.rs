//! A ledger that says what it is told to, on a clock that stands still.

use std::collections::VecDeque;

use async_trait::async_trait;
use load_analysis::dollars::Dollars;
use load_analysis::spend::{Amount, Cap, ModelSpend};
use performance_store::RunId;
use tenancy::TenantId;

use super::*;

type Answer = Result<Spend, LedgerError>;

/// Gives one answer after the other, and the last one for ever.
struct Told(Mutex<VecDeque<Answer>>);

#[async_trait]
impl Ledger for Told {
    async fn spend(&self, _: &BilledTarget, _: &str) -> Answer {
        let mut answers = self.0.lock().unwrap();
        match answers.len() {
            1 => answers.front().cloned().unwrap(),
            _ => answers.pop_front().unwrap(),
        }
    }
}

fn spend(simulated: bool, pico_usd: i128) -> Spend {
    Spend::of_models(vec![ModelSpend {
        model: "sonnet".to_owned(),
        simulated,
        amount: Amount {
            calls: Some(1),
            cost: Dollars::of_pico(pico_usd),
            ..Amount::default()
        },
    }])
}

fn silent() -> Answer {
    Err(LedgerError::Silent("refused".to_owned()))
}

struct Case {
    answers: Vec<Answer>,
    sampled: Spend,
    asked: bool,
    unknown: UnknownSpend,
}

impl Case {
    fn of(answers: Vec<Answer>) -> Self {
        Self {
            answers,
            sampled: Spend::default(),
            asked: true,
            unknown: UnknownSpend::Stop,
        }
    }

    /// How the run is stopped and after how many seconds, if it is within ten minutes; and what it
    /// cost.
    async fn outcome(self) -> (Option<(Exhausted, u64)>, Option<Spend>) {
        let ledger = Told(Mutex::new(self.answers.into()));
        let known = Mutex::new(None);
        let allowed = Some(Dollars::of_pico(100));
        let budget = RunBudget {
            cap: Cap {
                real: allowed,
                simulated: allowed.filter(|_| self.asked),
            },
            asked: self.asked,
            unknown: self.unknown,
        };
        let sampled = self.sampled;
        let spending = Spending {
            ledger: &ledger,
            billing: Billing {
                target: BilledTarget {
                    name: "local".to_owned(),
                    base_url: "http://127.0.0.1:1".to_owned(),
                },
                budget,
            },
            run: RunAddress {
                tenant: TenantId::development(),
                id: RunId::generate(),
            },
            has_told: AtomicBool::new(false),
            samples: Box::new(move || sampled.clone()),
            known: &known,
        };
        let begin = Instant::now();
        let stop = tokio::time::timeout(Duration::from_mins(10), spending.exhausted());
        let stop = stop.await.ok();
        let after = begin.elapsed().as_secs();
        let settled = spending.settled(stop.as_ref()).await;
        (stop.map(|stop| (stop, after)), settled)
    }
}

#[tokio::test(start_paused = true)]
async fn either_kind_of_dollars_reaches_the_cap_by_itself() {
    for simulated in [false, true] {
        let answers = [10, 90, 130].map(|cost| Ok(spend(simulated, cost)));
        let (stop, settled) = Case::of(answers.into()).outcome().await;
        assert_eq!(stop, Some((Exhausted::Cap, 2)));
        let reached = settled.unwrap().reached.unwrap();
        assert!(reached.stopped && reached.simulated == simulated);
        assert_eq!(reached.overshoot.pico(), 30);
    }
    let mixed = Spend::of_models(
        [spend(false, 99), spend(true, 99)]
            .into_iter()
            .flat_map(|spend| spend.models)
            .collect(),
    );
    let (stop, settled) = Case::of(vec![Ok(mixed)]).outcome().await;
    assert_eq!(stop, None, "99 and 99 are not 198");
    assert_eq!(settled.unwrap().reached, None);
}

#[tokio::test(start_paused = true)]
async fn the_usual_cap_lets_simulated_dollars_be() {
    let free = Case {
        asked: false,
        ..Case::of(vec![Ok(spend(true, 1_000_000))])
    };
    assert_eq!(free.outcome().await.0, None);
}

#[tokio::test(start_paused = true)]
async fn without_a_ledger_the_samples_count() {
    let counted = |cost| Spend {
        source: load_analysis::spend::SpendSource::Samples,
        ..spend(true, cost)
    };
    let case = Case {
        sampled: counted(100),
        ..Case::of(vec![Err(LedgerError::Absent)])
    };
    let (stop, settled) = case.outcome().await;
    assert_eq!(stop, Some((Exhausted::Cap, 0)));
    assert_eq!(settled.unwrap().simulated.cost.pico(), 100);
}

/// A proxy that answers while the service behind it is replaced.
#[tokio::test(start_paused = true)]
async fn a_ledger_that_has_told_is_silent_and_not_absent() {
    let absent = || Err(LedgerError::Absent);
    let answers = vec![Ok(spend(false, 40)), absent(), Ok(spend(false, 130))];
    let (stop, settled) = Case::of(answers).outcome().await;
    assert_eq!(stop, Some((Exhausted::Cap, 2)), "it is asked on");
    assert_eq!(settled.unwrap().real.cost.pico(), 130);

    let gone = Case::of(vec![Ok(spend(false, 40)), absent()]);
    let (stop, settled) = gone.outcome().await;
    let after = match stop {
        Some((Exhausted::Unknown(_), after)) => after,
        other => panic!("nobody knows what it spends: {other:?}"),
    };
    assert_eq!(after, 15);
    assert_eq!(settled.unwrap().real.cost.pico(), 40, "it does not fall");
}

#[tokio::test(start_paused = true)]
async fn nobody_spends_blindly_unless_a_setting_says_so() {
    let unknown = |stop: Option<(Exhausted, u64)>| match stop {
        Some((Exhausted::Unknown(reason), after)) => Some((reason.contains("refused"), after)),
        _ => None,
    };
    let (stop, _) = Case::of(vec![silent()]).outcome().await;
    assert_eq!(unknown(stop), Some((true, 15)), "a cap that was asked for");
    let usual = Case {
        asked: false,
        ..Case::of(vec![silent()])
    };
    assert_eq!(usual.outcome().await.0, None, "no sign of money");
    let paid = Case {
        asked: false,
        ..Case::of(vec![Ok(spend(false, 1)), silent()])
    };
    let (stop, settled) = paid.outcome().await;
    assert_eq!(unknown(stop), Some((true, 15)), "real dollars");
    assert_eq!(settled.unwrap().real.cost.pico(), 1, "what was known last");
    let open = Case {
        unknown: UnknownSpend::Continue,
        sampled: spend(false, 7),
        ..Case::of(vec![silent()])
    };
    let (stop, settled) = open.outcome().await;
    assert_eq!(stop, None);
    assert_eq!(settled.unwrap().real.cost.pico(), 7);
    // A short silence is none.
    let mut answers = vec![silent(); 14];
    answers.push(Ok(spend(false, 1)));
    answers.extend(vec![silent(); 14]);
    answers.push(Ok(spend(false, 200)));
    let (stop, _) = Case::of(answers).outcome().await;
    assert_eq!(stop, Some((Exhausted::Cap, 29)));
}

#[tokio::test(start_paused = true)]
async fn calls_that_end_after_the_load_are_paid_too() {
    let answers = [150, 150, 180, 190, 190].map(|cost| Ok(spend(true, cost)));
    let (_, settled) = Case::of(answers.into()).outcome().await;
    // The first one stopped the run; the next two differ, so that the ledger was asked on.
    assert_eq!(settled.unwrap().simulated.cost.pico(), 190);
}

#[tokio::test(start_paused = true)]
async fn a_run_without_money_reaches_no_cap_of_nothing() {
    let nothing = Case::of(vec![Ok(Spend::default())]);
    let (stop, settled) = nothing.outcome().await;
    assert_eq!((stop, settled), (None, None));
}
