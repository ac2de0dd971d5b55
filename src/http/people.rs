//! People: found by name, enrolled, changed, given accounts.
//!
//! What of a person is shown depends on who asks; what may not be shown is absent.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::badges::BadgeView;
use super::extract::{Act, Json, Path, Query, present};
use super::signed_in::SignedIn;
use super::squeeze::squeezed;
use crate::app::{App, AsOf};
use crate::base::id::{GroupId, PersonId};
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, secret};
use crate::domain::help;
use crate::domain::house::{self, Language};
use crate::domain::people::model::{Account, Badge, NewPerson, PersonChange, PersonState};
use crate::domain::people::queries::Search;
use crate::domain::people::{self, Role, commands, rules};
use crate::domain::rooms;
use crate::domain::visits::whereabouts::{self, Seen};

/// How many characters a password has that we make.
const MADE_PASSWORD: usize = 12;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::TEAM, squeezed(routes!(list))))
        .routes(may(Who::ADMIN, routes!(create)))
        .routes(may(Who::TEAM, routes!(show)))
        .routes(may(Who::ADMIN, routes!(update)))
        .routes(may(Who::ADMIN, routes!(open_account)))
        .routes(may(Who::ADMIN, routes!(change_account)))
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
struct GroupName {
    id: GroupId,
    name: String,
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
        let named = |group: rooms::Group| GroupName { id: group.id, name: group.name };
        PersonItem {
            id: seen.person.id,
            display_name: seen.person.display_name,
            status: if seen.present { Presence::Present } else { Presence::NotPresent },
            role,
            groups: groups.map(|groups| groups.into_iter().map(named).collect()),
            room_name: room.flatten().map(|(_, name)| name),
        }
    }
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
    /// The person's account; null without one. For admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
}

/// An account.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct AccountView {
    username: String,
    disabled: bool,
    /// The password that was made; said this once and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl PersonView {
    fn new(who: Role, seen: Seen, badges: Vec<Badge>, account: Option<Account>) -> PersonView {
        let person = seen.person.clone();
        let knows = seen.more.is_some();
        let file = matches!(who, Role::Admin | Role::Office).then(|| FileView {
            number: person.number,
            language: person.language,
            state: person.state,
            badges: badges.into_iter().map(BadgeView::from).collect(),
            account: account.filter(|_| who == Role::Admin).map(|account| AccountView {
                username: account.username,
                disabled: account.disabled,
                password: None,
            }),
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
    page: Page<PersonItem>,
}

/// Finds people by name. Of those out of scope only name and presence are told.
#[utoipa::path(get, path = "/api/v1/people", tag = "people", params(Filter),
    responses((status = 200, body = PeopleList), (status = 403), (status = 404)))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(filter): Query<Filter>,
) -> Result<Json<PeopleList>> {
    let Filter { q: text, group_id: group, role, limit, cursor } = filter;
    let paging = Paging { limit, cursor };
    let (limit, offset) = (i64::from(paging.limit()?) + 1, paging.offset()?);
    let search = Search { text, role, group };
    let (at, found) = app
        .snapshot(move |conn, now| {
            let scope = rooms::scope::of(conn, who.person, who.role, now)?;
            whereabouts::search(conn, &scope, &search, limit, offset)
        })
        .await?;
    let page = Page::of(found.into_iter().map(PersonItem::from).collect(), &paging)?;
    Ok(Json(PeopleList { at, page }))
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
}

/// Changes a person. A new role takes effect at once, also on open streams.
#[utoipa::path(patch, path = "/api/v1/people/{id}", tag = "people", request_body = Change,
    params(("id" = PersonId, Path)), responses((status = 200, body = PersonView), (status = 404),
        (status = 409, description = "`person.last_admin`, `person.number_taken`"), (status = 422)))]
