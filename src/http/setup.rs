//! The first start of a house: who holds the code from the console becomes its admin.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::Json;
use super::held::Held;
use super::listen::Peer;
use super::me::Me;
use super::sign_in::{self, Attempts};
use crate::app::App;
use crate::base::id::PersonId;
use crate::base::{Actor, Error, Result, TimeOfDay};
use crate::domain::house::{HoursChange, Language, NewHouse, Profile};
use crate::domain::people::rules;
use crate::domain::people::setup::{self, SetUp};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ANYONE, routes!(show)))
        .routes(may(Who::ANYONE, routes!(complete)))
}

/// Whether the house still waits for its first admin.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Setup {
    needed: bool,
}

/// Says whether the house still waits for its first admin.
#[utoipa::path(get, path = "/api/v1/setup", tag = "people",
    responses((status = 200, body = Setup)))]
async fn show(State(app): State<App>) -> Result<Json<Setup>> {
    let needed = app.read(setup::needed).await?;
    Ok(Json(Setup { needed }))
}

/// The house to be, and its first admin.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSetup {
    /// As the console shows it; case and dashes do not matter.
    pub code: String,
    pub house_name: String,
    pub profile: Profile,
    /// IANA name of the time zone.
    pub zone: String,
    pub language: Language,
    /// A member who arrives later is late, `HH:MM`; without it what is usual for the profile.
    #[serde(default)]
    pub late_after: String,
    /// The day is closed then, `HH:MM`; without it what is usual for the profile.
    #[serde(default)]
    pub closes_at: String,
    pub username: String,
    pub display_name: String,
    pub password: String,
}

/// Sets the house up and signs its first admin in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "people", request_body = NewSetup,
    responses((status = 201, body = Me), (status = 403, description = "`setup.code_wrong`"),
        (status = 410, description = "`setup.done`"), (status = 422), (status = 429)))]
async fn complete(
    State(app): State<App>,
    Held(attempts): Held<Attempts>,
    peer: Option<Extension<Peer>>,
    session: Session,
    headers: HeaderMap,
    Json(new): Json<NewSetup>,
) -> Result<(StatusCode, Json<Me>)> {
    let person = found(&app, &attempts, peer.as_deref(), new).await?;
    let me = sign_in::sign_in(&app, &session, person, &headers).await?;
    Ok((StatusCode::CREATED, Json(me)))
}

/// Founds the house and returns its first admin.
pub async fn found(
    app: &App,
    attempts: &Attempts,
    peer: Option<&Peer>,
    new: NewSetup,
) -> Result<PersonId> {
    let attempt = attempts.count("", peer)?;
    let (code, now) = (new.code.clone(), app.clock.now());
    app.read(move |conn| setup::check(conn, &code, now)).await?;
    attempt.was_right();
    let username = rules::username(&new.username)?;
    rules::check_password("password", &new.password, &username, &new.house_name)?;
    let hours = HoursChange {
        late_after: hour("late_after", &new.late_after)?,
        closes_at: hour("closes_at", &new.closes_at)?,
    };
    let password_hash = app.hasher.hash(new.password).await?;
    let setup = SetUp {
        code: new.code,
        house: NewHouse {
            name: new.house_name,
            profile: new.profile,
            zone: new.zone,
            language: new.language,
            demo: false,
        },
        hours,
        username,
        password_hash,
        display_name: new.display_name,
    };
    app.write(Actor::System, "people.set_up", move |tx| setup::complete(tx, setup)).await
}

/// Reads a time of day that may be left out: a form sends an empty field all the same.
fn hour(field: &'static str, text: &str) -> Result<Option<TimeOfDay>> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|problem| Error::invalid(field, problem)),
    }
}
