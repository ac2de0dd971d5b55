//! Asking for help, and helping.

use rusqlite::params;

use super::model::{Ask, Assignee, Edit, Help, Status, TEXT_MAX};
use super::queries;
use crate::base::error::OnConstraint as _;
use crate::base::id::{HelpRequestId, PersonId};
use crate::base::{Error, Result, Timestamp, text};
use crate::domain::people::{self, Role, model::PersonState};
use crate::domain::rooms::scope::Scope;
use crate::domain::{house, rooms, visits};
use crate::event::{Event, Stale};
use crate::live::Tx;
use crate::store::rows;

/// Puts the request of `member` into the queue.
pub fn ask(tx: &mut Tx<'_>, member: PersonId, ask: &Ask) -> Result<Help> {
    let visit = visits::queries::open_visit(tx, member)?;
    let room = match ask.room_id {
        Some(room) => Some(rooms::queries::room(tx, room)?.id),
        None => visit.as_ref().map(|visit| visit.room),
    };
    let id = rows::insert(
        tx,
        "insert into help_request
             (person_id, room_id, run_id, book_id, section_id, content, priority, status,
              created_at, day)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, ?9)",
        params![
            member,
            room,
            visit.map(|visit| visit.run),
            ask.book_id,
            ask.section_id,
            ask.content(),
            ask.priority,
            tx.now,
            house::queries::house(tx)?.day(tx.now),
        ],
    )
    .on_constraint("help_request.person_id", || {
        Error::conflict("help.already_open", "you have asked already; change or cancel that one")
    })?;
    let help = queries::request(tx, HelpRequestId(id))?;
    tx.emit(Event::HelpRequested(help.facts(None)))?;
    tx.stale(Stale::Queue);
    Ok(help)
}

/// Changes the words or the priority of the member's own open request. What is so already is no
/// change: a repeat does nothing and tells nobody.
pub fn edit(tx: &mut Tx<'_>, member: PersonId, id: HelpRequestId, edit: &Edit) -> Result<Help> {
    let help = own(tx, member, id)?;
    let content = match &edit.content {
        Some(content) => text::paragraph("content", content, TEXT_MAX)?,
        None => help.content.clone(),
    };
    let priority = edit.priority.unwrap_or(help.priority);
    if content == help.content && priority == help.priority {
        return Ok(help);
    }
    rows::run(
        tx,
        "update help_request
         set content = ?2, priority = ?3, rev = rev + 1
         where help_request_id = ?1",
        params![id, content, priority],
    )?;
    changed(tx, &help)
}

/// Takes the member's own open request back.
pub fn cancel(tx: &mut Tx<'_>, member: PersonId, id: HelpRequestId) -> Result<Help> {
    let help = own(tx, member, id)?;
    close(tx, &help, Status::Cancelled, None)
}

/// Takes back what the member still has in the queue, if there is anything.
pub fn cancel_open(tx: &mut Tx<'_>, member: PersonId) -> Result<()> {
    if let Some(help) = queries::open_of(tx, member)? {
        cancel(tx, member, help.id)?;
    }
    Ok(())
}

/// Takes back what those have in the queue who have gone home since they asked: nobody would find
/// them. What somebody has in hand is theirs to end.
pub(super) fn cancel_left_behind(tx: &mut Tx<'_>) -> Result<()> {
    for help in queries::left_behind(tx)? {
        close(tx, &help, Status::Cancelled, None)?;
    }
    Ok(())
}

/// Gives the request into the hands of the holder of `scope`.
pub fn claim(tx: &mut Tx<'_>, scope: &Scope, id: HelpRequestId) -> Result<Help> {
    let help = queries::request_in_scope(tx, scope, id)?;
    match (help.status, &help.assigned_to) {
        (Status::Pending | Status::OnHold, _) => (),
        (Status::Assigned, Some(who)) if who.id == scope.person => return Ok(help),
        (Status::Assigned, Some(who)) => return Err(taken(who)),
        _ => return Err(help.refuse()),
    }
    rows::run(
        tx,
        "update help_request
         set status = 'assigned', assigned_to = ?2, claimed_at = coalesce(claimed_at, ?3),
             front = 0, rev = rev + 1
         where help_request_id = ?1",
        params![id, scope.person, tx.now],
    )?;
    changed(tx, &help)
}

/// Puts the request back into the queue: to its old place, or to the front
/// when it comes back from hold.
pub fn release(tx: &mut Tx<'_>, scope: &Scope, id: HelpRequestId) -> Result<Help> {
    let help = in_hand(tx, scope, id)?;
    put_back(tx, &help)?;
    cancel_left_behind(tx)?;
    queries::request(tx, id)
}

/// Puts everything back that `helper` has in hand or on hold: they will not come any more.
pub fn release_all_of(tx: &mut Tx<'_>, helper: PersonId) -> Result<()> {
    for help in queries::held_by(tx, helper)? {
        put_back(tx, &help)?;
    }
    cancel_left_behind(tx)
}

/// Afterwards nobody has come: the wait goes on, and counts for nobody who was helped. Whoever calls
/// this has those wait no more who have gone home meanwhile.
fn put_back(tx: &mut Tx<'_>, help: &Help) -> Result<()> {
    rows::run(
        tx,
        "update help_request
         set status = 'pending', assigned_to = null, claimed_at = null, front = ?2, rev = rev + 1
         where help_request_id = ?1",
        params![help.id, help.status == Status::OnHold],
    )?;
    changed(tx, help)?;
    Ok(())
}

