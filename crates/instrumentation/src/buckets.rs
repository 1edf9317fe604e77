//! Every histogram boundary. A limit of a service objective must be one of these bounds.

/// Seconds of an HTTP request or a store call: from half a millisecond to a minute.
pub const DURATION: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1., 2.5, 5., 10., 20., 60.,
];

/// Seconds of a model call: 0.01 × 2ⁿ, the bounds that OpenTelemetry's conventions advise, and one
/// more for answers that take minutes.
pub const MODEL_DURATION: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84,
];

/// Seconds that our own code adds to a model call.
pub const OVERHEAD: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1, 1., 10.,
];

/// Tokens of a call: powers of four, as the conventions advise.
pub const TOKENS: &[f64] = &[
    1.,
    4.,
    16.,
    64.,
    256.,
    1_024.,
    4_096.,
    16_384.,
    65_536.,
    262_144.,
    1_048_576.,
    4_194_304.,
    16_777_216.,
    67_108_864.,
];

/// Dollars of one call: 10⁻⁶ × 4ⁿ, from a ten-thousandth of a cent to about 17 dollars.
pub const CALL_COST: &[f64] = &[
    0.000_001, 0.000_004, 0.000_016, 0.000_064, 0.000_256, 0.001_024, 0.004_096, 0.016_384,
    0.065_536, 0.262_144, 1.048_576, 4.194_304, 16.777_216,
];

/// Bytes of a body: powers of four up to the largest one that is accepted.
pub const BODY_SIZE: &[f64] = &[
    64., 256., 1_024., 4_096., 16_384., 65_536., 262_144., 1_048_576., 4_194_304.,
];

/// Seconds to the first token as a server sees it (the conventions' server-side bounds).
pub const SERVER_FIRST_TOKEN: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1., 2.5, 5., 7.5, 10.,
];

/// Seconds between tokens as a server sees it (the conventions' server-side bounds).
pub const SERVER_TOKEN: &[f64] = &[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1., 2.5,
];

/// Seconds that something waits in a queue of runs.
pub const QUEUE_WAIT: &[f64] = &[0.1, 0.5, 1., 5., 15., 60., 300., 900., 3_600., 14_400.];
