//! A stream as its reader sees it, at a cost that lets thousands be read by one thread: what comes
//! goes through one buffer that all share, and a stream keeps nothing but its place.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

/// How much is read at once.
const BUFFER: usize = 64 * 1024;
/// What the kernel may hold for one reader: a tablet's share, and ten thousand of them fit.
const KERNEL_BUFFER: u32 = 64 * 1024;
/// How much of a line is kept until its end has come; no field that counts is longer.
const LINE_KEPT: usize = 96;

/// The buffer that all streams are read through.
#[derive(Clone)]
pub struct Buffer(Rc<RefCell<Box<[u8]>>>);

impl Buffer {
    pub fn new() -> Buffer {
        Buffer(Rc::new(RefCell::new(vec![0; BUFFER].into())))
    }

    /// Waits until something has come and gives the first `most` bytes of it to `take`; false when
    /// the stream is over.
    pub async fn read(&self, socket: &TcpStream, most: usize, take: impl FnOnce(&[u8])) -> bool {
        loop {
            if socket.readable().await.is_err() {
                return false;
            }
            let mut buffer = self.0.borrow_mut();
            let room = buffer.get_mut(..most.min(BUFFER)).expect("room");
            match socket.try_read(room) {
                Ok(0) => return false,
                Ok(read) => {
                    take(room.get(..read).expect("what was read"));
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
        }
    }
}

/// Connects with a small buffer and sends the request of a stream.
pub async fn connect(address: SocketAddr, request: &[u8]) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(KERNEL_BUFFER)?;
    let mut socket = socket.connect(address).await?;
    socket.set_nodelay(true)?;
    socket.write_all(request).await?;
    Ok(socket)
}

/// What a stream has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is open, at this position.
    Open(i64),
    /// It was refused with this status, for so long.
    Refused(u16, Duration),
    /// A fact, with its position in the log.
    Event(i64),
    /// A passing state.
    Signal,
    /// Nothing has happened up to this position.
    Beat(i64),
    /// The reader has lost its place.
    Resync,
    /// The server ends the stream.
    Goodbye,
}

/// What the frame at hand is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Connected,
    Resync,
    Bye,
    Other,
}

/// Takes a stream apart, in whatever pieces it comes.
pub struct Reader {
    in_head: bool,
    status: u16,
    retry_after: Duration,
    /// What has come of a line whose end has not.
    line: Vec<u8>,
    kind: Kind,
    id: Option<i64>,
    has_data: bool,
    epoch: String,
}

impl Reader {
    pub fn new() -> Reader {
        Reader {
            in_head: true,
            status: 0,
            retry_after: Duration::ZERO,
            line: Vec::new(),
            kind: Kind::None,
            id: None,
            has_data: false,
            epoch: String::new(),
        }
    }

    /// The name of the log that the positions are of.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Reads on, and tells what it hears.
    pub fn read(&mut self, mut bytes: &[u8], mut tell: impl FnMut(News)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            if self.line.is_empty() {
                self.take(line, &mut tell);
            } else {
                self.keep(line);
                let mut line = std::mem::take(&mut self.line);
                self.take(&line, &mut tell);
                line.clear();
                self.line = line;
            }
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.keep(bytes);
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LINE_KEPT.saturating_sub(self.line.len());
        self.line.extend(part.iter().take(room));
    }

    fn take(&mut self, line: &[u8], tell: &mut impl FnMut(News)) {
        if self.in_head {
            self.take_head(line.strip_suffix(b"\r").unwrap_or(line), tell);
        } else if line.is_empty() {
            self.end_frame(tell);
        } else if line.starts_with(b"data: ") {
            self.has_data = true;
        } else if let Some(id) = line.strip_prefix(b"id: ") {
            let id = std::str::from_utf8(id).expect("a position");
            let (epoch, number) = id.rsplit_once('-').expect("a position");
            if self.epoch != epoch {
                epoch.clone_into(&mut self.epoch);
            }
            self.id = Some(number.parse().expect("a position"));
        } else if let Some(kind) = line.strip_prefix(b"event: ") {
            self.kind = match kind {
                b"stream.connected" => Kind::Connected,
                b"resync" => Kind::Resync,
                b"bye" => Kind::Bye,
                _ => Kind::Other,
            };
        }
    }

    fn take_head(&mut self, line: &[u8], tell: &mut impl FnMut(News)) {
        let line = String::from_utf8_lossy(line);
        if self.status == 0 {
            self.status = line.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
        } else if let Some(seconds) = line.strip_prefix("retry-after: ") {
            self.retry_after = Duration::from_secs(seconds.parse().expect("seconds"));
        } else if line.is_empty() {
            self.in_head = false;
            if self.status != 200 {
                tell(News::Refused(self.status, self.retry_after));
            }
        }
    }

    fn end_frame(&mut self, tell: &mut impl FnMut(News)) {
        let kind = std::mem::replace(&mut self.kind, Kind::None);
        let has_data = std::mem::take(&mut self.has_data);
        match (kind, self.id.take()) {
            (Kind::Connected, Some(id)) => tell(News::Open(id)),
            (Kind::Resync, _) => tell(News::Resync),
            (Kind::Bye, _) => tell(News::Goodbye),
            (Kind::Other, Some(id)) => tell(News::Event(id)),
            (Kind::Other, None) => tell(News::Signal),
            (_, Some(id)) if !has_data => tell(News::Beat(id)),
            _ => {}
        }
    }
}
