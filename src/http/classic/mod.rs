//! The classic paths: where the clients of five older systems ask, and are answered as they were.
//!
//! Their streams are ours in other words, which [`table`] has; their requests are our commands in
//! another shape. Nothing here knows or may anything that today's paths do not.

pub mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::dialect::Dialect;
use super::extract::{Act, Json, Query};
use super::health::Health;
use super::held::Held;
use super::opening::{Ask, Caller, EventStream, OpenSocket};
use super::problem::Problem;
use super::signed_in::{Principal, SignedIn};
use super::tracking::{self, Accepted, Action};
use super::ws::sockets::Sockets;
use super::{sse, ws};
use crate::app::App;
use crate::base::Result;
use crate::base::id::PersonId;
use crate::event::Topic;

/// Where classic event streams are opened.
pub const EVENT_PATHS: [&str; 2] = ["/api/realtime/events", "/api/sse/events"];

/// Returns the classic routes.
pub fn routes() -> OpenApiRouter<App> {
    let listeners = Who::PEOPLE | Who::DISPLAY;
    let streams = OpenApiRouter::new()
        .routes(may(listeners, routes!(reader_events)))
        .routes(may(listeners, routes!(reader_socket)))
        .routes(may(listeners, routes!(stories_socket)))
        .routes(may(listeners, routes!(practice_socket)))
        .routes(may(listeners, routes!(check_in_events)));
    sse::redeeming("token", streams)
        .routes(may(listeners, routes!(subscribe)))
        .routes(may(listeners, routes!(unsubscribe)))
        .routes(may(Who::PEOPLE, routes!(track)))
        .routes(may(Who::ANYONE, routes!(health)))
}

/// What a reader of a classic stream asks for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ClassicAsk {
    /// Topics by commas; without them, everything that the caller may hear.
    topics: Option<String>,
    /// Where the reader stopped; a `Last-Event-ID` wins over it.
    after: Option<String>,
    /// A stream ticket, from a client that can send neither cookie nor header.
    #[expect(dead_code, reason = "read before the route, here only for the document")]
    token: Option<String>,
}

async fn events(caller: Caller, headers: &HeaderMap, ask: ClassicAsk) -> Result<Response> {
    let ask = Ask::new(ask.topics, ask.after);
    sse::stream(caller, headers, &ask, Dialect::Classic).await
}

async fn socket(
    caller: Caller,
    headers: &HeaderMap,
    ask: ClassicAsk,
    sockets: &Arc<Sockets>,
) -> Result<Response> {
    let ask = Ask::new(ask.topics, ask.after);
    ws::socket(caller, headers, &ask, Dialect::Classic, Some(sockets)).await
}

/// The event stream of the reader and its consultants.
#[utoipa::path(get, path = "/api/realtime/events", tag = "classic",
    params(ClassicAsk, ("Last-Event-ID" = Option<String>, Header, description = "where it stopped")),
    responses(EventStream))]
async fn reader_events(
    caller: Caller,
    headers: HeaderMap,
    Query(ask): Query<ClassicAsk>,
) -> Result<Response> {
    events(caller, &headers, ask).await
}

/// The event stream of the check-in.
#[utoipa::path(get, path = "/api/sse/events", tag = "classic",
    params(ClassicAsk, ("Last-Event-ID" = Option<String>, Header, description = "where it stopped")),
    responses(EventStream))]
async fn check_in_events(
    caller: Caller,
    headers: HeaderMap,
    Query(ask): Query<ClassicAsk>,
) -> Result<Response> {
    events(caller, &headers, ask).await
}

/// The WebSocket of the reader and its consultants.
#[utoipa::path(
    get,
    path = "/api/realtime/ws",
    tag = "classic",
    params(ClassicAsk),
    responses(OpenSocket)
)]
async fn reader_socket(
    caller: Caller,
    headers: HeaderMap,
    Held(sockets): Held<Arc<Sockets>>,
    Query(ask): Query<ClassicAsk>,
) -> Result<Response> {
    socket(caller, &headers, ask, &sockets).await
}

