//! Pages of a list: a limit, an opaque cursor, and the answer's shape.

use serde::{Deserialize, Serialize};

use super::{Error, Result, Timestamp};

/// How many items a page has when the caller does not say.
pub const LIMIT_DEFAULT: u32 = 50;
/// How many items a page has at the most.
pub const LIMIT_MAX: u32 = 500;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many items at the most (1 to 500, default 50).
    pub limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said.
    pub cursor: Option<String>,
}

impl Paging {
    /// Returns the limit, checked.
    pub fn limit(&self) -> Result<u32> {
        match self.limit {
            None => Ok(LIMIT_DEFAULT),
            Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
            Some(_) => Err(Error::invalid("limit", "must be 1 to 500")),
        }
    }

    /// Returns the offset that the cursor stands for.
    pub fn offset(&self) -> Result<i64> {
        let Some(cursor) = &self.cursor else { return Ok(0) };
        let number = cursor.strip_prefix('p').and_then(|n| n.parse::<u32>().ok());
        number.map(i64::from).ok_or_else(no_cursor)
    }

    /// Returns the item that the page before ended with, in a list in order of time.
    pub fn last(&self) -> Result<Option<Place>> {
        self.cursor.as_deref().map(Place::read).transpose()
    }
}

/// Where an item stands in a list in order of time. Nothing that comes or goes before it moves it,
/// as it would a number counted from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub at: Timestamp,
    /// Its id, which tells it from others of the same moment.
    pub id: i64,
}

impl Place {
    fn read(cursor: &str) -> Result<Place> {
        let parts = cursor.strip_prefix('t').and_then(|place| place.split_once('.'));
        let place = parts.and_then(|(at, id)| {
            Some(Place { at: Timestamp(at.parse().ok()?), id: id.parse().ok()? })
        });
        place.filter(|place| place.cursor() == cursor).ok_or_else(no_cursor)
    }

    fn cursor(self) -> String {
        format!("t{}.{}", self.at.0, self.id)
    }
}

fn no_cursor() -> Error {
    Error::invalid("cursor", "is not a cursor of this list")
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; null on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Returns the page that is asked for of a list that is always read whole: of what a house has
    /// dozens, not thousands.
    pub fn part<U>(all: Vec<U>, paging: &Paging) -> Result<Page<T>>
    where
        T: From<U>,
    {
        let offset = usize::try_from(paging.offset()?).unwrap_or(usize::MAX);
        let limit = paging.limit()? as usize;
        let items = all.into_iter().skip(offset).take(limit.saturating_add(1));
        Page::of(items.map(T::from).collect(), paging)
    }

    /// Returns a page of a list in order of time, each item of which stands at `place`. `items` were
    /// read from after the last place, with a limit of one more than wanted.
    pub fn in_time(
        mut items: Vec<T>,
        paging: &Paging,
        place: impl Fn(&T) -> Place,
    ) -> Result<Page<T>> {
        let limit = paging.limit()? as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| place(last).cursor());
        Ok(Page { items, next_cursor })
    }

    /// Returns the page of `items` asked for by `paging`; `items` were read with
    /// a limit of one more than wanted, so that the end is known.
    pub fn of(mut items: Vec<T>, paging: &Paging) -> Result<Page<T>> {
        let (limit, offset) = (paging.limit()?, paging.offset()?);
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = more.then(|| format!("p{}", offset + i64::from(limit)));
        Ok(Page { items, next_cursor })
    }
}
