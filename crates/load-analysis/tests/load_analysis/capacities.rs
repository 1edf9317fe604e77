//! Searches for the capacity of simulated services.

use load_analysis::capacity::{
    Capacity, CapacitySearch, End, InvalidPlan, MOST_TRIALS, Plan, Purpose, Step, Trial,
};
use load_analysis::verdict::Level;

/// Follows a search to its end.
fn search(plan: Plan, mut judge: impl FnMut(f64) -> Level) -> (Capacity, CapacitySearch) {
    let mut search = CapacitySearch::new(plan);
    loop {
        match search.next_step() {
            Step::Done(capacity) => return (capacity, search),
            Step::Try { rate, .. } => {
                let number = search.trials().len();
                assert!(number < MOST_TRIALS, "the search does not end: {search:?}");
                let trial = Trial {
                    run: number.to_string(),
                    rate,
                    level: judge(rate),
                    reasons: vec![format!("p(95) at {rate}/s.")],
                };
                assert!(search.record(trial));
            }
        }
    }
}

fn plan(lowest: f64, highest: f64) -> Plan {
    Plan::between(lowest, highest).unwrap()
}

fn carries(capacity: f64) -> impl Fn(f64) -> Level {
    move |rate| {
        if rate <= capacity {
            Level::Pass
        } else {
            Level::Critical
        }
    }
}

#[test]
fn a_service_that_answers_the_same_each_time_is_found_to_the_precision() {
    for capacity in [13.0, 77.7, 310.0, 640.0, 999.0] {
        let (found, search) = search(plan(10.0, 2_000.0), carries(capacity));
        let (rate, beyond) = (found.rate.unwrap(), found.beyond.unwrap());
        assert_eq!(found.end, End::Found);
        assert!(rate <= capacity && capacity < beyond, "{found:?}");
        assert!(beyond / rate <= 1.06, "{found:?}");
        assert!(
            search.trials().len() <= 24,
            "{} trials",
            search.trials().len()
        );
        let held = |trial: &&Trial| trial.rate.to_bits() == rate.to_bits();
        assert_eq!(
            search.trials().iter().filter(held).count(),
            3,
            "confirmed twice"
        );
    }
}

/// p95 of a queue whose wait grows without bound towards 400/s, with 4 % noise, held against
/// 50 ms: 300/s in the mean. Errors come on top in one run of fifty.
#[test]
fn a_noisy_service_is_found_near_its_capacity() {
    let near = (0..100).filter(|seed| {
        let mut random = fastrand::Rng::with_seed(*seed);
        let (found, search) = search(plan(20.0, 1_000.0), |rate| {
            let load = (rate / 400.0).min(0.999);
            let noise = 1.0 + 0.04 * (random.f64() + random.f64() + random.f64() - 1.5) * 2.0;
            let p95 = 12.5 / (1.0 - load) * noise;
            if p95 > 50.0 || random.f64() < 0.02 {
                Level::Fail
            } else {
                Level::Pass
            }
        });
        assert!(search.trials().len() <= 30);
        let rate = found.rate.unwrap_or(0.0);
        assert!(rate < 325.0, "{seed}: {found:?}");
        (270.0..=315.0).contains(&rate)
    });
    let near = near.count();
    assert!(near >= 90, "{near} of 100");
}

#[test]
fn what_lies_beyond_the_bounds_is_told() {
    let (found, search) = search(plan(10.0, 500.0), |_| Level::Warning);
    assert_eq!(
        (found.rate, found.beyond, found.end),
        (Some(500.0), None, End::AtHighest)
    );
    assert_eq!(
        found.sentence,
        format!(
            "500/s is carried, the highest rate that was asked for, by {} runs.",
            search.trials().len()
        )
    );
    let (found, search) = self::search(plan(10.0, 500.0), |_| Level::Fail);
    assert_eq!(
        (found.rate, found.beyond, found.end),
        (None, Some(10.0), End::BelowLowest)
    );
    assert_eq!(
        search.trials().len(),
        2,
        "one break does not bound a search"
    );
    assert_eq!(
        found.sentence,
        "Not even 10/s is carried, by 2 runs. At 10/s it broke: p(95) at 10/s."
    );
}

#[test]
fn a_rate_that_nobody_can_make_is_not_carried() {
    let judge = |rate: f64| {
        if rate > 100.0 {
            Level::Invalid
        } else {
            Level::Pass
        }
    };
    let (found, search) = search(plan(10.0, 1_000.0), judge);
    assert_eq!(found.end, End::Found);
    assert!((95.0..=100.0).contains(&found.rate.unwrap()), "{found:?}");
    let unanswered = search
        .trials()
        .iter()
        .filter(|trial| trial.level == Level::Invalid);
    assert_eq!(unanswered.count() % 3, 0, "three times each");
}

