//! WebSocket messages to bytes (RFC 6455), server side: never masked, never in pieces.

use super::decode::{BINARY, CLOSE, PING, PONG, TEXT};

/// Returns the head of an unmasked text frame with `length` bytes to follow.
pub fn text_head(length: usize) -> Vec<u8> {
    head(TEXT, length)
}

/// Returns a whole text frame, of what is UTF-8.
pub fn message(text: &[u8]) -> Vec<u8> {
    [&text_head(text.len()), text].concat()
}

/// Returns a whole binary frame.
pub fn binary(bytes: &[u8]) -> Vec<u8> {
    [head(BINARY, bytes.len()), bytes.to_vec()].concat()
}

/// Returns a ping without payload.
pub fn ping() -> Vec<u8> {
    head(PING, 0)
}

/// Returns the answer to a ping.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    [head(PONG, payload.len()), payload.to_vec()].concat()
}

/// Returns a close frame; the reason is cut to what fits.
pub fn close(code: Option<u16>, reason: &str) -> Vec<u8> {
    let Some(code) = code else { return head(CLOSE, 0) };
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let reason = reason.get(..end).unwrap_or_default();
    [head(CLOSE, reason.len() + 2), code.to_be_bytes().to_vec(), reason.into()].concat()
}

/// Returns the head of a frame of this kind with `length` bytes to follow.
pub(super) fn head(kind: u8, length: usize) -> Vec<u8> {
    let first = 0x80 | kind;
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => vec![first, short],
        (_, Ok(wide)) => [&[first, 126][..], &wide.to_be_bytes()].concat(),
        _ => [&[first, 127][..], &(length as u64).to_be_bytes()].concat(),
    }
}
