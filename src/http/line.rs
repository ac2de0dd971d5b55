//! The socket of a stream, which its own task and the couriers write to, in turn.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;

use socket2::SockRef;

use super::conn::Socket;
use super::dialect::Dialect;
use super::listen::Permit;
use super::ws::encode::{Head, text_head};
use crate::event::wire::{Frame, Text};
use crate::live::courier::{Sent, Sink};
use crate::live::feed::BATCH_MAX;

/// How many pieces go out in one call: frames and a sign of life after them, each with a head
/// before it where it is a message.
const PIECES_MAX: usize = 2 * (BATCH_MAX + 1);

/// How frames go over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the text of an event stream.
    EventStream,
    /// Each as a message of a WebSocket.
    Messages,
}

/// A stream's socket, and its place in the door.
pub struct Line {
    pub socket: Socket,
    form: Form,
    dialect: Dialect,
    _permit: Permit,
}

impl Line {
    /// Returns the line over `socket`.
    pub fn new(socket: Socket, form: Form, dialect: Dialect, permit: Permit) -> Arc<Line> {
        Arc::new(Line { socket, form, dialect, _permit: permit })
    }

    /// Writes these in one call, as far as there is room.
    pub fn write<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> io::Result<usize> {
        let mut pieces = pieces.filter(|piece| !piece.is_empty());
        // Whether there is room the call itself says; the runtime's book of that would be one more
        // look at memory.
        let socket = SockRef::from(&self.socket);
        let Some(first) = pieces.next() else { return Ok(0) };
        // One frame is what mostly waits, and a plain call costs the kernel less.
        let Some(second) = pieces.next() else { return socket.send(first) };
        let mut slices = [IoSlice::new(&[]); PIECES_MAX];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip([first, second].into_iter().chain(pieces)) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        socket.send_vectored(slices.get(..count).unwrap_or_default())
    }

    /// Waits for bytes and reads some of them; none when the client has said its last.
    pub async fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            self.socket.readable().await?;
            match self.socket.try_read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
                read => return read,
            }
        }
    }

    /// Says that nothing more will be written.
    pub fn finish(&self) -> io::Result<()> {
        SockRef::from(&self.socket).shutdown(Shutdown::Write)
    }

    /// Puts these in the socket, as much as there is room for.
    fn put<'a>(&self, pieces: impl Iterator<Item = &'a [u8]> + Clone) -> Sent {
        let whole: usize = pieces.clone().map(<[u8]>::len).sum();
        // What is wrong with the socket, its own task finds out.
        match self.write(pieces).unwrap_or(0) {
            written if written == whole => Sent::All,
            written => Sent::Part(written),
        }
    }
}

impl Sink for Line {
    fn try_send(&self, frames: &[Arc<Frame>]) -> Sent {
        match self.form {
            Form::EventStream => self.put(frames.iter().map(|frame| said(self.dialect, frame))),
            Form::Messages => {
                let mut heads = [Head::default(); BATCH_MAX + 1];
                for (head, text) in heads.iter_mut().zip(messages(self.dialect, frames)) {
                    *head = text_head(text.json_bytes().len());
                }
                let texts = messages(self.dialect, frames);
                let pieces = heads.iter().zip(texts);
                self.put(pieces.flat_map(|(head, text)| [head.as_ref(), text.json_bytes()]))
            }
        }
    }
}

/// Returns what an event stream says of a frame: nothing, where its words have no name for it.
pub fn said(dialect: Dialect, frame: &Frame) -> &[u8] {
    dialect.text(frame).map_or(&[], |text| text.sse())
}

/// Returns what a WebSocket says of frames, a message each; some it passes over.
pub fn messages(dialect: Dialect, frames: &[Arc<Frame>]) -> impl Iterator<Item = &Text> + Clone {
    let texts = frames.iter().filter_map(move |frame| dialect.text(frame));
    texts.filter(|text| !text.json_bytes().is_empty())
}
