//! WebSocket (RFC 6455): the same feed as the event stream, with commands.
//!
//! The socket is taken over from the HTTP server as an event stream's is. A
//! client may subscribe and unsubscribe while it is open; whatever it is sent
//! is in commit order, without gap or repeat.

mod command;
pub mod decode;
pub mod encode;
mod session;
pub mod sockets;
mod subscribing;
mod utf8;
mod writing;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest, Sha1};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::session::Session;
use self::sockets::Sockets;
use super::access::{Who, may};
use super::agent::device_kind;
use super::conn::Takeover;
use super::dialect::Dialect;
use super::extract::Query;
use super::opening::{self, Ask, Caller, OpenSocket};
use super::problem::Problem;
use super::sse;
use crate::app::App;
use crate::base::Result;

/// What a server mixes into the client's key (RFC 6455 1.3).
const KEY_SALT: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Bytes of an open socket's task, at the most: with what the runtime adds it fits into a cell of
/// [`crate::memory`]. One wide future more in its loop, and each socket takes several times that.
const SESSION_MAX: usize = 1792;

/// Returns the route of the WebSocket.
pub fn routes() -> OpenApiRouter<App> {
    let follow = OpenApiRouter::new().routes(may(Who::PEOPLE | Who::DISPLAY, routes!(follow)));
    sse::redeeming("ticket", follow)
}

/// Follows what happens over a WebSocket, with commands to subscribe and unsubscribe.
#[utoipa::path(get, path = "/api/v1/ws", params(Ask), responses(OpenSocket), tag = "live")]
async fn follow(caller: Caller, headers: HeaderMap, Query(ask): Query<Ask>) -> Result<Response> {
    socket(caller, &headers, &ask, Dialect::Canonical, None).await
}

/// Opens a WebSocket; one of `known` takes orders by requests of its login session too.
pub async fn socket(
    caller: Caller,
    headers: &HeaderMap,
    ask: &Ask,
    dialect: Dialect,
    known: Option<&Arc<Sockets>>,
) -> Result<Response> {
    let Caller { app, streams, principal, method, peer } = caller;
    let accept = match accept(&method, headers) {
        Ok(accept) => accept,
        Err(problem) => return Ok(problem.into_response()),
    };
    let wanted = match ask.wanted() {
        Ok(wanted) => wanted,
        Err(refused) => return Ok(refused.into_response()),
    };
    let Some(peer) = peer else {
        return Ok(Problem::new(StatusCode::NOT_IMPLEMENTED, "websocket.no_socket").into_response());
    };
    let device = device_kind(headers);
    let holder = principal.holder(dialect.over_websocket(), device, app.clock.now());
    let Some(seat) = streams.sit(holder.person, Some(peer.remote.ip())) else {
        return Ok(sse::full());
    };
    let start = opening::start(&HeaderMap::new(), ask.after.as_deref());
    let opened = match opening::open(&app, &principal, &holder, wanted.as_deref(), &start).await? {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.into_response()),
    };
    let orders = known.map(|sockets| sockets.orders(holder.session.clone()));
    Ok(switch(
        &accept,
        Session::new(app, principal, holder, opened, seat).speaking(dialect, orders),
    ))
}

fn switch(accept: &str, session: Session) -> Response {
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (
            HeaderName::from_static("sec-websocket-accept"),
            HeaderValue::from_str(accept).unwrap_or(HeaderValue::from_static("")),
        ),
    ];
    let mut response = (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response();
    response.extensions_mut().insert(Takeover::new(move |taken| {
        let serve = session.run(taken);
        debug_assert!(size_of_val(&serve) <= SESSION_MAX, "{}", size_of_val(&serve));
        tokio::spawn(serve);
    }));
    response
}

/// Checks the opening handshake (RFC 6455 4.2.1) and returns its answer's key. The guard checks
/// the origin of writes; a WebSocket opens by a GET, so its origin is checked here.
fn accept(method: &Method, headers: &HeaderMap) -> Result<String, Problem> {
    let has = |name: HeaderName, word: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let upgrades = has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket");
    if method != Method::GET || !upgrades {
        return Err(Problem::new(StatusCode::UPGRADE_REQUIRED, "websocket.upgrade")
            .because("this address speaks WebSocket only")
            .with_header(header::UPGRADE, "websocket"));
    }
    super::guard::check_origin(headers, host(headers).as_ref())?;
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(Problem::new(StatusCode::UPGRADE_REQUIRED, "websocket.version")
            .because("only version 13 is spoken here")
            .with_header(header::SEC_WEBSOCKET_VERSION, "13"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok());
    let key = key.filter(|key| BASE64.decode(key).is_ok_and(|bytes| bytes.len() == 16));
    let Some(key) = key else {
        return Err(Problem::malformed("websocket.key", "Sec-WebSocket-Key must be 16 bytes"));
    };
    Ok(accept_key(key))
}

/// Returns the key that proves to a client that its handshake was understood.
pub fn accept_key(key: &str) -> String {
    BASE64.encode(Sha1::digest(format!("{key}{KEY_SALT}")))
}

fn host(headers: &HeaderMap) -> Option<axum::http::uri::Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}
