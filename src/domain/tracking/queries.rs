//! Reads of the activity feed.

use rusqlite::{Connection, params};

use super::model::Tracked;
use crate::base::id::PersonId;
use crate::base::page::{Page, Paging, Place};
use crate::base::{Result, Timestamp};
use crate::domain::rooms::scope::Scope;
use crate::store::rows;

/// Which part of the feed is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub person: Option<PersonId>,
    pub event_type: Option<String>,
    pub since: Option<Timestamp>,
}

/// Returns the feed, newest first, of those in scope; a person that is not is
/// unknown here.
pub fn feed(
    conn: &Connection,
    scope: &Scope,
    wanted: &Wanted,
    paging: &Paging,
) -> Result<Page<Tracked>> {
    if let Some(person) = wanted.person {
        scope.require(conn, person)?;
    }
    let last = paging.last()?;
    let groups = serde_json::json!(scope.groups.iter().map(|id| id.0).collect::<Vec<_>>());
    let runs = serde_json::json!(scope.runs.iter().map(|id| id.0).collect::<Vec<_>>());
    let items = rows::all(
        conn,
        "select t.tracked_id, t.person_id, p.display_name, t.event_type, t.book_id,
                t.content, t.context, t.at
         from tracked t
         join person p using (person_id)
         where (?1 is null or t.person_id = ?1)
           and (?2 is null or t.event_type = ?2)
           and (?3 is null or t.at >= ?3)
           and (?4 or t.person_id = ?5
                or t.person_id in (select person_id from group_member
                                   where group_id in (select value from json_each(?6)))
                or t.person_id in (select person_id from visit
                                   where ended_at is null
                                     and run_id in (select value from json_each(?7))))
           and (?8 is null or (t.at, t.tracked_id) < (?8, ?9))
         order by t.at desc, t.tracked_id desc
         limit ?10",
        params![
            wanted.person,
            wanted.event_type,
            wanted.since,
            scope.sees_all(),
            scope.person,
            groups.to_string(),
            runs.to_string(),
            last.map(|last| last.at),
            last.map(|last| last.id),
            paging.limit()? + 1,
        ],
    )?;
    Page::in_time(items, paging, |item: &Tracked| Place { at: item.at, id: item.id.0 })
}