#[test]
fn one_break_by_chance_is_repeated_and_a_failed_confirmation_leads_down() {
    let mut broken = false;
    let (found, search) = search(plan(100.0, 200.0), |rate| {
        let by_chance = rate > 150.0 && !std::mem::replace(&mut broken, true);
        if by_chance { Level::Fail } else { Level::Pass }
    });
    assert_eq!(
        (found.rate, found.end),
        (Some(200.0), End::AtHighest),
        "{search:?}"
    );

    // 200/s holds once, then never again.
    let mut runs = 0;
    let (found, _) = self::search(plan(100.0, 200.0), |rate| {
        runs += u32::from(rate > 199.0);
        if rate > 199.0 && runs > 1 {
            Level::Fail
        } else {
            Level::Pass
        }
    });
    assert_eq!(found.end, End::Found);
    assert!(
        found.rate.unwrap() < 199.0 && found.beyond == Some(200.0),
        "{found:?}"
    );
}

#[test]
fn a_search_ends_with_its_runs_and_says_what_it_knows() {
    let short = Plan::new((10.0, 10_000.0), 0.01, 2, 8).unwrap();
    let (found, search) = search(short, carries(3_000.0));
    assert_eq!((found.rate, found.end), (None, End::OutOfTrials));
    assert_eq!(search.trials().len(), 8);
    assert!(
        found
            .sentence
            .starts_with("No rate was confirmed, by 8 runs, all that there were.")
    );
}

#[test]
fn a_search_that_others_end_says_what_it_knows() {
    let (_, whole) = search(plan(10.0, 500.0), carries(200.0));
    let known = whole.ended(End::Stopped);
    assert!(known.rate.unwrap() <= 200.0 && known.beyond.unwrap() > 200.0);
    assert!(known.sentence.contains("until it was stopped"), "{known:?}");

    let begun = CapacitySearch::new(plan(10.0, 500.0));
    let known = begun.ended(End::OutOfTime);
    assert_eq!((known.rate, known.beyond), (None, None));
    assert_eq!(
        known.sentence,
        "No rate was confirmed, by 0 runs, all that there was time for."
    );
}

#[test]
fn runs_that_nobody_can_judge_are_not_called_broken() {
    let (found, search) = search(plan(10.0, 500.0), |_| Level::Invalid);
    assert_eq!((found.rate, found.end), (None, End::BelowLowest));
    assert_eq!(search.trials().len(), 3);
    assert!(
        found
            .sentence
            .starts_with("No run at 10/s could be judged, by 3 runs."),
        "{found:?}"
    );
}

#[test]
fn a_search_goes_on_where_it_was() {
    let plan = plan(10.0, 500.0);
    let (found, whole) = search(plan, carries(200.0));
    let json = serde_json::to_string(&whole).unwrap();
    let read: CapacitySearch = serde_json::from_str(&json).unwrap();
    assert_eq!(read.next_step(), Step::Done(found));

    let mut search = CapacitySearch::new(plan);
    let asked = Step::Try {
        rate: 10.0,
        purpose: Purpose::Probe,
    };
    assert_eq!(search.next_step(), asked);
    let other = Trial {
        rate: 11.0,
        ..whole.trials()[0].clone()
    };
    assert!(!search.record(other));
    assert_eq!(search.next_step(), asked);
    let mut whole = whole;
    assert!(!whole.record(whole.trials()[0].clone()), "it is over");
}

#[test]
fn impossible_plans_are_refused() {
    for (rates, precision, confirmations, trials, expected) in [
        ((0.0, 10.0), 0.05, 2, 30, InvalidPlan::Rates),
        ((10.0, 10.0), 0.05, 2, 30, InvalidPlan::Rates),
        ((1.0, f64::NAN), 0.05, 2, 30, InvalidPlan::Rates),
        ((1.0, f64::INFINITY), 0.05, 2, 30, InvalidPlan::Rates),
        ((1.0, 10.0), 0.001, 2, 30, InvalidPlan::Precision),
        ((1.0, 10.0), 0.05, 0, 30, InvalidPlan::Confirmations),
        ((1.0, 10.0), 0.05, 2, MOST_TRIALS + 1, InvalidPlan::Trials),
    ] {
        assert_eq!(
            Plan::new(rates, precision, confirmations, trials),
            Err(expected)
        );
    }
}
