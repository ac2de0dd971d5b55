//! Contacts: whom to call, who may fetch. Every look at them is written down.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query};
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::id::{ContactId, PersonId};
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result};
use crate::domain::people::model::{Contact, NewContact};
use crate::domain::people::{Role, audit, commands, queries};
use crate::domain::rooms;
use crate::words;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    let desk = Who::ADMIN | Who::OFFICE;
    OpenApiRouter::new()
        .routes(may(Who::TEAM, routes!(list)))
        .routes(may(desk, routes!(add)))
        .routes(may(desk, routes!(remove)))
}

words! {
    /// Why somebody out of whose scope a member is must know whom to call.
    Need {
        Accident = "accident",
        Illness = "illness",
        Missing = "missing",
        PickUp = "pick_up",
        Other = "other",
    }
}

/// Somebody to call.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct ContactView {
    id: ContactId,
    name: String,
    relation: String,
    phone: String,
    may_fetch: bool,
    emergency: bool,
}

impl From<Contact> for ContactView {
    fn from(contact: Contact) -> ContactView {
        let Contact { id, name, relation, phone, may_fetch, emergency, .. } = contact;
        ContactView { id, name, relation, phone, may_fetch, emergency }
    }
}

/// Why it must be known, if the member is out of scope.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Why {
    #[param(inline)]
    reason: Option<Need>,
    /// How many items at the most (1 to 500, default 50).
    limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said.
    cursor: Option<String>,
}

/// Shows whom to call about a member. Staff out of whose scope the member is must say why.
#[utoipa::path(get, path = "/api/v1/people/{id}/contacts", tag = "people",
    params(("id" = PersonId, Path), Why),
    responses((status = 200, body = Page<ContactView>), (status = 404),
        (status = 403, description = "`contacts.reason_needed`")))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Path(person): Path<PersonId>,
    Query(why): Query<Why>,
) -> Result<Json<Page<ContactView>>> {
    let Why { reason, limit, cursor } = why;
    let page = app
        .write(who.actor(), "people.read_contacts", move |tx| {
            queries::find(tx, person)?;
            let scope = rooms::scope::of(tx, who.person, who.role, tx.now)?;
            let reason = reason.map_or("", Need::word);
            if who.role == Role::Office || scope.sees(tx, person)? {
                audit::record(tx, "contacts.read", Some(person), reason)?;
            } else if reason.is_empty() {
                return Err(Error::Forbidden("contacts.reason_needed"));
            } else {
                audit::record(tx, "contacts.read_out_of_scope", Some(person), reason)?;
            }
            Page::part(queries::contacts_of(tx, person)?, &Paging { limit, cursor })
        })
        .await?;
    Ok(Json(page))
}

/// Somebody to be noted as contact.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ContactBody {
    name: String,
    #[serde(default)]
    relation: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    may_fetch: bool,
    #[serde(default)]
    emergency: bool,
}

/// Notes a contact of a person.
#[utoipa::path(post, path = "/api/v1/people/{id}/contacts", tag = "people",
    request_body = ContactBody, params(("id" = PersonId, Path)),
    responses((status = 201, body = ContactView), (status = 404), (status = 422)))]
async fn add(
    State(app): State<App>,
    who: SignedIn,
    Path(person): Path<PersonId>,
    Act { body, once }: Act<ContactBody>,
) -> Result<(StatusCode, Json<ContactView>)> {
    let ContactBody { name, relation, phone, may_fetch, emergency } = body;
    let (may_fetch, emergency) = (Some(may_fetch), Some(emergency));
    let new = NewContact { name, relation, phone, may_fetch, emergency };
    let contact = app
        .write_once(once, who.actor(), "people.add_contact", move |tx| {
            commands::add_contact(tx, person, &new).map(ContactView::from)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(contact)))
}

/// Takes a contact away.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", tag = "people",
    params(("id" = ContactId, Path)), responses((status = 204), (status = 404)))]
async fn remove(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<ContactId>,
) -> Result<StatusCode> {
    app.write(who.actor(), "people.remove_contact", move |tx| commands::remove_contact(tx, id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
