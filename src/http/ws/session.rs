//! One open WebSocket: commands in, pings between; what goes out is written in [`super::writing`].

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;

use super::command::{self, Answer, Refusal};
use super::decode::{Breach, Decoder, Incoming, Limits};
use super::encode;
use super::sockets::{Order, Orders};
use crate::app::App;
use crate::event::Topic;
use crate::http::conn::Taken;
use crate::http::dialect::Dialect;
use crate::http::line::{Form, Line};
use crate::http::opening::Opened;
use crate::http::signed_in::Principal;
use crate::http::streams::Seat;
use crate::live::feed::{Next, Opening};
use crate::live::metrics::Ending;
use crate::live::{Feed, Holder};

/// Commands are small; a document's text comes by HTTP.
const LIMITS: Limits = Limits { message: 64 * 1024, fragments: 1024 };
/// How often a silent client is asked whether it is there; two unanswered end it.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How many commands in a row may be wrong.
const WRONG_MAX: u32 = 20;
/// How many pings of a client are answered between two of ours.
const PINGS_MAX: u32 = 200;
/// What is read at once; commands are short.
pub(super) const READ_MAX: usize = 1024;

/// An open WebSocket and its place in the stream of events.
pub struct Session {
    pub(super) app: App,
    pub(super) principal: Principal,
    pub(super) holder: Holder,
    pub(super) feed: Feed,
    pub(super) opening: Opening,
    /// What is heard, each from the event after this position on.
    pub(super) topics: BTreeMap<Topic, i64>,
    wrong: u32,
    /// Pings of the client since our last.
    pings: u32,
    pub(super) seat: Seat,
    pub(super) dialect: Dialect,
    /// Orders from outside, for a socket that takes them.
    orders: Option<Orders>,
}

/// Why a session ends.
pub(super) enum End {
    /// Say so with this code; the client may come back.
    Close(Option<u16>, &'static str),
    /// The client is gone, or does not take what waits for it.
    Gone,
}

impl Session {
    /// Returns a session that goes on where the stream was opened.
    pub fn new(
        app: App,
        principal: Principal,
        holder: Holder,
        opened: Opened,
        seat: Seat,
    ) -> Session {
        let Opened { feed, opening, topics } = opened;
        let since = feed.cursor().seq;
        let topics = topics.into_iter().map(|topic| (topic, since)).collect();
        let (dialect, orders) = (Dialect::Canonical, None);
        let (wrong, pings) = (0, 0);
        Session {
            app,
            principal,
            holder,
            feed,
            opening,
            topics,
            wrong,
            pings,
            seat,
            dialect,
            orders,
        }
    }

    /// Makes the session speak another dialect, and take orders from outside.
    pub(super) fn speaking(mut self, dialect: Dialect, orders: Option<Orders>) -> Session {
        (self.dialect, self.orders) = (dialect, orders);
        self
    }

    /// Serves the socket to its end. What happens seldom is put into a box of its own meanwhile:
    /// else each socket would hold the room for it for as long as it is open.
    pub async fn run(mut self, taken: Taken) {
        let Taken { socket, head, unread, permit } = taken;
        let line = Line::new(socket, Form::Messages, self.dialect, permit);
        self.feed.rest_in(line.clone());
        let end = match self.talk(&line, head, unread).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        if let End::Close(code, reason) = end {
            Box::pin(self.say_goodbye(&line, code, reason)).await;
        }
    }

    async fn talk(
        &mut self,
        line: &Arc<Line>,
        head: Bytes,
        unread: Bytes,
    ) -> Result<Infallible, End> {
        let mut decoder = Decoder::new(LIMITS);
        Box::pin(self.begin(line, &mut decoder, head, unread)).await?;
        let mut silent = 0;
        let mut next_ping = Instant::now() + PING_EVERY;
        loop {
            tokio::select! {
                ready = line.socket.readable() => {
                    ready.map_err(|error| self.lost(&error))?;
                    silent = 0;
                    Box::pin(self.read(line, &mut decoder)).await?;
                }
                next = self.feed.next() => self.pass_on(line, next).await?,
                order = Orders::next(&mut self.orders) => Box::pin(self.take(line, order)).await?,
                () = tokio::time::sleep_until(next_ping) => {
                    next_ping = Instant::now() + PING_EVERY;
                    self.pings = 0;
                    silent += 1;
                    if silent > 2 {
                        self.feed.ended_by(Ending::Silent);
                        return Err(End::Gone);
                    }
                    self.write(line, &encode::ping()).await?;
                }
            }
        }
    }

    async fn begin(
        &mut self,
        line: &Arc<Line>,
        decoder: &mut Decoder,
        head: Bytes,
        unread: Bytes,
    ) -> Result<(), End> {
        self.write(line, &head).await?;
        self.greet(line).await?;
        self.hear(line, decoder, &unread).await
    }

