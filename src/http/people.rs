//! People: found by name, enrolled, changed.
//!
//! What of a person is shown depends on who asks; what may not be shown is absent.

use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::accounts::AccountView;
use super::badges::BadgeView;
use super::extract::{Act, Json, Path, Query, present};
use super::signed_in::SignedIn;
use super::squeeze::squeezed;
use crate::app::{App, AsOf};
use crate::base::Result;
use crate::base::id::{GroupId, PersonId};
use crate::base::page::{Page, Paging};
use crate::domain::help;
use crate::domain::house::Language;
use crate::domain::people::model::{Account, Badge, NewPerson, PersonChange, PersonState};
use crate::domain::people::queries::Search;
use crate::domain::people::{self, Role, commands};
use crate::domain::rooms;
use crate::domain::visits::whereabouts::{self, Seen};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::TEAM, squeezed(routes!(list))))
        .routes(may(Who::ADMIN, routes!(create)))
        .routes(may(Who::TEAM, routes!(show)))
        .routes(may(Who::ADMIN, routes!(update)))
}

/// Whether somebody is in the house now.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Presence {
    Present,
    NotPresent,
}

/// A group by name.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GroupName {
    id: GroupId,
    name: String,
}

impl From<rooms::Group> for GroupName {
    fn from(group: rooms::Group) -> GroupName {
        GroupName { id: group.id, name: group.name }
    }
}

/// A person in a list; what the caller may not see is absent.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct PersonItem {
    id: PersonId,
    display_name: String,
    status: Presence,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<GroupName>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_name: Option<String>,
}

impl From<Seen> for PersonItem {
    fn from(seen: Seen) -> PersonItem {
        let role = seen.more.is_some().then_some(seen.person.role);
        let (groups, room) = seen.more.map(|more| (more.groups, more.room)).unzip();
        PersonItem {
            id: seen.person.id,
            display_name: seen.person.display_name,
            status: if seen.present { Presence::Present } else { Presence::NotPresent },
            role,
            groups: groups.map(|groups| groups.into_iter().map(GroupName::from).collect()),
            room_name: room.flatten().map(|(_, name)| name),
        }
    }
}

/// A person in a list, with what admin and office may see of everybody at once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PersonRow {
    #[serde(flatten)]
    item: PersonItem,
    #[serde(flatten)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RowView)]
    file: Option<RowView>,
}

/// What only admin and office may see of a person in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RowView {
    #[schema(required = false)]
    number: Option<String>,
    #[schema(required = false)]
    language: Option<Language>,
    /// How many badges of the person open something.
    #[schema(required = false)]
    badge_count: i64,
}

impl PersonRow {
    fn new(who: Role, seen: Seen, badge_count: i64) -> PersonRow {
        let (number, language) = (seen.person.number.clone(), seen.person.language);
        let file = keeps_files(who).then_some(RowView { number, language, badge_count });
        PersonRow { item: seen.into(), file }
    }
}

/// Whether one of this role sees what the house has on file of everybody.
fn keeps_files(who: Role) -> bool {
    matches!(who, Role::Admin | Role::Office)
}

/// A person; what the caller may not see is absent.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct PersonView {
    #[serde(flatten)]
    item: PersonItem,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(flatten)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = FileView)]
    file: Option<FileView>,
}

/// What only admin and office may see of a person.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct FileView {
    #[schema(required = false)]
    number: Option<String>,
    #[schema(required = false)]
    language: Option<Language>,
    #[schema(required = false)]
    state: PersonState,
    #[schema(required = false)]
    badges: Vec<BadgeView>,
    /// Tells what is known of the person now from what was known before, for a change.
    #[schema(required = false)]
    version: String,
    /// The person's account; null without one. For admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
}

impl PersonView {
    fn new(who: Role, seen: Seen, badges: Vec<Badge>, account: Option<Account>) -> PersonView {
        let person = seen.person.clone();
        let (knows, version) = (seen.more.is_some(), person.version());
        let file = keeps_files(who).then(|| FileView {
            version,
            number: person.number,
            language: person.language,
            state: person.state,
            badges: badges.into_iter().map(BadgeView::from).collect(),
            account: account.filter(|_| who == Role::Admin).map(AccountView::from),
        });
        PersonView {
            item: seen.into(),
            given_name: knows.then_some(person.given_name),
            family_name: knows.then_some(person.family_name),
            file,
        }
    }
}

/// Whom a list is to show.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Beginnings of words of the name, blind to case, accents and umlauts.
    #[serde(default)]
    q: String,
    group_id: Option<GroupId>,
    role: Option<Role>,
    /// `active`, as who belongs to the house is without it; or `inactive`, for admin and office.
    state: Option<PersonState>,
    /// How many items at the most (1 to 500, default 50).
    limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said.
    cursor: Option<String>,
}

/// The people who were found, at one moment.
#[derive(Serialize, utoipa::ToSchema)]
struct PeopleList {
    #[serde(flatten)]
    at: AsOf,
    #[serde(flatten)]
    page: Page<PersonRow>,
}

