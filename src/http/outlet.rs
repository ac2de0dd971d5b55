//! An event stream on its way out: frames from a feed, written to a bare socket.
//!
//! [`SocketOutlet`] is all that an open stream costs besides its feed: one small future that
//! writes whatever waits in one call. It holds a few shared frames at the most; a reader that
//! stops reading is ended by time, and comes back to its place in the log. [`BodyOutlet`] is the
//! same over an ordinary answer, for transports whose socket cannot be had.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame as BodyFrame};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::conn::Socket;
use super::dialect::Dialect;
use super::listen::Permit;
use super::streams::Seat;
use crate::event::wire::Frame;
use crate::live::Feed;
use crate::live::feed::{BATCH_MAX, Next};
use crate::live::hub::SHUTDOWN;
use crate::live::metrics::Ending;

/// What a reader that is behind must take within the limit, in bytes: one byte a second is not
/// reading.
const FAIR_SHARE: usize = 4096;

/// What goes over one stream, in order.
pub struct Source {
    feed: Feed,
    dialect: Dialect,
    /// Bytes of the stream's own: its opening, a sign of life, its goodbye.
    own: Bytes,
    frames: Vec<Arc<Frame>>,
    over: bool,
    seat: Seat,
}

impl Source {
    /// Returns a stream that begins with `opening`.
    pub fn new(feed: Feed, dialect: Dialect, opening: Bytes, seat: Seat) -> Source {
        Source { feed, dialect, own: opening, frames: Vec::new(), over: false, seat }
    }

    /// Puts an answer's head before everything else.
    pub fn after(mut self, head: &[u8]) -> Source {
        self.own = [head, &self.own].concat().into();
        self
    }

    /// Makes sure that there is something to be sent, unless the stream is over (false).
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.own.is_empty() && self.frames.is_empty() {
            if self.over {
                return Poll::Ready(false);
            }
            match ready!(self.feed.poll_next(cx)) {
                Ok(Next::Frames(frames)) => {
                    self.frames = frames;
                    let dialect = self.dialect;
                    self.frames.retain(|frame| dialect.text(frame).is_some());
                }
                Ok(Next::Beat) => self.own = self.beat(),
                Ok(Next::Ended(reason)) => {
                    self.over = true;
                    self.own = self.goodbye(reason);
                    self.feed.metrics().ended(Ending::of(reason));
                }
                Err(error) => {
                    // The reader comes back to its place; there is nothing to tell it.
                    tracing::error!(error = %error, "a stream could not read the log");
                    self.feed.metrics().ended(Ending::Failed);
                    self.over = true;
                }
            }
        }
        Poll::Ready(true)
    }

    /// Says whether all is sent, and the task is woken when there is more.
    fn rests(&self) -> bool {
        self.own.is_empty() && self.frames.is_empty() && !self.over && self.feed.is_settled()
    }

    /// Gives a sign of life that moves the reader's cursor.
    fn beat(&mut self) -> Bytes {
        let cursor = self.feed.rest();
        let message = self.dialect.heartbeat(&cursor, self.seat.streams().clock.now());
        message.map_or_else(|| format!("id: {cursor}\n\n").into(), |text| text.sse().clone())
    }

    /// Says goodbye, with a time to come back that differs from reader to reader: a restart must
    /// not bring all of them at once.
    fn goodbye(&self, reason: &str) -> Bytes {
        let (from_ms, to_ms) = if reason == SHUTDOWN { (1000, 5000) } else { (100, 1000) };
        let retry_ms = between(from_ms, to_ms);
        let words = self.dialect.goodbye(reason, retry_ms, self.seat.streams().clock.now());
        let words = words.as_ref().map_or(&b"\n"[..], |text| text.sse());
        [format!("retry: {retry_ms}\n").as_bytes(), words].concat().into()
    }

    /// Returns how many bytes wait, of a first frame that may be written in part.
    fn untaken(&self) -> usize {
        self.own.len() + self.frames.iter().map(|frame| self.bytes(frame).len()).sum::<usize>()
    }

    /// Returns the bytes of a frame that waits.
    fn bytes<'a>(&self, frame: &'a Frame) -> &'a [u8] {
        self.dialect.text(frame).map_or(&[], |text| text.sse())
    }
}

