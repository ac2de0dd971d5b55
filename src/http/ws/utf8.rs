//! UTF-8 checked as it arrives, so that a text message that can no longer
//! become valid is refused at its first wrong byte.

/// Where a check stands between two pieces of text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Utf8 {
    /// How many bytes the character that is under way still needs.
    missing: u8,
    /// What the next byte may be; only the second byte of a character is
    /// narrower than 0x80..=0xBF.
    low: u8,
    high: u8,
}

impl Utf8 {
    /// Takes the next bytes; false when the text cannot be valid any more.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.step(*byte))
    }

    /// Says whether the text may end here.
    pub fn is_whole(self) -> bool {
        self.missing == 0
    }

    fn step(&mut self, byte: u8) -> bool {
        if self.missing > 0 {
            let fits = (self.low..=self.high).contains(&byte);
            (self.missing, self.low, self.high) = (self.missing - 1, 0x80, 0xBF);
            return fits;
        }
        // The Unicode Standard, table 3-7: no overlong forms, no surrogates,
        // nothing above U+10FFFF.
        (self.missing, self.low, self.high) = match byte {
            0x00..=0x7F => (0, 0x80, 0xBF),
            0xC2..=0xDF => (1, 0x80, 0xBF),
            0xE0 => (2, 0xA0, 0xBF),
            0xE1..=0xEC | 0xEE..=0xEF => (2, 0x80, 0xBF),
            0xED => (2, 0x80, 0x9F),
            0xF0 => (3, 0x90, 0xBF),
            0xF1..=0xF3 => (3, 0x80, 0xBF),
            0xF4 => (3, 0x80, 0x8F),
            _ => return false,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Utf8;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(
            bytes in proptest::collection::vec(any::<u8>(), 0..12),
            cut in 0_usize..12,
        ) {
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            let mut check = Utf8::default();
            let whole = check.take(head) && check.take(tail) && check.is_whole();
            prop_assert_eq!(whole, std::str::from_utf8(&bytes).is_ok());
        }

        #[test]
        fn takes_every_text(text in "\\PC{0,20}") {
            let mut check = Utf8::default();
            prop_assert!(check.take(text.as_bytes()) && check.is_whole());
        }
    }

    #[test]
    fn a_wrong_byte_is_refused_at_once() {
        let mut check = Utf8::default();
        assert!(check.take(b"\xf4"));
        assert!(!check.take(b"\x90"), "above U+10FFFF");
    }
}