/// Finds people by name. Of those out of scope only name and presence are told.
#[utoipa::path(get, path = "/api/v1/people", tag = "people", params(Filter),
    responses((status = 200, body = PeopleList), (status = 403), (status = 404)))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(filter): Query<Filter>,
) -> Result<Json<PeopleList>> {
    let Filter { q: text, group_id: group, role, state, limit, cursor } = filter;
    let state = state.unwrap_or(PersonState::Active);
    let paging = Paging { limit, cursor };
    let (limit, offset) = (i64::from(paging.limit()?) + 1, paging.offset()?);
    let search = Search { text, role, group, state };
    let (at, found) = app
        .snapshot(move |conn, now| {
            let scope = rooms::scope::of(conn, who.person, who.role, now)?;
            let found = whereabouts::search(conn, &scope, &search, limit, offset)?;
            found.into_iter().map(|seen| row(conn, who.role, seen)).collect::<Result<Vec<_>>>()
        })
        .await?;
    let page = Page::of(found, &paging)?;
    Ok(Json(PeopleList { at, page }))
}

fn row(conn: &Connection, who: Role, seen: Seen) -> Result<PersonRow> {
    let known = keeps_files(who);
    let badges = if known { people::queries::valid_badges(conn, seen.person.id)? } else { 0 };
    Ok(PersonRow::new(who, seen, badges))
}

/// Shows a person.
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people", params(("id" = PersonId, Path)),
    responses((status = 200, body = PersonView), (status = 404)))]
async fn show(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<PersonId>,
) -> Result<Json<PersonView>> {
    let now = app.clock.now();
    app.read(move |conn| {
        let scope = rooms::scope::of(conn, who.person, who.role, now)?;
        let seen = whereabouts::one(conn, &scope, id)?;
        let badges = people::queries::badges_of(conn, id)?;
        let account = people::queries::account(conn, id)?;
        Ok(Json(PersonView::new(who.role, seen, badges, account)))
    })
    .await
}

/// Somebody to be enrolled.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Enrolment {
    given_name: String,
    family_name: String,
    /// What boards show; given and family name when it is missing.
    display_name: Option<String>,
    role: Role,
    /// The number of another system, the key of a repeated import.
    number: Option<String>,
    language: Option<Language>,
}

/// Enrols a person.
#[utoipa::path(post, path = "/api/v1/people", tag = "people", request_body = Enrolment,
    responses((status = 201, body = PersonView), (status = 409, description = "`person.number_taken`"),
        (status = 422)))]
async fn create(
    State(app): State<App>,
    who: SignedIn,
    Act { body, once }: Act<Enrolment>,
) -> Result<(StatusCode, Json<PersonView>)> {
    let Enrolment { given_name, family_name, display_name, role, number, language } = body;
    let new = NewPerson { number, given_name, family_name, display_name, role, language };
    let view = app
        .write_once(once, who.actor(), "people.enrol", move |tx| {
            let id = commands::enrol(tx, new)?;
            let scope = rooms::scope::of(tx, who.person, who.role, tx.now)?;
            let seen = whereabouts::one(tx, &scope, id)?;
            Ok(PersonView::new(who.role, seen, Vec::new(), None))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// What is to change; what is missing stays, `null` empties a number or a language.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    given_name: Option<String>,
    family_name: Option<String>,
    display_name: Option<String>,
    role: Option<Role>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    number: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Language>)]
    language: Option<Option<Language>>,
    /// `active` or `inactive`: whether the person belongs to the house. Who becomes inactive leaves
    /// it at once: visit, presence and an open help request of theirs end.
    state: Option<PersonState>,
    /// The `version` that is to be changed: when somebody else has changed it since, nothing is.
    version: Option<String>,
}

/// Changes a person. A new role takes effect at once, also on open streams.
#[utoipa::path(patch, path = "/api/v1/people/{id}", tag = "people", request_body = Change,
    params(("id" = PersonId, Path)), responses((status = 200, body = PersonView), (status = 404),
        (status = 409, description = "`person.last_admin`, `person.number_taken`, `person.changed`"),
        (status = 422)))]
async fn update(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(change): Json<Change>,
) -> Result<Json<PersonView>> {
    let Change { given_name, family_name, display_name, role, number, language, .. } = change;
    let (state, version) = (change.state, change.version);
    let change =
        PersonChange { number, given_name, family_name, display_name, role, language, state };
    app.write(who.actor(), "people.change", move |tx| {
        if let Some(version) = version {
            commands::require_version(tx, id, &version)?;
        }
        help::leaving::change(tx, id, change)?;
        let scope = rooms::scope::of(tx, who.person, who.role, tx.now)?;
        let seen = whereabouts::one(tx, &scope, id)?;
        let badges = people::queries::badges_of(tx, id)?;
        let account = people::queries::account(tx, id)?;
        Ok(Json(PersonView::new(who.role, seen, badges, account)))
    })
    .await
}
