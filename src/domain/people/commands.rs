//! Changes to people, their accounts, badges and contacts.

use rusqlite::params;

use super::model::{
    BadgeState, Contact, NewContact, NewPerson, Person, PersonChange, PersonState, Role,
    display_name,
};
use super::{audit, queries, rules, sessions};
use crate::base::error::OnConstraint;
use crate::base::id::{BadgeId, ContactId, PersonId};
use crate::base::{Error, Result, text};
use crate::event::{Event, Stale};
use crate::live::Tx;
use crate::store::rows;

/// Enrols a person.
pub fn enrol(tx: &mut Tx<'_>, new: NewPerson) -> Result<PersonId> {
    let new = new.checked()?;
    let key = rules::search_key(&format!("{} {}", new.given_name, new.family_name));
    let id = rows::insert(
        tx,
        "insert into person (number, given_name, family_name, display_name, search_key,
                             role, language, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            new.number,
            new.given_name,
            new.family_name,
            new.display_name,
            key,
            new.role,
            new.language,
            tx.now
        ],
    )
    .on_constraint("person.number", number_taken)?;
    audit::record(tx, "person.enrolled", Some(PersonId(id)), new.role.word())?;
    if new.role == Role::Member {
        tx.stale(Stale::Counts);
    }
    Ok(PersonId(id))
}

/// Takes back that somebody was enrolled of whom nothing has come since, with badges and contacts:
/// nobody is known by that name any more. The row stays, empty, so that no line of the audit or the
/// log ever means somebody else.
pub fn unenrol(tx: &mut Tx<'_>, id: PersonId) -> Result<()> {
    let person = queries::find(tx, id)?;
    for badge in queries::badges_of(tx, id)? {
        take_back_badge(tx, badge.id)?;
    }
    for contact in queries::contacts_of(tx, id)? {
        remove_contact(tx, contact.id)?;
    }
    rows::run(
        tx,
        "update person
         set number = null, given_name = '', family_name = '', display_name = '', search_key = '',
             language = null, state = 'erased'
         where person_id = ?1",
        params![id],
    )?;
    audit::record(tx, "person.unenrolled", Some(id), "")?;
    if person.role == Role::Member {
        tx.stale(Stale::Counts);
    }
    Ok(())
}

fn number_taken() -> Error {
    Error::conflict("person.number_taken", "another person has this number")
}

/// Refuses a change of what somebody else has changed since it was read.
pub fn require_version(tx: &Tx<'_>, id: PersonId, version: &str) -> Result<()> {
    if queries::find(tx, id)?.version() == version {
        return Ok(());
    }
    Err(Error::conflict("person.changed", "somebody else has changed this person meanwhile"))
}

/// Changes what is known of a person. The last admin stays one. A new role, or leaving the
/// house, takes effect on what the person has open now.
pub fn change(tx: &mut Tx<'_>, id: PersonId, change: PersonChange) -> Result<Person> {
    let old = queries::find(tx, id)?;
    let renamed = change.given_name.is_some() || change.family_name.is_some();
    let given_name = change.given_name.unwrap_or_else(|| old.given_name.clone());
    let family_name = change.family_name.unwrap_or_else(|| old.family_name.clone());
    // A display name that was chosen stays; one that followed from the name follows it.
    let followed = old.display_name == display_name(&old.given_name, &old.family_name);
    let kept = (!(renamed && followed)).then(|| old.display_name.clone());
    let new = NewPerson {
        number: change.number.unwrap_or(old.number.clone()),
        given_name,
        family_name,
        display_name: change.display_name.or(kept),
        role: change.role.unwrap_or(old.role),
        language: change.language.unwrap_or(old.language),
    }
    .checked()?;
    let state = change.state.unwrap_or(old.state);
    if state == PersonState::Erased {
        return Err(Error::invalid("state", "must be active or inactive"));
    }
    let stays_admin = new.role == Role::Admin && state == PersonState::Active;
    if old.role == Role::Admin && !stays_admin {
        keep_an_admin(tx, id)?;
    }
    let key = rules::search_key(&format!("{} {}", new.given_name, new.family_name));
    rows::run(
        tx,
        "update person
         set number = ?2, given_name = ?3, family_name = ?4, display_name = ?5, search_key = ?6,
             role = ?7, language = ?8, state = ?9
         where person_id = ?1",
        params![
            id,
            new.number,
            new.given_name,
            new.family_name,
            new.display_name,
            key,
            new.role,
            new.language,
            state
        ],
    )
    .on_constraint("person.number", number_taken)?;
    let new = queries::find(tx, id)?;
    after_change(tx, &old, &new)?;
    Ok(new)
}

