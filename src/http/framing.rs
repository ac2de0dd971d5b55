//! Watches raw request heads for the one thing that hyper repairs in silence: a request that
//! declares its length twice over, by `Content-Length` and by `Transfer-Encoding`. Two servers in a
//! row may read such a request as two different ones, so it is refused and its connection closed.

/// Longest field name of interest.
const NAME_MAX: usize = 18;

/// Follows the bytes of one connection from head to head.
#[derive(Debug, Default)]
pub struct Framing {
    place: Place,
    name: [u8; NAME_MAX],
    name_len: usize,
    length: Option<u64>,
    encoded: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Place {
    /// At the start of a line, or within its field name.
    #[default]
    Name,
    /// Within the value of a length.
    Length,
    /// Within the rest of a line that does not matter.
    Rest,
    /// Within a body; so many bytes of it are to come.
    Body(u64),
    /// After a request whose end only hyper knows; the connection ends with its answer.
    Over,
}

impl Framing {
    /// Looks at the next bytes and says whether a head among them is ambiguous.
    pub fn watch(&mut self, mut bytes: &[u8]) -> bool {
        let mut ambiguous = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.place {
                Place::Over => return ambiguous,
                Place::Body(left) => {
                    let skip = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(skip..).unwrap_or_default();
                    let left = left - skip as u64;
                    self.place = if left == 0 { Place::Name } else { Place::Body(left) };
                    continue;
                }
                Place::Name => ambiguous |= self.name(byte),
                Place::Length if byte == b'\n' => self.start_line(),
                Place::Length => {
                    if byte.is_ascii_digit() {
                        let digit = u64::from(byte - b'0');
                        let length = self.length.unwrap_or(0);
                        self.length = Some(length.saturating_mul(10).saturating_add(digit));
                    }
                }
                Place::Rest => {
                    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                        return ambiguous;
                    };
                    self.start_line();
                    bytes = bytes.get(end + 1..).unwrap_or_default();
                    continue;
                }
            }
            bytes = rest;
        }
        ambiguous
    }

    fn start_line(&mut self) {
        self.place = Place::Name;
        self.name_len = 0;
    }

    fn name(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' if self.name_len == 0 => return self.end_head(),
            b'\n' => self.start_line(),
            b'\r' => {}
            b':' => {
                let name = self.name.get(..self.name_len).unwrap_or_default();
                self.place = match name {
                    b"content-length" => {
                        self.length = Some(0);
                        Place::Length
                    }
                    b"transfer-encoding" => {
                        self.encoded = true;
                        Place::Rest
                    }
                    _ => Place::Rest,
                };
            }
            byte => match self.name.get_mut(self.name_len) {
                Some(place) => {
                    *place = byte.to_ascii_lowercase();
                    self.name_len += 1;
                }
                None => self.place = Place::Rest,
            },
        }
        false
    }

    fn end_head(&mut self) -> bool {
        let (length, encoded) = (self.length.take(), std::mem::take(&mut self.encoded));
        self.place = match length {
            _ if encoded => Place::Over,
            Some(length) if length > 0 => Place::Body(length),
            _ => Place::Name,
        };
        encoded && length.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Framing;

    /// Feeds `text` whole and byte by byte; both must agree.
    fn ambiguous(text: &str) -> bool {
        let whole = Framing::default().watch(text.as_bytes());
        let mut framing = Framing::default();
        let bytewise = text.bytes().fold(false, |seen, byte| framing.watch(&[byte]) | seen);
        assert_eq!(whole, bytewise);
        whole
    }

    /// Fault 4.
    #[test]
    fn two_lengths_in_one_head_are_seen_in_either_order() {
        assert!(ambiguous(
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        ));
        assert!(ambiguous("POST / HTTP/1.1\nTRANSFER-encoding: x\nhost: a\nContent-length:5\n\n"));
    }

    #[test]
    fn one_length_is_fine_and_a_body_is_not_read_as_a_head() {
        let body = "\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n";
        let first = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert!(!ambiguous(&first));
        assert!(!ambiguous(&format!("{first}GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n{first}")));
        assert!(!ambiguous("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
        let second = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n";
        assert!(ambiguous(&format!("{first}{second}")));
    }
}
