//! How a stream opens, whatever carries it: who may hear what at this moment, and from where on.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use rusqlite::Connection;
use serde::Deserialize;

use super::held::Held;
use super::listen::Peer;
use super::signed_in::Principal;
use super::streams::Streams;
use crate::app::App;
use crate::base::{Error, Result, Timestamp};
use crate::domain::devices;
use crate::domain::people::sessions;
use crate::domain::rooms::scope;
use crate::event::{Cursor, Topic};
use crate::live::feed::{Opening, Start};
use crate::live::{Feed, Holder};

/// How often opening is tried when rights change in the middle of it.
const OPENINGS_MAX: usize = 5;
/// How many topics a reader may name.
const TOPICS_MAX: usize = 200;

/// What a reader asks for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Topics by commas; without them, everything that the caller may hear.
    pub topics: Option<String>,
    /// The cursor of the snapshot that the reader starts from; a `Last-Event-ID` wins over it.
    pub after: Option<String>,
    /// A stream ticket, from a client that can send neither cookie nor header.
    #[expect(dead_code, reason = "read before the route, here only for the document")]
    ticket: Option<String>,
}

impl Ask {
    /// Returns what is asked for, from whatever the parameters are called.
    pub fn new(topics: Option<String>, after: Option<String>) -> Ask {
        Ask { topics, after, ticket: None }
    }
}

/// What a request for an event stream is answered, on every path that has one.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "for the document: the answers are made where they are known")]
pub enum EventStream {
    /// frames, for as long as the caller reads
    #[response(status = 200, content_type = "text/event-stream")]
    Frames(String),
    /// `topic.forbidden`
    #[response(status = 403)]
    Forbidden,
    /// `streams.full`
    #[response(status = 503)]
    Full,
}

/// What a handshake for a WebSocket is answered, on every path that has one.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "for the document: the answers are made where they are known")]
pub enum OpenSocket {
    /// frames as JSON texts, for as long as the socket is open
    #[response(status = 101)]
    Frames,
    /// `websocket.key`
    #[response(status = 400)]
    NoKey,
    /// `topic.forbidden`, `origin.foreign`
    #[response(status = 403)]
    Forbidden,
    /// no WebSocket, or another version of the protocol
    #[response(status = 426)]
    NotSpoken,
    /// `streams.full`
    #[response(status = 503)]
    Full,
}

/// Who asks for a stream, and what all streams share.
pub struct Caller {
    pub app: App,
    pub streams: Arc<Streams>,
    pub principal: Principal,
    /// The other end of the socket; none where no socket can be had.
    pub peer: Option<Peer>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Caller> {
        let principal = Principal::from_request_parts(parts, app).await?;
        let shared = &parts.extensions;
        Ok(Caller {
            app: app.clone(),
            streams: Held::of(shared)?,
            principal,
            peer: shared.get::<Peer>().copied(),
        })
    }
}

/// Reads the topics that are asked for; the error is the first that is none.
pub fn wanted(text: &str) -> Result<Vec<Topic>, String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let topics = names.map(|name| name.parse().map_err(|_| name.chars().take(64).collect()));
    topics.take(TOPICS_MAX).collect()
}

/// Returns where the reader starts. The header wins, since the browser keeps it newer.
pub fn start(headers: &HeaderMap, after: Option<&str>) -> Start {
    let header = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    match header.or(after) {
        None => Start::Now,
        Some(text) => Cursor::parse(text).map_or(Start::Garbage, Start::After),
    }
}

/// A stream that is ready to flow.
pub struct Opened {
    pub feed: Feed,
    pub opening: Opening,
    pub topics: Vec<Topic>,
}

/// Opens the feed with the rights of this moment; the error is a topic that the caller may not
/// hear. When somebody's rights changed between reading and opening, it is done once more.
pub async fn open(
    app: &App,
    principal: &Principal,
    holder: &Holder,
    wanted: Option<&[Topic]>,
    start: &Start,
) -> Result<Result<Opened, Topic>> {
    for _ in 0..OPENINGS_MAX {
        let cuts = app.hub.cuts();
        let (caller, now, asked) = (principal.clone(), app.clock.now(), wanted.map(<[_]>::to_vec));
        let topics = match app.read(move |conn| topics(conn, &caller, asked, now)).await? {
            Ok(topics) => topics,
            Err(foreign) => return Ok(Err(foreign)),
        };
        let (hub, replay, holder) = (&app.hub, &app.replay, holder.clone());
        let (feed, opening) =
            Feed::open(hub, replay, topics.clone(), holder, start.clone()).await?;
        if hub.cuts() == cuts {
            return Ok(Ok(Opened { feed, opening, topics }));
        }
    }
    Err(Error::Busy)
}

/// Returns the topics of a stream: those that are wanted, if the caller may hear them all, or
/// everything that the caller may hear.
fn topics(
    conn: &Connection,
    caller: &Principal,
    wanted: Option<Vec<Topic>>,
    now: Timestamp,
) -> Result<Result<Vec<Topic>, Topic>> {
    let (all, foreign) = match caller {
        Principal::Person(who) => {
            // The login may have ended since the request came in.
            let sessions = sessions::of(conn, who.person, now)?;
            if sessions.iter().all(|session| session.public_id != who.session) {
                return Err(Error::SignedOut);
            }
            let scope = scope::of(conn, who.person, who.role, now)?;
            let foreign = wanted.iter().flatten().find(|topic| !scope.may_hear(**topic)).copied();
            (scope.topics(), foreign)
        }
        Principal::Display(screen) => {
            if !devices::queries::shows(conn, screen.display)? {
                return Err(Error::SignedOut);
            }
            let mut wanted = wanted.iter().flatten();
            let foreign = wanted.find(|topic| !scope::display_may_hear(**topic)).copied();
            (scope::display_topics(), foreign)
        }
        Principal::Device(_) | Principal::Operator => return Err(Error::Forbidden("access.role")),
    };
    Ok(match (foreign, wanted) {
        (Some(foreign), _) => Err(foreign),
        (None, wanted) => Ok(wanted.unwrap_or(all)),
    })
}
