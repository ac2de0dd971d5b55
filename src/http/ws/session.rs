//! One open WebSocket: frames out, commands in, pings between.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use super::codec::{self, Breach, Decoder, Incoming, Limits};
use super::command::{self, Answer, Command, Op, Refusal};
use crate::app::App;
use crate::event::wire::{Frame, VERSION};
use crate::event::{Cursor, Topic};
use crate::http::conn::{Socket, Taken};
use crate::http::opening::{self, Opened};
use crate::http::signed_in::Principal;
use crate::http::streams::Seat;
use crate::live::Feed;
use crate::live::feed::{Next, Opening, Start};
use crate::live::hub::SHUTDOWN;
use crate::live::metrics::Metrics;

/// Commands are small; a document's text comes by HTTP.
const LIMITS: Limits = Limits { message: 64 * 1024, fragments: 1024 };
/// How often a silent client is asked whether it is there; two unanswered end it.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How many commands in a row may be wrong.
const WRONG_MAX: u32 = 20;
/// How long the client's own close is waited for after ours.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// What is read at once; commands are short.
const READ_MAX: usize = 1024;

/// An open WebSocket and its place in the stream of events.
pub struct Session {
    app: App,
    principal: Principal,
    feed: Feed,
    opening: Opening,
    topics: BTreeSet<Topic>,
    wrong: u32,
    seat: Seat,
}

/// Why a session ends.
enum End {
    /// Say so with this code; the client may come back.
    Close(Option<u16>, &'static str),
    /// The client is gone, or does not take what waits for it.
    Gone,
}

impl From<Breach> for End {
    fn from(breach: Breach) -> End {
        End::Close(Some(breach.code), breach.reason)
    }
}

impl From<std::io::Error> for End {
    fn from(_: std::io::Error) -> End {
        End::Gone
    }
}

impl Session {
    /// Returns a session that goes on where the stream was opened.
    pub fn new(app: App, principal: Principal, opened: Opened, seat: Seat) -> Session {
        let Opened { feed, opening, topics } = opened;
        let topics = topics.into_iter().collect();
        Session { app, principal, feed, opening, topics, wrong: 0, seat }
    }

    /// Serves the socket to its end.
    pub async fn run(mut self, taken: Taken) {
        let Taken { mut socket, head, unread, permit } = taken;
        let end = match self.talk(&mut socket, &head, &unread).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        if let End::Close(code, reason) = end {
            let goodbye = codec::close(code, reason);
            if timeout(CLOSE_WAIT, socket.write_all(&goodbye)).await.is_ok() {
                drain(&mut socket).await;
            }
        }
        drop(permit);
    }

    async fn talk(
        &mut self,
        socket: &mut Socket,
        head: &[u8],
        unread: &[u8],
    ) -> Result<std::convert::Infallible, End> {
        let mut decoder = Decoder::new(LIMITS);
        self.write(socket, head).await?;
        self.greet(socket).await?;
        self.hear(socket, &mut decoder, unread).await?;
        let mut silent = 0;
        let mut next_ping = Instant::now() + PING_EVERY;
        loop {
            let mut bytes = [0; READ_MAX];
            tokio::select! {
                read = socket.read(&mut bytes) => {
                    let read = read?;
                    if read == 0 {
                        return Err(End::Gone);
                    }
                    silent = 0;
                    self.hear(socket, &mut decoder, bytes.get(..read).unwrap_or_default()).await?;
                }
                next = self.feed.next() => self.pass_on(socket, next).await?,
                () = tokio::time::sleep_until(next_ping) => {
                    next_ping = Instant::now() + PING_EVERY;
                    silent += 1;
                    if silent > 2 {
                        return Err(End::Gone);
                    }
                    self.write(socket, &codec::ping()).await?;
                }
            }
        }
    }

    /// Says what the stream holds, as an event stream's first frame does.
    async fn greet(&mut self, socket: &mut Socket) -> Result<(), End> {
        let cursor = self.feed.cursor();
        let connected = json!({
            "topics": self.topics, "cursor": cursor, "server_time": self.app.clock.now(),
        });
        self.say_own(socket, "stream.connected", &cursor, connected).await?;
        if let Opening::Resync(reason) = self.opening {
            self.say_resync(socket, &cursor, reason).await?;
        }
        Ok(())
    }

