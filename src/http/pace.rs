//! Time limits on bytes: a body that comes too slowly, an answer that nobody takes.
//!
//! Both are judged by progress, never by count alone: what was moved buys time in proportion, so a
//! large upload over a poor link passes and one byte a second does not. The timers exist only
//! while somebody waits.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::conn::Socket;
use super::framing::Framing;

/// The slowest upload that is waited for, in bytes a second.
const BODY_RATE: u64 = 16 * 1024;
/// Pieces that a body may come in, however small; beyond them they must be of a fair size.
const PIECES: u64 = 4096;
const PIECE_MEAN: u64 = 64;
/// What a slow reader must take within each limit, in bytes.
const FAIR_SHARE: usize = 16 * 1024;

/// A request's body with a limit on the time that it may take.
#[derive(Debug)]
pub struct PacedBody {
    body: Incoming,
    time: Duration,
    started: Option<Instant>,
    received: u64,
    pieces: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl PacedBody {
    /// Allows `body` this time, and more in proportion to what has arrived.
    pub fn new(body: Incoming, time: Duration) -> PacedBody {
        PacedBody { body, time, started: None, received: 0, pieces: 0, timer: None }
    }

    fn deadline(&mut self) -> Instant {
        let started = *self.started.get_or_insert_with(Instant::now);
        started + self.time + Duration::from_secs(self.received / BODY_RATE)
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let me = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut me.body).poll_frame(cx) {
            if let Some(Ok(frame)) = &frame {
                me.received += frame.data_ref().map_or(0, |data| data.len() as u64);
                me.pieces += 1;
                if me.pieces > PIECES && me.received < me.pieces * PIECE_MEAN {
                    return Poll::Ready(Some(Err(io::ErrorKind::InvalidData.into())));
                }
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        let deadline = me.deadline();
        let timer = me.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Writes all of `bytes` to a reader that takes `share` bytes within each `time`; from any other it
/// is an error, [`io::ErrorKind::TimedOut`].
pub async fn write_all(
    socket: &Socket,
    mut bytes: &[u8],
    time: Duration,
    share: usize,
) -> io::Result<()> {
    let (mut taken, mut until) = (0, Instant::now() + time);
    while !bytes.is_empty() {
        let in_time = timeout_at(until, socket.writable()).await.is_ok();
        let send = || SockRef::from(socket).send(bytes);
        // The kernel calls when a third of its room is free. What is free before that was taken, too.
        let sent = if in_time { socket.try_io(Interest::WRITABLE, send) } else { send() };
        let sent = match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            sent => sent?,
        };
        bytes = bytes.get(sent..).unwrap_or_default();
        taken += sent;
        if taken >= share {
            (taken, until) = (0, Instant::now() + time);
        } else if !in_time && !bytes.is_empty() {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}

/// What a connection's driver learns of its socket.
#[derive(Debug, Default)]
pub struct Seen {
    /// Bytes of an answer wait for their reader.
    pub blocked: AtomicBool,
    /// A request declared its length twice over.
    pub ambiguous: AtomicBool,
}

/// A socket whose reader must keep reading, and whose requests must be plain.
#[derive(Debug)]
pub struct PacedSocket<S> {
    socket: S,
    time: Duration,
    seen: Arc<Seen>,
    framing: Framing,
    timer: Option<Pin<Box<Sleep>>>,
    taken: usize,
}

impl<S> PacedSocket<S> {
    /// Allows the reader of `socket` this time for each fair share.
    pub fn new(socket: S, time: Duration, seen: Arc<Seen>) -> PacedSocket<S> {
        PacedSocket { socket, time, seen, framing: Framing::default(), timer: None, taken: 0 }
    }

    /// Returns the socket itself.
    pub fn into_inner(self) -> S {
        self.socket
    }

    /// Turns the outcome of a write into the same, or into an end when the reader is too slow.
    fn judge(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.seen.blocked.store(outcome.is_pending(), Ordering::Relaxed);
        if let Poll::Ready(Ok(taken)) = &outcome {
            self.taken += taken;
        }
        if self.taken >= FAIR_SHARE {
            self.taken = 0;
            self.timer = None;
        }
        if outcome.is_ready() {
            return outcome;
        }
        let time = self.time;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = &mut *self;
        let before = buf.filled().len();
        let outcome = Pin::new(&mut me.socket).poll_read(cx, buf);
        if me.framing.watch(buf.filled().get(before..).unwrap_or_default()) {
            me.seen.ambiguous.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.judge(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.judge(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Everything that was to be written is with the kernel: the reader is up to date.
        self.taken = 0;
        self.timer = None;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
