//! Whose badge it is, as the writer remembers it: who comes in the morning goes in the evening.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::params;

use super::model::Member;
use crate::base::Result;
use crate::base::id::{BadgeId, GroupId};
use crate::domain::people::Role;
use crate::live::Tx;
use crate::live::memo::Tables;
use crate::store::rows::{self, FromRow, Row};

/// Whose badge it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    pub badge: BadgeId,
    pub who: Member,
    pub role: Role,
    pub given_name: String,
    pub display_name: Arc<str>,
    pub badge_active: bool,
    /// Whether the person belongs to the house.
    pub active: bool,
}

/// The bearers of the badges that were tapped, by tag.
type Bearers = HashMap<String, Arc<Bearer>>;

/// Where it stands who bears a badge.
const FROM: Tables = &["badge", "person", "group_member", "group"];

/// Returns whose badge a tag is of, if it is one.
pub(super) fn bearer(tx: &Tx<'_>, tag: &str) -> Result<Option<Arc<Bearer>>> {
    let known = tx.known(FROM, |bearers: &mut Bearers| bearers.get(tag).cloned());
    if let Some(bearer) = known {
        debug_assert_eq!(read(tx, tag)?.as_ref(), Some(&*bearer), "what is remembered holds");
        return Ok(Some(bearer));
    }
    let bearer = read(tx, tag)?.map(Arc::new);
    if let Some(bearer) = &bearer {
        tx.known(FROM, |all: &mut Bearers| drop(all.insert(tag.to_owned(), bearer.clone())));
    }
    Ok(bearer)
}

fn read(tx: &Tx<'_>, tag: &str) -> Result<Option<Bearer>> {
    rows::maybe(
        tx,
        "select badge_id, person.person_id as person_id, role, given_name, display_name,
                badge.state = 'active' as badge_active, person.state = 'active' as active,
                (select group_concat(group_id, ' ')
                 from group_member
                 where group_member.person_id = badge.person_id) as groups
         from badge
         join person using (person_id)
         where tag = ?1",
        params![tag],
    )
}

/// Reads the groups of a person, in their order.
fn groups(listed: Option<String>) -> Vec<GroupId> {
    let listed = listed.unwrap_or_default();
    let mut groups: Vec<_> = listed.split(' ').filter_map(|id| id.parse().ok()).collect();
    groups.sort_unstable();
    groups
}

impl FromRow for Bearer {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Bearer> {
        let (badge, id, role) =
            (row.next("badge_id")?, row.next("person_id")?, row.next::<Role>("role")?);
        let (given_name, display_name) =
            (row.next("given_name")?, row.next::<String>("display_name")?);
        let (badge_active, active) = (row.next("badge_active")?, row.next("active")?);
        let groups = groups(row.next("groups")?);
        let who = Member { id, groups: (!role.works_here()).then_some(groups) };
        let display_name = display_name.into();
        Ok(Bearer { badge, who, role, given_name, display_name, badge_active, active })
    }
}
