//! How a stream opens, whatever carries it: who may hear what at this moment, and from where on.
//!
//! A stream goes back no further than the house's own day. What was before is read where reading it
//! is written down; a live board is of today, and whoever was away longer reads its snapshot anew.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;
use serde::Deserialize;

use super::held::Held;
use super::listen::Peer;
use super::problem::Problem;
use super::signed_in::Principal;
use super::streams::Streams;
use crate::app::App;
use crate::base::{Error, Result, Timestamp};
use crate::domain::people::sessions;
use crate::domain::rooms::{self, scope};
use crate::domain::{devices, house};
use crate::event::{Cursor, Topic};
use crate::live::feed::{Opening, Start};
use crate::live::{Feed, Holder};

/// How often opening is tried when rights change in the middle of it.
const OPENINGS_MAX: usize = 5;
/// How many topics one stream may have.
pub const TOPICS_MAX: usize = 200;

/// What a reader asks for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
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
    /// `GET`, or the same without what is to flow.
    pub method: Method,
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
            method: parts.method.clone(),
            peer: shared.get::<Peer>().copied(),
        })
    }
}

/// Why somebody does not get the topics that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// This one the caller may not hear, or there is none of this name.
    Topic(String),
    /// They are more than [`TOPICS_MAX`].
    TooMany,
}

impl Refused {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::Topic(_) => "topic.forbidden",
            Refused::TooMany => "topics.too_many",
        }
    }

    /// Returns the reason in words.
    pub fn words(&self) -> String {
        match self {
            Refused::Topic(topic) => format!("the topic {topic} is not for you to hear"),
            Refused::TooMany => format!("a stream has at most {TOPICS_MAX} topics"),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Refused::Topic(_) => StatusCode::FORBIDDEN,
            Refused::TooMany => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let problem = Problem::new(status, self.code()).because(self.words());
        problem.in_field("topics").into_response()
    }
}

impl Ask {
    /// Reads the topics that are asked for; none when nothing in particular is.
    pub fn wanted(&self) -> Result<Option<Vec<Topic>>, Refused> {
        let names = self.topics.iter().flat_map(|topics| topics.split(','));
        let topics = wanted(names)?;
        Ok(Some(topics).filter(|topics| !topics.is_empty()))
    }
}

/// Reads the names of topics, each once; empty ones do not count.
pub fn wanted<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<Topic>, Refused> {
    let mut topics = Vec::new();
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let unknown = |_| Refused::Topic(name.chars().take(64).collect());
        let topic = name.parse().map_err(unknown)?;
        if !topics.contains(&topic) {
            topics.push(topic);
        }
        if topics.len() > TOPICS_MAX {
            return Err(Refused::TooMany);
        }
    }
    Ok(topics)
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

/// Opens the feed with the rights of this moment, unless they do not reach that far. When somebody's
/// rights changed between reading and opening, it is done once more.
pub async fn open(
    app: &App,
    principal: &Principal,
    holder: &Holder,
    wanted: Option<&[Topic]>,
    start: &Start,
) -> Result<Result<Opened, Refused>> {
    open_from(app, principal, holder, wanted, start, false).await
}

/// Opens a feed that goes on where another of the same reader stands, from whatever day that is.
pub async fn go_on(
    app: &App,
    principal: &Principal,
    holder: &Holder,
    wanted: &[Topic],
    from: Cursor,
) -> Result<Result<Opened, Refused>> {
    open_from(app, principal, holder, Some(wanted), &Start::After(from), true).await
}

async fn open_from(
    app: &App,
    principal: &Principal,
    holder: &Holder,
    wanted: Option<&[Topic]>,
    start: &Start,
    goes_on: bool,
) -> Result<Result<Opened, Refused>> {
    for _ in 0..OPENINGS_MAX {
        let cuts = app.hub.cuts();
        let (caller, now, asked) = (principal.clone(), app.clock.now(), wanted.map(<[_]>::to_vec));
        let rights = app.read(move |conn| {
            Ok((topics(conn, &caller, asked, now)?, house::queries::day_begins(conn, now)?))
        });
        let (topics, today) = match rights.await? {
            (Ok(topics), today) => (topics, today),
            (Err(refused), _) => {
                // A name that there is not is a slip; this one has its hearers.
                tracing::info!(
                    person.id = holder.person.map(tracing::field::display),
                    session.id = holder.session,
                    reason = refused.words(),
                    "a topic was refused"
                );
                return Ok(Err(refused));
            }
        };
        let start = if goes_on { start.clone() } else { of_today(app, start, today).await? };
        let (hub, replay, holder) = (&app.hub, &app.replay, holder.clone());
        let (feed, opening) = Feed::open(hub, replay, topics.clone(), holder, start).await?;
        if hub.cuts() == cuts {
            return Ok(Ok(Opened { feed, opening, topics }));
        }
    }
    Err(Error::Busy)
}

/// Returns the start, if nothing lies behind it that happened before `today` began.
async fn of_today(app: &App, start: &Start, today: Timestamp) -> Result<Start> {
    let Start::After(cursor) = start else { return Ok(start.clone()) };
    let ours = cursor.epoch == *app.hub.epoch();
    let old = ours && cursor.seq < app.replay.last_before(today).await?;
    Ok(if old { Start::TooOld } else { start.clone() })
}

/// Returns the topics of a stream: those that are wanted, if the caller may hear them all, or
/// everything that the caller may hear.
fn topics(
    conn: &Connection,
    caller: &Principal,
    wanted: Option<Vec<Topic>>,
    now: Timestamp,
) -> Result<Result<Vec<Topic>, Refused>> {
    let (all, foreign) = match caller {
        Principal::Person(who) => {
            // The login may have ended since the request came in, or the ticket was given out, and
            // the role may be another.
            let open = sessions::named(conn, who.person, &who.session, now)?;
            let role = open.ok_or(Error::SignedOut)?.role;
            let scope = scope::of(conn, who.person, role, now)?;
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
    let foreign = match foreign {
        None => unknown_room(conn, wanted.iter().flatten())?,
        foreign => foreign,
    };
    Ok(match (foreign, wanted) {
        (Some(foreign), _) => Err(Refused::Topic(foreign.to_string())),
        (None, wanted) => Ok(wanted.unwrap_or(all)),
    })
}

/// Returns the first topic of a room that there is not: whoever follows it would wait for ever.
fn unknown_room<'a>(
    conn: &Connection,
    topics: impl Iterator<Item = &'a Topic>,
) -> Result<Option<Topic>> {
    let wanted: Vec<Topic> =
        topics.copied().filter(|topic| matches!(topic, Topic::Room(_))).collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let rooms = rooms::queries::rooms(conn)?;
    let known: HashSet<Topic> = rooms.into_iter().map(|room| Topic::Room(room.id)).collect();
    Ok(wanted.into_iter().find(|topic| !known.contains(topic)))
}
