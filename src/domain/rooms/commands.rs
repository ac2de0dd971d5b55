//! Making rooms, groups and activities; starting, ending and taking up runs.

use std::collections::BTreeSet;

use rusqlite::params;

use super::model::{
    Charge, GroupKind, NewActivity, NewGroup, NewRoom, NewRun, RoomChange, RoomKind, Run,
    SupervisionKind,
};
use super::supervising::STAFF_MAX;
use super::{queries, receivers, supervising};
use crate::base::error::OnConstraint as _;
use crate::base::id::{ActivityId, GroupId, PersonId, RoomId, RunId};
use crate::base::{Error, Result, Timestamp, text};
use crate::domain::house;
use crate::domain::people::{self, Role, audit};
use crate::event::{Event, Label, Stale};
use crate::live::Tx;
use crate::store::rows;

pub use super::supervising::{
    end_due, end_supervision, hand_over, release, set_group_staff, substitute, substitute_all,
    take_over,
};

/// How long a name may be.
const NAME_MAX: usize = 80;

/// How many a room may take: more than any yard, less than a slip of the keys.
const CAPACITY_MAX: i64 = 5_000;

/// How many members a group may have; also bounds what a request can ask for.
const MEMBERS_MAX: usize = 500;

/// Makes a room.
pub fn new_room(tx: &mut Tx<'_>, new: &NewRoom) -> Result<RoomId> {
    let (name, capacity) = (room_name(&new.name)?, capacity(new.capacity)?);
    let id = rows::insert(
        tx,
        "insert into room (name, kind, capacity)
         values (?1, ?2, ?3)",
        params![name, new.kind, capacity],
    );
    let id = RoomId(id.on_constraint("room.name", || name_taken("room.name_taken"))?);
    audit::record(tx, "room.added", None, &format!("room:{id}"))?;
    tx.stale(Stale::Room(id));
    Ok(id)
}

/// Changes a room. Its capacity may become less than who is in it: it says how
/// many more are let in, and nobody is sent out.
pub fn change_room(tx: &mut Tx<'_>, room: RoomId, change: &RoomChange) -> Result<()> {
    let old = queries::room(tx, room)?;
    let name = change.name.as_deref().map(room_name).transpose()?.unwrap_or(old.name);
    let kind: RoomKind = change.kind.unwrap_or(old.kind);
    let capacity = capacity(change.capacity.unwrap_or(old.capacity))?;
    rows::run(
        tx,
        "update room
         set name = ?2, kind = ?3, capacity = ?4
         where room_id = ?1",
        params![room, name, kind, capacity],
    )
    .on_constraint("room.name", || name_taken("room.name_taken"))?;
    audit::record(tx, "room.changed", None, &format!("room:{room}"))?;
    tx.stale(Stale::Room(room));
    Ok(())
}

/// Makes a group without members.
pub fn new_group(tx: &mut Tx<'_>, new: &NewGroup) -> Result<GroupId> {
    let (name, kind): (String, GroupKind) = (text::line("name", &new.name, NAME_MAX)?, new.kind);
    let id = rows::insert(
        tx,
        "insert into \"group\" (name, kind)
         values (?1, ?2)",
        params![name, kind],
    );
    let id = GroupId(id.on_constraint("group.name", || name_taken("group.name_taken"))?);
    audit::record(tx, "group.added", None, &format!("group:{id}"))?;
    Ok(id)
}

/// Takes a group back that has nobody in it and nobody in charge. Says whether it is gone.
pub(super) fn remove_group(tx: &mut Tx<'_>, group: GroupId) -> Result<bool> {
    let is_empty: bool = rows::one(
        tx,
        "group",
        "select not exists (select 1 from group_member where group_id = ?1)
            and not exists (select 1
                            from supervision
                            left join supervision_offer using (supervision_id)
                            where group_id = ?1
                              and (supervision.ended_at is null or supervision_offer_id is not null))",
        params![group],
    )?;
    if is_empty {
        rows::run(tx, "delete from supervision where group_id = ?1", params![group])?;
        rows::run(tx, "delete from \"group\" where group_id = ?1", params![group])?;
        audit::record(tx, "group.removed", None, &format!("group:{group}"))?;
    }
    Ok(is_empty)
}

/// Makes exactly `members` the members of a group. Those responsible for it
/// begin to see some and no longer see others, so their streams are decided
/// anew.
pub fn set_group_members(tx: &mut Tx<'_>, group: GroupId, members: &[PersonId]) -> Result<()> {
    queries::group(tx, group)?;
    if members.len() > MEMBERS_MAX {
        return Err(Error::invalid("member_ids", format!("must be at most {MEMBERS_MAX}")));
    }
    let before: BTreeSet<PersonId> = rows::all(
        tx,
        "select person_id
         from group_member
         where group_id = ?1",
        params![group],
    )?
    .into_iter()
    .collect();
    let after: BTreeSet<PersonId> = members.iter().copied().collect();
    for person in before.difference(&after) {
        leave_group(tx, group, *person)?;
    }
    for person in after.difference(&before) {
        if !join_group(tx, group, *person)? {
            return Err(Error::invalid("member_ids", format!("{person} is not a member")));
        }
    }
    if before != after {
        supervising::members_changed(tx, group)?;
    }
    Ok(())
}

