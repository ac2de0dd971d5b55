//! WebSocket messages to bytes (RFC 6455), server side: never masked, never in pieces.

use super::decode::{BINARY, CLOSE, PING, PONG, TEXT};

/// What stands before the payload of an unmasked frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head {
    bytes: [u8; 10],
    length: usize,
}

impl Head {
    fn new(known: &[u8]) -> Head {
        let mut bytes = [0; 10];
        bytes.iter_mut().zip(known).for_each(|(byte, known)| *byte = *known);
        Head { bytes, length: known.len() }
    }
}

impl AsRef<[u8]> for Head {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Returns the head of an unmasked text frame with `length` bytes to follow.
pub fn text_head(length: usize) -> Head {
    head(TEXT, length)
}

/// Returns a whole text frame, of what is UTF-8.
pub fn message(text: &[u8]) -> Vec<u8> {
    frame(TEXT, text)
}

/// Returns a whole binary frame.
pub fn binary(bytes: &[u8]) -> Vec<u8> {
    frame(BINARY, bytes)
}

/// Returns a ping without payload.
pub fn ping() -> Vec<u8> {
    frame(PING, &[])
}

/// Returns the answer to a ping.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    frame(PONG, payload)
}

/// Returns a close frame; the reason is cut to what fits.
pub fn close(code: Option<u16>, reason: &str) -> Vec<u8> {
    let Some(code) = code else { return frame(CLOSE, &[]) };
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let reason = reason.get(..end).unwrap_or_default();
    frame(CLOSE, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// Returns a whole frame of this kind.
pub(super) fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [head(kind, payload.len()).as_ref(), payload].concat()
}

/// Returns the head of a frame of this kind with `length` bytes to follow.
pub(super) fn head(kind: u8, length: usize) -> Head {
    let first = 0x80 | kind;
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => Head::new(&[first, short]),
        (_, Ok(wide)) => {
            let [high, low] = wide.to_be_bytes();
            Head::new(&[first, 126, high, low])
        }
        _ => {
            let [a, b, c, d, e, f, g, h] = (length as u64).to_be_bytes();
            Head::new(&[first, 127, a, b, c, d, e, f, g, h])
        }
    }
}
