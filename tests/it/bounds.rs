//! What the document says that a request may hold is what the program takes: each bound of each
//! field is tried at its edge, where the field is not complained of, and beyond it, where it is.

use std::collections::BTreeSet;

use daybook::base::Actor;
use daybook::client::Client;
use daybook::domain::people::{self, Role};
use hyper::Method;
use serde_json::{Value, json};

use crate::devices::reader;
use crate::fixture;
use crate::schema::document;
use crate::server::TestServer;
use crate::store::{START, TestStore};

/// Each operation with JSON that has bounds, who may call it, and all that it may be asked with. `$`
/// stands for what the house has made of that name.
const ASKED: &str = r#"
mia POST /api/activity/track
{"event_type": "page.opened", "book_id": "b", "content": "c", "context": {}, "user_id": "$mia"}
mia POST /api/v1/activity
{"events": [{"event_type": "page.opened", "book_id": "b", "content": "c", "context": {},
             "user_id": "$mia", "at": "$now", "id": "1"}]}
lead POST /api/v1/activities
{"name": "Chor", "default_room_id": "$room"}
lead POST /api/v1/attendance/$tom
{"status": "excused", "reason": "Arzt"}
nobody POST /api/v1/device/enroll
{"code": "A", "serial": "1", "model": "M", "firmware": "1"}
door POST /api/v1/device/heartbeat
{"boot_id": "b", "firmware": "1", "uptime_s": 1, "queue_depth": 1, "oldest_age_s": 1, "rssi": -60,
 "free_heap": 1, "battery": 1, "device_time": "$now", "last_seq": 1}
door POST /api/v1/device/privileged
{"tag": "04A1B2C3", "pin": "2580", "action": "end_run", "run_id": "$run"}
door POST /api/v1/device/scans
{"boot_id": "b", "lang": "de",
 "scans": [{"scan_id": "1", "tag": "04A1B2C3", "age_ms": 1, "seq": 1, "intent": "auto"}]}
lead POST /api/v1/devices/enrolment-codes
{"name": "Gym", "mode": "room", "room_id": "$room"}
lead PATCH /api/v1/devices/$door
{"name": "Door", "mode": "toggle", "lang": "de", "tones": true, "show_name": "first",
 "daily_checkout_from": "15:00", "buffer_max": 200, "tag_order": "learn"}
lead POST /api/v1/devices/$door/commands
{"kind": "identify"}
lead POST /api/v1/displays
{"name": "Hall"}
lead POST /api/v1/displays/pair
{"code": "123456", "name": "Hall"}
lead POST /api/v1/groups
{"name": "Bears", "kind": "care"}
lead PUT /api/v1/groups/$group/members
{"member_ids": ["$tom"]}
lead PUT /api/v1/groups/$group/staff
{"staff_ids": ["$sam"]}
mia POST /api/v1/help-requests
{"content": "?", "priority": "normal", "book_id": "b", "section_id": "s", "room_id": "$room"}
mia PATCH /api/v1/help-requests/$help
{"content": "?", "priority": "urgent"}
lead POST /api/v1/help-requests/$help/resolve
{"response": "!"}
lead PATCH /api/v1/house
{"late_after": "00:01", "closes_at": "18:00"}
nobody POST /api/v1/login
{"username": "ada", "password": "x", "code": ""}
lead PUT /api/v1/me/password
{"current": "another one", "new": "vier graue Steine"}
lead PUT /api/v1/me/pin
{"password": "another one", "pin": "2580"}
lead POST /api/v1/people
{"given_name": "Ida", "family_name": "Ott", "display_name": "Ida O.", "role": "member",
 "number": "1", "language": "de"}
lead POST /api/v1/people/$tom/account
{"username": "tom", "password": "vier graue Steine"}
lead PATCH /api/v1/people/$tom/account
{"disabled": false, "password": "vier graue Steine", "make_password": false}
lead POST /api/v1/people/$tom/contacts
{"name": "Eva Lang", "relation": "Mutter", "phone": "0171", "may_fetch": true, "emergency": true}
lead POST /api/v1/rooms
{"name": "Aula", "capacity": 9, "kind": "room"}
lead PATCH /api/v1/rooms/$room
{"name": "Gym", "capacity": 9, "kind": "room"}
lead POST /api/v1/runs
{"activity_id": "1", "room_id": "$room", "staff_ids": ["$sam"]}
new POST /api/v1/setup
{"code": "$code", "house_name": "Lindenschule", "profile": "school", "zone": "Europe/Berlin",
 "language": "de", "username": "eva", "display_name": "Eva Chef", "password": "vier graue Steine"}
lead POST /api/v1/supervision-offers
{"kind": "hand_over", "run_id": "$run", "staff_id": "$sam"}
lead POST /api/v1/supervisions
{"kind": "hand_over", "run_id": "$run", "staff_id": "$sam"}
lead PATCH /api/v1/people/$tom
{"given_name": "Tom", "family_name": "Lang", "display_name": "Tom", "role": "member",
 "number": "2", "language": "de", "state": "active"}