fn after_change(tx: &mut Tx<'_>, old: &Person, new: &Person) -> Result<()> {
    let (role, state) = (new.role, new.state);
    let fields = changed_fields(old, new);
    if !fields.is_empty() {
        audit::record(tx, "person.changed", Some(old.id), &fields)?;
    }
    if (old.role, old.state) != (role, state) {
        tx.stale(Stale::Counts);
    }
    if old.role != role {
        let detail = format!("{} -> {}", old.role.word(), role.word());
        audit::record(tx, "person.role_changed", Some(old.id), &detail)?;
        let (added, removed) = (Vec::new(), Vec::new());
        tx.emit(Event::AccessChanged { user_id: old.id, added, removed })?;
        tx.cut(old.id, "access_changed");
    }
    if old.state != state {
        audit::record(tx, "person.state_changed", Some(old.id), state.word())?;
        if state == PersonState::Inactive {
            sessions::end_all(tx, old.id, None)?;
            tx.cut(old.id, "account_disabled");
        }
    }
    Ok(())
}

/// Returns which of a person's fields differ, in words: what stands in them is nobody's to read here.
/// Role and state have lines of their own.
fn changed_fields(old: &Person, new: &Person) -> String {
    let fields = [
        ("number", old.number != new.number),
        ("given_name", old.given_name != new.given_name),
        ("family_name", old.family_name != new.family_name),
        ("display_name", old.display_name != new.display_name),
        ("language", old.language != new.language),
    ];
    let changed = fields.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(field, _)| field).collect::<Vec<_>>().join(" ")
}

fn keep_an_admin(tx: &Tx<'_>, person: PersonId) -> Result<()> {
    if queries::admins_except(tx, person)? > 0 {
        return Ok(());
    }
    Err(Error::conflict("person.last_admin", "nobody else can sign in as admin"))
}

/// Opens an account for a person, with a password that is hashed already.
pub fn open_account(
    tx: &mut Tx<'_>,
    person: PersonId,
    username: &str,
    password_hash: &str,
) -> Result<()> {
    queries::find(tx, person)?;
    let username = rules::username(username)?;
    rows::run(
        tx,
        "insert into account (person_id, username, password_hash, created_at, password_at)
         values (?1, ?2, ?3, ?4, ?4)",
        params![person, username, password_hash, tx.now],
    )
    .on_constraint("account.username", || {
        Error::conflict("account.username_taken", "another account has this user name")
    })
    .on_constraint("account.person_id", || {
        Error::conflict("account.exists", "this person has an account already")
    })?;
    audit::record(tx, "account.opened", Some(person), "")
}

/// Sets a new password and ends the person's sessions, except the one to be kept.
pub fn set_password(
    tx: &mut Tx<'_>,
    person: PersonId,
    password_hash: &str,
    kept_session: Option<&str>,
) -> Result<()> {
    let changed = rows::run(
        tx,
        "update account set password_hash = ?2, password_at = ?3 where person_id = ?1",
        params![person, password_hash, tx.now],
    )?;
    if changed == 0 {
        return Err(Error::NotFound("account"));
    }
    sessions::end_all(tx, person, kept_session)?;
    audit::record(tx, "account.password_set", Some(person), "")
}

/// Keeps the same password under a hash of newer parameters, unless it was changed meanwhile.
pub fn renew_hash(tx: &mut Tx<'_>, person: PersonId, old: &str, new: &str) -> Result<()> {
    rows::run(
        tx,
        "update account set password_hash = ?3 where person_id = ?1 and password_hash = ?2",
        params![person, old, new],
    )?;
    Ok(())
}

