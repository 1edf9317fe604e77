//! Both pictures of the requests of a run: when they took how long, and how many took how long.

use super::chart::heatmap::{self, Map};
use super::distribution::{self, DistributionPicture, Form};
use super::selected::{self, SelectionFields};
use crate::picture::{BaselineDurations, Picture};

/// What is drawn of requests; nothing without any.
#[derive(Default)]
pub(crate) struct Requests {
    /// The map, and the fields that select a box of it.
    pub(crate) map: Option<(Map, SelectionFields)>,
    pub(crate) distribution: Option<DistributionPicture>,
}

impl Requests {
    /// Draws what is looked at, beside the baseline if there is one.
    pub(crate) fn of(picture: &Picture, baseline: Option<&BaselineDurations>, form: Form) -> Self {
        let map = heatmap::draw(picture).map(|map| {
            let fields = selected::fields(picture, &map.range);
            (map, fields)
        });
        Self {
            map,
            distribution: distribution::draw(&picture.load.durations, baseline, form),
        }
    }
}
