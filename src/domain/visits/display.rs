//! What a badge reader shows after a scan: two short lines, a tone, and for how long.
//!
//! Members are called du, staff Sie; nobody is blamed. The room stands after a
//! colon, so that no language has to bend its name.

use serde::{Deserialize, Serialize};

use super::scan::{Code, Outcome};
use crate::base::text;
use crate::domain::devices::model::{Scanner, ShowName};
use crate::domain::house::Language;
use crate::words;

/// How long the lines stand: time to read two of them, and the next one's turn.
const SHOWN_MS: u32 = 4000;

words! {
    /// What a reader lets hear and see.
    Tone { Ok = "ok", Warn = "warn", Error = "error" }
}

/// What a reader shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ScanDisplay)]
pub struct Display {
    pub line1: String,
    pub line2: String,
    #[schema(inline)]
    pub tone: Tone,
    /// For how long.
    pub ms: u32,
}

/// Returns the name that a reader may greet with.
pub fn name(scanner: &Scanner, given_name: &str, display_name: &str) -> Option<String> {
    match scanner.show_name {
        ShowName::First => Some(given_name.to_owned()).filter(|name| !name.is_empty()),
        ShowName::Initials => Some(text::initials(display_name)),
        ShowName::None => None,
    }
}

/// Returns the lines for an outcome; `name` and `room` as far as they are known
/// and may be shown.
pub fn display(
    language: Language,
    outcome: Outcome,
    code: Option<Code>,
    name: Option<&str>,
    room: Option<&str>,
) -> Display {
    let (line1, line2) = match language {
        Language::De => german(outcome, code, name, room),
        Language::En => english(outcome, code, name, room),
    };
    Display { line1, line2, tone: tone(outcome, code), ms: SHOWN_MS }
}

fn tone(outcome: Outcome, code: Option<Code>) -> Tone {
    match (outcome, code) {
        (Outcome::UnknownTag, _) => Tone::Error,
        (Outcome::Rejected, Some(Code::RoomFull | Code::RunNone)) => Tone::Warn,
        (Outcome::Rejected, _) => Tone::Error,
        (Outcome::NeedsReview, _) => Tone::Warn,
        _ => Tone::Ok,
    }
}

fn german(
    outcome: Outcome,
    code: Option<Code>,
    name: Option<&str>,
    room: Option<&str>,
) -> (String, String) {
    let hello = || greeting("Hallo", name);
    let bye = || greeting("Tschüss", name);
    match (outcome, code) {
        (Outcome::CheckedIn | Outcome::Transferred | Outcome::AlreadyIn, _) => match room {
            Some(room) => (hello(), format!("Du bist jetzt hier: {room}.")),
            None => (hello(), "Schön, dass du da bist.".to_owned()),
        },
        (Outcome::CheckedOut, _) => match room {
            Some(room) => (bye(), format!("Nicht mehr hier: {room}.")),
            None => (bye(), String::new()),
        },
        (Outcome::LeftHouse, _) => (bye(), "Komm gut nach Hause.".to_owned()),
        (Outcome::StaffIn, _) => (plain(name, "Guten Tag"), "Sie sind angemeldet.".to_owned()),
        (Outcome::StaffOut, _) => {
            (plain(name, "Auf Wiedersehen"), "Sie sind abgemeldet.".to_owned())
        }
        (Outcome::UnknownTag, _) => lines(
            "Diese Karte kennen wir noch nicht.",
            "Bitte melde dich bei einer Betreuungsperson.",
        ),
        (Outcome::NeedsReview, _) => lines("Gespeichert.", "Jemand sieht es sich noch an."),
        (_, Some(Code::BadgeBlocked)) => {
            lines("Diese Karte ist gesperrt.", "Hilfe gibt es im Büro.")
        }
        (_, Some(Code::MemberInactive)) => {
            lines("Diese Karte gilt nicht mehr.", "Hilfe gibt es im Büro.")
        }
        (_, Some(Code::RoomFull)) => {
            lines("Hier ist gerade kein Platz frei.", "Such dir bitte etwas anderes aus.")
        }
        (_, Some(Code::RunNone)) => {
            lines("Hier ist gerade nichts los.", "Frag bitte eine Betreuungsperson.")
        }
        _ => lines("Das hat nicht geklappt.", "Bitte halte die Karte noch einmal an."),
    }
}

fn english(
    outcome: Outcome,
    code: Option<Code>,
    name: Option<&str>,
    room: Option<&str>,
) -> (String, String) {
    let hello = || greeting("Hello", name);
    let bye = || greeting("Goodbye", name);
    match (outcome, code) {
        (Outcome::CheckedIn | Outcome::Transferred | Outcome::AlreadyIn, _) => match room {
            Some(room) => (hello(), format!("You are here now: {room}.")),
            None => (hello(), "Good to see you.".to_owned()),
        },
        (Outcome::CheckedOut, _) => match room {
            Some(room) => (bye(), format!("No longer here: {room}.")),
            None => (bye(), String::new()),
        },
        (Outcome::LeftHouse, _) => (bye(), "Get home safely.".to_owned()),
        (Outcome::StaffIn, _) => (plain(name, "Welcome"), "You are checked in.".to_owned()),
        (Outcome::StaffOut, _) => (plain(name, "Goodbye"), "You are checked out.".to_owned()),
        (Outcome::UnknownTag, _) => {
            lines("We don't know this card yet.", "Please see a member of staff.")
        }
        (Outcome::NeedsReview, _) => lines("Saved.", "Somebody will have a look at it."),
        (_, Some(Code::BadgeBlocked)) => lines("This card is blocked.", "The office can help."),
        (_, Some(Code::MemberInactive)) => {
            lines("This card is no longer valid.", "The office can help.")
        }
        (_, Some(Code::RoomFull)) => {
            lines("There is no free place here now.", "Please choose something else.")
        }
        (_, Some(Code::RunNone)) => {
            lines("Nothing takes place here now.", "Please ask a member of staff.")
        }
        _ => lines("That did not work.", "Please hold your card here once more."),
    }
}

fn greeting(word: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{word} {name}!"),
        None => format!("{word}!"),
    }
}

fn plain(name: Option<&str>, word: &str) -> String {
    name.map_or_else(|| word.to_owned(), |name| format!("{word}, {name}"))
}

fn lines(first: &str, second: &str) -> (String, String) {
    (first.to_owned(), second.to_owned())
}