"#;

/// One of those.
struct Asked<'a> {
    who: &'a Client,
    method: Method,
    url: String,
    operation: &'a Value,
    body: Value,
}

#[tokio::test]
async fn each_bound_that_the_document_names_is_where_the_program_has_it() {
    let (server, empty) = (TestServer::start().await, TestServer::of(TestStore::empty()).await);
    let (_, lead) = server.signed_in("Ada Chef", Role::Admin).await;
    let (mia_id, mia) = server.signed_in("Mia Berg", Role::Member).await;
    let sam = server.person("Sam Stein", Role::Staff).await;
    let door = reader(&server, json!({ "name": "Door", "mode": "toggle" })).await;
    let made = async |client: &Client, path: &str, body: Value| {
        let made = client.post(path, &body).await.unwrap().json().unwrap();
        made["id"].as_str().unwrap().to_owned()
    };
    let group = json!({ "name": "Foxes", "kind": "care" });
    let names = [
        ("$mia", mia_id.to_string()),
        ("$tom", server.member("Tom Lang", "04A1B2C3").await.to_string()),
        ("$sam", sam.to_string()),
        ("$run", fixture::run(&server, "Lesen", sam).await.to_string()),
        ("$room", fixture::room(&server, "Gym").await.to_string()),
        ("$door", door.id.to_string()),
        ("$group", made(&lead, "/api/v1/groups", group).await),
        ("$help", made(&mia, "/api/v1/help-requests", json!({ "content": "?" })).await),
        ("$now", START.to_string()),
        ("$code", empty.write(Actor::System, people::setup::new_code).await.unwrap()),
    ];
    let (nobody, new) = (server.nobody(), empty.nobody());
    let document = document();
    let (mut wrong, mut tried) = (Vec::new(), BTreeSet::new());
    let mut lines = ASKED.trim().lines().peekable();
    while let Some(call) = lines.next() {
        let [who, method, path] = call.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let mut body = String::new();
        while let Some(more) = lines.next_if(|line| line.starts_with(['{', ' '])) {
            body += more;
        }
        let named = |text: &str| {
            names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
        };
        let described = described(&document, path);
        let who = match who {
            "lead" => &lead,
            "mia" => &mia,
            "door" => &door.client,
            "new" => &new,
            _ => &nobody,
        };
        tried.insert(format!("{method} {described}"));
        let operation = &document["paths"][described][method.to_lowercase()];
        let (method, url) = (method.parse().unwrap(), named(path));
        let body = serde_json::from_str(&named(&body)).unwrap();
        Asked { who, method, url, operation, body }.try_bounds(&mut wrong).await;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(bounded(&document).difference(&tried).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Returns a path as it stands in the document.
fn described<'a>(document: &'a Value, path: &str) -> &'a str {
    let fits = |known: &str| {
        let pairs = known.split('/').zip(path.split('/'));
        known.split('/').count() == path.split('/').count()
            && pairs
                .into_iter()
                .all(|(one, other)| one == other || one.starts_with('{') && other.starts_with('$'))
    };
    let mut paths = document["paths"].as_object().unwrap().keys();
    paths.find(|known| fits(known)).unwrap_or_else(|| panic!("{path} is not in the document"))
}

/// The operations that take JSON in which some field has bounds.
fn bounded(document: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut fields = Vec::new();
            collect(&body_schema(operation), "", &mut fields);
            if fields.iter().any(|(_, schema)| !bounds(schema).is_empty()) {
                all.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    all
}

fn body_schema(operation: &Value) -> Value {
    operation["requestBody"]["content"]["application/json"]["schema"].clone()
}

/// Returns what a schema says itself: whatever it refers to, without its null.
fn plain(schema: &Value) -> Value {
    assert!(schema["allOf"].is_null(), "what can be neither, nothing is: {schema}");
    if let Some(reference) = schema["$ref"].as_str() {
        return plain(document().pointer(reference.trim_start_matches('#')).unwrap());
    }
    let mut choices = schema["oneOf"].as_array().into_iter().flatten();
    match choices.find(|choice| choice["type"] != "null") {
        Some(choice) => plain(choice),
        None => schema.clone(),
    }
}

/// Adds each field, by its pointer, that a schema describes.
fn collect(schema: &Value, at: &str, fields: &mut Vec<(String, Value)>) {
    let schema = plain(schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        let field = plain(field);
        collect(&field, &at, fields);
        if field["type"] == "array" {
            collect(&field["items"], &format!("{at}/0"), fields);
        }
        fields.push((at, field));
    }
}

/// Returns values inside a field's bounds (true) and outside.
fn bounds(schema: &Value) -> Vec<(bool, Value)> {
    let mut tried = Vec::new();
    let text = |n: u64| json!("vgkqwzxj".chars().cycle().take(n as usize).collect::<String>());
    if let Some(least) = schema["minLength"].as_u64() {
        tried.extend([(true, text(least)), (false, text(least - 1))]);
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        tried.extend([(true, text(most)), (false, text(most + 1))]);
    }
    for (name, beyond) in [("minimum", -1), ("maximum", 1)] {
        if let Some(edge) = schema[name].as_i64() {
            tried.extend([(true, json!(edge)), (false, json!(edge + beyond))]);
        }
    }
    for (name, beyond) in [("minItems", -1), ("maxItems", 1)] {
        if let Some(edge) = schema[name].as_i64() {
            tried.extend([
                (true, json!({ "items": edge })),
                (false, json!({ "items": edge + beyond })),
            ]);
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        tried.extend(words.iter().map(|word| (true, word.clone())));
        tried.push((false, json!("none_of_them")));
    }
    let Some(pattern) = schema["pattern"].as_str() else { return tried };
    let (inside, outside) = examples(pattern);
    tried.extend(inside.iter().map(|text| (true, json!(text))));
    tried.extend(outside.iter().map(|text| (false, json!(text))));
    tried
}

/// Texts that a pattern matches, and texts that it does not.
fn examples(pattern: &str) -> (&'static [&'static str], &'static [&'static str]) {
    const LONG: &str = "vgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxj";
    const TOO_LONG: &str = "vgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjvgkqwzxjv";
    match pattern {
        r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$" => {
            (&[], &[" ", "a\u{7}"])
        }
        r"^[^\x00-\x1F\x7F-\x9F]*$" => (&["-"], &["a\nb", "a\u{85}b"]),
        r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*$" => (&["", "a\r\n\tb"], &["a\u{0}b", "\u{1b}"]),
        "^[a-z0-9._]{1,64}$" => (&["a", "0._", LONG], &["", "A", "a b", TOO_LONG]),
        "^[!-~]{1,64}$" => (&["!", "~", LONG], &["", "a b", "ä", TOO_LONG]),
        "^[0-9]{4,8}$" => (&["2580", "25802581"], &["258", "258025802", "258x"]),
        r"^\s*([01]?[0-9]|2[0-3])[:.]?[0-5][0-9]\s*$" => {
            (&["8:15", "0815", " 23.59 "], &["24:00", "8:60", "8", ""])
        }
        _ => panic!("no examples of {pattern}"),
    }
}

