//! Who is online: the snapshot, and what counts as somebody doing something.

use axum::extract::{Request, State};
use axum::http::{HeaderName, header};
use rusqlite::Connection;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::agent::device_kind;
use super::extract::Json;
use super::signed_in::{Principal, SignedIn};
use crate::app::{App, AsOf};
use crate::base::id::PersonId;
use crate::base::{Result, Timestamp};
use crate::domain::people::{Role, online};
use crate::domain::rooms::scope::{self, Scope};
use crate::live::presence::Status;
use crate::live::watch::DeviceKind;

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
    /// What the person holds in hand, as far as it can be told.
    device_kind: DeviceKind,
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
            device_kind: online.here.device,
            streams: online.here.streams,
        }
    }
}

/// By this header a page says that it reads by itself: nobody has touched it for a while.
const BACKGROUND: HeaderName = HeaderName::from_static("daybook-background");

/// What a client does to listen, as it does again whenever the link breaks; WebSockets aside.
const LISTENING: [&str; 4] =
    [super::sse::PATH, "/api/v1/stream-tickets", "/api/ws/subscribe", "/api/ws/unsubscribe"];

/// Notes that a person has done something.
pub fn notice(app: &App, request: &Request) {
    if let Some(Principal::Person(who)) = request.extensions().get::<Principal>()
        && is_act(request)
    {
        app.presence.acted(who.person, device_kind(request.headers()), app.clock.now());
    }
}

/// Says whether somebody is behind a request. Nobody need be where a client listens, or where a
/// page reads anew what news has told it of.
fn is_act(request: &Request) -> bool {
    let (path, headers) = (request.uri().path(), request.headers());
    let listens = LISTENING.contains(&path)
        || super::classic::EVENT_PATHS.contains(&path)
        || headers.contains_key(header::UPGRADE);
    let by_itself = request.method().is_safe() && headers.contains_key(BACKGROUND);
    !listens && !by_itself
}
