//! Reads of people, their accounts, badges and contacts.

use rusqlite::{Connection, params};

use super::model::{Account, Badge, Contact, Login, Person, PersonState, Role};
use super::rules;
use crate::base::Result;
use crate::base::id::{BadgeId, ContactId, GroupId, PersonId, RunId};
use crate::store::rows;

/// The query for people, and which, in what order.
macro_rules! people {
    ($which:literal) => {
        concat!(
            "select person_id, number, given_name, family_name, display_name, role, language, state
             from person
             ",
            $which
        )
    };
}

/// Returns a person who has not been erased.
pub fn find(conn: &Connection, person: PersonId) -> Result<Person> {
    rows::one(
        conn,
        "person",
        people!("where person_id = ?1 and state <> 'erased'"),
        params![person],
    )
}

/// Returns a person by the number of another system.
pub fn by_number(conn: &Connection, number: &str) -> Result<Option<Person>> {
    rows::maybe(conn, people!("where number = ?1 and state <> 'erased'"), params![number])
}

/// Returns the people whose name reads the same.
pub fn by_name(conn: &Connection, given_name: &str, family_name: &str) -> Result<Vec<Person>> {
    rows::all(
        conn,
        people!(
            "where search_key = ?1 and state <> 'erased'
             order by person_id"
        ),
        params![rules::search_key(&format!("{given_name} {family_name}"))],
    )
}

/// Returns the name that a board shows.
pub fn display_name(conn: &Connection, person: PersonId) -> Result<Option<String>> {
    rows::maybe(conn, "select display_name from person where person_id = ?1", params![person])
}

/// What people a list is to show.
#[derive(Debug, Clone)]
pub struct Search {
    /// Beginnings of words of the name.
    pub text: String,
    pub role: Option<Role>,
    pub group: Option<GroupId>,
    /// Whether those who belong to the house are meant, or those who did.
    pub state: PersonState,
}

/// Returns the people who match, by name, from `offset` on.
pub fn search(conn: &Connection, search: &Search, limit: i64, offset: i64) -> Result<Vec<Person>> {
    let key = rules::search_key(&search.text);
    // More than three words tell nobody apart whom three do not.
    let mut words = key.split_whitespace().map(|word| format!("% {word}%"));
    let mut word = || words.next().unwrap_or_else(|| "%".to_owned());
    rows::all(
        conn,
        people!(
            "where state = ?8
               and search_key like ?1 and search_key like ?2 and search_key like ?3
               and (?4 is null or role = ?4)
               and (?5 is null or person_id in
                    (select person_id from group_member where group_id = ?5))
             order by search_key, person_id
             limit ?6 offset ?7"
        ),
        params![word(), word(), word(), search.role, search.group, limit, offset, search.state],
    )
}

/// Returns the groups that a person is a member of, ascending.
pub fn groups_of(conn: &Connection, person: PersonId) -> Result<Vec<GroupId>> {
    rows::all(
        conn,
        "select group_id
         from group_member
         where person_id = ?1
         order by group_id",
        params![person],
    )
}

/// Returns the run that a person is in now. Visits are a later noun; this one question about them is
/// asked here, since those in charge of a run hear of whoever is in it.
pub fn run_of(conn: &Connection, person: PersonId) -> Result<Option<RunId>> {
    rows::maybe(
        conn,
        "select run_id
         from visit
         where person_id = ?1 and newest = 1 and ended_at is null",
        params![person],
    )
}

/// Returns what a sign-in under this name is decided on.
pub fn login(conn: &Connection, username: &str) -> Result<Option<Login>> {
    rows::maybe(
        conn,
        "select person_id, password_hash, not disabled and state = 'active' as enabled
         from account
         join person using (person_id)
         where username = ?1",
        params![rules::username_key(username)],
    )
}

/// Returns a person's account.
pub fn account(conn: &Connection, person: PersonId) -> Result<Option<Account>> {
    rows::maybe(
        conn,
        "select username, disabled, created_at, password_at from account where person_id = ?1",
        params![person],
    )
}

/// Returns the stored hash of a person's password.
pub fn password_hash(conn: &Connection, person: PersonId) -> Result<Option<String>> {
    rows::maybe(conn, "select password_hash from account where person_id = ?1", params![person])
}

/// Says whether anybody can sign in as admin.
pub fn has_admin(conn: &Connection) -> Result<bool> {
    Ok(admins_except(conn, PersonId(0))? > 0)
}

/// Returns how many other admins than `person` can sign in.
pub fn admins_except(conn: &Connection, person: PersonId) -> Result<i64> {
    rows::one(
        conn,
        "admin",
        "select count(*)
         from person
         join account using (person_id)
         where role = 'admin' and state = 'active' and not disabled and person_id <> ?1",
        params![person],
    )
}

/// Returns the badge with this tag, as [`rules::tag`] writes it.
pub fn badge_by_tag(conn: &Connection, tag: &str) -> Result<Option<Badge>> {
    rows::maybe(
        conn,
        "select badge_id, person_id, tag, state, created_at from badge where tag = ?1",
        params![tag],
    )
}

/// Returns a badge.
pub fn badge(conn: &Connection, badge: BadgeId) -> Result<Badge> {
    rows::one(
        conn,
        "badge",
        "select badge_id, person_id, tag, state, created_at from badge where badge_id = ?1",
        params![badge],
    )
}

/// Returns a person's badges, oldest first.
pub fn badges_of(conn: &Connection, person: PersonId) -> Result<Vec<Badge>> {
    rows::all(
        conn,
        "select badge_id, person_id, tag, state, created_at
         from badge
         where person_id = ?1
         order by badge_id",
        params![person],
    )
}

/// Returns how many badges of a person open something.
pub fn valid_badges(conn: &Connection, person: PersonId) -> Result<i64> {
    rows::one(
        conn,
        "badge",
        "select count(*) from badge where person_id = ?1 and state = 'active'",
        params![person],
    )
}

/// Returns a contact.
pub fn contact(conn: &Connection, contact: ContactId) -> Result<Contact> {
    rows::one(
        conn,
        "contact",
        "select contact_id, person_id, name, relation, phone, may_fetch, emergency
         from contact
         where contact_id = ?1",
        params![contact],
    )
}

/// Returns a person's contacts, in the order in which they were noted.
pub fn contacts_of(conn: &Connection, person: PersonId) -> Result<Vec<Contact>> {
    rows::all(
        conn,
        "select contact_id, person_id, name, relation, phone, may_fetch, emergency
         from contact
         where person_id = ?1
         order by contact_id",
        params![person],
    )
}
