//! WebSocket messages from bytes (RFC 6455), server side, without extensions.
//!
//! The decoder takes bytes as they come and keeps only the message that is
//! under way. Any breach of the protocol ends the connection with the close
//! code that the standard names.

use super::utf8::Utf8;

/// The kinds of frames.
const CONTINUATION: u8 = 0x0;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xA;

/// How long the payload of a control frame may be (RFC 6455 5.5).
const CONTROL_MAX: u64 = 125;

/// How many bytes a frame's head has at the most: with a 64-bit length and a mask.
const HEAD_MAX: usize = 14;

/// A message, or a control frame, from the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    /// The client closes; the code that it gave, to be given back.
    Close(Option<u16>),
}

/// Why a connection must be closed, as a close frame says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach {
    pub code: u16,
    pub reason: &'static str,
}

const fn protocol(reason: &'static str) -> Breach {
    Breach { code: 1002, reason }
}

const NOT_TEXT: Breach = Breach { code: 1007, reason: "not UTF-8" };
const TOO_BIG: Breach = Breach { code: 1009, reason: "message too big" };
const TOO_MANY_PIECES: Breach = Breach { code: 1008, reason: "too many fragments" };

/// Limits of one connection's messages.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one message.
    pub message: usize,
    /// Frames of one message.
    pub fragments: u32,
}

/// Turns bytes into messages.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    head: [u8; HEAD_MAX],
    head_len: usize,
    frame: Option<Head>,
    /// Of the frame under way.
    taken: u64,
    control: Vec<u8>,
    /// Of the message under way, over all its frames.
    kind: Option<u8>,
    message: Vec<u8>,
    text: Utf8,
    fragments: u32,
}

/// A frame's head, checked.
#[derive(Debug, Clone, Copy)]
struct Head {
    last: bool,
    kind: u8,
    length: u64,
    mask: [u8; 4],
}

impl Head {
    fn is_control(self) -> bool {
        self.kind >= CLOSE
    }
}

impl Decoder {
    /// Returns a decoder of a connection that has just been opened.
    pub fn new(limits: Limits) -> Decoder {
        Decoder {
            limits,
            head: [0; HEAD_MAX],
            head_len: 0,
            frame: None,
            taken: 0,
            control: Vec::new(),
            kind: None,
            message: Vec::new(),
            text: Utf8::default(),
            fragments: 0,
        }
    }

    /// Takes bytes off the front of `bytes` until a message is whole or the
    /// bytes are used up.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Incoming>, Breach> {
        loop {
            let Some(head) = self.frame else {
                if !self.take_head(bytes)? {
                    return Ok(None);
                }
                continue;
            };
            self.take_payload(head, bytes)?;
            if self.taken < head.length {
                return Ok(None);
            }
            self.frame = None;
            self.taken = 0;
            if let Some(message) = self.end_frame(head)? {
                return Ok(Some(message));
            }
        }
    }

    /// Takes bytes of a head; true once it is whole.
    fn take_head(&mut self, bytes: &mut &[u8]) -> Result<bool, Breach> {
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            if let Some(place) = self.head.get_mut(self.head_len) {
                *place = *byte;
                self.head_len += 1;
            }
            let Some(head) = parse_head(self.head.get(..self.head_len).unwrap_or_default())? else {
                continue;
            };
            self.begin_frame(head)?;
            self.head_len = 0;
            self.frame = Some(head);
            return Ok(true);
        }
        Ok(false)
    }

    fn begin_frame(&mut self, head: Head) -> Result<(), Breach> {
        if head.is_control() {
            return Ok(());
        }
        match (head.kind, self.kind) {
            (CONTINUATION, None) => return Err(protocol("nothing to continue")),
            (CONTINUATION, Some(_)) => (),
            (_, Some(_)) => return Err(protocol("the message before is not done")),
            (kind, None) => {
                self.kind = Some(kind);
                self.text = Utf8::default();
                self.fragments = 0;
            }
        }
        self.fragments += 1;
        if self.fragments > self.limits.fragments {
            return Err(TOO_MANY_PIECES);
        }
        let room = self.limits.message.saturating_sub(self.message.len()) as u64;
        if head.length > room { Err(TOO_BIG) } else { Ok(()) }
    }

    fn take_payload(&mut self, head: Head, bytes: &mut &[u8]) -> Result<(), Breach> {
        let wanted = usize::try_from(head.length - self.taken).unwrap_or(usize::MAX);
        let (piece, rest) = bytes.split_at(wanted.min(bytes.len()));
        *bytes = rest;
        let into = if head.is_control() { &mut self.control } else { &mut self.message };
        let from = into.len();
        into.extend_from_slice(piece);
        let fresh = into.get_mut(from..).unwrap_or_default();
        let turn = usize::try_from(self.taken % 4).unwrap_or(0);
        let mask = head.mask.iter().cycle().skip(turn);
        fresh.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        self.taken += piece.len() as u64;
        let is_text = !head.is_control() && self.kind == Some(TEXT);
        if is_text && !self.text.take(fresh) { Err(NOT_TEXT) } else { Ok(()) }
    }

    fn end_frame(&mut self, head: Head) -> Result<Option<Incoming>, Breach> {
        if head.is_control() {
            let payload = std::mem::take(&mut self.control);
            return match head.kind {
                PING => Ok(Some(Incoming::Ping(payload))),
                PONG => Ok(Some(Incoming::Pong)),
                _ => close_code(&payload).map(|code| Some(Incoming::Close(code))),
            };
        }
        if !head.last {
            return Ok(None);
        }
        let message = std::mem::take(&mut self.message);
        if self.kind.take() == Some(BINARY) {
            return Ok(Some(Incoming::Binary(message)));
        }
        if !self.text.is_whole() {
            return Err(NOT_TEXT);
        }
        String::from_utf8(message).map(Incoming::Text).map(Some).map_err(|_| NOT_TEXT)
    }
}

