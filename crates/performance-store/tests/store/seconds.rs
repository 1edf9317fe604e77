//! Histograms in, the same histograms out.

use load_analysis::series::SeriesValue;
use performance_store::LongReader;

use crate::test_store::{TestStore, buckets};

const DURATION: &[&str] = &["http_req_duration"];

#[tokio::test]
async fn percentiles_over_stored_seconds_are_those_of_all_samples() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let run = test.running().await?;
    let samples: Vec<(i64, f64)> = (0..1_000_u32)
        .map(|index| (i64::from(index / 100), f64::from(index * 7 % 997) / 3.0))
        .collect();
    let whole = merged(buckets(&samples))?;
    // The late half of each second comes as a second part of it.
    let (early, late): (Vec<_>, Vec<_>) = samples
        .chunks(50)
        .enumerate()
        .partition(|(index, _)| index % 2 == 0);
    for (number, half) in (1..).zip([early, late]) {
        let half: Vec<_> = half
            .into_iter()
            .flat_map(|(_, chunk)| chunk.to_vec())
            .collect();
        // The answer of a call may be lost, so that a part is offered again.
        for _ in 0..2 {
            test.record(&run, number, buckets(&half)).await?;
        }
    }

    let stored = test
        .store
        .fold_seconds(
            (&run.address(), LongReader::Shared),
            DURATION,
            Vec::new(),
            Vec::push,
        )
        .await?;
    let seconds: Vec<i64> = stored.iter().map(|bucket| bucket.second).collect();
    assert!(seconds.is_sorted());
    assert_eq!(seconds.len(), 20);
    let stored = merged(stored)?;
    for share in [0.5, 0.95, 0.99] {
        assert_eq!(quantile(&stored, share), quantile(&whole, share));
    }
    assert_eq!(stored.samples(), 1_000);
    Ok(())
}

#[tokio::test]
async fn only_the_metrics_that_are_asked_for_are_read() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let run = test.running().await?;
    let buckets = buckets(&[(1, 5.0)]);
    test.record(&run, 1, buckets).await?;
    let other = test
        .store
        .fold_seconds(
            (&run.address(), LongReader::Shared),
            &["vus"],
            0,
            |count, bucket| {
                *count += bucket.series.len();
            },
        )
        .await?;
    assert_eq!(other, 0);
    Ok(())
}

fn merged(buckets: Vec<load_analysis::aggregate::SecondBucket>) -> anyhow::Result<SeriesValue> {
    buckets
        .into_iter()
        .filter_map(|bucket| bucket.merged("http_req_duration"))
        .reduce(|mut whole, part| {
            assert!(whole.merge(&part));
            whole
        })
        .ok_or_else(|| anyhow::anyhow!("there is no second"))
}

fn quantile(value: &SeriesValue, share: f64) -> Option<String> {
    let SeriesValue::Trend(distribution) = value else {
        return None;
    };
    distribution.quantile(share).map(|value| value.to_string())
}
