//! Who is online: the snapshot, and the note that somebody has asked for something.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use rusqlite::Connection;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::Json;
use super::signed_in::{Principal, SignedIn};
use crate::app::{App, AsOf};
use crate::base::id::PersonId;
use crate::base::{Result, Timestamp};
use crate::domain::people::{Role, online};
use crate::domain::rooms::scope::{self, Scope};
use crate::live::presence::Status;

/// Returns the routes of presence.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::TEAM, routes!(show)))
}

/// Everybody who is there, as far as the caller may know.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Online {
    #[serde(flatten)]
    at: AsOf,
    count: usize,
    users: Vec<User>,
}

/// Somebody who is there.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct User {
    person_id: PersonId,
    display_name: String,
    role: Role,
    status: Status,
    last_seen_at: Timestamp,
    /// How many streams (pages, tabs of different browsers) the person holds.
    streams: usize,
}

/// Lists who is signed in and connected now.
#[utoipa::path(
    get,
    path = "/api/v1/online",
    responses((status = 200, description = "who is there", body = Online)),
    tag = "people"
)]
async fn show(State(app): State<App>, who: SignedIn) -> Result<Json<Online>> {
    let here = app.presence.everybody();
    let (at, users) = app
        .snapshot(move |conn, now| {
            let scope = scope::of(conn, who.person, who.role, now)?;
            let mut users = Vec::new();
            for online in online::known(conn, &here)? {
                if may_know(conn, &scope, &online)? {
                    users.push(User::from(online));
                }
            }
            Ok(users)
        })
        .await?;
    Ok(Json(Online { at, count: users.len(), users }))
}

/// Colleagues may know of each other; of a member only those who see the member.
fn may_know(conn: &Connection, scope: &Scope, online: &online::Online) -> Result<bool> {
    Ok(online.role.works_here() || scope.sees(conn, online.here.person)?)
}

impl From<online::Online> for User {
    fn from(online: online::Online) -> User {
        User {
            person_id: online.here.person,
            display_name: online.display_name,
            role: online.role,
            status: online.here.status,
            last_seen_at: online.here.last_seen_at,
            streams: online.here.streams,
        }
    }
}

/// Notes that a person has asked for something. A stream that comes back by itself is no asking.
pub async fn notice(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if let Some(Principal::Person(who)) = request.extensions().get::<Principal>()
        && path != super::sse::PATH
        && !super::classic::EVENT_PATHS.contains(&path)
    {
        app.presence.asked(who.person, app.clock.now());
    }
    next.run(request).await
}