/// Reads a head; none while bytes are missing.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Breach> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (last, kind) = (first & 0x80 != 0, first & 0x0F);
    if first & 0x70 != 0 {
        return Err(protocol("reserved bits are set"));
    }
    if !matches!(kind, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
        return Err(protocol("unknown kind of frame"));
    }
    if second & 0x80 == 0 {
        return Err(protocol("a client must mask its frames"));
    }
    let width = match second & 0x7F {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let (Some(wide), Some(mask)) = (rest.get(..width), rest.get(width..width + 4)) else {
        let short = u64::from(second & 0x7F);
        return if kind >= CLOSE { check_control(last, short).map(|()| None) } else { Ok(None) };
    };
    let length = match width {
        0 => u64::from(second & 0x7F),
        _ => wide.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
    };
    if length >> 63 != 0 {
        return Err(protocol("the length is out of range"));
    }
    if kind >= CLOSE {
        check_control(last, length)?;
    }
    let mask = <[u8; 4]>::try_from(mask).unwrap_or_default();
    Ok(Some(Head { last, kind, length, mask }))
}

fn check_control(last: bool, length: u64) -> Result<(), Breach> {
    if !last {
        return Err(protocol("a control frame is in pieces"));
    }
    if length > CONTROL_MAX { Err(protocol("a control frame is too long")) } else { Ok(()) }
}

/// Reads a close frame's code (RFC 6455 7.4).
fn close_code(payload: &[u8]) -> Result<Option<u16>, Breach> {
    match payload {
        [] => Ok(None),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(protocol("not a close code"));
            }
            std::str::from_utf8(reason).map_err(|_| NOT_TEXT)?;
            Ok(Some(code))
        }
        [_] => Err(protocol("half a close code")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Breach, Decoder, Incoming, Limits};
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { message: 1 << 16, fragments: 100 };

    /// A client's frame: masked.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = super::super::encode::head(first & 0x0F, payload.len()).as_ref().to_vec();
        bytes[0] = first;
        bytes[1] |= 0x80;
        let mask = [0x1B, 0xAD, 0xC0, 0xDE];
        bytes.extend_from_slice(&mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    fn decode(pieces: &[&[u8]]) -> Result<Vec<Incoming>, Breach> {
        let mut decoder = Decoder::new(LIMITS);
        let mut messages = Vec::new();
        for mut bytes in pieces.iter().copied() {
            while let Some(message) = decoder.take(&mut bytes)? {
                messages.push(message);
            }
        }
        Ok(messages)
    }

    fn code(bytes: &[u8]) -> u16 {
        decode(&[bytes]).unwrap_err().code
    }

    proptest! {
        #[test]
        fn a_message_survives_any_cutting(
            text in "\\PC{0,300}",
            pieces in proptest::collection::vec(1_usize..50, 1..20),
            at in 0_usize..100,
        ) {
            let cut = (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap();
            let (head, tail) = text.split_at(cut);
            let bytes =
                [frame(0x01, head.as_bytes()), frame(0x89, b"?"), frame(0x80, tail.as_bytes())]
                    .concat();
            let mut rest = &bytes[..];
            let mut cuts = Vec::new();
            for length in pieces.iter().cycle() {
                if rest.is_empty() { break }
                let (piece, after) = rest.split_at((*length).min(rest.len()));
                cuts.push(piece);
                rest = after;
            }
            let expected = vec![Incoming::Ping(b"?".to_vec()), Incoming::Text(text)];
            prop_assert_eq!(decode(&cuts).unwrap(), expected);
        }

        #[test]
        fn no_bytes_make_it_panic_or_hoard(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&[&bytes]);
        }
    }

    /// Fault 78.
    #[test]
    fn breaches_are_answered_with_the_codes_of_the_standard() {
        assert_eq!(code(&[0x81, 0x01, b'x']), 1002, "unmasked");
        assert_eq!(code(&frame(0xC1, b"x")), 1002, "reserved bit");
        assert_eq!(code(&frame(0x83, b"x")), 1002, "unknown kind");
        assert_eq!(code(&frame(0x80, b"x")), 1002, "nothing to continue");
        assert_eq!(code(&[frame(0x01, b"x"), frame(0x81, b"y")].concat()), 1002, "not done");
        assert_eq!(code(&frame(0x09, b"x")), 1002, "control in pieces");
        assert_eq!(code(&frame(0x89, &[0; 126])), 1002, "control too long");
        assert_eq!(code(&frame(0x81, b"\xff")), 1007);
        assert_eq!(code(&frame(0x81, b"\xc3")), 1007, "a text that ends in a character");
        assert_eq!(code(&frame(0x82, &vec![0; (1 << 16) + 1])), 1009);
        assert_eq!(code(&frame(0x88, b"\x03")), 1002, "half a code");
        assert_eq!(code(&frame(0x88, &999_u16.to_be_bytes())), 1002);
        assert_eq!(code(&frame(0x88, b"\x03\xe8\xff")), 1007);
        let pieces = [vec![frame(0x02, b"")], vec![frame(0x00, b""); 100]].concat().concat();
        assert_eq!(code(&pieces), 1008);
    }

    #[test]
    fn a_close_gives_its_code_back() {
        assert_eq!(decode(&[&frame(0x88, b"")]).unwrap(), [Incoming::Close(None)]);
        let bye = frame(0x88, &[0x0B, 0xB8, b'x']);
        assert_eq!(decode(&[&bye]).unwrap(), [Incoming::Close(Some(3000))]);
    }
}
