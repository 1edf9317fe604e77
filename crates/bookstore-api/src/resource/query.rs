//! Query parameters of lists.

use domain::{BookSort, PageRequest};
use serde::Deserialize;
use service_defaults::problem::Problem;
use utoipa::IntoParams;

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Page, from 1.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    page: Option<String>,
    /// Entries on a page; more than 100 are served as 100.
    #[param(value_type = Option<u32>, minimum = 1)]
    page_size: Option<String>,
}

impl ListQuery {
    /// The page that is asked for.
    pub(crate) fn page(&self) -> Result<PageRequest, Problem> {
        let page = whole_number("page", self.page.as_deref(), 1)?;
        let size = i64::from(PageRequest::DEFAULT_SIZE);
        let size = whole_number("pageSize", self.page_size.as_deref(), size)?;
        PageRequest::new(page, size)
            .map_err(|error| Problem::invalid_field(error.field, error.reason))
    }
}

/// Reads the order of a list of books.
pub(crate) fn parse_sort(text: Option<&str>) -> Result<BookSort, Problem> {
    match text {
        None | Some("oldest") => Ok(BookSort::OldestFirst),
        Some("newest") => Ok(BookSort::NewestFirst),
        Some("title") => Ok(BookSort::Title),
        Some("price") => Ok(BookSort::Price),
        Some(_) => Err(Problem::invalid_field(
            "sort",
            "must be one of oldest, newest, title, price",
        )),
    }
}

fn whole_number(field: &'static str, text: Option<&str>, default: i64) -> Result<i64, Problem> {
    match text {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| Problem::invalid_field(field, "must be a whole number in range")),
    }
}