/// The WebSocket of the stories, and of the notifications.
#[utoipa::path(get, path = "/ws", tag = "classic", params(ClassicAsk), responses(OpenSocket))]
async fn stories_socket(
    caller: Caller,
    headers: HeaderMap,
    Held(sockets): Held<Arc<Sockets>>,
    Query(ask): Query<ClassicAsk>,
) -> Result<Response> {
    socket(caller, &headers, ask, &sockets).await
}

/// The WebSocket of the live practice.
#[utoipa::path(get, path = "/api/ws", tag = "classic", params(ClassicAsk), responses(OpenSocket))]
async fn practice_socket(
    caller: Caller,
    headers: HeaderMap,
    Held(sockets): Held<Arc<Sockets>>,
    Query(ask): Query<ClassicAsk>,
) -> Result<Response> {
    socket(caller, &headers, ask, &sockets).await
}

/// Channels (topics): those that are meant and, in an answer, all that are heard now.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Channels {
    channels: Vec<String>,
}

/// Makes the open classic WebSockets of the caller's login hear these channels too.
#[utoipa::path(post, path = "/api/ws/subscribe", tag = "classic", request_body = Channels,
    responses(
        (status = 200, description = "what they hear now", body = Channels),
        (status = 403, description = "`topic.forbidden`: it is named"),
        (status = 409, description = "`websocket.not_open`"),
        (status = 422, description = "`topics.too_many`"),
    ))]
async fn subscribe(
    Held(sockets): Held<Arc<Sockets>>,
    caller: Principal,
    Json(named): Json<Channels>,
) -> Response {
    heard(sockets.subscribe(&caller.session(), &named.channels).await)
}

/// Makes the open classic WebSockets of the caller's login hear these channels no more.
#[utoipa::path(post, path = "/api/ws/unsubscribe", tag = "classic", request_body = Channels,
    responses(
        (status = 200, description = "what they hear now", body = Channels),
        (status = 403, description = "`topic.forbidden`: no such channel"),
        (status = 409, description = "`websocket.not_open`"),
        (status = 422, description = "`topics.too_many`"),
    ))]
async fn unsubscribe(
    Held(sockets): Held<Arc<Sockets>>,
    caller: Principal,
    Json(named): Json<Channels>,
) -> Response {
    heard(sockets.unsubscribe(&caller.session(), &named.channels).await)
}

fn heard(topics: Result<BTreeSet<Topic>, Problem>) -> Response {
    match topics {
        Ok(topics) => Json(Channels { channels: topics.iter().map(Topic::to_string).collect() })
            .into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// One action, as the reader's pages tell it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClassicAction)]
struct Told {
    /// The session's own person; another's is refused.
    user_id: Option<PersonId>,
    event_type: String,
    book_id: Option<String>,
    content: Option<String>,
    #[schema(value_type = Option<Object>)]
    context: Option<Map<String, Value>>,
}

/// Tells what the caller did: one action.
#[utoipa::path(post, path = "/api/activity/track", tag = "classic", request_body = Told,
    responses((status = 202, body = Accepted),
        (status = 403, description = "`activity.other_person`")))]
async fn track(
    State(app): State<App>,
    who: SignedIn,
    act: Act<Told>,
) -> Result<(StatusCode, Json<Accepted>)> {
    let Told { user_id, event_type, book_id, content, context } = act.body;
    let action = Action { event_type, book_id, content, context, at: None, id: None, user_id };
    let action = tracking::checked(&who, &action)?;
    tracking::keep(app, who, act.once, vec![action]).await
}

/// Says that the server is there.
#[utoipa::path(get, path = "/health", tag = "classic",
    responses((status = 200, description = "alive", body = Health)))]
async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}
