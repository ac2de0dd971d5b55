//! An event stream on its way out: frames from a feed, written to a bare socket.
//!
//! [`SocketOutlet`] is all that an open stream costs besides its feed: one small future that
//! writes whatever waits in one call. While it rests, the courier writes to its socket
//! ([`Line`]). It holds a few shared frames at the most; a reader that stops reading is ended by
//! time, and comes back to its place in the log. [`BodyOutlet`] is the same over an ordinary
//! answer, for transports whose socket cannot be had.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame as BodyFrame};
use tokio::io::Interest;
use tokio::time::Sleep;

use super::conn::Socket;
use super::dialect::Dialect;
use super::line::{Form, Line, said};
use super::listen::Permit;
use super::streams::Seat;
use crate::event::wire::Frame;
use crate::live::Feed;
use crate::live::feed::Next;
use crate::live::hub::SHUTDOWN;
use crate::live::metrics::Ending;

/// What a reader that is behind must take within the limit, in bytes: one byte a second is not
/// reading.
pub const FAIR_SHARE: usize = 4096;

/// What goes over one stream, in order.
pub struct Source {
    feed: Feed,
    dialect: Dialect,
    /// What waits to be written; nothing for as long as the stream rests.
    hand: Option<Box<Hand>>,
    over: bool,
    seat: Seat,
}

/// What a stream has in hand.
#[derive(Default)]
struct Hand {
    /// Bytes of the stream's own: its opening, its goodbye.
    own: Bytes,
    frames: Vec<Arc<Frame>>,
    /// How much of the first frame is written.
    written: usize,
}

impl Source {
    /// Returns a stream that begins with `opening`.
    pub fn new(feed: Feed, dialect: Dialect, opening: Bytes, seat: Seat) -> Source {
        Source { feed, dialect, hand: Hand::own(opening), over: false, seat }
    }

    /// Puts an answer's head before everything else.
    pub fn after(mut self, head: &[u8]) -> Source {
        if let Some(hand) = &mut self.hand {
            hand.own = [head, &hand.own].concat().into();
        }
        self
    }

    /// Makes sure that there is something to be sent, unless the stream is over (false).
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.hand.is_none() {
            if self.over {
                return Poll::Ready(false);
            }
            match ready!(self.feed.poll_next(cx)) {
                Ok(Next::Frames(frames)) => {
                    self.hand = Some(Box::new(Hand { frames, ..Hand::default() }));
                    // Takes away what says nothing in these words, too.
                    let begun = self.feed.begun();
                    self.advance(begun);
                }
                Ok(Next::Ended(reason)) => {
                    self.over = true;
                    self.hand = Hand::own(self.goodbye(reason));
                    self.feed.ended_by(Ending::of(reason));
                }
                Err(error) => {
                    // The reader comes back to its place; there is nothing to tell it.
                    tracing::error!(error = error.chain(), "a stream could not read the log");
                    self.feed.ended_by(Ending::Failed);
                    self.over = true;
                }
            }
        }
        Poll::Ready(true)
    }

    fn goodbye(&self, reason: &str) -> Bytes {
        let retry_ms = retry_ms(reason);
        let words = self.dialect.goodbye(reason, retry_ms, self.seat.streams().clock.now());
        let words = words.as_ref().map_or(&b"\n"[..], |text| text.sse());
        [format!("retry: {retry_ms}\n").as_bytes(), words].concat().into()
    }

    /// Returns how many bytes wait.
    fn untaken(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// Returns what waits, piece by piece.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.hand.iter().flat_map(|hand| hand.pieces(self.dialect))
    }

    /// Notes that so many bytes more are written.
    fn advance(&mut self, written: usize) {
        self.hand = self.hand.take().and_then(|hand| hand.without(written, self.dialect));
    }
}

impl Hand {
    /// Returns a hand with these bytes.
    fn own(own: Bytes) -> Option<Box<Hand>> {
        Some(Box::new(Hand { own, ..Hand::default() }))
    }

    fn pieces(&self, dialect: Dialect) -> impl Iterator<Item = &[u8]> {
        let frames = self.frames.iter().enumerate().map(move |(at, frame)| {
            let from = if at == 0 { self.written } else { 0 };
            said(dialect, frame).get(from..).unwrap_or_default()
        });
        std::iter::once(self.own.as_ref()).chain(frames)
    }

    /// Lets go of the first bytes, which are written; returns what is still in hand.
    fn without(mut self: Box<Hand>, mut written: usize, dialect: Dialect) -> Option<Box<Hand>> {
        let own = written.min(self.own.len());
        let _ = self.own.split_to(own);
        written -= own;
        let mut done = 0;
        for frame in &self.frames {
            let left = said(dialect, frame).len() - self.written;
            if written < left {
                break;
            }
            written -= left;
            self.written = 0;
            done += 1;
        }
        self.written += written;
        self.frames.drain(..done);
        let empty = self.own.is_empty() && self.frames.is_empty();
        (!empty).then_some(self)
    }
}

