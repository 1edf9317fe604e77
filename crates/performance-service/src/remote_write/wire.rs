//! Prometheus' remote write 1.0: Protocol Buffers in Snappy's block format
//! (<https://prometheus.io/docs/specs/prw/remote_write_spec/>).

use prost::Message;

/// A value that says that a series has ended, as the protocol spells it.
pub(super) const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

/// Samples of one series.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    /// By name, `__name__` among them.
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    /// In order of time.
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

/// A label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// A value at an instant, in milliseconds since the Unix epoch.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

/// The body of a request.
///
/// # Errors
/// It is too long for the format: 4 GiB.
pub(super) fn encode(timeseries: Vec<TimeSeries>) -> Result<Vec<u8>, String> {
    let message = WriteRequest { timeseries }.encode_to_vec();
    snap::raw::Encoder::new()
        .compress_vec(&message)
        .map_err(|error| error.to_string())
}
