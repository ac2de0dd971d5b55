//! Where people are now, each as far as the one who asks may know it.
//!
//! Everybody who works here may know whether somebody is in the house. The room is for the
//! lead, and for staff in whose scope the person is; groups are for the office, too.

use rusqlite::{Connection, params};

use crate::base::id::{PersonId, RoomId};
use crate::base::{Day, Error, Result, Timestamp};
use crate::domain::house;
use crate::domain::people::model::PersonState;
use crate::domain::people::queries::Search;
use crate::domain::people::{self, Person, Role};
use crate::domain::rooms::{self, Group, Scope};
use crate::store::rows::{self, FromRow, Row};

/// Whether a person is in the house, and in which room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    pub present: bool,
    pub room: Option<(RoomId, String)>,
}

/// A person as one who asks may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub person: Person,
    pub present: bool,
    /// None for those who may know the name and the presence only.
    pub more: Option<More>,
}

/// What is not for everybody who works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct More {
    pub groups: Vec<Group>,
    /// Where the person is, if that may be known.
    pub room: Option<(RoomId, String)>,
}

/// Returns where `person` is on `day`, which is today.
pub fn of(conn: &Connection, person: PersonId, day: Day) -> Result<Whereabouts> {
    let found = rows::maybe(
        conn,
        "select status = 'present' as present, room.room_id, room.name
         from attendance
         left join visit on visit.person_id = attendance.person_id
                        and newest = 1
                        and ended_at is null
         left join room using (room_id)
         where attendance.person_id = ?1 and day = ?2",
        params![person, day],
    )?;
    Ok(found.unwrap_or_default())
}

/// Whether one of this role is told of those who belonged to the house once.
fn knows_former(role: Role) -> bool {
    matches!(role, Role::Admin | Role::Office)
}

/// Returns the people who match, as `scope` may see them.
pub fn search(
    conn: &Connection,
    scope: &Scope,
    search: &Search,
    limit: i64,
    offset: i64,
) -> Result<Vec<Seen>> {
    if let Some(group) = search.group
        && scope.role != Role::Office
    {
        scope.require_group(conn, group)?;
    }
    match search.state {
        PersonState::Active => (),
        PersonState::Inactive if knows_former(scope.role) => (),
        PersonState::Inactive => return Err(Error::Forbidden("person.former")),
        PersonState::Erased => return Err(Error::invalid("state", "must be active or inactive")),
    }
    let day = today(conn, scope.at)?;
    let found = people::queries::search(conn, search, limit, offset)?;
    found.into_iter().map(|person| seen(conn, scope, person, day)).collect()
}

/// Returns one person, as `scope` may see them.
pub fn one(conn: &Connection, scope: &Scope, person: PersonId) -> Result<Seen> {
    let person = people::queries::find(conn, person)?;
    if person.state != PersonState::Active && !knows_former(scope.role) {
        return Err(Error::NotFound("person"));
    }
    seen(conn, scope, person, today(conn, scope.at)?)
}

fn today(conn: &Connection, now: Timestamp) -> Result<Day> {
    Ok(house::queries::house(conn)?.day(now))
}

fn seen(conn: &Connection, scope: &Scope, person: Person, day: Day) -> Result<Seen> {
    let Whereabouts { present, room } = of(conn, person.id, day)?;
    let in_scope = scope.sees(conn, person.id)?;
    let more = if in_scope || scope.role == Role::Office {
        let groups = people::queries::groups_of(conn, person.id)?;
        let groups = groups.into_iter().map(|group| rooms::queries::group(conn, group));
        Some(More { groups: groups.collect::<Result<_>>()?, room: room.filter(|_| in_scope) })
    } else {
        None
    };
    Ok(Seen { person, present, more })
}

impl FromRow for Whereabouts {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Whereabouts> {
        let (id, name): (Option<RoomId>, Option<String>) = (row.get("room_id")?, row.get("name")?);
        Ok(Whereabouts { present: row.get("present")?, room: id.zip(name) })
    }
}
