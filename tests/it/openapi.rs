//! The OpenAPI document: it names every route, and what it says of answers is so. Every test
//! server holds its answers against it (schema.rs); here the checker itself is tried.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::schema::{check, document};
use crate::server::TestServer;

fn operations() -> Vec<(String, String, Value)> {
    let document = document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    all
}

#[tokio::test]
async fn the_served_document_is_the_one_that_the_program_prints() {
    let server = TestServer::start().await;
    let answer = server.nobody().get("/api/v1/openapi.json").await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().unwrap(), *document());
}

/// Routes can only be made through the list that also makes the document.
#[test]
fn no_route_is_made_past_the_document() {
    let folders = ["src/http", "src/http/ws", "src/http/classic"];
    let folders = folders.map(|folder| fs::read_dir(folder).unwrap());
    for path in folders.into_iter().flatten().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code: Vec<&str> =
            text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")).collect();
        for past in [".route(", ".route_service(", ".nest(", ".nest_service(", ".fallback("] {
            // What is no route is answered in one place, and does nothing.
            let mut others = code.iter().filter(|line| !line.contains(".fallback(lost::lost)"));
            let made = others.any(|line| line.contains(past));
            assert!(!made, "{}: {past}..) makes a route past the document", path.display());
        }
        for line in code.iter().filter(|line| line.contains("routes!(")) {
            assert!(line.contains("may("), "{}: {line}: who may call it?", path.display());
        }
    }
}

#[test]
fn every_operation_says_what_it_is_who_may_call_it_and_what_it_answers() {
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations() {
        let at = format!("{method} {path}");
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name), "{at}: its operationId is not its own");
        let says = ["summary", "description"].iter().any(|field| operation[*field].is_string());
        assert!(says, "{at}: says nothing about itself");
        assert!(!operation["x-may"].as_array().unwrap().is_empty(), "{at}: nobody may call it");
        let answers = operation["responses"].as_object().unwrap();
        let good = answers.keys().any(|status| status.starts_with(['2', '3']) || status == "101");
        assert!(good, "{at}: no good answer is described");
        for (status, answer) in answers {
            let number: u16 = status.parse().unwrap_or(0);
            let bodyless = [101, 204].contains(&number)
                || (300..400).contains(&number)
                || answer["content"].is_object();
            let described = bodyless || path.starts_with("/a/");
            assert!(described, "{at}: {status} has no body described");
            let problem = &answer["content"]["application/problem+json"]["schema"]["$ref"];
            let told = problem == "#/components/schemas/Problem";
            assert!(number < 400 && status != "default" || told, "{at}: {status} is no problem");
        }
        let wanted: BTreeSet<_> =
            path.split('{').skip(1).filter_map(|r| r.split('}').next()).collect();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let named = parameters.filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str());
        assert_eq!(wanted, named.collect(), "{at}: its path parameters");
    }
}

/// Two types of one name would describe each other.
#[test]
fn every_described_type_has_a_name_of_its_own() {
    let (mut names, mut twice, mut dirs) = (BTreeSet::new(), Vec::new(), vec!["src".into()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir::<std::path::PathBuf>(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for described in text.split("ToSchema)]").skip(1) {
                let head = described.split('{').next().unwrap_or_default();
                let own = head.split_once("as = ").or_else(|| head.split_once("struct "));
                let own = own.or_else(|| head.split_once("enum ")).map_or("", |(_, own)| own);
                let name: String = own.chars().take_while(|c| c.is_alphanumeric()).collect();
                if !name.is_empty() && !names.insert(name.clone()) {
                    twice.push(format!("{name}, again in {}", path.display()));
                }
            }
        }
    }
    assert_eq!(twice, Vec::<String>::new());
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document = document();
    let mut waiting = vec![&*document];
    while let Some(value) = waiting.pop() {
        if let Some(reference) = value["$ref"].as_str() {
            let target = document.pointer(reference.trim_start_matches('#'));
            assert!(target.is_some(), "{reference} is nowhere");
        }
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(fields) => waiting.extend(fields.values()),
            _ => {}
        }
    }
}

/// What is one of several is one of them only, and what is several at once can be all of them.
#[test]
fn choices_can_be_told_apart_and_parts_stand_together() {
    let document = document();
    let resolved = |schema: &Value| match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap().clone(),
        None => schema.clone(),
    };
    let wants_more = |one: &Value, other: &Value| {
        let mut required = one["required"].as_array().into_iter().flatten();
        other["additionalProperties"] == false
            && required.any(|name| other["properties"][name.as_str().unwrap()].is_null())
    };
    let mut waiting = vec![&*document];
    while let Some(value) = waiting.pop() {
        let parts = |word: &str| value[word].as_array().into_iter().flatten().map(resolved);
        let choices: Vec<Value> = parts("oneOf").collect();
        for (at, one) in choices.iter().enumerate() {
            for other in choices.iter().skip(at + 1) {
                let apart = one["type"] != other["type"]
                    || wants_more(one, other)
                    || wants_more(other, one);
                assert!(apart, "one could be the other: {value}");
            }
        }
        let kinds: BTreeSet<String> = parts("allOf").map(|part| part["type"].to_string()).collect();
        assert!(!kinds.contains("\"string\"") || kinds.len() == 1, "nothing is all of {value}");
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(fields) => waiting.extend(fields.values()),
            _ => {}
        }
    }
}

/// Faults 29, as far as answers go.
#[test]
fn an_answer_that_is_not_described_is_found() {
    let good = json!({ "needed": true });
    let try_answer = |status: u16, kind: &str, body: &Value| {
        check("/api/v1/setup", "get", status, kind, body.to_string().as_bytes())
    };
    assert_eq!(try_answer(200, "application/json", &good), Ok(()));
    for (status, kind, body, says) in [
        (200, "application/json", json!({ "needed": "yes" }), "is not of type"),
        (200, "application/json", json!({}), "is missing"),
        (200, "application/json", json!({ "needed": true, "more": 1 }), "is not in the document"),
        (201, "application/json", good.clone(), "the status is not in the document"),
        (200, "text/plain", good.clone(), "is not in the document"),
        (404, "application/problem+json", good, "is missing"),
    ] {
        let found = try_answer(status, kind, &body).unwrap_err();
        assert!(found.contains(says), "{status} {kind} {body}: {found}");
    }
    let taken = json!({ "type": "about:blank", "title": "Conflict", "status": 409,
        "code": "setup.odd", "request_id": "1" });
    let found = try_answer(409, "application/problem+json", &taken).unwrap_err();
    assert!(found.contains("setup.odd is not in the document"), "{found}");
    let nowhere = check("/api/v1/nowhere", "get", 200, "application/json", b"{}");
    assert_eq!(nowhere, Err("the route is not in the document".to_owned()));
}