/// Returns a number of milliseconds in this range, at random.
pub fn between(from_ms: u32, to_ms: u32) -> u32 {
    from_ms + getrandom::u32().unwrap_or_default() % (to_ms - from_ms)
}

/// A stream on a bare socket.
pub struct SocketOutlet {
    source: Source,
    socket: Socket,
    /// How much of the first frame is written.
    written: usize,
    stuck: Option<Box<Stuck>>,
    _permit: Permit,
}

/// A reader that has not taken what waits for it.
struct Stuck {
    timer: Pin<Box<Sleep>>,
    taken: usize,
}

impl SocketOutlet {
    /// Returns a stream that has its place in the door with `permit`.
    pub fn new(source: Source, socket: Socket, permit: Permit) -> SocketOutlet {
        SocketOutlet { source, socket, written: 0, stuck: None, _permit: permit }
    }

    /// Reads and forgets what the client says; an error when it is gone.
    fn listen(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut heard = [0; 256];
        loop {
            let mut buf = ReadBuf::new(&mut heard);
            match Pin::new(&mut self.socket).poll_read(cx, &mut buf)? {
                Poll::Pending => return Ok(()),
                Poll::Ready(()) if buf.filled().is_empty() => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Poll::Ready(()) => {}
            }
        }
    }

    /// Writes what waits, in one call.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut slices = [IoSlice::new(&[]); BATCH_MAX + 1];
        let own = std::iter::once(self.source.own.as_ref());
        let frames = self.source.frames.iter().map(|frame| self.source.bytes(frame));
        let frames = frames.enumerate().map(|(at, bytes)| {
            let from = if at == 0 { self.written } else { 0 };
            bytes.get(from..).unwrap_or_default()
        });
        let pieces = own.chain(frames).filter(|bytes| !bytes.is_empty());
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        let socket = Pin::new(&mut self.socket);
        // One frame is what mostly waits, and a plain call costs the kernel less.
        let step = match slices.get(..count).unwrap_or_default() {
            [one] => socket.poll_write(cx, one),
            several => socket.poll_write_vectored(cx, several),
        };
        match step {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(written)) => {
                self.advance(written);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_stuck(cx),
        }
    }

    fn advance(&mut self, mut written: usize) {
        if let Some(stuck) = &mut self.stuck {
            stuck.taken += written;
        }
        let own = written.min(self.source.own.len());
        let _ = self.source.own.split_to(own);
        written -= own;
        let mut done = 0;
        for frame in &self.source.frames {
            let left = self.source.bytes(frame).len() - self.written;
            if written < left {
                break;
            }
            written -= left;
            self.written = 0;
            done += 1;
        }
        self.written += written;
        self.source.frames.drain(..done);
        let all = self.source.frames.is_empty() && self.source.own.is_empty();
        if all || self.stuck.as_ref().is_some_and(|stuck| stuck.taken >= FAIR_SHARE) {
            self.stuck = None;
        }
    }

    /// Waits for a reader that takes nothing, but not for ever, and not past its rights.
    fn poll_stuck(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stall = self.source.seat.streams().stall;
        let waits = self.source.untaken() - self.written;
        if let Some(reason) = self.source.feed.ended(cx, waits) {
            self.source.feed.metrics().ended(Ending::of(reason));
            return Poll::Ready(Err(io::Error::other(reason)));
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::new(Stuck::new(stall)));
        if stuck.timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.source.feed.metrics().ended(Ending::Stalled);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.listen(cx)?;
        loop {
            match self.source.poll_fill(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(false) => return Pin::new(&mut self.socket).poll_shutdown(cx),
                Poll::Ready(true) => {}
            }
            match self.poll_write(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(done) => done?,
            }
            if self.source.rests() {
                return Poll::Pending;
            }
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
        self.poll_all(cx).map(drop)
    }
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
        let own = mem::take(&mut source.own);
        let bytes = if source.frames.is_empty() {
            own
        } else {
            let mut all = own.to_vec();
            source.frames.iter().for_each(|frame| all.extend_from_slice(source.bytes(frame)));
            source.frames.clear();
            all.into()
        };
        Poll::Ready(Some(Ok(BodyFrame::data(bytes))))
    }
}
