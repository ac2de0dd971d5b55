//! Text: from outside, trimmed, bounded, without control characters; and values as JSON.

use std::io;

use super::{Error, Result};

/// Returns `text` trimmed, if it has 1 to `max` characters, of which one can be seen, and no
/// control characters.
pub fn line(field: &'static str, text: &str, max: usize) -> Result<String> {
    let line = optional_line(field, text, max)?;
    if line.is_empty() { Err(Error::invalid(field, "must not be empty")) } else { Ok(line) }
}

/// Like [`line()`], but may be empty.
pub fn optional_line(field: &'static str, text: &str, max: usize) -> Result<String> {
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, "must not contain control characters"));
    }
    let line = bounded(field, text, max)?;
    if line.is_empty() || can_be_seen(&line) {
        return Ok(line);
    }
    Err(Error::invalid(field, "must have a character that can be seen"))
}

/// Returns `text` trimmed, if it has at most `max` characters; line breaks and
/// tabs are kept, other control characters refused.
pub fn paragraph(field: &'static str, text: &str, max: usize) -> Result<String> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Error::invalid(field, "must not contain control characters"));
    }
    bounded(field, text, max)
}

/// Says whether a text leaves anything on a page. A name of blanks alone, or of what only steers
/// other characters, would be a row without words.
pub fn can_be_seen(text: &str) -> bool {
    !text.chars().all(|c| c.is_whitespace() || is_unseen(c))
}

/// Says whether a character is one of those that Unicode has left out where nobody knows them
/// (`Default_Ignorable_Code_Point`), or the blank of Braille.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Returns the first letters of a name's words, as on a wall where no name may stand: "M. K.".
pub fn initials(name: &str) -> String {
    let letters = name.split_whitespace().filter_map(|word| word.chars().next());
    letters.map(|letter| format!("{letter}.")).collect::<Vec<_>>().join(" ")
}

/// Returns a value as JSON. There is room for what a line of the log mostly takes: a text that
/// grows is copied each time.
pub fn json(value: &impl serde::Serialize) -> Result<String> {
    let mut text = Pieces(Vec::with_capacity(320));
    serde_json::to_writer(&mut text, value).map_err(anyhow::Error::from)?;
    Ok(String::from_utf8(text.0).map_err(anyhow::Error::from)?)
}

/// Takes in the pieces of a text, most of them of a few bytes, where a call of `Vec` for each costs
/// more than they do.
struct Pieces(Vec<u8>);

impl io::Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.write_all(piece)?;
        Ok(piece.len())
    }

    #[inline(always)]
    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        match piece {
            [byte] => self.0.push(*byte),
            piece => self.0.extend_from_slice(piece),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn bounded(field: &'static str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > max {
        return Err(Error::invalid(field, format!("must have at most {max} characters")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    /// Faults 19 and 23.
    #[test]
    fn a_line_is_trimmed_and_bounded_in_characters() {
        assert_eq!(super::line("name", " Zoë ", 3).unwrap(), "Zoë");
        assert!(super::line("name", "Zoës", 3).is_err());
        assert!(super::line("name", " ", 3).is_err());
        assert!(super::line("name", "a\u{0}b", 3).is_err());
    }

    #[test]
    fn a_line_has_a_character_that_can_be_seen() {
        for unseen in ["\u{200B}", "\u{AD} \u{2060}", "\u{202E}\u{202C}", "\u{3164}", "\u{E0041}"] {
            assert!(super::optional_line("name", unseen, 9).is_err(), "{unseen:?}");
        }
        for seen in
            ["\u{200B}a", "\u{202E}miA\u{202C}", "\u{1F469}\u{200D}\u{1F467}", "\u{308}", "-"]
        {
            assert_eq!(super::line("name", seen, 9).unwrap(), seen);
        }
        assert_eq!(super::optional_line("name", " ", 9).unwrap(), "");
    }

    #[test]
    fn initials_are_the_first_letters_of_all_words() {
        assert_eq!(super::initials("Ömer  von Berg"), "Ö. v. B.");
        assert_eq!(super::initials("Mia"), "M.");
        assert_eq!(super::initials(""), "");
    }
}
