//! Experiments and assessments beside the rows.

use llm::{Assessment, Assessor, ScoreCount, StoredExperiment};
use tenancy::TenantId;
use uuid::Uuid;

use super::Place;

pub(super) async fn an_experiment_is_kept_and_replaced(place: &Place) -> anyhow::Result<()> {
    let experiment = |tenant: &str, body: &str| StoredExperiment {
        tenant: tenant.to_owned(),
        name: "tone".to_owned(),
        running_for: None,
        body: body.to_owned(),
    };
    for (tenant, body) in [("a", "first"), ("b", "other"), ("a", "second")] {
        place
            .ledger
            .put_experiment(experiment(tenant, body))
            .await?;
    }
    let mut kept = place.ledger.experiments().await?;
    kept.sort_by(|one, other| one.tenant.cmp(&other.tenant));
    assert_eq!(kept, [experiment("a", "second"), experiment("b", "other")]);
    Ok(())
}

/// Two processes, which are two connections here.
pub(super) async fn of_two_that_start_at_once_one_wins(place: &Place) -> anyhow::Result<()> {
    let other = place.connect_again().await?;
    let experiment = |tenant: &str, name: &str, running_for: Option<&str>| StoredExperiment {
        tenant: tenant.to_owned(),
        name: name.to_owned(),
        running_for: running_for.map(str::to_owned),
        body: name.to_owned(),
    };
    for round in 0..20 {
        let feature = format!("feature-{round}");
        let start = |name: String| experiment("a", &name, Some(&feature));
        let (one, two) = (format!("one-{round}"), format!("two-{round}"));
        let (first, second) = tokio::join!(
            place.ledger.start_experiment(start(one.clone())),
            other.start_experiment(start(two.clone())),
        );
        let (first, second) = (first?, second?);
        assert!(first != second, "{round}: {first} {second}");
        let (winner, loser) = if first { (one, two) } else { (two, one) };
        let kept = place.ledger.experiments().await?;
        let kept: Vec<_> = kept.iter().map(|one| &one.name).collect();
        assert!(kept.contains(&&winner) && !kept.contains(&&loser));

        // The name is taken, whatever it runs for; for another tenant neither is.
        let again = experiment("a", &winner, Some("another"));
        assert!(!other.start_experiment(again).await?);
        let elsewhere = experiment("b", &winner, Some(&feature));
        assert!(other.start_experiment(elsewhere).await?);
        // Once it has stopped, the next one may run.
        let stopped = experiment("a", &winner, None);
        place.ledger.put_experiment(stopped).await?;
        assert!(other.start_experiment(start(loser)).await?);
    }
    other.close().await?;
    Ok(())
}

pub(super) async fn the_last_word_of_each_assessor_counts(place: &Place) -> anyhow::Result<()> {
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let reader = |name: &str| Assessor::Reader(name.to_owned());
    for (tenant, call_id, assessor, variant, score) in [
        ("a", one, Assessor::Checks, "tone/b", 5),
        ("a", one, reader("eve"), "tone/b", 1),
        ("a", one, reader("eve"), "tone/b", 4),
        ("a", one, reader("bob"), "tone/b", 4),
        ("a", other, reader("checks"), "tone/b", 1),
        ("a", other, Assessor::Checks, "tone/a", 1),
        ("b", one, reader("eve"), "tone/b", 2),
    ] {
        let assessment = Assessment {
            tenant: TenantId::parse(tenant)?,
            call_id,
            assessor,
            variant: variant.to_owned(),
            score,
        };
        place.ledger.assess(assessment).await?;
    }
    let count = |by_checks, score, count| ScoreCount {
        by_checks,
        score,
        count,
    };
    for (tenant, variant, expected) in [
        (
            "a",
            "tone/b",
            vec![count(false, 1, 1), count(false, 4, 2), count(true, 5, 1)],
        ),
        ("a", "tone/a", vec![count(true, 1, 1)]),
        ("b", "tone/b", vec![count(false, 2, 1)]),
        ("b", "tone/a", vec![]),
    ] {
        let scores = place
            .ledger
            .scores(&TenantId::parse(tenant)?, variant)
            .await?;
        assert_eq!(scores, expected, "{tenant} {variant}");
    }
    Ok(())
}
