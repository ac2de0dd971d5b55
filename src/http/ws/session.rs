//! One open WebSocket: frames out, commands in, pings between.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use super::command::{self, Answer, Refusal};
use super::decode::{Breach, Decoder, Incoming, Limits};
use super::encode;
use super::sockets::{Line, Order};
use crate::app::App;
use crate::event::Topic;
use crate::event::wire::{Frame, Text};
use crate::http::conn::{Socket, Taken};
use crate::http::dialect::Dialect;
use crate::http::opening::Opened;
use crate::http::outlet::{retry_ms, was_cut_off};
use crate::http::signed_in::Principal;
use crate::http::streams::Seat;
use crate::live::feed::{Next, Opening};
use crate::live::hub::SHUTDOWN;
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
/// How long the client's own close is waited for after ours.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// What is read at once; commands are short.
const READ_MAX: usize = 1024;

/// An open WebSocket and its place in the stream of events.
pub struct Session {
    pub(super) app: App,
    pub(super) principal: Principal,
    pub(super) holder: Holder,
    pub(super) feed: Feed,
    opening: Opening,
    pub(super) topics: BTreeSet<Topic>,
    wrong: u32,
    /// Pings of the client since our last.
    pings: u32,
    seat: Seat,
    dialect: Dialect,
    /// By which orders come from outside, to a socket that takes them.
    line: Option<Line>,
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
        let topics = topics.into_iter().collect();
        let (dialect, line) = (Dialect::Canonical, None);
        let (wrong, pings) = (0, 0);
        Session { app, principal, holder, feed, opening, topics, wrong, pings, seat, dialect, line }
    }

    /// Makes the session speak another dialect, and take orders by `line`.
    pub(super) fn speaking(mut self, dialect: Dialect, line: Option<Line>) -> Session {
        (self.dialect, self.line) = (dialect, line);
        self
    }

    /// Serves the socket to its end. What happens seldom is put into a box of its own meanwhile:
    /// else each socket would hold the room for it for as long as it is open.
    pub async fn run(mut self, taken: Taken) {
        let Taken { mut socket, head, unread, permit } = taken;
        let end = match self.talk(&mut socket, head, unread).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        if let End::Close(code, reason) = end {
            Box::pin(say_goodbye(&mut socket, code, reason)).await;
        }
        drop(permit);
    }

    async fn talk(
        &mut self,
        socket: &mut Socket,
        head: Bytes,
        unread: Bytes,
    ) -> Result<Infallible, End> {
        let mut decoder = Decoder::new(LIMITS);
        Box::pin(self.begin(socket, &mut decoder, head, unread)).await?;
        let mut silent = 0;
        let mut next_ping = Instant::now() + PING_EVERY;
        loop {
            tokio::select! {
                ready = socket.readable() => {
                    ready.map_err(|error| self.lost(&error))?;
                    silent = 0;
                    Box::pin(self.read(socket, &mut decoder)).await?;
                }
                next = self.feed.next() => self.pass_on(socket, next).await?,
                order = Line::next(&mut self.line) => Box::pin(self.take(socket, order)).await?,
                () = tokio::time::sleep_until(next_ping) => {
                    next_ping = Instant::now() + PING_EVERY;
                    self.pings = 0;
                    silent += 1;
                    if silent > 2 {
                        self.feed.ended_by(Ending::Silent);
                        return Err(End::Gone);
                    }
                    self.write(socket, &encode::ping()).await?;
                }
            }
        }
    }

    async fn begin(
        &mut self,
        socket: &mut Socket,
        decoder: &mut Decoder,
        head: Bytes,
        unread: Bytes,
    ) -> Result<(), End> {
        self.write(socket, &head).await?;
        self.greet(socket).await?;
        self.hear(socket, decoder, &unread).await
    }

    /// Takes in what has come, if anything has.
    async fn read(&mut self, socket: &mut Socket, decoder: &mut Decoder) -> Result<(), End> {
        let mut bytes = [0; READ_MAX];
        match socket.try_read(&mut bytes) {
            Ok(0) => Err(End::Gone),
            Ok(read) => self.hear(socket, decoder, bytes.get(..read).unwrap_or_default()).await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(self.lost(&error)),
        }
    }

    /// Says what the stream holds, as an event stream's first frame does.
    async fn greet(&mut self, socket: &mut Socket) -> Result<(), End> {
        let topics: Vec<_> = self.topics.iter().copied().collect();
        let (cursor, now) = (self.feed.cursor(), self.app.clock.now());
        let greeting = self.dialect.greeting(&topics, &cursor, self.opening, now);
        self.say(socket, greeting.iter()).await
    }

    /// Says that snapshots must be read again.
    pub(super) async fn say_resync(
        &mut self,
        socket: &mut Socket,
        reason: &'static str,
    ) -> Result<(), End> {
        let resync = self.dialect.resync(&self.feed.cursor(), reason, self.app.clock.now());
        self.say(socket, resync.iter()).await
    }

    /// Says these, each in a message of its own.
    async fn say(
        &mut self,
        socket: &mut Socket,
        texts: impl Iterator<Item = &Text> + Clone,
    ) -> Result<(), End> {
        let mut bytes = Vec::with_capacity(texts.clone().map(|text| text.sse().len()).sum());
        for text in texts {
            let json = text.json();
            bytes.extend_from_slice(&encode::text_head(json.len()));
            bytes.extend_from_slice(&json);
        }
        self.write(socket, &bytes).await
    }

    async fn pass_on(
        &mut self,
        socket: &mut Socket,
        next: crate::base::Result<Next>,
    ) -> Result<(), End> {
        match next {
            Ok(Next::Frames(frames)) => self.write_frames(socket, &frames).await,
            Ok(Next::Ended(reason)) => {
                self.feed.ended_by(Ending::of(reason));
                Err(Box::pin(self.last_words(socket, reason)).await)
            }
            Err(error) => {
                tracing::error!(error = %error, "a stream could not read the log");
                self.feed.ended_by(Ending::Failed);
                Err(End::Close(Some(1011), "try again"))
            }
        }
    }

    /// Says why it ends, and when to come back. Whose rights have ended is not waited for.
    async fn last_words(&mut self, socket: &mut Socket, reason: &'static str) -> End {
        let bye = self.dialect.goodbye(reason, retry_ms(reason), self.app.clock.now());
        let bye = bye.map(|text| encode::message(&text.json())).unwrap_or_default();
        match timeout(CLOSE_WAIT, socket.write_all(&bye)).await {
            Ok(Ok(())) => End::Close(Some(1001), reason),
            _ => End::Gone,
        }
    }

    /// Writes frames, each as a message; a sign of life may have none.
    pub(super) async fn write_frames(
        &mut self,
        socket: &mut Socket,
        frames: &[Arc<Frame>],
    ) -> Result<(), End> {
        let dialect = self.dialect;
        let texts = frames.iter().filter_map(|frame| dialect.text(frame));
        self.say(socket, texts.filter(|text| !text.json().is_empty())).await
    }

    /// Does what an order from outside asks for.
    async fn take(&mut self, socket: &mut Socket, order: Order) -> Result<(), End> {
        let Order { command, done } = order;
        let answer = self.do_command(socket, command).await?.map(|_| self.topics.clone());
        // Who asked may have gone meanwhile.
        let _ = done.send(answer);
        Ok(())
    }

    /// Writes all of `bytes`; a client that takes nothing for too long is gone, and so is one
    /// whose rights end meanwhile.
    async fn write(&mut self, socket: &mut Socket, bytes: &[u8]) -> Result<(), End> {
        let stall = Instant::now() + self.seat.streams().stall;
        let feed = &mut self.feed;
        let ended = std::future::poll_fn(move |cx| match feed.ended(cx, bytes.len()) {
            Some(reason) if reason != SHUTDOWN => Poll::Ready(reason),
            _ => Poll::Pending,
        });
        let written = tokio::select! {
            biased;
            written = timeout_at(stall, socket.write_all(bytes)) => {
                written.map_err(|_| Ending::Stalled)
            }
            reason = ended => Err(Ending::of(reason)),
        };
        match written {
            Ok(written) => written.map_err(|error| self.lost(&error)),
            Err(ending) => {
                self.feed.ended_by(ending);
                Err(End::Gone)
            }
        }
    }

    /// Takes note that the connection is lost.
    fn lost(&self, error: &io::Error) -> End {
        if was_cut_off(error) {
            self.feed.ended_by(Ending::Stalled);
        }
        End::Gone
    }

    /// Takes in what the client has sent.
    async fn hear(
        &mut self,
        socket: &mut Socket,
        decoder: &mut Decoder,
        mut bytes: &[u8],
    ) -> Result<(), End> {
        while let Some(message) = self.decoded(decoder, &mut bytes)? {
            match message {
                Incoming::Text(text) => self.obey(socket, &text).await?,
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
                    self.write(socket, &encode::pong(&payload)).await?;
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

    async fn obey(&mut self, socket: &mut Socket, text: &str) -> Result<(), End> {
        let (reference, done) = match command::parse(text) {
            Ok(mut command) => {
                let reference = command.reference.take();
                (reference, self.do_command(socket, command).await?)
            }
            Err((reference, refusal)) => (reference, Err(refusal)),
        };
        let answer = match done {
            Ok(kind) => {
                self.wrong = 0;
                let topics: Vec<_> = self.topics.iter().copied().collect();
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
        self.write(socket, &encode::message(answer.to_string().as_bytes())).await
    }
}

/// Says why it ends, and reads until the client has closed too, so that our last frame is not lost
/// with a reset.
async fn say_goodbye(socket: &mut Socket, code: Option<u16>, reason: &str) {
    let goodbye = encode::close(code, reason);
    if timeout(CLOSE_WAIT, socket.write_all(&goodbye)).await.is_err() {
        return;
    }
    let _ = socket.shutdown().await;
    let _ = timeout(CLOSE_WAIT, async {
        let mut bytes = [0; READ_MAX];
        while let Ok(1..) = socket.read(&mut bytes).await {}
    })
    .await;
}
