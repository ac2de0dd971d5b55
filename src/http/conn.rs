//! One connection: requests one after the other, and a socket that an answer may keep.
//!
//! A handler that wants its socket for good (a stream) answers with a [`Takeover`] among the
//! response's extensions. The head is then written out by hand, hyper with its buffers is dropped,
//! and the bare socket goes to the stream's own small task. What the client sent after that
//! request is not read as a request any more.

use std::convert::Infallible;
use std::fmt;
use std::future::Ready;
use std::io::Write as _;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::future::RouteFuture;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tower::Service as _;

use super::listen::{Limits, Peer, Permit, Phase};
use super::pace::{PacedBody, PacedSocket, Seen};
use super::problem::Problem;

/// Bytes of a request's head, beyond which it is refused with 431; so it is by hyper itself beyond
/// 100 fields.
const HEAD_MAX: usize = 32 * 1024;
/// What hyper may hold of one connection, in and out.
const BUFFER_MAX: usize = 64 * 1024;
/// How long and how much of what a caller still sends is read after our last word, so that its
/// kernel does not throw that word away: time for a body of many times the length that is taken,
/// since many a client sends all of it before it reads a word.
const SEE_OFF: Duration = Duration::from_secs(2);
const SEE_OFF_MAX: usize = 64 * 1024 * 1024;
/// The same of one that was not let in.
pub const SEE_OFF_UNHEARD: usize = 256 * 1024;

/// What a stream runs on.
pub type Socket = tokio::net::TcpStream;

/// A wish to keep the socket, put by a handler among its answer's extensions.
#[derive(Clone)]
pub struct Takeover(Arc<Mutex<Option<Start>>>);

type Start = Box<dyn FnOnce(Taken) + Send>;

/// A socket that now belongs to a stream.
#[derive(Debug)]
pub struct Taken {
    /// The bare socket.
    pub socket: Socket,
    /// The head of the answer, to be written first.
    pub head: Bytes,
    /// What the client had already sent after its request.
    pub unread: Bytes,
    /// The place in the door, to be kept for as long as the socket is open.
    pub permit: Permit,
}

impl Takeover {
    /// Wraps what shall be done with the socket; it should spawn the stream's task and return.
    pub fn new(start: impl FnOnce(Taken) + Send + 'static) -> Takeover {
        Takeover(Arc::new(Mutex::new(Some(Box::new(start)))))
    }

    fn start(&self, taken: Taken) {
        let start = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(start) = start {
            start(taken);
        }
    }
}

impl fmt::Debug for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Takeover")
    }
}

