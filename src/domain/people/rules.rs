//! What counts as a name, a user name, a password and a tag. Pure functions.

use crate::base::{Error, Result};

/// How many characters a new password has at the least.
pub const PASSWORD_MIN: usize = 8;

/// How many bytes of a password are taken in; more is refused before it is hashed.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// How many characters a user name has at the most.
pub const USERNAME_MAX: usize = 64;

/// How many characters each part of a person's name has at the most.
pub const NAME_MAX: usize = 80;

/// How many characters the name on a board has at the most: both parts and a blank.
pub const DISPLAY_NAME_MAX: usize = 2 * NAME_MAX + 1;

/// How many characters the number of another system, or a telephone number, has at the most.
pub const NUMBER_MAX: usize = 60;

/// How many characters a tag that is not hex has at the most.
const TAG_MAX: usize = 40;

/// Passwords so common that they are tried first: at least 8 characters, lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// Refuses a new password that is short, over-long or easily guessed. Nothing else is asked
/// of it: any characters, kept exactly as typed.
pub fn check_password(
    field: &'static str,
    password: &str,
    username: &str,
    house_name: &str,
) -> Result<()> {
    if password.chars().count() < PASSWORD_MIN {
        return Err(Error::invalid(field, format!("must have at least {PASSWORD_MIN} characters")));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        let problem = format!("must have at most {PASSWORD_BYTES_MAX} bytes");
        return Err(Error::invalid(field, problem));
    }
    let lower = password.to_lowercase();
    if COMMON.split_whitespace().any(|common| common == lower) {
        return Err(Error::invalid(field, "is one of the most common passwords"));
    }
    let core = guessable_core(&lower);
    let is_name = |name: &str| {
        let name = name.to_lowercase();
        name.trim() == lower.trim() || (!core.is_empty() && guessable_core(&name) == core)
    };
    if is_name(username) || is_name(house_name) {
        return Err(Error::invalid(field, "must not be the user name or the name of the house"));
    }
    Ok(())
}

/// Returns what is left of a lower-case text without marks, blanks and a number at its end,
/// so that `Park-Schule 2026` is known as the name of the house.
fn guessable_core(lower: &str) -> String {
    let letters: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()
}

/// Returns a user name as it is stored and looked up: trimmed, lower case.
pub fn username_key(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Returns a new user name, checked: letters, digits and `. _ - @ +`.
pub fn username(text: &str) -> Result<String> {
    let key = username_key(text);
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    if key.is_empty() || key.chars().count() > USERNAME_MAX {
        let problem = format!("must have 1 to {USERNAME_MAX} characters");
        return Err(Error::invalid("username", problem));
    }
    if !key.chars().all(allowed) {
        return Err(Error::invalid("username", "may have letters, digits and . _ - @ + only"));
    }
    Ok(key)
}

/// Returns the number of a badge as readers write it, too: hex digits without separators in
/// upper case, or (for other kinds) 4 to 40 printable ASCII characters as they are.
pub fn tag(text: &str) -> Result<String> {
    let text = text.trim();
    let hex = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or(text);
    let digits: String = hex.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' ')).collect();
    let is_hex = digits.chars().all(|c| c.is_ascii_hexdigit());
    if is_hex && digits.len().is_multiple_of(2) && (8..=40).contains(&digits.len()) {
        return Ok(digits.to_ascii_uppercase());
    }
    let printable = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if printable && !is_mangled_number(text) && (4..=TAG_MAX).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid("tag", "must be 4 to 20 bytes in hex, or 4 to 40 printable characters"))
}

/// Returns the last four characters of a tag: enough to tell two badges apart by eye.
pub fn tag_suffix(tag: &str) -> &str {
    let from = tag.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    tag.get(from..).unwrap_or(tag)
}

/// Tells whether a spreadsheet has turned a long number into a short one (`1,23E+11`): its
/// last digits are lost, so no badge can be read from it.
pub fn is_mangled_number(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once(['E', 'e']) else { return false };
    let exponent = exponent.strip_prefix('+').unwrap_or("");
    let number = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit());
    number(exponent) && digits.split([',', '.']).all(number)
}

/// Returns the words of a name in a form that is blind to case, accents and umlauts, each
/// after a blank: ` muller anna` for Müller and for Mueller. Two letters for one umlaut
/// become the plain letter on both sides of the comparison, so either spelling finds both.
pub fn search_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len() + 1);
    let mut in_word = false;
    for c in text.chars().flat_map(char::to_lowercase) {
        match plain(c) {
            Plain::Nothing => (),
            Plain::Break => in_word = false,
            Plain::Letters(letters) => {
                if !in_word {
                    key.push(' ');
                    in_word = true;
                }
                letters.chars().for_each(|c| push_letter(&mut key, c));
            }
            Plain::Same => {
                if !in_word {
                    key.push(' ');
                    in_word = true;
                }
                push_letter(&mut key, c);
            }
        }
    }
    key
}