async fn update(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(change): Json<Change>,
) -> Result<Json<PersonView>> {
    let Change { given_name, family_name, display_name, role, number, language, state } = change;
    let change =
        PersonChange { number, given_name, family_name, display_name, role, language, state };
    app.write(who.actor(), "people.change", move |tx| {
        help::leaving::change(tx, id, change)?;
        let scope = rooms::scope::of(tx, who.person, who.role, tx.now)?;
        let seen = whereabouts::one(tx, &scope, id)?;
        let badges = people::queries::badges_of(tx, id)?;
        let account = people::queries::account(tx, id)?;
        Ok(Json(PersonView::new(who.role, seen, badges, account)))
    })
    .await
}

/// A user name, and the password unless one is to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    username: String,
    password: Option<String>,
}

/// Opens an account for a person. A repeat is refused: the answer may hold a password, and is not kept.
#[utoipa::path(post, path = "/api/v1/people/{id}/account", tag = "people",
    request_body = NewAccount, params(("id" = PersonId, Path)),
    responses((status = 201, body = AccountView), (status = 404), (status = 422),
        (status = 409, description = "`account.exists`, `account.username_taken`")))]
async fn open_account(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(new): Json<NewAccount>,
) -> Result<(StatusCode, Json<AccountView>)> {
    let username = rules::username(&new.username)?;
    let made = new.password.is_none().then(|| secret::readable(MADE_PASSWORD)).transpose()?;
    let password = new.password.or(made.clone()).unwrap_or_default();
    let hash = checked_hash(&app, id, &username, password).await?;
    let name = username.clone();
    app.write(who.actor(), "people.open_account", move |tx| {
        commands::open_account(tx, id, &name, &hash)
    })
    .await?;
    let view = AccountView { username, disabled: false, password: made };
    Ok((StatusCode::CREATED, Json(view)))
}

/// What is to change of an account; what is missing stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountChange {
    disabled: Option<bool>,
    /// A new password, for somebody who has forgotten theirs; ends their sessions.
    password: Option<String>,
    /// Whether the house makes it, whatever is given; the answer says it this once.
    #[serde(default)]
    make_password: bool,
}

/// Closes an account, opens it again, or gives it a new password.
#[utoipa::path(patch, path = "/api/v1/people/{id}/account", tag = "people",
    request_body = AccountChange, params(("id" = PersonId, Path)),
    responses((status = 200, body = AccountView), (status = 404), (status = 422),
        (status = 403, description = "`password.own`: needs the present one"),
        (status = 409, description = "`person.last_admin`")))]
async fn change_account(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<PersonId>,
    Json(change): Json<AccountChange>,
) -> Result<Json<AccountView>> {
    let account = app.read(move |conn| people::queries::account(conn, id)).await?;
    let account = account.ok_or(Error::NotFound("account"))?;
    let made = change.make_password.then(|| secret::readable(MADE_PASSWORD)).transpose()?;
    let password = made.clone().or(change.password);
    // A screen that was left open is not enough to take somebody's account from them.
    if password.is_some() && id == who.person {
        return Err(Error::Forbidden("password.own"));
    }
    let hash = match password {
        Some(password) => Some(checked_hash(&app, id, &account.username, password).await?),
        None => None,
    };
    let account = app
        .write(who.actor(), "people.change_account", move |tx| {
            if let Some(hash) = hash {
                commands::set_password(tx, id, &hash, None)?;
            }
            if let Some(disabled) = change.disabled {
                commands::disable_account(tx, id, disabled)?;
            }
            people::queries::account(tx, id)?.ok_or(Error::NotFound("account"))
        })
        .await?;
    let Account { username, disabled, .. } = account;
    Ok(Json(AccountView { username, disabled, password: made }))
}

/// Returns the hash of a new password for a person who exists.
async fn checked_hash(
    app: &App,
    person: PersonId,
    username: &str,
    password: String,
) -> Result<String> {
    let house = app
        .read(move |conn| {
            people::queries::find(conn, person)?;
            Ok(house::queries::house(conn)?.name)
        })
        .await?;
    rules::check_password("password", &password, username, &house)?;
    app.hasher.hash(password).await
}
