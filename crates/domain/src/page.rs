//! Pages of lists: which part, in which order, of what.

use crate::InvalidField;

/// One part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    page: u32,
    size: u32,
}

/// A part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries of this part.
    pub items: Vec<T>,
    /// Entries of the whole list.
    pub total: u64,
}

/// Which books: equal to what is given, in every character.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookFilter {
    /// Only this genre.
    pub genre: Option<String>,
    /// Only this author.
    pub author: Option<String>,
}

/// The order of a list of books; ties are broken by age and identity, so every order is stable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BookSort {
    /// As they were created.
    #[default]
    OldestFirst,
    /// Newest first.
    NewestFirst,
    /// By title, in code point order.
    Title,
    /// Cheapest first.
    Price,
}

/// A list of books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookQuery {
    /// Which ones.
    pub filter: BookFilter,
    /// In which order.
    pub sort: BookSort,
}

impl PageRequest {
    /// Largest page; a larger wish is served with this many.
    pub const MAX_SIZE: u32 = 100;
    /// Size of a page when none is asked for.
    pub const DEFAULT_SIZE: u32 = 10;
    /// Last page that may be asked for: beyond it a store would skip over millions of entries.
    pub const MAX_PAGE: u32 = 1_000_000;

    /// Page `page` (from 1) of `size` entries; a size above the largest is clamped.
    ///
    /// # Errors
    /// A page or size below 1, or a page beyond the last one allowed.
    pub fn new(page: i64, size: i64) -> Result<Self, InvalidField> {
        let page = match u32::try_from(page) {
            Ok(page) if (1..=Self::MAX_PAGE).contains(&page) => page,
            _ => return Err(InvalidField::new("page", "must be between 1 and 1000000")),
        };
        if size < 1 {
            return Err(InvalidField::new("pageSize", "must be at least 1"));
        }
        let size = u32::try_from(size).unwrap_or(u32::MAX).min(Self::MAX_SIZE);
        Ok(Self { page, size })
    }

    /// The page, from 1.
    #[must_use]
    pub const fn page(self) -> u32 {
        self.page
    }

    /// Entries on a page.
    #[must_use]
    pub const fn size(self) -> u32 {
        self.size
    }

    /// Entries before this page.
    #[must_use]
    pub fn offset(self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.size)
    }

    /// Pages of a list of `total` entries.
    #[must_use]
    pub fn total_pages(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded() {
        assert_eq!(PageRequest::new(1, 2_000).unwrap().size(), 100);
        assert_eq!(PageRequest::new(3, 10).unwrap().offset(), 20);
        assert_eq!(PageRequest::new(1, 10).unwrap().total_pages(11), 2);
        for (page, size) in [(0, 10), (-1, 10), (i64::MAX, 10), (1, 0), (1, -5)] {
            assert!(PageRequest::new(page, size).is_err(), "{page} {size}");
        }
    }
}
