//! A class to test with: members, their teacher, and a colleague of other scope.

use daybook::base::id::{PersonId, RoomId, RunId};
use daybook::base::{Actor, Result, Timestamp};
use daybook::domain::people::{self, Role};
use daybook::domain::rooms::model::{NewActivity, NewGroup, NewRoom, NewRun};
use daybook::domain::rooms::scope::{self, Scope};
use daybook::domain::rooms::{self, GroupKind, RoomKind};
use daybook::domain::visits;
use rusqlite::Connection;

use crate::store::TestStore;

pub struct Fixture {
    pub members: Vec<PersonId>,
    /// Responsible for the members' class.
    pub teacher: PersonId,
    /// Responsible for nobody yet.
    pub colleague: PersonId,
}

/// A class of `count` members with their teacher, and a colleague.
pub async fn class(store: &TestStore, count: usize) -> Fixture {
    let teacher = store.person("Tina Lehrer", Role::Staff).await;
    let colleague = store.person("Kai Kollege", Role::Staff).await;
    let mut members = Vec::new();
    for n in 0..count {
        members.push(store.person(&format!("Mia Kind{n}"), Role::Member).await);
    }
    let of_class = members.clone();
    store
        .write(Actor::System, move |tx| {
            let new = NewGroup { name: "2a".to_owned(), kind: GroupKind::Class };
            let group = rooms::commands::new_group(tx, &new)?;
            rooms::commands::set_group_members(tx, group, &of_class)?;
            rooms::commands::set_group_staff(tx, group, &[teacher])
        })
        .await
        .unwrap();
    Fixture { members, teacher, colleague }
}

/// A room of this name for 30.
pub async fn room(store: &TestStore, name: &str) -> RoomId {
    let new = NewRoom { name: name.to_owned(), kind: RoomKind::Room, capacity: 30 };
    store.write(Actor::System, move |tx| rooms::commands::new_room(tx, &new)).await.unwrap()
}

/// A run in a room of its own, supervised by `staff`.
pub async fn run(store: &TestStore, name: &str, staff: PersonId) -> RunId {
    let room = room(store, name).await;
    let new = NewActivity { name: name.to_owned(), default_room: None };
    store
        .write(Actor::Person(staff), move |tx| {
            let activity = rooms::commands::new_activity(tx, &new)?;
            let run = NewRun { activity, room, staff: vec![staff] };
            Ok(rooms::commands::start_run(tx, &run)?.id)
        })
        .await
        .unwrap()
}

/// A run supervised by `staff` with `members` in it.
pub async fn run_with(store: &TestStore, staff: PersonId, members: &[PersonId]) -> RunId {
    let run = run(store, "Chess", staff).await;
    let lead = store.person("Lea Leitung", Role::Admin).await;
    for member in members.iter().copied() {
        store
            .write(Actor::Person(lead), move |tx| {
                let scope = scope_of(tx, lead)?;
                visits::commands::start(tx, &scope, member, run)
            })
            .await
            .unwrap();
    }
    run
}

/// What `person` may see now.
pub fn scope_of(conn: &Connection, person: PersonId) -> Result<Scope> {
    scope::of(conn, person, role_of(conn, person)?, Timestamp(i64::MAX))
}

pub fn role_of(conn: &Connection, person: PersonId) -> Result<Role> {
    Ok(people::queries::find(conn, person)?.role)
}
