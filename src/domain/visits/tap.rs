//! What a scan meets: whose badge it is, how that person stands to the house, and the scan before.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::params;

use super::model::{Member, Standing, Today};
use super::queries;
use super::scan::Scan;
use crate::base::id::{DeviceId, GroupId, PersonId};
use crate::base::{Result, Timestamp};
use crate::domain::people::Role;
use crate::live::Tx;
use crate::live::memo::Tables;
use crate::store::rows::{self, FromRow, Row};

/// Whose badge it is, and how that person stands to the house.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub bearer: Arc<Bearer>,
    pub standing: Standing,
}

/// Whose badge it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
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

/// A scan that was decided before.
#[derive(Debug, Clone)]
pub(super) struct Earlier {
    pub scan_id: String,
    pub tag: String,
    pub person: Option<PersonId>,
    /// The answer that was given, as JSON.
    pub result: String,
}

/// Returns who a tag belongs to with all that a decision about them needs. Whose badge it is the
/// writer remembers: who comes in the morning goes in the evening.
pub(super) fn holder(tx: &Tx<'_>, tag: &str, today: &Today) -> Result<Option<Holder>> {
    let known = tx.known(FROM, |bearers: &mut Bearers| bearers.get(tag).cloned());
    if let Some(bearer) = known {
        let standing = queries::standing(tx, bearer.who.id, today)?;
        debug_assert_eq!(
            read(tx, tag, today)?.map(|read| read.bearer),
            Some(bearer.clone()),
            "what is remembered holds"
        );
        return Ok(Some(Holder { bearer, standing }));
    }
    let holder = read(tx, tag, today)?;
    if let Some(holder) = &holder {
        let (tag, bearer) = (tag.to_owned(), holder.bearer.clone());
        tx.known(FROM, |bearers: &mut Bearers| drop(bearers.insert(tag, bearer)));
    }
    Ok(holder)
}

/// Reads all of it at once.
fn read(tx: &Tx<'_>, tag: &str, today: &Today) -> Result<Option<Holder>> {
    rows::maybe(
        tx,
        "select person.person_id as person_id, role, given_name, display_name,
                badge.state = 'active' as badge_active, person.state = 'active' as active,
                (select group_concat(group_id, ' ')
                 from group_member
                 where group_member.person_id = badge.person_id) as groups,
                last_visit.visit_id as newest_visit,
                attendance.person_id as person_id, day, status, late, arrived_at, left_at, reason,
                attendance.source as source, changed_at,
                visit.visit_id as visit_id, visit.person_id as person_id, run_id, room_id,
                started_at, ended_at, end_reason, from_visit_id, attendance_before, reason_before
         from badge
         join person using (person_id)
         left join attendance on attendance.person_id = badge.person_id and day = ?2
         left join last_visit on last_visit.person_id = badge.person_id
         left join visit on visit.visit_id = last_visit.visit_id
                        and (ended_at is null or started_at >= ?3)
         where tag = ?1",
        params![tag, today.day, today.begins()],
    )
}

/// Returns the scan that makes this one a repeat (the same id) or, else, the
/// second of a double tap: the last one of its tag, at the same reader.
pub(super) fn scan_before(
    tx: &Tx<'_>,
    device: DeviceId,
    scan: &Scan,
    at: Timestamp,
    within_ms: i64,
) -> Result<Option<Earlier>> {
    rows::maybe(
        tx,
        "select scan_id, tag, person_id, result
         from scan
         where device_id = ?1 and scan_id = ?2
         union all
         select scan_id, scan.tag, person_id, result
         from last_scan
         join scan using (scan_number)
         where last_scan.tag = ?3 and device_id = ?1 and scanned_at between ?4 and ?5
         limit 1",
        params![
            device,
            scan.scan_id,
            scan.tag,
            at.0.saturating_sub(within_ms),
            at.0.saturating_add(within_ms)
        ],
    )
}

/// Reads the groups of a person, in their order.
fn groups(listed: Option<String>) -> Vec<GroupId> {
    let listed = listed.unwrap_or_default();
    let mut groups: Vec<_> = listed.split(' ').filter_map(|id| id.parse().ok()).collect();
    groups.sort_unstable();
    groups
}

impl FromRow for Holder {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Holder> {
        let (id, role) = (row.next("person_id")?, row.next::<Role>("role")?);
        let (given_name, display_name) =
            (row.next("given_name")?, row.next::<String>("display_name")?);
        let (badge_active, active) = (row.next("badge_active")?, row.next("active")?);
        let groups = groups(row.next("groups")?);
        let who = Member { id, groups: (!role.works_here()).then_some(groups) };
        let display_name = display_name.into();
        let bearer = Bearer { who, role, given_name, display_name, badge_active, active };
        Ok(Holder { bearer: bearer.into(), standing: Standing::from_row(row)? })
    }
}

impl FromRow for Earlier {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Earlier> {
        Ok(Earlier {
            scan_id: row.next("scan_id")?,
            tag: row.next("tag")?,
            person: row.next("person_id")?,
            result: row.next("result")?,
        })
    }
}