    async fn say_resync(
        &mut self,
        socket: &mut Socket,
        cursor: &Cursor,
        reason: &'static str,
    ) -> Result<(), End> {
        self.say_own(socket, "resync", cursor, json!({ "reason": reason, "cursor": cursor })).await
    }

    /// Says something of the stream itself.
    async fn say_own(
        &mut self,
        socket: &mut Socket,
        kind: &str,
        cursor: &Cursor,
        data: Value,
    ) -> Result<(), End> {
        let frame = json!({
            "id": cursor, "type": kind, "topic": "stream", "ts": self.app.clock.now(),
            "v": VERSION, "data": data,
        });
        self.write(socket, &codec::text(&frame.to_string())).await
    }

    async fn pass_on(
        &mut self,
        socket: &mut Socket,
        next: crate::base::Result<Next>,
    ) -> Result<(), End> {
        match next {
            Ok(Next::Frames(frames)) => self.write_frames(socket, &frames).await,
            Ok(Next::Beat) => Ok(()),
            Ok(Next::Ended(reason)) => {
                let metrics = self.feed.metrics();
                Metrics::count(match reason {
                    SHUTDOWN => &metrics.cuts_drain,
                    _ => &metrics.cuts_rights,
                });
                Err(End::Close(Some(1001), reason))
            }
            Err(error) => {
                tracing::error!(error = %error, "a stream could not read the log");
                Err(End::Close(Some(1011), "try again"))
            }
        }
    }

    async fn write_frames(
        &mut self,
        socket: &mut Socket,
        frames: &[Arc<Frame>],
    ) -> Result<(), End> {
        let mut bytes = Vec::with_capacity(frames.iter().map(|f| f.sse().len()).sum());
        for frame in frames {
            let json: Bytes = frame.json();
            bytes.extend_from_slice(&codec::text_head(json.len()));
            bytes.extend_from_slice(&json);
        }
        self.write(socket, &bytes).await
    }

    /// Writes all of `bytes`; a client that takes nothing for too long is gone, and so is one
    /// whose rights end meanwhile.
    async fn write(&mut self, socket: &mut Socket, bytes: &[u8]) -> Result<(), End> {
        let stall = Instant::now() + self.seat.streams().stall;
        let feed = &mut self.feed;
        let ended = std::future::poll_fn(move |cx| match feed.ended(cx) {
            Some(reason) if reason != SHUTDOWN => Poll::Ready(()),
            _ => Poll::Pending,
        });
        let written = tokio::select! {
            biased;
            written = timeout_at(stall, socket.write_all(bytes)) => written,
            () = ended => return Err(End::Gone),
        };
        let Ok(written) = written else {
            Metrics::count(&self.feed.metrics().cuts_stalled);
            return Err(End::Gone);
        };
        Ok(written?)
    }

    /// Takes in what the client has sent.
    async fn hear(
        &mut self,
        socket: &mut Socket,
        decoder: &mut Decoder,
        mut bytes: &[u8],
    ) -> Result<(), End> {
        while let Some(message) = decoder.take(&mut bytes)? {
            match message {
                Incoming::Text(text) => self.obey(socket, &text).await?,
                Incoming::Binary(_) => {
                    return Err(End::Close(Some(1003), "only text is read here"));
                }
                Incoming::Ping(payload) => self.write(socket, &codec::pong(&payload)).await?,
                Incoming::Pong => (),
                Incoming::Close(code) => return Err(End::Close(code, "")),
            }
        }
        Ok(())
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
        self.write(socket, &codec::text(&answer.to_string())).await
    }

