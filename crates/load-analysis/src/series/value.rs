//! The value of a series over a span of time, mergeable with that of any other span.

use crate::distribution::{DecodeError, Distribution, Reader, write_float, write_unsigned};
use crate::metric::MetricKind;
use crate::number::from_count;
use crate::threshold::Statistic;

/// The first byte of a stored value. A change of the form gets a new number.
const FORMAT: u8 = 1;

/// What is kept of the samples of one series, by the metric's kind.
#[derive(Debug, Clone)]
pub enum SeriesValue {
    /// Sum of the values, and how many samples it is made of.
    Counter {
        /// The sum.
        sum: f64,
        /// The number of samples.
        samples: u64,
    },
    /// Latest, smallest and largest value.
    Gauge(Option<GaugeValue>),
    /// Values that were not zero, of all values.
    Rate {
        /// Values that were not zero. k6 calls them passes, also where a failure is counted.
        passes: u64,
        /// All values.
        total: u64,
    },
    /// The distribution of the values.
    Trend(Distribution),
}

/// A gauge over a span of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaugeValue {
    /// The latest value.
    pub value: f64,
    /// When it was seen, in microseconds since the Unix epoch.
    pub time: i64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl SeriesValue {
    /// A value without samples.
    #[must_use]
    pub fn empty(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter {
                sum: 0.0,
                samples: 0,
            },
            MetricKind::Gauge => Self::Gauge(None),
            MetricKind::Rate => Self::Rate {
                passes: 0,
                total: 0,
            },
            MetricKind::Trend => Self::Trend(Distribution::default()),
        }
    }

    /// Adds one sample; `time` is in microseconds since the Unix epoch.
    pub fn record(&mut self, time: i64, value: f64) {
        match self {
            Self::Counter { sum, samples } => {
                *sum += value;
                *samples += 1;
            }
            Self::Gauge(gauge) => {
                merge_gauge(
                    gauge,
                    GaugeValue {
                        value,
                        time,
                        min: value,
                        max: value,
                    },
                );
            }
            Self::Rate { passes, total } => {
                *passes += u64::from(value != 0.0);
                *total += 1;
            }
            Self::Trend(distribution) => distribution.record(value),
        }
    }

    /// Adds all samples of another value. Values of different kinds do not belong to the same
    /// metric; then nothing is added and the answer is `false`.
    pub fn merge(&mut self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Counter { sum, samples },
                Self::Counter {
                    sum: other_sum,
                    samples: other_samples,
                },
            ) => {
                *sum += other_sum;
                *samples += other_samples;
            }
            (Self::Gauge(gauge), Self::Gauge(Some(other))) => merge_gauge(gauge, *other),
            (Self::Gauge(_), Self::Gauge(None)) => {}
            (
                Self::Rate { passes, total },
                Self::Rate {
                    passes: other_passes,
                    total: other_total,
                },
            ) => {
                *passes += other_passes;
                *total += other_total;
            }
            (Self::Trend(ours), Self::Trend(theirs)) => ours.merge(theirs),
            _ => return false,
        }
        true
    }

    /// How many samples the value is made of. A gauge does not count them: 1 when it was seen.
    #[must_use]
    pub fn samples(&self) -> u64 {
        match self {
            Self::Counter { samples, .. } => *samples,
            Self::Gauge(gauge) => u64::from(gauge.is_some()),
            Self::Rate { total, .. } => *total,
            Self::Trend(distribution) => distribution.count(),
        }
    }

    /// One statistic; `None` without samples, and where the kind does not have it. A counter's
    /// rate is its sum over so many `seconds`, 0 over none.
    #[must_use]
    pub fn statistic(&self, of: Statistic, seconds: f64) -> Option<f64> {
        match (self, of) {
            (Self::Counter { sum, .. }, Statistic::Count) => Some(*sum),
            (Self::Counter { sum, .. }, Statistic::Rate) => {
                Some(if seconds > 0.0 { sum / seconds } else { 0.0 })
            }
            (Self::Gauge(gauge), Statistic::Value) => gauge.map(|gauge| gauge.value),
            (Self::Rate { passes, total }, Statistic::Rate) => {
                (*total > 0).then(|| from_count(*passes) / from_count(*total))
            }
            (Self::Trend(distribution), Statistic::Average) => distribution.mean(),
            (Self::Trend(distribution), Statistic::Minimum) => distribution.min(),
            (Self::Trend(distribution), Statistic::Maximum) => distribution.max(),
            (Self::Trend(distribution), Statistic::Median) => distribution.quantile(0.5),
            (Self::Trend(distribution), Statistic::Percentile(percent)) => {
                distribution.quantile(percent / 100.0)
            }
            _ => None,
        }
    }

    /// The kind of metric that has such values.
    #[must_use]
    pub const fn kind(&self) -> MetricKind {
        match self {
            Self::Counter { .. } => MetricKind::Counter,
            Self::Gauge(_) => MetricKind::Gauge,
            Self::Rate { .. } => MetricKind::Rate,
            Self::Trend(_) => MetricKind::Trend,
        }
    }

    /// The compact form for a store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        match self {
            Self::Counter { sum, samples } => {
                bytes.push(b'c');
                write_float(&mut bytes, *sum);
                write_unsigned(&mut bytes, *samples);
            }
            Self::Gauge(None) => bytes.push(b'e'),
            Self::Gauge(Some(gauge)) => {
                bytes.push(b'g');
                write_unsigned(&mut bytes, gauge.time.cast_unsigned());
                for number in [gauge.value, gauge.min, gauge.max] {
                    write_float(&mut bytes, number);
                }
            }
            Self::Rate { passes, total } => {
                bytes.push(b'r');
                write_unsigned(&mut bytes, *passes);
                write_unsigned(&mut bytes, *total);
            }
            Self::Trend(distribution) => {
                bytes.push(b't');
                distribution.write(&mut bytes);
            }
        }
        bytes
    }

    /// Reads the compact form.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes were not written by [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != FORMAT {
            return Err(DecodeError::Invalid);
        }
        let value = match reader.byte()? {
            b'c' => Self::Counter {
                sum: reader.float()?,
                samples: reader.unsigned()?,
            },
            b'e' => Self::Gauge(None),
            b'g' => {
                let time = reader.unsigned()?.cast_signed();
                let [value, min, max] = [reader.float()?, reader.float()?, reader.float()?];
                Self::Gauge(Some(GaugeValue {
                    value,
                    time,
                    min,
                    max,
                }))
            }
            b'r' => Self::Rate {
                passes: reader.unsigned()?,
                total: reader.unsigned()?,
            },
            b't' => Self::Trend(Distribution::read(&mut reader)?),
            _ => return Err(DecodeError::Invalid),
        };
        if reader.is_at_end() {
            Ok(value)
        } else {
            Err(DecodeError::Invalid)
        }
    }
}

/// The later value wins; of two at the same instant the one that came second.
fn merge_gauge(gauge: &mut Option<GaugeValue>, other: GaugeValue) {
    let merged = match *gauge {
        None => other,
        Some(ours) => {
            let latest = if other.time >= ours.time { other } else { ours };
            GaugeValue {
                min: ours.min.min(other.min),
                max: ours.max.max(other.max),
                ..latest
            }
        }
    };
    *gauge = Some(merged);
}