/// Puts a member into some groups and takes it out of others. Those responsible for a group that
/// it comes into or leaves see others than before.
pub fn regroup(
    tx: &mut Tx<'_>,
    person: PersonId,
    added: &[GroupId],
    removed: &[GroupId],
) -> Result<()> {
    if people::queries::find(tx, person)?.role != Role::Member {
        return Err(Error::invalid("added", "only a member is in groups"));
    }
    let before: BTreeSet<GroupId> = people::queries::groups_of(tx, person)?.into_iter().collect();
    let (added, removed): (BTreeSet<_>, BTreeSet<_>) =
        (added.iter().copied().collect(), removed.iter().copied().collect());
    if !added.is_disjoint(&removed) {
        return Err(Error::invalid("removed", "a group is either added or removed"));
    }
    for group in &removed {
        named("removed", queries::group(tx, *group))?;
    }
    for group in removed.intersection(&before) {
        leave_group(tx, *group, person)?;
        supervising::members_changed(tx, *group)?;
    }
    for group in &added {
        named("added", queries::group(tx, *group))?;
    }
    for group in added.difference(&before) {
        join_group(tx, *group, person)?;
        require_fits(tx, *group)?;
        supervising::members_changed(tx, *group)?;
    }
    Ok(())
}

fn require_fits(tx: &Tx<'_>, group: GroupId) -> Result<()> {
    let members: i64 = rows::one(
        tx,
        "group",
        "select count(*)
         from group_member
         where group_id = ?1",
        params![group],
    )?;
    if usize::try_from(members).is_ok_and(|members| members <= MEMBERS_MAX) {
        return Ok(());
    }
    Err(Error::conflict("group.full", format!("a group has at most {MEMBERS_MAX} members")))
}

/// Puts a member into a group. Says whether they were not in it; nobody else can be. Who sees whom
/// follows from it, so that it is a line in the audit.
pub(super) fn join_group(tx: &mut Tx<'_>, group: GroupId, person: PersonId) -> Result<bool> {
    let added = rows::run(
        tx,
        "insert into group_member (group_id, person_id)
         select ?1, person_id
         from person
         where person_id = ?2 and role = 'member' and state <> 'erased'
         on conflict do nothing",
        params![group, person],
    )?;
    if added > 0 {
        audit::record(tx, "group.member_added", Some(person), &format!("group:{group}"))?;
    }
    Ok(added > 0)
}

/// Takes somebody out of a group.
pub(super) fn leave_group(tx: &mut Tx<'_>, group: GroupId, person: PersonId) -> Result<()> {
    rows::run(
        tx,
        "delete from group_member
         where group_id = ?1 and person_id = ?2",
        params![group, person],
    )?;
    audit::record(tx, "group.member_removed", Some(person), &format!("group:{group}"))
}

/// Makes an activity.
pub fn new_activity(tx: &mut Tx<'_>, new: &NewActivity) -> Result<ActivityId> {
    let name = text::line("name", &new.name, NAME_MAX)?;
    if let Some(room) = new.default_room {
        named("default_room_id", queries::room(tx, room))?;
    }
    let id = rows::insert(
        tx,
        "insert into activity (name, default_room_id)
         values (?1, ?2)",
        params![name, new.default_room],
    );
    let id = ActivityId(id.on_constraint("activity.name", || name_taken("activity.name_taken"))?);
    audit::record(tx, "activity.added", None, &format!("activity:{id}"))?;
    Ok(id)
}

/// Starts a run. A room has one at a time: of two starts, the second is refused.
pub fn start_run(tx: &mut Tx<'_>, new: &NewRun) -> Result<Run> {
    named("activity_id", queries::activity(tx, new.activity))?;
    named("room_id", queries::room(tx, new.room))?;
    if !(1..=STAFF_MAX).contains(&new.staff.len()) {
        return Err(Error::invalid("staff_ids", format!("must be 1 to {STAFF_MAX}")));
    }
    let staff: BTreeSet<PersonId> = new.staff.iter().copied().collect();
    for person in &staff {
        receivers::require_staff(tx, "staff_ids", *person)?;
    }
    let staff: Vec<PersonId> = staff.into_iter().collect();
    supervising::rescoping(tx, &staff, |tx| {
        let id = rows::insert(
            tx,
            "insert into run (activity_id, room_id, started_at, started_by)
             values (?1, ?2, ?3, ?4)",
            params![new.activity, new.room, tx.now, tx.by],
        );
        let id = RunId(id.on_constraint("run.room_id", room_taken)?);
        for person in &staff {
            supervising::give(tx, *person, Charge::Run(id), SupervisionKind::Run, None)?;
        }
        let run = queries::run(tx, id)?;
        tx.emit(Event::RunStarted {
            run_id: run.id,
            activity_id: run.activity,
            activity_name: Label(run.activity_name.clone()),
            room_id: run.room,
            staff_ids: supervising::staff_ids(tx, Charge::Run(id))?,
        })?;
        tx.stale(Stale::Room(run.room));
        Ok(run)
    })
}

