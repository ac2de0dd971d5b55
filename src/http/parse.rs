//! JSON from outside, and what is wrong with it in words for people.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::strict::Strict;

/// What is wrong with a text, and in which of its fields, if it is in one.
#[derive(Debug)]
pub struct Fault {
    pub field: Option<String>,
    problem: String,
}

impl Fault {
    /// Returns what serde says is wrong at `path`.
    pub fn at(path: &serde_path_to_error::Path, text: &str) -> Fault {
        let problem = wanted(text);
        Fault { field: field_of(&path.to_string(), &problem), problem }
    }

    /// Says what is wrong, of the field if there is one, else of what was read as a whole.
    pub fn of(&self, whole: &str) -> String {
        let problem = &self.problem;
        let bare = self.field.is_none() && !problem.contains(" field `");
        if bare { format!("{whole} {problem}") } else { problem.clone() }
    }
}

/// Reads a value. Only a text that is wrong is read again with an eye on where: most are not.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = T::deserialize(Strict(&mut json));
    value.and_then(|value| json.end().map(|()| value)).map_err(|error| fault::<T>(bytes, &error))
}

fn fault<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Fault {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(Strict(&mut json)) {
        // All of it can be read, but something follows.
        Ok(_) => Fault { field: None, problem: wanted(&words(error)) },
        Err(error) => Fault::at(error.path(), &words(error.inner())),
    }
}

/// The field that is complained about: where it stands, or the one that is quoted as missing or
/// unknown.
fn field_of(path: &str, problem: &str) -> Option<String> {
    let quoted = problem.split('`').nth(1).filter(|_| problem.contains(" field `"));
    let path = (path != "." && path != "?").then_some(path);
    match (path, quoted) {
        (Some(path), Some(quoted)) if path.ends_with(quoted) => Some(path.to_owned()),
        (Some(path), Some(quoted)) => Some(format!("{path}.{quoted}")),
        (Some(path), None) => Some(path.to_owned()),
        (None, quoted) => quoted.map(str::to_owned),
    }
}

/// Says what is wrong, and where nothing can be read at all.
fn words(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    if error.classify() != Category::Data {
        return format!("cannot be read as JSON at line {line}, column {column}");
    }
    let text = error.to_string();
    text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned()
}

/// serde says what it found and what it wanted; the second is what helps.
fn wanted(text: &str) -> String {
    match text.rsplit_once(", expected ") {
        Some((found, wanted)) if found.starts_with("invalid ") => format!("must be {wanted}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only their reading is tested")]
    struct Ask {
        name: String,
        count: Option<u8>,
        big: Option<i64>,
        share: Option<f64>,
        open: Option<bool>,
        kind: Option<Kind>,
        items: Option<Vec<Item>>,
        any: Option<serde_json::Value>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Old,
        New,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Item {
        id: String,
    }

    fn told(body: &str) -> (Option<String>, String) {
        let fault = read::<Ask>(body.as_bytes()).unwrap_err();
        let problem = fault.of("the body");
        (fault.field, problem)
    }

    #[test]
    fn what_is_right_is_read() {
        let body = r#"{"name": "x", "count": 255, "share": 1, "kind": "new", "open": false,
            "items": [{"id": "a"}, {"id": "b"}], "any": [{"x": [1, null]}], "big": null}"#;
        let ask = read::<Ask>(body.as_bytes()).unwrap();
        assert_eq!((ask.count, ask.share, ask.kind), (Some(255), Some(1.0), Some(Kind::New)));
        assert_eq!((ask.items.unwrap().len(), ask.big), (2, None));
        assert_eq!(ask.any.unwrap(), serde_json::json!([{ "x": [1, null] }]));
    }

    /// Fault 20.
    #[test]
    fn a_fault_is_said_in_words_of_our_own() {
        for (value, wanted) in [
            (r#""name": 7"#, "text"),
            (r#""name": null"#, "text"),
            (r#""count": 256"#, "a whole number from 0 to 255"),
            (r#""count": -1"#, "a whole number from 0 to 255"),
            (r#""count": "1""#, "a whole number from 0 to 255"),
            (r#""big": 1.5"#, "a whole number"),
            (r#""big": 18446744073709551615"#, "a whole number"),
            (r#""share": true"#, "a number"),
            (r#""open": 0"#, "true or false"),
            (r#""kind": "red, expected blue""#, "one of: old, new"),
            (r#""kind": {"new": null}"#, "one of: old, new"),
            (r#""items": {"id": "a"}"#, "a list"),
        ] {
            let field = value.split('"').nth(1).map(str::to_owned);
            assert_eq!(told(&format!("{{{value}}}")), (field, format!("must be {wanted}")));
        }
    }

    #[test]
    fn a_list_is_no_object_wherever_it_stands() {
        for body in ["[]", "null", "7", r#"["x", 1, 2, 3.5, true, "new", [], 0]"#] {
            assert_eq!(told(body), (None, "the body must be an object".to_owned()), "{body}");
        }
        let inner = told(r#"{"name": "x", "items": [{"id": "a"}, ["b"]]}"#);
        assert_eq!(inner, (Some("items[1]".to_owned()), "must be an object".to_owned()));
    }

    #[test]
    fn what_is_no_json_is_said_with_its_place() {
        for (body, column) in [("{\"name\": \"x\"", 12), ("{\"name\": \"x\"} x", 15), ("", 0)] {
            let problem = format!("cannot be read as JSON at line 1, column {column}");
            assert!(told(body).1.ends_with(&problem), "{body}: {:?}", told(body));
        }
    }
}