fn push_letter(key: &mut String, c: char) {
    if !(c == 'e' && key.ends_with(['a', 'o', 'u'])) {
        key.push(c);
    }
}

/// What a letter is worth in a search key.
enum Plain {
    /// Dropped: a combining accent, an apostrophe.
    Nothing,
    /// Ends the word.
    Break,
    Letters(&'static str),
    Same,
}

fn plain(c: char) -> Plain {
    Plain::Letters(match c {
        '\u{300}'..='\u{36f}' | '\'' | '\u{2019}' | '`' | '´' => return Plain::Nothing,
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'æ' => "a",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ŉ' | 'ŋ' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'œ' => "o",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        c if c.is_alphanumeric() => return Plain::Same,
        _ => return Plain::Break,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Faults 35 and 36.
    #[test]
    fn a_password_is_long_and_not_easily_guessed_and_that_is_all() {
        let check = |password: &str| check_password("new", password, "mia.berg", "Park-Schule");
        for good in
            ["correct horse battery", "        ", "ÄÖÜäöüß€", "🍏🍏🍎🍎🍏🍏🍎🍎", "mia.bergsteiger"]
        {
            assert!(check(good).is_ok(), "{good:?}");
        }
        for bad in ["", "1234567", "ÄÖÜäöüß", "Passwort123", "12345678", "IloveYou", "MIA.BERG"]
        {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for bad in ["miaberg99", "park schule", "Park-Schule2026"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check(&"x".repeat(128)).is_ok());
        assert!(check(&"xy".repeat(513)).is_err());
    }

    #[test]
    fn the_list_of_common_passwords_is_in_the_form_that_it_is_compared_with() {
        let words: Vec<&str> = COMMON.split_whitespace().collect();
        assert!(words.len() >= 3000, "{}", words.len());
        for word in words {
            assert!(word.chars().count() >= PASSWORD_MIN && word == word.to_lowercase(), "{word}");
        }
    }

    #[test]
    fn a_tag_is_the_same_however_a_reader_writes_it() {
        for text in ["04a1b2c3", "04:A1:B2:C3", " 04 a1 b2 c3 ", "0x04A1B2C3", "04-A1-B2-C3"] {
            assert_eq!(tag(text).unwrap(), "04A1B2C3", "{text}");
        }
        assert_eq!(tag("12345").unwrap(), "12345");
        assert_eq!(tag("DB-PUPIL/77").unwrap(), "DB-PUPIL/77");
        assert_eq!(tag_suffix("04A1B2C3"), "B2C3");
        assert_eq!(tag_suffix("7"), "7");
        for bad in ["", "1", "äöüß", "1,23E+11", "04A1\u{0}B2C3", &"ab".repeat(21)] {
            assert!(tag(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_number_that_a_spreadsheet_has_cut_is_known() {
        for mangled in ["1,23E+11", "1.23457E+13", "4E+10"] {
            assert!(is_mangled_number(mangled), "{mangled}");
        }
        for number in ["04E10203", "1E5", "E+5", "123", "ABC,1E+5", "1,23E+"] {
            assert!(!is_mangled_number(number), "{number}");
        }
    }

    #[test]
    fn either_spelling_of_an_umlaut_finds_the_other() {
        for spelling in ["Müller", "MUELLER", "muller", "Mu\u{308}ller"] {
            assert_eq!(search_key(spelling), " muller", "{spelling}");
        }
        assert_eq!(search_key("Anna-Lena  O'Neill"), " anna lena oneill");
        assert_eq!(search_key("Großmann"), search_key("GROSSMANN"));
        assert_eq!(search_key("Łukasz Şahin Ñuñez"), " lukasz sahin nunez");
        assert_eq!(search_key("Ольга"), " ольга");
        assert_eq!(search_key("50%_\\"), " 50");
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key_and_holds_no_wildcard(text in any::<String>()) {
            let key = search_key(&text);
            prop_assert!(!key.contains(['%', '_', '\\']));
            prop_assert_eq!(search_key(&key), key);
        }

        #[test]
        fn a_tag_is_its_own_tag(text in any::<String>()) {
            if let Ok(once) = tag(&text) {
                prop_assert_eq!(tag(&once).unwrap(), once);
            }
        }

        #[test]
        fn a_username_is_its_own_key(text in any::<String>()) {
            if let Ok(name) = username(&text) {
                prop_assert_eq!(username_key(&name), name);
            }
        }
    }
}
