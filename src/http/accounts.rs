//! Accounts: opened for a person, closed, given a new password.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Json, Path};
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::id::PersonId;
use crate::base::{Error, Result, secret};
use crate::domain::house;
use crate::domain::people::model::Account;
use crate::domain::people::{self, commands, rules};

/// How many characters a password has that we make.
const MADE_PASSWORD: usize = 12;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN, routes!(open_account)))
        .routes(may(Who::ADMIN, routes!(change_account)))
}

/// An account.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccountView {
    username: String,
    disabled: bool,
    /// The password that was made; said this once and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> AccountView {
        let Account { username, disabled, .. } = account;
        AccountView { username, disabled, password: None }
    }
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
    Ok(Json(AccountView { password: made, ..account.into() }))
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
