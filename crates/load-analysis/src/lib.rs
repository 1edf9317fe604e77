//! Judgement of a load test from its samples. Pure: no clock, no file, no network.
//!
//! Reading order: a [`sample::Sample`] is one measurement of the load generator. The
//! [`aggregate::Aggregator`] folds samples into one [`series::SeriesValue`] per second, metric
//! and tag set, and into totals of the whole run; a trend is kept as a
//! [`distribution::Distribution`], a histogram with three significant digits, so that
//! percentiles of any window are exact merges. [`threshold`] reads k6's threshold expressions,
//! [`results`] is the document that the contract fixes, [`notation`] how its numbers are written,
//! and [`verdict::judge`] turns evidence into PASS, FAIL or INVALID with reasons; [`targets`] shows
//! what it rests on, row by row; [`escape`] keeps foreign text in reports what it is.
//!
//! [`execution`] is what the generator was asked to do; from it [`phases`] tell warm-up, ramps and
//! steady load apart, and [`validity`] whether the figures show what was asked.
//!
//! [`slowest`] keeps the slowest requests one by one.
//!
//! [`resources`] are what a target used during a run, and [`findings`] what follows from them.
//!
//! [`limits`] are the limits of a test as a file, judged over the seconds of a run and part of
//! its verdict; [`percentile_interval`] says how sure a percentile of one run is. Beyond one run,
//! [`comparison`] holds two groups of runs against each other, [`baseline`] keeps the one that
//! others are held against, [`change_points`] finds the steps in a series of runs, and
//! [`capacity`] searches the highest rate that keeps the limits. Before a run, [`forecast`] says
//! what an [`execution`] plan will take by what earlier runs took; [`spend`] is what a run cost, in
//! exact [`dollars`].

mod number;
mod statistics;

pub mod dollars;
pub mod execution;
pub mod metric;
pub mod objective;
pub mod sample;
pub mod span;
pub mod unit;

pub mod distribution;
pub mod series;

pub mod aggregate;
pub mod threshold;

pub mod escape;
pub mod findings;
pub mod limits;
pub mod notation;
pub mod phases;
pub mod resources;
pub mod results;
pub mod slowest;
pub mod spend;
pub mod targets;
pub mod validity;
pub mod verdict;

pub mod baseline;
pub mod capacity;
pub mod change_points;
pub mod comparison;
pub mod forecast;
pub mod percentile_interval;
