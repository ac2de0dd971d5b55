//! Many streams in one thread: who heard what, and when.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::spawn_local;

use crate::load::{Wire, rest};

/// How many streams are opened at a time.
const OPENED_AT_ONCE: usize = 64;

/// As what streams are open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    EventStreams,
    WebSockets,
}

impl Form {
    /// What they are called.
    pub fn word(self) -> &'static str {
        match self {
            Form::EventStreams => "streams",
            Form::WebSockets => "WebSockets",
        }
    }

    /// Returns how long the first whole piece of what was read is, if one is there.
    fn first(self, read: &[u8]) -> Option<usize> {
        let up_to =
            |end: &[u8]| Some(read.windows(end.len()).position(|part| part == end)? + end.len());
        match (self, read) {
            (Form::EventStreams, _) => up_to(b"\n\n"),
            (Form::WebSockets, [b'H', ..]) => up_to(b"\r\n\r\n"),
            (Form::WebSockets, [_, 126, high, low, ..]) => {
                Some(4 + usize::from(u16::from_be_bytes([*high, *low])))
            }
            (Form::WebSockets, [_, short @ 0..126, ..]) => Some(2 + usize::from(*short)),
            _ => None,
        }
        .filter(|length| *length <= read.len())
    }

    /// Whether a piece is an event of the log: it has an id, and is not about the stream itself.
    fn is_event(self, piece: &[u8]) -> bool {
        match self {
            Form::EventStreams => {
                let frame = piece.trim_ascii_start();
                let kind = frame.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
                frame.starts_with(b"id: ")
                    && kind.starts_with(b"event: ")
                    && !kind.starts_with(b"event: st")
            }
            Form::WebSockets => {
                let text = String::from_utf8_lossy(piece);
                text.contains(r#"{"id":"#) && !text.contains(r#""topic":"stream""#)
            }
        }
    }
}

/// Streams that all hear the same events, in one order. The n-th event that a stream hears is
/// the n-th that was sent.
pub struct Ears {
    form: Form,
    /// When each event was on its way.
    sent: RefCell<Vec<Instant>>,
    heard: RefCell<Vec<Heard>>,
    all: RefCell<Vec<Duration>>,
    /// How long the newest event was, in bytes.
    frame: Cell<usize>,
    scratch: RefCell<Vec<u8>>,
}

/// What became of one event.
#[derive(Clone, Copy)]
struct Heard {
    by: usize,
    last: Duration,
}

/// How soon events were heard, in milliseconds.
pub struct Times {
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// The middle one of the times until the last stream had an event.
    pub last_ms: f64,
}

impl Ears {
    pub fn new() -> Rc<Ears> {
        Ears::of(Form::EventStreams)
    }

    pub fn of(form: Form) -> Rc<Ears> {
        Rc::new(Ears {
            form,
            sent: RefCell::default(),
            heard: RefCell::default(),
            all: RefCell::default(),
            frame: Cell::new(0),
            scratch: RefCell::new(vec![0; 256 * 1024]),
        })
    }

    /// Opens `count` streams with this request, some at a time, and listens to all of them.
    pub async fn open(self: &Rc<Ears>, address: SocketAddr, request: &[u8], count: usize) {
        let turn = Rc::new(Semaphore::new(OPENED_AT_ONCE));
        let request: Rc<[u8]> = request.into();
        let mut tasks = Vec::with_capacity(count);
        for _ in 0..count {
            let (ears, turn, request) = (self.clone(), turn.clone(), request.clone());
            tasks.push(spawn_local(async move {
                let _turn = turn.acquire().await;
                let socket = Wire::connect(address).await.stream(&request).await;
                socket.readable().await.expect("the stream begins");
                spawn_local(ears.listen(socket));
            }));
        }
        for task in tasks {
            task.await.expect("every stream opens");
        }
    }

    /// Notes that so many events are on their way.
    pub fn sending(&self, events: usize) {
        let now = Instant::now();
        self.sent.borrow_mut().extend(std::iter::repeat_n(now, events));
    }

    /// Waits until `streams` have heard everything that was sent.
    pub async fn heard_by(&self, streams: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.is_whole(streams) {
            assert!(Instant::now() < deadline, "every stream hears every event");
            rest(Duration::from_millis(1)).await;
        }
    }

    /// Returns how soon the events since the last call were heard, and forgets them.
    pub fn take(&self) -> Times {
        let mut all = std::mem::take(&mut *self.all.borrow_mut());
        all.sort_unstable();
        let heard = self.heard.borrow();
        let mut last: Vec<Duration> = heard.iter().map(|heard| heard.last).collect();
        last.sort_unstable();
        Times {
            p50_ms: crate::percentile(&all, 0.5),
            p99_ms: crate::percentile(&all, 0.99),
            last_ms: crate::percentile(&last, 0.5),
        }
    }

    /// Returns how long the newest event was, in bytes.
    pub fn frame(&self) -> usize {
        self.frame.get()
    }

    fn is_whole(&self, streams: usize) -> bool {
        let (sent, heard) = (self.sent.borrow().len(), self.heard.borrow());
        heard.len() == sent && heard.iter().all(|heard| heard.by == streams)
    }

    async fn listen(self: Rc<Ears>, socket: TcpStream) {
        let mut at = 0;
        let mut begun = Vec::new();
        while socket.readable().await.is_ok() {
            let scratch = &mut *self.scratch.borrow_mut();
            match socket.try_read(scratch) {
                Ok(0) => return,
                Ok(read) => {
                    let fresh = scratch.get(..read).expect("what was read");
                    self.note(fresh, &mut begun, &mut at);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => (),
                Err(_) => return,
            }
        }
    }

    /// Notes the events among what a stream has read; `begun` is the frame that is not whole yet.
    fn note(&self, fresh: &[u8], begun: &mut Vec<u8>, at: &mut usize) {
        let now = Instant::now();
        let whole;
        let mut rest = if begun.is_empty() {
            fresh
        } else {
            whole = [std::mem::take(begun), fresh.to_vec()].concat();
            &whole
        };
        while let Some(length) = self.form.first(rest) {
            let (frame, later) = rest.split_at(length);
            rest = later;
            assert!(!frame.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(frame));
            if self.form.is_event(frame) {
                self.frame.set(frame.len());
                self.hear(*at, now);
                *at += 1;
            }
        }
        begun.extend_from_slice(rest);
    }

    fn hear(&self, event: usize, now: Instant) {
        let sent = self.sent.borrow();
        let took = now.saturating_duration_since(*sent.get(event).expect("only what was sent"));
        let mut heard = self.heard.borrow_mut();
        if heard.len() <= event {
            heard.push(Heard { by: 0, last: Duration::ZERO });
        }
        let heard = heard.get_mut(event).expect("one after the other");
        heard.by += 1;
        heard.last = heard.last.max(took);
        self.all.borrow_mut().push(took);
    }
}
