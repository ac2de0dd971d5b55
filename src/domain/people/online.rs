//! Who is online, as it is told: to whom news of somebody's presence goes, and what it says.
//!
//! What a member does is for those responsible for the member; that a colleague is there, for all
//! who work here. The lead hears of everybody.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use serde::Serialize;

use super::{Role, queries};
use crate::base::id::PersonId;
use crate::base::{Result, Timestamp};
use crate::event::{Signal, Topic};
use crate::live::presence::{Change, Here, Status};
use crate::live::watch::DeviceKind;
use crate::store::rows::{self, FromRow, Row};

/// How many people one list names; the count is of all, and a reader may fetch the rest.
const LIST_MAX: usize = 200;

/// Somebody who is there, and who may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Online {
    pub here: Here,
    pub display_name: String,
    pub role: Role,
    pub audience: Vec<Topic>,
}

/// Somebody in a list of those who are there.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    user_id: PersonId,
    display_name: &'a str,
    role: Role,
    status: Status,
}

/// All who are there, as far as the hearers of one topic may know.
#[derive(Debug, Serialize)]
struct List<'a> {
    count: usize,
    users: Vec<Listed<'a>>,
}

/// One person's presence.
#[derive(Debug, Serialize)]
struct One<'a> {
    user_id: PersonId,
    display_name: &'a str,
    role: Role,
    status: Status,
    last_seen: Timestamp,
    device_kind: DeviceKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    streams: Option<usize>,
}

struct Named {
    display_name: String,
    role: Role,
}

impl FromRow for Named {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Named> {
        Ok(Named { display_name: row.get("display_name")?, role: row.get("role")? })
    }
}

/// Returns those of `here` who still have an account, with their names and who may know.
pub fn known(conn: &Connection, here: &[Here]) -> Result<Vec<Online>> {
    let mut known = Vec::with_capacity(here.len());
    for here in here {
        let named: Option<Named> = rows::maybe(
            conn,
            "select display_name, role
             from person
             join account using (person_id)
             where person_id = ?1 and state = 'active'",
            params![here.person],
        )?;
        let Some(Named { display_name, role }) = named else { continue };
        let audience = match role {
            Role::Member => {
                let groups = queries::groups_of(conn, here.person)?.into_iter();
                let run = queries::run_of(conn, here.person)?;
                groups.map(Topic::Group).chain(run.map(Topic::Run)).chain([Topic::Lead]).collect()
            }
            Role::Admin | Role::Office | Role::Staff => vec![Topic::Staff, Topic::Lead],
        };
        known.push(Online { here: *here, display_name, role, audience });
    }
    Ok(known)
}

/// Returns what is said of one person whose presence has changed.
pub fn news(online: &Online, change: &Change) -> Vec<Signal> {
    let one = |kind, streams| Signal {
        kind,
        topics: online.audience.clone(),
        data: serde_json::json!(One {
            user_id: online.here.person,
            display_name: &online.display_name,
            role: online.role,
            status: online.here.status,
            last_seen: online.here.last_seen_at,
            device_kind: online.here.device,
            streams,
        }),
    };
    let mut news = vec![one("presence.updated", Some(online.here.streams))];
    if change.was != change.here.status {
        news.push(one("user.status_changed", None));
    }
    news
}

/// Returns the lists of those who are there, one for each of `topics`.
pub fn lists(everybody: &[Online], topics: &BTreeSet<Topic>) -> Vec<Signal> {
    let mut of: BTreeMap<Topic, Vec<&Online>> =
        topics.iter().map(|topic| (*topic, Vec::new())).collect();
    for online in everybody {
        for topic in &online.audience {
            if let Some(list) = of.get_mut(topic) {
                list.push(online);
            }
        }
    }
    of.into_iter().map(|(topic, everybody)| list(topic, &everybody)).collect()
}

fn list(topic: Topic, everybody: &[&Online]) -> Signal {
    let users = everybody.iter().take(LIST_MAX).map(|online| Listed {
        user_id: online.here.person,
        display_name: &online.display_name,
        role: online.role,
        status: online.here.status,
    });
    let list = List { count: everybody.len(), users: users.collect() };
    Signal { kind: "presence.list_changed", topics: vec![topic], data: serde_json::json!(list) }
}