/// Closes an account, or opens it again. Closing ends what is open now.
pub fn disable_account(tx: &mut Tx<'_>, person: PersonId, disabled: bool) -> Result<()> {
    let account = queries::account(tx, person)?.ok_or(Error::NotFound("account"))?;
    if account.disabled == disabled {
        return Ok(());
    }
    if disabled && queries::find(tx, person)?.role == Role::Admin {
        keep_an_admin(tx, person)?;
    }
    let sql = "update account set disabled = ?2 where person_id = ?1";
    rows::run(tx, sql, params![person, disabled])?;
    if disabled {
        sessions::end_all(tx, person, None)?;
        tx.cut(person, "account_disabled");
    }
    let act = if disabled { "account.disabled" } else { "account.enabled" };
    audit::record(tx, act, Some(person), "")
}

/// Hands a badge out to a person.
pub fn hand_out_badge(tx: &mut Tx<'_>, person: PersonId, tag: &str) -> Result<BadgeId> {
    queries::find(tx, person)?;
    let tag = rules::tag(tag)?;
    let id = rows::insert(
        tx,
        "insert into badge (person_id, tag, created_at) values (?1, ?2, ?3)",
        params![person, tag, tx.now],
    )
    .on_constraint("badge.tag", || {
        Error::conflict("badge.taken", "this badge is handed out already")
    })?;
    audit::record(tx, "badge.handed_out", Some(person), &format!("badge:{id}"))?;
    Ok(BadgeId(id))
}

/// Blocks a badge, or lets it open doors again.
pub fn set_badge_state(tx: &mut Tx<'_>, id: BadgeId, state: BadgeState) -> Result<()> {
    let badge = queries::badge(tx, id)?;
    if badge.state == state {
        return Ok(());
    }
    rows::run(tx, "update badge set state = ?2 where badge_id = ?1", params![id, state])?;
    let act = match state {
        BadgeState::Blocked => "badge.blocked",
        BadgeState::Active => "badge.unblocked",
    };
    audit::record(tx, act, Some(badge.person), &format!("badge:{id}"))
}

/// Takes a badge back, so that it can be handed out to somebody else.
pub fn take_back_badge(tx: &mut Tx<'_>, id: BadgeId) -> Result<()> {
    let badge = queries::badge(tx, id)?;
    rows::run(tx, "delete from badge where badge_id = ?1", params![id])?;
    audit::record(tx, "badge.taken_back", Some(badge.person), &format!("badge:{id}"))
}

/// Notes a contact of a person.
pub fn add_contact(tx: &mut Tx<'_>, person: PersonId, new: &NewContact) -> Result<Contact> {
    queries::find(tx, person)?;
    let id = rows::insert(
        tx,
        "insert into contact (person_id, name, relation, phone, may_fetch, emergency, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            person,
            text::line("name", &new.name, rules::NAME_MAX)?,
            text::optional_line("relation", &new.relation, rules::NUMBER_MAX)?,
            text::optional_line("phone", &new.phone, rules::NUMBER_MAX)?,
            new.may_fetch.unwrap_or(false),
            new.emergency.unwrap_or(false),
            tx.now
        ],
    )?;
    audit::record(tx, "contact.added", Some(person), &format!("contact:{id}"))?;
    queries::contact(tx, ContactId(id))
}

/// Notes a contact anew.
pub fn change_contact(tx: &mut Tx<'_>, contact: &Contact) -> Result<()> {
    rows::run(
        tx,
        "update contact
         set name = ?2, relation = ?3, phone = ?4, may_fetch = ?5, emergency = ?6
         where contact_id = ?1",
        params![
            contact.id,
            text::line("name", &contact.name, rules::NAME_MAX)?,
            text::optional_line("relation", &contact.relation, rules::NUMBER_MAX)?,
            text::optional_line("phone", &contact.phone, rules::NUMBER_MAX)?,
            contact.may_fetch,
            contact.emergency
        ],
    )?;
    let detail = format!("contact:{}", contact.id);
    audit::record(tx, "contact.changed", Some(contact.person), &detail)
}

/// Takes a contact away.
pub fn remove_contact(tx: &mut Tx<'_>, id: ContactId) -> Result<()> {
    let contact = queries::contact(tx, id)?;
    rows::run(tx, "delete from contact where contact_id = ?1", params![id])?;
    audit::record(tx, "contact.removed", Some(contact.person), &format!("contact:{id}"))
}