fn is_object(schema: &Value) -> bool {
    let kinds = &schema["type"];
    kinds == "object" || kinds.as_array().is_some_and(|kinds| kinds.contains(&json!("object")))
}

impl Asked<'_> {
    /// Tries all bounds, those beyond first: they leave everything as it is.
    async fn try_bounds(&self, wrong: &mut Vec<String>) {
        let mut fields = Vec::new();
        collect(&body_schema(self.operation), "", &mut fields);
        for inside in [false, true] {
            for (at, schema) in &fields {
                let mut tried = bounds(schema);
                let other = if is_object(schema) { json!(5) } else { json!({ "other": 1 }) };
                tried.push((false, other));
                for (_, value) in tried.into_iter().filter(|(is_inside, _)| *is_inside == inside) {
                    if self.complains(at, &value).await != Some(!inside) {
                        let value: String = value.to_string().chars().take(60).collect();
                        let found = if inside { "refused" } else { "taken" };
                        wrong
                            .push(format!("{} {}: {at} {value} is {found}", self.method, self.url));
                    }
                }
            }
        }
    }

    /// Says whether this field is complained of with this value; none when nothing can be learned.
    async fn complains(&self, at: &str, value: &Value) -> Option<bool> {
        let mut body = self.body.clone();
        set(&mut body, at, value);
        let json = [("content-type", "application/json")];
        let body = body.to_string().into();
        let answer = self.who.send(self.method.clone(), &self.url, &json, body).await.unwrap();
        // A wrong password and a house that is set up are no complaint, however often they are met.
        let at_the_door = ["/api/v1/login", "/api/v1/setup"].contains(&self.url.as_str());
        if [401, 429, 500].contains(&answer.status) && !at_the_door {
            return None;
        }
        let field = at.trim_start_matches('/').replace("/0", "[0]").replace('/', ".");
        let refused = [400, 422].contains(&answer.status);
        Some(refused && answer.json().unwrap()["field"].as_str() == Some(&field))
    }
}

/// Puts a value where the pointer leads. Of a list it says how many items that has.
fn set(body: &mut Value, at: &str, value: &Value) {
    let (parent, name) = at.rsplit_once('/').unwrap();
    let field = &mut body.pointer_mut(parent).unwrap()[name];
    *field = match value["items"].as_u64() {
        Some(count) => Value::from(vec![field[0].clone(); count as usize]),
        None => value.clone(),
    };
}
