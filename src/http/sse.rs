//! The event stream: `GET /events`, and tickets for it.
//!
//! Who may hear what is decided when the stream opens, by the one scope of the house, and again
//! when rights change: the stream ends with a goodbye and the browser comes back by itself. A
//! reader's place is the log position that it names (`Last-Event-ID`, or `after`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::agent::device_kind;
use super::conn::{Taken, Takeover};
use super::dialect::Dialect;
use super::extract::{Json, Query};
use super::held::Held;
use super::opening::{Ask, Caller, EventStream, Opened, open, start};
use super::outlet::{BodyOutlet, SocketOutlet, Source, between};
use super::problem::Problem;
use super::signed_in::{Principal, SignedIn};
use super::streams::{Streams, TICKET_LIFE};
use crate::app::App;
use crate::base::{Error, Result, Timestamp};

/// Where streams are opened.
pub const PATH: &str = "/api/v1/events";

/// Returns the routes of event streams.
pub fn routes() -> OpenApiRouter<App> {
    let follow = OpenApiRouter::new().routes(may(Who::PEOPLE | Who::DISPLAY, routes!(follow)));
    let follow = redeeming("ticket", follow);
    OpenApiRouter::new().merge(follow).routes(may(Who::PEOPLE, routes!(ticket)))
}

/// Follows what happens, from a position on.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    params(Ask, ("Last-Event-ID" = Option<String>, Header, description = "where the reader stopped")),
    responses(EventStream),
    tag = "live"
)]
async fn follow(caller: Caller, headers: HeaderMap, Query(ask): Query<Ask>) -> Result<Response> {
    stream(caller, &headers, &ask, Dialect::Canonical).await
}

/// Opens an event stream.
pub async fn stream(
    caller: Caller,
    headers: &HeaderMap,
    ask: &Ask,
    dialect: Dialect,
) -> Result<Response> {
    let Caller { app, streams, principal, method, peer } = caller;
    let wanted = match ask.wanted() {
        Ok(wanted) => wanted,
        Err(refused) => return Ok(refused.into_response()),
    };
    let now = app.clock.now();
    if method == Method::HEAD {
        return Ok(head(now));
    }
    let address = peer.map(|peer| peer.remote.ip());
    let Some(seat) = streams.sit(principal.person(), address) else { return Ok(full()) };
    let holder = principal.holder(dialect.over_http(), device_kind(headers), now);
    let start = start(headers, ask.after.as_deref());
    let opened = match open(&app, &principal, &holder, wanted.as_deref(), &start).await? {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.into_response()),
    };
    let first = first_frames(dialect, &opened, now);
    Ok(answer(Source::new(opened.feed, dialect, first, seat), now, peer.is_some()))
}

/// A ticket for one stream.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Ticket {
    ticket: String,
    expires_in_s: u64,
}

/// Gives out a ticket that opens one stream as the caller, once, within half a minute.
#[utoipa::path(
    post,
    path = "/api/v1/stream-tickets",
    responses((status = 201, description = "the ticket", body = Ticket)),
    tag = "live"
)]
async fn ticket(
    Held(streams): Held<Arc<Streams>>,
    who: SignedIn,
) -> Result<(StatusCode, Json<Ticket>)> {
    let ticket = streams.ticket(who)?;
    Ok((StatusCode::CREATED, Json(Ticket { ticket, expires_in_s: TICKET_LIFE.as_secs() })))
}

/// Lets callers of these routes come by a stream ticket too, as this field of the query.
pub fn redeeming(field: &'static str, routes: OpenApiRouter<App>) -> OpenApiRouter<App> {
    routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        redeem(field, request, next)
    }))
}

/// Lets a ticket stand for its owner.
async fn redeem(field: &str, mut request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let mut fields = query.split('&').filter_map(|pair| pair.split_once('='));
    let ticket = fields.find_map(|(name, ticket)| (name == field).then_some(ticket));
    if let Some(ticket) = ticket {
        let streams = Held::<Arc<Streams>>::of(request.extensions());
        match streams.ok().and_then(|streams| streams.redeem(ticket)) {
            Some(who) => request.extensions_mut().insert(Principal::Person(who)),
            None => return Error::SignedOut.into_response(),
        };
    }
    next.run(request).await
}

/// Encodes what every stream begins with: when to come back, and where it stands.
fn first_frames(dialect: Dialect, opened: &Opened, now: Timestamp) -> Bytes {
    let mut bytes = format!("retry: {}\n", between(1000, 3000)).into_bytes();
    let cursor = opened.feed.cursor();
    for text in dialect.greeting(&opened.topics, &cursor, opened.opening, now) {
        bytes.extend_from_slice(text.sse());
    }
    bytes.into()
}

/// Returns the head of a stream's answer.
fn head(now: Timestamp) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let mut response = (headers, Body::empty()).into_response();
    // hyper, which adds the date elsewhere, never sees a taken-over answer.
    let moment = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&moment);
    if let Some(date) = date.ok().and_then(|date| HeaderValue::from_str(&date).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// Returns an answer that flows: over its own socket where that can be had.
fn answer(source: Source, now: Timestamp, on_wire: bool) -> Response {
    let mut response = head(now);
    if on_wire {
        response.extensions_mut().insert(Takeover::new(move |taken| {
            let Taken { socket, head, permit, .. } = taken;
            tokio::spawn(SocketOutlet::new(source.after(&head), socket, permit));
        }));
    } else {
        *response.body_mut() = Body::new(BodyOutlet(source));
    }
    response
}

/// Refuses a stream too many.
pub fn full() -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "streams.full")
        .because("too many streams are open")
        .after(between(5, 20))
        .into_response()
}