/// Ends a run and the responsibility for it, and nothing else: whoever is in it
/// is checked out by `visits`, which calls this.
pub fn mark_ended(tx: &mut Tx<'_>, run: RunId, reason: &'static str) -> Result<Run> {
    let now = tx.now;
    mark_ended_at(tx, run, now, reason)
}

/// Ends a run like [`mark_ended`], at a moment that may be over: the close of the day is noted when
/// the server is back.
pub fn mark_ended_at(
    tx: &mut Tx<'_>,
    run: RunId,
    at: Timestamp,
    reason: &'static str,
) -> Result<Run> {
    require_open(&queries::run(tx, run)?)?;
    let staff = supervising::staff_ids(tx, Charge::Run(run))?;
    supervising::rescoping(tx, &staff, |tx| {
        supervising::end_all(tx, Charge::Run(run), at)?;
        rows::run(
            tx,
            "update run
             set ended_at = ?2
             where run_id = ?1",
            params![run, at],
        )?;
        let run = queries::run(tx, run)?;
        tx.emit(Event::RunEnded {
            run_id: run.id,
            activity_id: run.activity,
            activity_name: Label(run.activity_name.clone()),
            room_id: run.room,
            staff_ids: staff.clone(),
            reason,
            undo_until: run.undo_until(&house::queries::local_time_known(tx)?),
        })?;
        tx.stale(Stale::Room(run.room));
        Ok(run)
    })
}

/// Takes an ended run up again, with those who were responsible for it when it
/// ended; within five minutes, before its day is closed, and while its room is free.
pub fn mark_reopened(tx: &mut Tx<'_>, run: RunId) -> Result<Run> {
    let ended = queries::run(tx, run)?;
    if ended.ended_at.is_none() {
        return Err(Error::conflict("run.not_ended", "this run has not ended"));
    }
    let until = ended.undo_until(&house::queries::local_time_known(tx)?);
    if until.is_none_or(|until| tx.now > until) {
        return Err(Error::conflict("run.reopen_too_late", "this run ended too long ago"));
    }
    if queries::open_run_in(tx, ended.room)?.is_some() {
        return Err(room_taken());
    }
    let mut before = queries::supervisions_at_end(tx, run)?;
    before.retain(|was| was.until_at.is_none_or(|until| until > tx.now));
    let staff: Vec<PersonId> = before.iter().map(|was| was.person).collect();
    supervising::rescoping(tx, &staff, |tx| {
        rows::run(
            tx,
            "update run
             set ended_at = null
             where run_id = ?1",
            params![run],
        )?;
        for was in &before {
            if queries::is_staff(tx, was.person)? {
                supervising::give(tx, was.person, was.charge, was.kind, was.until_at)?;
            }
        }
        tx.emit(Event::RunReopened {
            run_id: run,
            activity_id: ended.activity,
            activity_name: Label(ended.activity_name.clone()),
            room_id: ended.room,
            staff_ids: supervising::staff_ids(tx, Charge::Run(run))?,
        })?;
        tx.stale(Stale::Room(ended.room));
        queries::run(tx, run)
    })
}

/// Takes somebody who is a member no more out of every group: whoever works here is nobody's child.
/// Those responsible for the group see others than before.
pub fn leave_groups(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    if people::queries::find(tx, person)?.role == Role::Member {
        return Ok(());
    }
    for group in people::queries::groups_of(tx, person)? {
        leave_group(tx, group, person)?;
        supervising::members_changed(tx, group)?;
    }
    Ok(())
}

/// Refuses a run that has ended.
pub(super) fn require_open(run: &Run) -> Result<()> {
    match run.ended_at {
        None => Ok(()),
        Some(_) => Err(Error::conflict("run.ended", "this run has ended")),
    }
}

/// Turns "no such thing" into a complaint about the field that named it.
pub(super) fn named<T>(field: &'static str, found: Result<T>) -> Result<T> {
    found.map_err(|error| match error {
        Error::NotFound(what) => Error::invalid(field, format!("no such {what}")),
        other => other,
    })
}

fn room_name(name: &str) -> Result<String> {
    text::line("name", name, NAME_MAX)
}

fn capacity(capacity: i64) -> Result<i64> {
    if (1..=CAPACITY_MAX).contains(&capacity) {
        Ok(capacity)
    } else {
        Err(Error::invalid("capacity", format!("must be 1 to {CAPACITY_MAX}")))
    }
}

fn name_taken(code: &'static str) -> Error {
    Error::conflict(code, "another one has this name")
}

fn room_taken() -> Error {
    Error::conflict("run.room_taken", "another run is open in this room")
}
