//! Pages by keyset: a place in a list is the value it is sorted by and the row's id, never a count of rows, so pages
//! stay right while rows are inserted. Cursors are opaque and carry a version and the name of the order they are of.

use pg::tokio_postgres::types::ToSql;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::{Cursor, Problem};

/// The version of the cursors' shape.
const CURSOR_VERSION: u8 = 1;

/// A place in a list: behind the row with this id, which has this text as its sort value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The name of the column the list is sorted by.
    #[serde(rename = "s")]
    pub sorted_by: String,
    /// The row's value in that column, as text.
    #[serde(rename = "v")]
    pub value: String,
    /// The row's id.
    #[serde(rename = "i")]
    pub id: Uuid,
}

impl Place {
    /// The place as a cursor.
    #[must_use]
    pub fn to_cursor(&self) -> String {
        Cursor::encode(CURSOR_VERSION, self)
    }

    /// Reads a cursor of a list that is sorted by that column.
    ///
    /// # Errors
    /// 400 `INVALID_CURSOR`.
    pub fn parse(cursor: &str, sorted_by: &str) -> Result<Self, Problem> {
        let place: Self = Cursor::decode(CURSOR_VERSION, cursor)?;
        if place.sorted_by == sorted_by {
            Ok(place)
        } else {
            Err(Problem::invalid_cursor("the cursor is of a list in another order"))
        }
    }
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl Direction {
    const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
        }
    }

    /// How the rows behind a place compare with it.
    const fn behind(self) -> char {
        match self {
            Self::Ascending => '>',
            Self::Descending => '<',
        }
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The rows behind this place.
    pub after: Option<Place>,
    /// The rows before this place.
    pub before: Option<Place>,
    /// At most so many.
    pub limit: usize,
    /// Whether they are counted from the end.
    pub from_end: bool,
}

impl PageRequest {
    /// The first rows behind a place.
    #[must_use]
    pub const fn first(limit: usize, after: Option<Place>) -> Self {
        Self { after, before: None, limit, from_end: false }
    }
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows in the order of the list.
    pub rows: Vec<T>,
    /// Whether there is something behind them.
    pub has_next: bool,
    /// Whether there is something before them.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Cuts what [`Select::page`] found (one row more than wanted where there is more) into a page.
    #[must_use]
    pub fn cut(mut rows: Vec<T>, request: &PageRequest) -> Self {
        let more = rows.len() > request.limit;
        rows.truncate(request.limit);
        if request.from_end {
            rows.reverse();
            return Self { rows, has_next: request.before.is_some(), has_previous: more };
        }
        Self { rows, has_next: more, has_previous: request.after.is_some() }
    }
}

/// The column that a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortColumn {
    /// Its name.
    pub name: &'static str,
    /// Its type, to read the text of a cursor as.
    pub sql_type: &'static str,
}

type Parameter = Box<dyn ToSql + Sync + Send>;

/// A statement that grows with its conditions. Values are parameters, always.
#[derive(Default)]
pub struct Select {
    conditions: Vec<String>,
    parameters: Vec<Parameter>,
}

impl Select {
    /// Adds a condition; `$?` in it stands for the value.
    pub fn and(&mut self, condition: &str, value: impl ToSql + Sync + Send + 'static) {
        let place = self.parameter(value);
        self.conditions.push(condition.replace("$?", &place));
    }

    /// Adds a condition without a value.
    pub fn and_fixed(&mut self, condition: &'static str) {
        self.conditions.push(condition.to_owned());
    }

    fn parameter(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.parameters.push(Box::new(value));
        format!("${}", self.parameters.len())
    }

    /// `WHERE …` with everything that was added, or nothing.
    #[must_use]
    pub fn where_clause(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!(" WHERE {}", self.conditions.join(" AND ")) }
    }

    /// The parameters in the order of their numbers.
    #[must_use]
    pub fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.parameters.iter().map(|parameter| parameter.as_ref() as &(dyn ToSql + Sync)).collect()
    }

    /// Everything behind `FROM table`: the conditions, the place, the order and the limit.
    #[must_use]
    pub fn page(&mut self, request: &PageRequest, sort: SortColumn, id: &str, direction: Direction) -> String {
        for (place, towards) in [(&request.after, direction), (&request.before, direction.reversed())] {
            if let Some(place) = place {
                let value = self.parameter(place.value.clone());
                let row = self.parameter(place.id);
                let (name, sql_type, behind) = (sort.name, sort.sql_type, towards.behind());
                self.conditions.push(format!("({name}, {id}) {behind} ({value}::text::{sql_type}, {row})"));
            }
        }
        let order = if request.from_end { direction.reversed() } else { direction }.sql();
        let limit = request.limit.saturating_add(1);
        format!("{} ORDER BY {} {order}, {id} {order} LIMIT {limit}", self.where_clause(), sort.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SORT: SortColumn = SortColumn { name: "placed_at", sql_type: "timestamptz" };

    fn place() -> Place {
        Place { sorted_by: "placed_at".to_owned(), value: "2026-11-21T10:00:00Z".to_owned(), id: Uuid::nil() }
    }

    #[test]
    fn a_cursor_is_of_one_order_only() {
        let cursor = place().to_cursor();
        assert_eq!(Place::parse(&cursor, "placed_at").unwrap(), place());
        assert!(Place::parse(&cursor, "total").is_err());
        assert!(Place::parse("x", "total").is_err());
    }

    #[test]
    fn a_page_from_the_end_is_read_backwards_and_turned_around() {
        let mut select = Select::default();
        select.and("status = ANY($?)", vec!["PENDING".to_owned()]);
        let request = PageRequest { after: None, before: Some(place()), limit: 2, from_end: true };
        let sql = select.page(&request, SORT, "order_id", Direction::Descending);
        assert_eq!(
            sql,
            " WHERE status = ANY($1) AND (placed_at, order_id) > ($2::text::timestamptz, $3) \
             ORDER BY placed_at ASC, order_id ASC LIMIT 3"
        );
        let page = Page::cut(vec![1, 2, 3], &request);
        assert_eq!((page.rows, page.has_next, page.has_previous), (vec![2, 1], true, true));
    }
}
