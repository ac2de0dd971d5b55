//! Pairing: a wall screen shows six digits, and the lead types them.
//!
//! The token of a screen is made together with its digits and is worth nothing until they have been
//! typed. So nobody ever types, copies or sees one. Screens that wait are kept in memory alone:
//! after a restart they show other digits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::keys::NewKey;
use crate::base::{Error, Result, Timestamp, secret};

/// How long a screen shows the same digits.
pub const DIGITS_MAX: Duration = Duration::from_secs(10 * 60);

/// How many digits a screen shows.
const LENGTH: usize = 6;

/// How many screens may wait at a time: a flood of them must not cost memory, nor make it likely
/// that a slip of the finger meets another screen.
const SCREENS_MAX: usize = 200;

/// The screens that wait for the lead, by their digits. Clones are one list.
#[derive(Clone, Default)]
pub struct Pairings {
    screens: Arc<Mutex<HashMap<String, Screen>>>,
}

/// A screen whose token is not good yet.
#[derive(Clone)]
pub struct Screen {
    pub prefix: String,
    pub hash: [u8; 32],
    expires_at: Timestamp,
}

/// What a screen shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    pub text: String,
    pub expires_at: Timestamp,
}

impl Pairings {
    /// Has a screen wait. Returns its digits, and the token that it keeps.
    pub fn begin(&self, now: Timestamp) -> Result<(Digits, String)> {
        let key = NewKey::make('W')?;
        let expires_at = now.plus(DIGITS_MAX);
        let mut screens = self.screens.lock().unwrap_or_else(PoisonError::into_inner);
        screens.retain(|_, screen| screen.expires_at > now);
        if screens.len() >= SCREENS_MAX {
            return Err(Error::Busy);
        }
        let mut text = secret::digits(LENGTH)?;
        while screens.contains_key(&text) {
            text = secret::digits(LENGTH)?;
        }
        let screen = Screen { prefix: key.prefix, hash: key.hash, expires_at };
        screens.insert(text.clone(), screen);
        Ok((Digits { text, expires_at }, key.text))
    }

    /// Returns the digits of the screen that keeps `token`, while it waits.
    pub fn digits(&self, token: &str, now: Timestamp) -> Option<Digits> {
        let (prefix, secret) = token.split_once('.')?;
        let shown = secret::hash(secret);
        let screens = self.screens.lock().unwrap_or_else(PoisonError::into_inner);
        let (text, screen) = screens.iter().find(|(_, screen)| screen.prefix == prefix)?;
        let good = secret::same(&shown, &screen.hash) && screen.expires_at > now;
        good.then(|| Digits { text: text.clone(), expires_at: screen.expires_at })
    }

    /// Returns the screen that shows these digits now. It waits on: until its token is good it asks
    /// for its digits, and a write that fails must not cost it them.
    pub fn showing(&self, typed: &str, now: Timestamp) -> Result<Screen> {
        let text: String = typed.chars().filter(char::is_ascii_digit).take(LENGTH + 1).collect();
        let screens = self.screens.lock().unwrap_or_else(PoisonError::into_inner);
        let found = screens.get(&text).filter(|screen| screen.expires_at > now);
        found.cloned().ok_or_else(not_shown)
    }

    /// Forgets the screen whose token begins with `prefix`, which is good by now.
    pub fn arrived(&self, prefix: &str) {
        let mut screens = self.screens.lock().unwrap_or_else(PoisonError::into_inner);
        screens.retain(|_, screen| screen.prefix != prefix);
    }
}

/// Says that these digits let nobody in.
pub(super) fn not_shown() -> Error {
    Error::invalid("code", "no screen shows these digits now")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn digits_hold_for_ten_minutes_and_for_one_screen() {
        let waiting = Pairings::default();
        let (digits, token) = waiting.begin(NOW).unwrap();
        let spaced = format!("{} {}", &digits.text[..3], &digits.text[3..]);
        assert_eq!(waiting.digits(&token, NOW), Some(digits.clone()));
        let forged = format!("{}x", token);
        assert_eq!(waiting.digits(&forged, NOW), None);
        assert!(waiting.showing(&spaced, NOW.plus(DIGITS_MAX)).is_err(), "too late");
        assert!(waiting.showing(&format!("{}0", digits.text), NOW).is_err(), "a digit too many");
        assert!(token.starts_with(&waiting.showing(&spaced, NOW).unwrap().prefix));
        assert_eq!(waiting.digits(&token, NOW), Some(digits.clone()), "until its token is good");
        assert_eq!(waiting.digits(&token, NOW.plus(DIGITS_MAX)), None);

        let (_, other) = waiting.begin(NOW).unwrap();
        waiting.arrived(&waiting.showing(&digits.text, NOW).unwrap().prefix);
        assert!(waiting.showing(&digits.text, NOW).is_err(), "once");
        assert_eq!(waiting.digits(&token, NOW), None);
        assert!(waiting.digits(&other, NOW).is_some());
    }

    #[test]
    fn a_flood_of_screens_is_bounded_and_passes() {
        let waiting = Pairings::default();
        for _ in 0..SCREENS_MAX {
            waiting.begin(NOW).unwrap();
        }
        assert!(matches!(waiting.begin(NOW), Err(Error::Busy)));
        assert!(waiting.begin(NOW.plus(DIGITS_MAX)).is_ok());
    }
}
