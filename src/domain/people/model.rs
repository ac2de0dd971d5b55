//! What a person, an account, a badge and a contact are.

use serde::{Deserialize, Serialize};

use super::rules;
use crate::base::id::{BadgeId, ContactId, PersonId};
use crate::base::{Error, Result, Timestamp, secret, text};
use crate::domain::house::Language;
use crate::store::rows::{FromRow, Row};
use crate::words;

words! {
    /// What a person may do in the house.
    Role { Admin = "admin", Office = "office", Staff = "staff", Member = "member" }
}

words! {
    /// Whether a person belongs to the house now.
    PersonState { Active = "active", Inactive = "inactive", Erased = "erased" }
}

words! {
    /// Whether a badge opens anything.
    BadgeState { Active = "active", Blocked = "blocked" }
}

impl Role {
    /// Says whether the person works here.
    pub fn works_here(self) -> bool {
        self != Role::Member
    }
}

/// Somebody who is looked after or works here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub number: Option<String>,
    pub given_name: String,
    pub family_name: String,
    pub display_name: String,
    pub role: Role,
    pub language: Option<Language>,
    pub state: PersonState,
}

impl Person {
    /// Returns what tells this state of what is known of a person from any other.
    pub fn version(&self) -> String {
        let known = format!("{self:?}");
        let hash = secret::hash(known);
        secret::hex(hash.get(..8).unwrap_or(&hash))
    }
}

impl FromRow for Person {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Person {
            id: row.get("person_id")?,
            number: row.get("number")?,
            given_name: row.get("given_name")?,
            family_name: row.get("family_name")?,
            display_name: row.get("display_name")?,
            role: row.get("role")?,
            language: row.get("language")?,
            state: row.get("state")?,
        })
    }
}

/// What is needed to enrol a person; checked by [`NewPerson::checked`].
#[derive(Debug, Clone)]
pub struct NewPerson {
    pub number: Option<String>,
    pub given_name: String,
    pub family_name: String,
    /// What a board shows; given and family name when it is missing.
    pub display_name: Option<String>,
    pub role: Role,
    pub language: Option<Language>,
}

impl NewPerson {
    /// Returns a person of this role with a given and a family name, nothing else.
    pub fn named(given_name: &str, family_name: &str, role: Role) -> NewPerson {
        NewPerson {
            number: None,
            given_name: given_name.to_owned(),
            family_name: family_name.to_owned(),
            display_name: None,
            role,
            language: None,
        }
    }

    /// Returns it trimmed, bounded and with a display name.
    pub fn checked(self) -> Result<NewPerson> {
        let given_name = text::optional_line("given_name", &self.given_name, rules::NAME_MAX)?;
        let family_name = text::optional_line("family_name", &self.family_name, rules::NAME_MAX)?;
        let number =
            self.number.map(|n| text::line("number", &n, rules::NUMBER_MAX)).transpose()?;
        let display_name = match &self.display_name {
            Some(name) => text::line("display_name", name, rules::DISPLAY_NAME_MAX)?,
            None => display_name(&given_name, &family_name),
        };
        if display_name.is_empty() {
            return Err(Error::invalid("given_name", "a person needs a name"));
        }
        Ok(NewPerson { number, given_name, family_name, display_name: Some(display_name), ..self })
    }
}

/// Returns the name that a board shows when no other is chosen.
pub fn display_name(given_name: &str, family_name: &str) -> String {
    format!("{given_name} {family_name}").trim().to_owned()
}

/// What is to be changed of a person; None leaves a field as it is, and none within empties it.
#[derive(Debug, Clone, Default)]
pub struct PersonChange {
    pub number: Option<Option<String>>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub display_name: Option<String>,
    pub role: Option<Role>,
    pub language: Option<Option<Language>>,
    pub state: Option<PersonState>,
}

/// An account as far as anybody may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub username: String,
    pub disabled: bool,
    pub created_at: Timestamp,
    pub password_at: Timestamp,
}

impl FromRow for Account {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Account {
            username: row.get("username")?,
            disabled: row.get("disabled")?,
            created_at: row.get("created_at")?,
            password_at: row.get("password_at")?,
        })
    }
}

/// What a sign-in is decided on.
#[derive(Debug, Clone)]
pub struct Login {
    pub person: PersonId,
    pub password_hash: String,
    /// Whether the account is open and its person belongs to the house.
    pub enabled: bool,
}

impl FromRow for Login {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Login {
            person: row.get("person_id")?,
            password_hash: row.get("password_hash")?,
            enabled: row.get("enabled")?,
        })
    }
}

/// A tag bound to a person. The whole tag is nobody's to read; its end tells badges apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    pub id: BadgeId,
    pub person: PersonId,
    pub tag: String,
    pub state: BadgeState,
    pub created_at: Timestamp,
}

impl FromRow for Badge {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Badge {
            id: row.get("badge_id")?,
            person: row.get("person_id")?,
            tag: row.get("tag")?,
            state: row.get("state")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// What is needed to note a contact. What is not said of a right is a no.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewContact {
    pub name: String,
    pub relation: String,
    pub phone: String,
    pub may_fetch: Option<bool>,
    pub emergency: Option<bool>,
}

/// Somebody to call about a member, perhaps allowed to fetch them. Has no account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub id: ContactId,
    pub person: PersonId,
    pub name: String,
    pub relation: String,
    pub phone: String,
    pub may_fetch: bool,
    pub emergency: bool,
}

impl FromRow for Contact {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Contact {
            id: row.get("contact_id")?,
            person: row.get("person_id")?,
            name: row.get("name")?,
            relation: row.get("relation")?,
            phone: row.get("phone")?,
            may_fetch: row.get("may_fetch")?,
            emergency: row.get("emergency")?,
        })
    }
}