/// Returns after how many milliseconds a reader comes back whose stream has ended. It differs from
/// reader to reader: a restart must not bring all of them at once.
pub fn retry_ms(reason: &str) -> u32 {
    if reason == SHUTDOWN { between(1000, 5000) } else { between(100, 1000) }
}

/// Returns a number from `first` on and below `end`, at random.
pub fn between(first: u32, end: u32) -> u32 {
    first + getrandom::u32().unwrap_or_default() % (end - first)
}

/// A stream on a bare socket.
pub struct SocketOutlet {
    source: Source,
    line: Arc<Line>,
    stuck: Option<Box<Stuck>>,
}

/// A reader that has not taken what waits for it.
struct Stuck {
    timer: Pin<Box<Sleep>>,
    taken: usize,
}

impl SocketOutlet {
    /// Returns a stream that has its place in the door with `permit`.
    pub fn new(source: Source, socket: Socket, permit: Permit) -> SocketOutlet {
        let line = Line::new(socket, Form::EventStream, source.dialect, permit);
        source.feed.rest_in(line.clone());
        SocketOutlet { source, line, stuck: None }
    }

    /// Reads and forgets what the client says; an error when it is gone.
    fn listen(&self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Poll::Ready(ready) = self.line.socket.poll_read_ready(cx) {
            ready?;
            match self.line.socket.try_read(&mut [0; 256]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => (),
            }
        }
        Ok(())
    }

    /// Writes what waits, in one call.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Before the runtime is asked, which hears of room from the kernel, and only when a third of
        // it is free. What is free before that was taken, too.
        if let Some(done) = self.sent(self.line.write(self.source.pieces())) {
            return Poll::Ready(done);
        }
        while let Poll::Ready(ready) = self.line.socket.poll_write_ready(cx) {
            ready?;
            let write = || self.line.write(self.source.pieces());
            let sent = self.line.socket.try_io(Interest::WRITABLE, write);
            if let Some(done) = self.sent(sent) {
                return Poll::Ready(done);
            }
        }
        self.poll_stuck(cx)
    }

    /// Notes what became of a write; nothing, when there was no room.
    fn sent(&mut self, sent: io::Result<usize>) -> Option<io::Result<()>> {
        match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Ok(0) => Some(Err(io::ErrorKind::WriteZero.into())),
            sent => Some(sent.map(|written| self.advance(written))),
        }
    }

    fn advance(&mut self, written: usize) {
        if let Some(stuck) = &mut self.stuck {
            stuck.taken += written;
        }
        self.source.advance(written);
        let all = self.source.hand.is_none();
        if all || self.stuck.as_ref().is_some_and(|stuck| stuck.taken >= FAIR_SHARE) {
            self.stuck = None;
        }
    }

    /// Waits for a reader that takes nothing, but not for ever, and not past its rights.
    fn poll_stuck(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stall = self.source.seat.streams().stall;
        let waits = self.source.untaken();
        if let Some(reason) = self.source.feed.ended(cx, waits) {
            self.source.feed.ended_by(Ending::of(reason));
            return Poll::Ready(Err(io::Error::other(reason)));
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::new(Stuck::new(stall)));
        if stuck.timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.source.feed.ended_by(Ending::Stalled);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.listen(cx)?;
        loop {
            match self.source.poll_fill(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(false) => {
                    return Poll::Ready(self.line.finish());
                }
                Poll::Ready(true) => {}
            }
            ready!(self.poll_write(cx))?;
        }
    }
}

impl Stuck {
    fn new(stall: Duration) -> Stuck {
        Stuck { timer: Box::pin(tokio::time::sleep(stall)), taken: 0 }
    }
}

impl Future for SocketOutlet {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // However it ends, the reader comes back to its place in the log.
        let ended = ready!(self.poll_all(cx));
        if ended.is_err_and(|error| was_cut_off(&error)) {
            self.source.feed.ended_by(Ending::Stalled);
        }
        Poll::Ready(())
    }
}

/// Says whether it was the kernel that gave a reader up, as the door has told it to
/// ([`super::listen`]): for too long it took too little, or was not there.
fn was_cut_off(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_some()
}

/// A stream as an ordinary answer's body.
pub struct BodyOutlet(pub Source);

impl Body for BodyOutlet {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, Infallible>>> {
        let source = &mut self.0;
        match source.poll_fill(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(false) => return Poll::Ready(None),
            Poll::Ready(true) => {}
        }
        let mut bytes = Vec::with_capacity(source.untaken());
        source.pieces().for_each(|piece| bytes.extend_from_slice(piece));
        source.hand = None;
        Poll::Ready(Some(Ok(BodyFrame::data(bytes.into()))))
    }
}
