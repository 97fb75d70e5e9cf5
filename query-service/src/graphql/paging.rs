//! Connections: their arguments, their page info, and what they cost.

use super::error::{bad_input, from_problem};
use crate::read_models::keyset::{Page, PageRequest, Place};
use async_graphql::{Result, SimpleObject};
use web::Problem;

/// How many entries a page has unless told otherwise.
pub const DEFAULT_PAGE: usize = 20;
/// The most entries of a page.
pub const LARGEST_PAGE: usize = 100;

/// Where a page stands in its list.
#[derive(Debug, Clone, SimpleObject)]
pub struct PageInfo {
    /// Whether there is more behind it.
    pub has_next_page: bool,
    /// Whether there is more before it.
    pub has_previous_page: bool,
    /// The cursor of its first entry.
    pub start_cursor: Option<String>,
    /// The cursor of its last entry.
    pub end_cursor: Option<String>,
}

impl PageInfo {
    /// The info of a page whose entries have these cursors.
    #[must_use]
    pub fn of<T>(page: &Page<T>, cursor: impl Fn(&T) -> String) -> Self {
        Self {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: page.rows.first().map(&cursor),
            end_cursor: page.rows.last().map(&cursor),
        }
    }
}

/// The arguments of a connection as they were given.
#[derive(Debug, Clone, Default)]
pub struct PageArguments {
    /// So many from the start.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// So many from the end.
    pub last: Option<i32>,
    /// Before this cursor.
    pub before: Option<String>,
}

impl PageArguments {
    /// What they ask for.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a number that is out of range, both `first` and `last`, or a cursor that is not ours.
    pub fn request(self, parse: impl Fn(&str) -> Result<Place, Problem>) -> Result<PageRequest> {
        if self.first.is_some() && self.last.is_some() {
            return Err(bad_input("give `first` or `last`, not both"));
        }
        let from_end = self.last.is_some();
        let limit = size(self.first.or(self.last), if from_end { "last" } else { "first" })?;
        let place = |cursor: Option<String>| {
            cursor.map(|cursor| parse(&cursor)).transpose().map_err(|problem| bad_cursor(&problem))
        };
        Ok(PageRequest { after: place(self.after)?, before: place(self.before)?, limit, from_end })
    }
}

fn bad_cursor(problem: &Problem) -> async_graphql::Error {
    bad_input(from_problem(problem).message)
}

/// The size of a page: 20 unless given, at most 100.
///
/// # Errors
/// `BAD_USER_INPUT`.
pub fn size(given: Option<i32>, name: &str) -> Result<usize> {
    let Some(given) = given else { return Ok(DEFAULT_PAGE) };
    usize::try_from(given)
        .ok()
        .filter(|size| *size <= LARGEST_PAGE)
        .ok_or_else(|| bad_input(format!("`{name}` goes from 0 to {LARGEST_PAGE}")))
}

/// What a page costs: its content once per entry.
#[must_use]
pub fn page_cost(first: Option<i32>, last: Option<i32>, content: usize) -> usize {
    let entries = first.or(last).map_or(DEFAULT_PAGE, |size| usize::try_from(size).unwrap_or(0)).min(LARGEST_PAGE);
    // Bounded, so that adding up costs can't overflow.
    entries.saturating_mul(content).saturating_add(1).min(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_at_most_a_hundred_entries() {
        let ask = |first, last| {
            PageArguments { first, last, ..PageArguments::default() }
                .request(|cursor| Place::parse(cursor, "x"))
                .map(|request| (request.limit, request.from_end))
        };
        assert_eq!(ask(None, None).unwrap(), (20, false));
        assert_eq!(ask(Some(100), None).unwrap(), (100, false));
        assert_eq!(ask(None, Some(5)).unwrap(), (5, true));
        assert!(ask(Some(101), None).is_err() && ask(Some(-1), None).is_err() && ask(Some(1), Some(1)).is_err());
    }

    #[test]
    fn what_is_in_a_page_counts_once_per_entry() {
        assert_eq!(page_cost(None, None, 3), 61);
        assert_eq!(page_cost(Some(i32::MAX), None, 3), 301);
        assert_eq!(page_cost(Some(100), None, usize::MAX), 1_000_000_000);
    }
}
