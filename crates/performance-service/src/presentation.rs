//! What pages and reports show alike: figures, pictures, words, numbers.

pub(crate) mod chart;
pub(crate) mod distribution;
pub(crate) mod endpoints;
pub(crate) mod evidence;
pub(crate) mod fault_table;
pub(crate) mod figures;
pub(crate) mod interval_bar;
pub(crate) mod money;
pub(crate) mod month;
pub(crate) mod numbers;
pub(crate) mod overlay;
pub(crate) mod path;
pub(crate) mod phase_table;
pub(crate) mod requests;
pub(crate) mod resource_strips;
pub(crate) mod selected;
pub(crate) mod slowest;
pub(crate) mod sparkline;
pub(crate) mod standing;
pub(crate) mod tiles;
pub(crate) mod time_table;
pub(crate) mod trend_chart;
pub(crate) mod words;