/// Lays the request aside for a while; it comes back to the front of the queue.
pub fn hold(tx: &mut Tx<'_>, scope: &Scope, id: HelpRequestId) -> Result<Help> {
    let help = in_hand(tx, scope, id)?;
    if help.status == Status::OnHold {
        return Ok(help);
    }
    rows::run(
        tx,
        "update help_request
         set status = 'on_hold', rev = rev + 1
         where help_request_id = ?1",
        params![id],
    )?;
    changed(tx, &help)?;
    cancel_left_behind(tx)?;
    queries::request(tx, id)
}

/// Ends the request: the member has been helped.
pub fn resolve(
    tx: &mut Tx<'_>,
    scope: &Scope,
    id: HelpRequestId,
    response: Option<&str>,
) -> Result<Help> {
    let help = queries::request_in_scope(tx, scope, id)?;
    match (help.status, &help.assigned_to) {
        (Status::Assigned, Some(who)) if who.id != scope.person && !scope.sees_all() => {
            return Err(taken(who));
        }
        (status, _) if status.is_open() => (),
        _ => return Err(help.refuse()),
    }
    let response =
        response.map(|words| text::paragraph("response", words, TEXT_MAX)).transpose()?;
    let help = if help.status == Status::Assigned { help } else { claim(tx, scope, id)? };
    close(tx, &help, Status::Resolved, response.as_deref())
}

/// Takes back that the request was resolved, within five minutes: whoever helped has it in hand again.
pub fn reopen(tx: &mut Tx<'_>, scope: &Scope, id: HelpRequestId) -> Result<Help> {
    let help = queries::request_in_scope(tx, scope, id)?;
    let own = help.assigned_to.as_ref().is_some_and(|who| who.id == scope.person);
    match (help.status, &help.assigned_to) {
        (Status::Assigned, _) if own => return Ok(help),
        (Status::Assigned | Status::Resolved, Some(who)) if !own && !scope.sees_all() => {
            return Err(taken(who));
        }
        (Status::Resolved, _) => (),
        (status, _) if status.is_open() => {
            return Err(Error::conflict("help.not_done", "this request is not done"));
        }
        _ => return Err(help.refuse()),
    }
    let until = help.undo_until(&house::queries::local_time_known(tx)?);
    if until.is_none_or(|until| tx.now > until) {
        return Err(Error::conflict("help.undo_too_late", "this request was done too long ago"));
    }
    let member = people::queries::find(tx, help.member_id)?;
    if member.state != PersonState::Active || member.role != Role::Member {
        return Err(help.refuse());
    }
    rows::run(
        tx,
        "update help_request
         set status = 'assigned', closed_at = null, response = null, rev = rev + 1
         where help_request_id = ?1",
        params![id],
    )
    .on_constraint("help_request.person_id", || {
        Error::conflict("help.asked_again", "the member has asked again since")
    })?;
    changed(tx, &help)
}

/// Ends the open requests of before `closed_at`, when their day ended.
pub fn expire(tx: &mut Tx<'_>, closed_at: Timestamp) -> Result<usize> {
    let open = queries::open_before(tx, closed_at)?;
    for id in &open {
        let help = queries::request(tx, *id)?;
        close(tx, &help, Status::Expired, None)?;
    }
    Ok(open.len())
}

/// Forgets the words of the requests that were closed before `moment`; that
/// somebody asked, and how long it took, stays.
pub fn prune_words(tx: &mut Tx<'_>, moment: Timestamp) -> Result<usize> {
    rows::run(
        tx,
        "update help_request
         set content = '', response = null
         where closed_at < ?1 and (content <> '' or response is not null)",
        params![moment],
    )
}

fn close(tx: &mut Tx<'_>, help: &Help, status: Status, response: Option<&str>) -> Result<Help> {
    rows::run(
        tx,
        "update help_request
         set status = ?2, response = coalesce(?3, response), closed_at = ?4, rev = rev + 1
         where help_request_id = ?1",
        params![help.id, status, response, tx.now],
    )?;
    changed(tx, help)
}

/// Announces the request as it is now, also to those who see it no more.
fn changed(tx: &mut Tx<'_>, before: &Help) -> Result<Help> {
    let help = queries::request(tx, before.id)?;
    tx.emit(Event::HelpUpdated(help.facts(Some(before))))?;
    tx.stale(Stale::Queue);
    Ok(help)
}

/// The member's own open request; others' do not exist for them.
fn own(tx: &Tx<'_>, member: PersonId, id: HelpRequestId) -> Result<Help> {
    let help = queries::request(tx, id)?;
    if help.member_id != member {
        return Err(Error::NotFound("help request"));
    }
    if help.status.is_open() { Ok(help) } else { Err(help.refuse()) }
}

/// A request that somebody has taken, and that the holder of `scope` may give
/// away: their own, or any for an admin.
fn in_hand(tx: &Tx<'_>, scope: &Scope, id: HelpRequestId) -> Result<Help> {
    let help = queries::request_in_scope(tx, scope, id)?;
    match (help.status, &help.assigned_to) {
        (Status::Assigned | Status::OnHold, Some(who)) => {
            if who.id == scope.person || help.status == Status::OnHold || scope.sees_all() {
                Ok(help)
            } else {
                Err(taken(who))
            }
        }
        _ => Err(help.refuse()),
    }
}

fn taken(who: &Assignee) -> Error {
    Error::Conflict {
        code: "help.already_claimed",
        detail: format!("{} has taken this request", who.display_name).into(),
        details: Some(Box::new(serde_json::json!({ "assigned_to": who }))),
    }
}