    async fn do_command(
        &mut self,
        socket: &mut Socket,
        command: Command,
    ) -> Result<Result<&'static str, Refusal>, End> {
        let named = opening::wanted(&command.topics.join(","));
        let named = match named {
            Ok(named) => named.into_iter().collect::<BTreeSet<_>>(),
            Err(topic) => return Ok(Err(not_for_you(&topic))),
        };
        match command.op {
            Op::Ping => Ok(Ok("pong")),
            Op::Signal => Ok(Err(Refusal::new("signal.unknown", "no such signal"))),
            Op::Subscribe => {
                let after = command.after.as_deref();
                Ok(self.subscribe(socket, named, after).await?.map(|()| "subscribed"))
            }
            Op::Unsubscribe => {
                let rest = self.topics.difference(&named).copied().collect();
                Ok(self.reopen(rest).await?.map(|()| "unsubscribed"))
            }
        }
    }

    /// Adds topics. What happened on the new ones after `after` comes first; then all of them go
    /// on together from where the client stands.
    async fn subscribe(
        &mut self,
        socket: &mut Socket,
        named: BTreeSet<Topic>,
        after: Option<&str>,
    ) -> Result<Result<(), Refusal>, End> {
        let fresh: Vec<_> = named.difference(&self.topics).copied().collect();
        if let (Some(after), false) = (after, fresh.is_empty()) {
            let start = Cursor::parse(after).map_or(Start::Garbage, Start::After);
            let opened = match self.open(&fresh, &start).await? {
                Ok(opened) => opened,
                Err(refusal) => return Ok(Err(refusal)),
            };
            match opened.opening {
                Opening::Whole => self.catch_up(socket, opened.feed).await?,
                Opening::Resync(reason) => {
                    let cursor = self.feed.cursor();
                    self.say_resync(socket, &cursor, reason).await?;
                }
            }
        }
        let all = self.topics.union(&named).copied().collect();
        self.reopen(all).await
    }

    /// Passes on what new topics had until the position that the client has reached, but for what
    /// it heard on its other topics.
    async fn catch_up(&mut self, socket: &mut Socket, mut feed: Feed) -> Result<(), End> {
        let here = self.feed.cursor().seq;
        let heard: Vec<_> = self.topics.iter().copied().collect();
        while feed.rest().seq < here {
            let Ok(Next::Frames(frames)) = feed.next().await else {
                return Err(End::Close(Some(1011), "try again"));
            };
            let missed: Vec<_> = frames
                .into_iter()
                .filter(|frame| frame.seq.is_some_and(|seq| seq <= here))
                .filter(|frame| !frame.heard_by(&heard))
                .collect();
            self.write_frames(socket, &missed).await?;
        }
        Ok(())
    }

    /// Goes on with these topics from where the client stands.
    async fn reopen(&mut self, topics: BTreeSet<Topic>) -> Result<Result<(), Refusal>, End> {
        let list: Vec<_> = topics.iter().copied().collect();
        let opened = match self.open(&list, &Start::After(self.feed.cursor())).await? {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.feed = opened.feed;
        self.topics = topics;
        Ok(Ok(()))
    }

    async fn open(
        &mut self,
        topics: &[Topic],
        start: &Start,
    ) -> Result<Result<Opened, Refusal>, End> {
        match opening::open(&self.app, &self.principal, Some(topics), start).await {
            Ok(Ok(opened)) => Ok(Ok(opened)),
            Ok(Err(topic)) => Ok(Err(not_for_you(&topic.to_string()))),
            Err(crate::base::Error::SignedOut) => Err(End::Close(Some(1008), "session_ended")),
            Err(error) => {
                tracing::warn!(%error, "a subscription could not be changed");
                Err(End::Close(Some(1011), "try again"))
            }
        }
    }
}

fn not_for_you(topic: &str) -> Refusal {
    Refusal::new("topic.forbidden", format!("the topic {topic} is not for you to hear"))
}

/// Reads until the client has closed too, so that our last frame is not lost with a reset.
async fn drain(socket: &mut Socket) {
    let _ = socket.shutdown().await;
    let _ = timeout(CLOSE_WAIT, async {
        let mut bytes = [0; READ_MAX];
        while let Ok(1..) = socket.read(&mut bytes).await {}
    })
    .await;
}
