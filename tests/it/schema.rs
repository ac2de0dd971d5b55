//! Every answer of every test server is held against the OpenAPI document: an answer that the
//! document does not describe becomes a 599 that says why, and its test fails.

use std::io::Read as _;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use serde_json::Value;

/// The status of an answer that is not what the document says.
pub const UNDESCRIBED: u16 = 599;

/// The longest answer that is looked at.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// Returns the document, as clients read it.
pub fn document() -> Arc<Value> {
    static DOCUMENT: OnceLock<Arc<Value>> = OnceLock::new();
    let read = || Arc::new(serde_json::to_value(daybook::http::routes().1).unwrap());
    DOCUMENT.get_or_init(read).clone()
}

/// Wraps a router so that its answers are held against the document.
pub fn held_to_document(router: Router) -> Router {
    router.layer(middleware::from_fn(compare))
}

async fn compare(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = request.method().as_str().to_lowercase();
    let answer = next.run(request).await;
    let Some(path) = path else { return answer };
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
    let status = answer.status().as_u16();
    // Streams are described by the event catalogue, files by themselves.
    let looked_at = ["", "application/json", "application/problem+json"].contains(&kind.as_str());
    if !looked_at || method == "head" || status == 101 {
        return answer;
    }
    let (parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let said = if parts.headers.contains_key(header::CONTENT_ENCODING) {
        unpacked(&bytes).into()
    } else {
        bytes.clone()
    };
    match check(&path.replace("{*", "{"), &method, status, &kind, &said) {
        Ok(()) => Response::from_parts(parts, Body::from(bytes)),
        Err(problem) => {
            let text = format!("{method} {path} -> {status}: {problem}\n{parts:?}\n");
            let body = [text.as_bytes(), &bytes].concat();
            (StatusCode::from_u16(UNDESCRIBED).unwrap(), body).into_response()
        }
    }
}

/// Returns what was compressed with gzip.
pub fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}

/// Refusals that any route may give, for who calls and from where.
const ANYWHERE: [&str; 3] = ["access.role", "origin.foreign", "origin.missing"];

/// Says why an answer is not what the document describes. What a client must tell apart, it must
/// be told of: 403, 409 and 410 are described by route, with the code if anything is said at all.
pub fn check(path: &str, method: &str, status: u16, kind: &str, body: &[u8]) -> Result<(), String> {
    let document = document();
    let operation = &document["paths"][path][method];
    if operation.is_null() && [404, 405].contains(&status) {
        return Ok(());
    }
    if operation.is_null() {
        return Err("the route is not in the document".to_owned());
    }
    let described = &operation["responses"][status.to_string()];
    if [403, 409, 410].contains(&status) && kind == "application/problem+json" {
        let problem = parse(body)?;
        let code = problem["code"].as_str().unwrap_or_default();
        let says = described["description"].as_str().unwrap_or_default();
        let named = says.contains(code) || says.is_empty() && !described.is_null();
        if !named && !ANYWHERE.contains(&code) {
            return Err(format!("{code} is not in the document"));
        }
    }
    let described = match described {
        Value::Null if status >= 400 => &operation["responses"]["default"],
        Value::Null => return Err("the status is not in the document".to_owned()),
        described => described,
    };
    let content = &described["content"][kind];
    match (content.is_null(), body.is_empty()) {
        (true, true) => return Ok(()),
        (true, false) => return Err(format!("a body of type {kind:?} is not in the document")),
        (false, _) => {}
    }
    matches(&document, &content["schema"], &parse(body)?, "")
}

fn parse(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| format!("not JSON: {e}"))
}

/// Says where `value` is not what `schema` allows; a field that is not described is not allowed.
fn matches(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#'));
        let target = target.ok_or_else(|| format!("{at}: {reference} is nowhere"))?;
        return matches(document, target, value, at);
    }
    for choice in ["oneOf", "anyOf"] {
        let Some(schemas) = schema[choice].as_array() else { continue };
        let tried: Vec<_> = schemas.iter().map(|s| matches(document, s, value, at)).collect();
        if tried.iter().all(Result::is_err) {
            let why: Vec<String> = tried.into_iter().filter_map(Result::err).collect();
            return Err(format!("{at}: none of the choices: {}", why.join("; ")));
        }
        return Ok(());
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return merged(document, parts, schema, value, at);
    }
    check_type(schema, value, at)?;
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{at}: {value} is none of {words:?}"));
    }
    match value {
        Value::Array(items) if schema["items"].is_object() => {
            items.iter().enumerate().try_for_each(|(n, item)| {
                matches(document, &schema["items"], item, &format!("{at}[{n}]"))
            })
        }
        Value::Object(_) => check_object(document, schema, value, at),
        _ => Ok(()),
    }
}

/// Holds an object against several schemas that describe it together.
fn merged(
    document: &Value,
    parts: &[Value],
    schema: &Value,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let mut whole = serde_json::json!({ "type": "object", "properties": {}, "required": [] });
    let mut waiting: Vec<&Value> = parts.iter().chain([schema]).collect();
    while let Some(part) = waiting.pop() {
        if let Some(reference) = part["$ref"].as_str() {
            waiting.extend(document.pointer(reference.trim_start_matches('#')));
            continue;
        }
        if !std::ptr::eq(part, schema) {
            waiting.extend(part["allOf"].as_array().into_iter().flatten());
        }
        for (name, described) in part["properties"].as_object().into_iter().flatten() {
            whole["properties"][name] = described.clone();
        }
        let required = part["required"].as_array().into_iter().flatten().cloned();
        whole["required"].as_array_mut().unwrap().extend(required);
    }
    matches(document, &whole, value, at)
}

fn check_type(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |name: &Value| name == own || (name == "number" && own == "integer");
    let allowed = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    };
    if allowed { Ok(()) } else { Err(format!("{at}: {value} is not of type {}", schema["type"])) }
}

fn check_object(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let fields = value.as_object().unwrap();
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Err(format!("{at}: {name} is missing"));
        }
    }
    // An object without described fields is free.
    let Some(described) = schema["properties"].as_object() else { return Ok(()) };
    for (name, field) in fields {
        match described.get(name) {
            Some(schema) => matches(document, schema, field, &format!("{at}.{name}"))?,
            None if [Value::Null, false.into()].contains(&schema["additionalProperties"]) => {
                return Err(format!("{at}.{name}: is not in the document"));
            }
            None => {}
        }
    }
    Ok(())
}