/// Serves one connection to its end, or until an answer takes its socket over.
pub async fn drive(
    socket: Socket,
    peer: Peer,
    router: Router,
    limits: Arc<Limits>,
    permit: Permit,
    mut phase: watch::Receiver<Phase>,
) {
    let wish = Arc::new(Mutex::new(None));
    let seen = Arc::new(Seen::default());
    let body_time = limits.body;
    let service = Answering { router, peer, body_time, wish: wish.clone(), seen: seen.clone() };
    let io = TokioIo::new(PacedSocket::new(socket, limits.stall, seen.clone()));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .half_close(true)
        .max_buf_size(BUFFER_MAX)
        .max_header_size(HEAD_MAX)
        .serve_connection(io, service);

    let wish = loop {
        let step = std::future::poll_fn(|cx| {
            let ended = connection.poll_without_shutdown(cx);
            // An earlier answer that still waits for its reader goes out first.
            let wished = if seen.blocked.load(Ordering::Relaxed) { None } else { take(&wish) };
            match (wished, ended) {
                (Some(wish), _) => Poll::Ready(Some(wish)),
                (None, Poll::Ready(_)) => Poll::Ready(None),
                (None, Poll::Pending) => Poll::Pending,
            }
        });
        tokio::select! {
            biased;
            wish = step => break wish,
            changed = phase.changed() => {
                if changed.is_err() || *phase.borrow_and_update() == Phase::Ended {
                    return;
                }
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let parts = connection.into_parts();
    let socket = parts.io.into_inner().into_inner();
    match wish {
        Some((takeover, head)) => {
            // Without a limit one sleeping tablet holds megabytes in the kernel.
            let _ = SockRef::from(&socket).set_send_buffer_size(limits.stream_buffer);
            takeover.start(Taken { socket, head, unread: parts.read_buf, permit });
        }
        None => see_off(socket, SEE_OFF_MAX).await,
    }
}

/// Says our last word and reads on for a moment, so that the word arrives: a socket that is closed
/// while it holds unread bytes is reset, and what was under way to the client is lost with it.
pub async fn see_off(mut socket: Socket, max: usize) {
    if socket.shutdown().await.is_err() {
        return;
    }
    let _ = tokio::time::timeout(SEE_OFF, async {
        let mut seen = 0;
        while seen < max && socket.readable().await.is_ok() {
            match socket.try_read(&mut [0; 16 * 1024]) {
                Ok(0) => return,
                Ok(read) => seen += read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    })
    .await;
}

type Wish = Arc<Mutex<Option<(Takeover, Bytes)>>>;

fn take(wish: &Wish) -> Option<(Takeover, Bytes)> {
    wish.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Hands hyper's requests to the router.
struct Answering {
    router: Router,
    peer: Peer,
    body_time: Duration,
    wish: Wish,
    seen: Arc<Seen>,
}

type Outcome = Result<Response, Infallible>;

impl hyper::service::Service<hyper::Request<Incoming>> for Answering {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Answer {
        if self.seen.ambiguous.load(Ordering::Relaxed) {
            return Answer::Refused(std::future::ready(Ok(ambiguous())));
        }
        // A body without a declared length is where requests are smuggled: nothing after it runs.
        let last = request.headers().contains_key(header::TRANSFER_ENCODING);
        let wish = (*request.method() == Method::GET).then(|| self.wish.clone());
        request.extensions_mut().insert(self.peer);
        let request = request.map(|body| Body::new(PacedBody::new(body, self.body_time)));
        // A router is always ready, and a clone of it is the same one.
        Answer::Asked { answer: self.router.clone().call(request), last, wish }
    }
}

/// An answer on its way. Written by hand, for hyper to hold it as it is: what is `async` would be
/// put into a box for each request.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one")]
enum Answer {
    Refused(Ready<Outcome>),
    Asked {
        answer: RouteFuture<Infallible>,
        /// Whether nothing is answered after it.
        last: bool,
        /// Where the answer may wish for the socket.
        wish: Option<Wish>,
    },
    /// The socket goes to somebody else.
    TakenOver,
}

impl Future for Answer {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let (answer, last, wish) = match &mut *self {
            Answer::Refused(refusal) => return Pin::new(refusal).poll(cx),
            Answer::TakenOver => return Poll::Pending,
            Answer::Asked { answer, last, wish } => (answer, *last, wish),
        };
        let Ok(mut response) = ready!(Pin::new(answer).poll(cx));
        if let Some(takeover) = response.extensions_mut().remove::<Takeover>()
            && let Some(wish) = wish
        {
            let head = head(&response);
            *wish.lock().unwrap_or_else(PoisonError::into_inner) = Some((takeover, head));
            *self = Answer::TakenOver;
            return Poll::Pending;
        }
        if last {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        Poll::Ready(Ok(response))
    }
}

/// Answers a request that could be read as two; nothing after it is read at all.
fn ambiguous() -> Response {
    let problem = Problem::malformed("request.length", "the length is declared twice over");
    let mut response = problem.into_response();
    super::problem::render(&mut response, "-");
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Writes an answer's head out as it goes over the wire: without a length, to the end of the
/// connection, unless the answer changes the protocol.
fn head(response: &Response) -> Bytes {
    let mut head = Vec::with_capacity(512);
    let _ = write!(head, "HTTP/1.1 {}\r\n", response.status());
    for (name, value) in response.headers() {
        if matches!(*name, header::CONTENT_LENGTH | header::TRANSFER_ENCODING) {
            continue;
        }
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        head.extend_from_slice(b"connection: close\r\n");
    }
    head.extend_from_slice(b"\r\n");
    Bytes::from(mem::take(&mut head))
}
