//! How much there is, of all tenants together, for `/metrics`.

use std::{sync::Arc, time::Duration};

use domain::Author;
use instrumentation::catalogue::{
    BOOKSTORE_AUTHORS, BOOKSTORE_BOOKS, BOOKSTORE_STOCK_UNITS, Metric,
};
use metrics::Gauge;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{BookStore, Store};

/// What lies in one table or collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Entities.
    pub entries: u64,
    /// Copies of them in stock; 0 for what has none.
    pub units: u64,
}

/// Looks at the stores now and then, and shows what it sees. Never ends.
pub(crate) fn watch(
    books: Arc<dyn BookStore>,
    authors: Arc<dyn Store<Author>>,
    pause: Duration,
) -> JoinHandle<()> {
    let [mut titles, mut units, mut writers] =
        [&BOOKSTORE_BOOKS, &BOOKSTORE_STOCK_UNITS, &BOOKSTORE_AUTHORS].map(Shown::new);
    tokio::spawn(async move {
        let mut round = interval(pause);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            round.tick().await;
            let seen = books.holdings().await.ok();
            titles.show(seen.map(|seen| seen.entries));
            units.show(seen.map(|seen| seen.units));
            let seen = authors.holdings().await.ok();
            writers.show(seen.map(|seen| seen.entries));
        }
    })
}

/// A number that is shown from its first value on, and is none while the store is away.
struct Shown {
    metric: &'static Metric,
    gauge: Option<Gauge>,
}

impl Shown {
    const fn new(metric: &'static Metric) -> Self {
        Self {
            metric,
            gauge: None,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are doubles; counts stay far below 2^53"
    )]
    fn show(&mut self, value: Option<u64>) {
        match value {
            Some(value) => {
                let gauge = self.gauge.get_or_insert_with(|| self.metric.gauge(&[]));
                gauge.set(value as f64);
            }
            None => {
                if let Some(gauge) = &self.gauge {
                    gauge.set(f64::NAN);
                }
            }
        }
    }
}
