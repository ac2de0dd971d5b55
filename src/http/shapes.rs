//! What the texts of requests may be, for the document: each is refused by its noun, and handlers
//! take it as it comes. A test holds every bound against the program, at its edge and beyond.

use std::collections::BTreeMap;

use utoipa::Number;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::base::page::LIMIT_MAX;
use crate::domain::help::model::TEXT_MAX;
use crate::domain::people::model::PersonState;
use crate::domain::people::rules::{
    DISPLAY_NAME_MAX, NAME_MAX, NUMBER_MAX, PASSWORD_BYTES_MAX, PASSWORD_MIN, USERNAME_MAX,
};
use crate::domain::visits::marking::REASON_MAX;

/// What a text may be.
#[derive(Clone, Copy)]
struct Shape {
    least: Option<usize>,
    most: Option<usize>,
    pattern: Option<&'static str>,
}

/// One line, in which something can be seen.
const fn line(most: usize) -> Shape {
    const SEEN: &str = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$";
    Shape { least: Some(1), most: Some(most), pattern: Some(SEEN) }
}

/// One line, which may be empty.
const fn line_or_nothing(most: usize) -> Shape {
    Shape { least: None, most: Some(most), pattern: Some(r"^[^\x00-\x1F\x7F-\x9F]*$") }
}

/// Some lines.
const fn lines(most: usize) -> Shape {
    let pattern = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*$";
    Shape { least: None, most: Some(most), pattern: Some(pattern) }
}

const fn matching(pattern: &'static str) -> Shape {
    Shape { least: None, most: None, pattern: Some(pattern) }
}

const fn between(least: usize, most: usize) -> Shape {
    Shape { least: Some(least), most: Some(most), pattern: None }
}

const NAME: Shape = line(NAME_MAX);
const NAME_PART: Shape = line_or_nothing(NAME_MAX);
const DISPLAY_NAME: Shape = line(DISPLAY_NAME_MAX);
const NUMBER: Shape = line(NUMBER_MAX);
const DETAIL: Shape = line_or_nothing(NUMBER_MAX);
const USERNAME: Shape = between(1, USERNAME_MAX);
const PASSWORD: Shape = between(PASSWORD_MIN, PASSWORD_BYTES_MAX);
const PIN: Shape = matching("^[0-9]{4,8}$");
const NOTHING: Shape = Shape { least: None, most: Some(0), pattern: None };
const WORDS: Shape = lines(TEXT_MAX);
const REASON: Shape = line_or_nothing(REASON_MAX);
/// An id of whoever made it, of a book or of a start.
const REFERENCE: Shape = line(64);
const EVENT_TYPE: Shape = matching("^[a-z0-9._]{1,64}$");
const SCAN_ID: Shape = matching("^[!-~]{1,64}$");
const TIME_OF_DAY: Shape = matching(r"^\s*([01]?[0-9]|2[0-3])[:.]?[0-5][0-9]\s*$");

/// The texts of each request.
const REQUESTS: &[(&str, &[(&str, Shape)])] = &[
    ("AccountChange", &[("password", PASSWORD)]),
    (
        "Action",
        &[
            ("event_type", EVENT_TYPE),
            ("book_id", REFERENCE),
            ("content", WORDS),
            ("id", REFERENCE),
        ],
    ),
    ("AskBody", &[("content", WORDS), ("book_id", REFERENCE), ("section_id", REFERENCE)]),
    (
        "Change",
        &[
            ("given_name", NAME_PART),
            ("family_name", NAME_PART),
            ("display_name", DISPLAY_NAME),
            ("number", NUMBER),
        ],
    ),
    ("ClassicAction", &[("event_type", EVENT_TYPE), ("book_id", REFERENCE), ("content", WORDS)]),
    ("ContactBody", &[("name", NAME), ("relation", DETAIL), ("phone", DETAIL)]),
    ("Credentials", &[("code", NOTHING)]),
    ("DeviceChange", &[("name", NAME)]),
    ("EditBody", &[("content", WORDS)]),
    ("Enroll", &[("serial", NAME), ("model", NAME), ("firmware", NAME)]),
    (
        "Enrolment",
        &[
            ("given_name", NAME_PART),
            ("family_name", NAME_PART),
            ("display_name", DISPLAY_NAME),
            ("number", NUMBER),
        ],
    ),
    ("Heartbeat", &[("boot_id", REFERENCE), ("firmware", NAME)]),
    ("MarkBody", &[("reason", REASON)]),
    ("NewAccount", &[("username", USERNAME), ("password", PASSWORD)]),
    ("NewActivityBody", &[("name", NAME)]),
    ("NewDevice", &[("name", NAME)]),
    ("NewDisplay", &[("name", NAME)]),
    ("NewGroupBody", &[("name", NAME)]),
    ("NewPassword", &[("new", PASSWORD)]),
    ("NewPin", &[("pin", PIN)]),
    ("NewRoomBody", &[("name", NAME)]),
    (
        "NewSetup",
        &[
            ("house_name", NAME),
            ("username", USERNAME),
            ("display_name", NAME),
            ("password", PASSWORD),
        ],
    ),
    ("PairDisplay", &[("name", NAME)]),
    ("ResolveBody", &[("response", WORDS)]),
    ("RoomChangeBody", &[("name", NAME)]),
    ("Tapped", &[("scan_id", SCAN_ID)]),
];

/// Says of each text of a request what it may be.
pub(super) fn bound_texts(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    for (request, fields) in REQUESTS {
        let Some(RefOr::T(Schema::Object(request))) = schemas.get_mut(*request) else { continue };
        for (name, shape) in *fields {
            if let Some(field) = request.properties.get_mut(*name) {
                bound(field, shape);
            }
        }
    }
    if let Some(RefOr::T(Schema::Object(change))) = schemas.get_mut("Change")
        && let Some(RefOr::T(Schema::OneOf(state))) = change.properties.get_mut("state")
    {
        state.items = vec![belonging().into(), ObjectBuilder::new().schema_type(Type::Null).into()];
    }
    if let Some(time) = schemas.get_mut("TimeOfDay") {
        bound(time, &TIME_OF_DAY);
    }
}

/// What a change may make of a person: nobody is erased by one.
fn belonging() -> ObjectBuilder {
    let states = [PersonState::Active, PersonState::Inactive].map(PersonState::word);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(states))
}

fn bound(schema: &mut RefOr<Schema>, shape: &Shape) {
    if let RefOr::T(Schema::Object(text)) = schema {
        (text.min_length, text.max_length) = (shape.least, shape.most);
        text.pattern = shape.pattern.map(str::to_owned);
    }
}

/// Says of the parameter that limits a list how much it may be.
pub(super) fn bound_limit(parameter: &mut Parameter) {
    if let Some(RefOr::T(Schema::Object(number))) = &mut parameter.schema
        && parameter.name == "limit"
    {
        number.minimum = Some(Number::UInt(1));
        number.maximum = Some(Number::UInt(LIMIT_MAX as usize));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_row_is_a_field_of_a_request() {
        let document = serde_json::to_value(crate::http::routes().1).unwrap();
        for (request, fields) in super::REQUESTS {
            for (name, shape) in *fields {
                let field = &document["components"]["schemas"][request]["properties"][name];
                let said = (field["maxLength"].as_u64(), field["pattern"].as_str());
                let most = shape.most.map(|most| most as u64);
                assert_eq!(said, (most, shape.pattern), "{request}.{name}");
            }
        }
    }
}