    /// Takes in what has come, if anything has.
    async fn read(&mut self, line: &Arc<Line>, decoder: &mut Decoder) -> Result<(), End> {
        let mut bytes = [0; READ_MAX];
        match line.socket.try_read(&mut bytes) {
            Ok(0) => Err(End::Gone),
            Ok(read) => self.hear(line, decoder, bytes.get(..read).unwrap_or_default()).await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(self.lost(&error)),
        }
    }

    /// Passes on what the feed has next.
    pub(super) async fn pass_on(
        &mut self,
        line: &Arc<Line>,
        next: crate::base::Result<Next>,
    ) -> Result<(), End> {
        match next {
            Ok(Next::Frames(frames)) => {
                let begun = self.feed.begun();
                self.write_frames(line, &frames, begun).await
            }
            Ok(Next::Ended(reason)) => {
                self.feed.ended_by(Ending::of(reason));
                Err(Box::pin(self.last_words(line, reason)).await)
            }
            Err(error) => {
                tracing::error!(error = error.chain(), "a stream could not read the log");
                self.feed.ended_by(Ending::Failed);
                Err(End::Close(Some(1011), "try again"))
            }
        }
    }

    /// Does what an order from outside asks for.
    async fn take(&mut self, line: &Arc<Line>, order: Order) -> Result<(), End> {
        let Order { command, done } = order;
        let answer =
            self.do_command(line, command).await?.map(|_| self.topics.keys().copied().collect());
        // Who asked may have gone meanwhile.
        let _ = done.send(answer);
        Ok(())
    }

    /// Takes note that the connection is lost.
    pub(super) fn lost(&self, error: &io::Error) -> End {
        // By us or, for too long, by the kernel.
        if error.kind() == io::ErrorKind::TimedOut {
            self.feed.ended_by(Ending::Stalled);
        }
        End::Gone
    }

    /// Takes in what the client has sent.
    async fn hear(
        &mut self,
        line: &Arc<Line>,
        decoder: &mut Decoder,
        mut bytes: &[u8],
    ) -> Result<(), End> {
        while let Some(message) = self.decoded(decoder, &mut bytes)? {
            match message {
                Incoming::Text(text) => self.obey(line, &text).await?,
                Incoming::Binary(_) => {
                    self.feed.ended_by(Ending::Breach);
                    return Err(End::Close(Some(1003), "only text is read here"));
                }
                Incoming::Ping(payload) => {
                    self.pings += 1;
                    if self.pings > PINGS_MAX {
                        self.feed.ended_by(Ending::Breach);
                        return Err(End::Close(Some(1008), "too many pings"));
                    }
                    self.write(line, &encode::pong(&payload)).await?;
                }
                Incoming::Pong => (),
                Incoming::Close(code) => return Err(End::Close(code, "")),
            }
        }
        Ok(())
    }

    /// Takes the next whole message off `bytes`; a breach of the protocol ends the session.
    fn decoded(&self, decoder: &mut Decoder, bytes: &mut &[u8]) -> Result<Option<Incoming>, End> {
        decoder.take(bytes).map_err(|Breach { code, reason }| {
            self.feed.ended_by(Ending::Breach);
            End::Close(Some(code), reason)
        })
    }

    async fn obey(&mut self, line: &Arc<Line>, text: &str) -> Result<(), End> {
        let (reference, done) = match command::parse(text) {
            Ok(mut command) => {
                let reference = command.reference.take();
                (reference, self.do_command(line, command).await?)
            }
            Err((reference, refusal)) => (reference, Err(refusal)),
        };
        let answer = match done {
            Ok(kind) => {
                self.wrong = 0;
                let topics: Vec<_> = self.topics.keys().copied().collect();
                let cursor = Some(self.feed.cursor());
                let reference = reference.as_ref();
                let topics = Some(&topics[..]);
                json!(Answer {
                    kind,
                    reference,
                    ok: true,
                    topics,
                    cursor,
                    code: None,
                    detail: None
                })
            }
            Err(Refusal { code, detail }) => {
                self.wrong += 1;
                if self.wrong >= WRONG_MAX {
                    self.feed.ended_by(Ending::Breach);
                    return Err(End::Close(Some(1008), "too many wrong commands"));
                }
                let reference = reference.as_ref();
                let (code, detail) = (Some(code), Some(detail));
                json!(Answer {
                    kind: "error",
                    reference,
                    ok: false,
                    topics: None,
                    cursor: None,
                    code,
                    detail,
                })
            }
        };
        self.write(line, &encode::message(answer.to_string().as_bytes())).await
    }
}
