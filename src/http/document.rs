//! The OpenAPI document: made from the handlers, finished here with what all of them share, and
//! read back as the list of routes. Nothing in it is written twice.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use utoipa::PartialSchema;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder};
use utoipa::openapi::security::{SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, ContentBuilder, InfoBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required,
    ResponseBuilder, Schema, schema,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::KEY_MAX;
use super::{problem, shapes};
use crate::app::App;
use crate::base::Result;

/// The POST routes that take no `Idempotency-Key`. All others take one, and the document says so.
const WITHOUT_KEY: &[&str] = &[
    // Their answers, or what they are asked with, hold a secret, of which nothing may be kept: a
    // repeat makes another one, or is refused as the code or the account is used up.
    "/api/v1/login",
    "/api/v1/setup",
    "/api/v1/stream-tickets",
    "/api/v1/people/{id}/account",
    "/api/v1/devices/enrolment-codes",
    "/api/v1/device/enroll",
    "/api/v1/displays",
    "/api/v1/displays/sign-in",
    "/api/v1/displays/pairing",
    // A second time changes nothing.
    "/api/v1/logout",
    "/api/v1/device/commands/{id}/ack",
    "/api/ws/subscribe",
    "/api/ws/unsubscribe",
    // It tells how the reader is now.
    "/api/v1/device/heartbeat",
    // A scan has an id of its own; of two taps within 1.5 s the second one is a duplicate.
    "/api/v1/device/scans",
    "/api/v1/device/tap",
    // Forms: a browser sends no header of a page's own with them.
    "/setup",
    "/sign-in",
    "/sign-out",
];

/// A route, as `daybook routes` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    pub method: String,
    pub path: String,
    /// Who may call it: `anyone`, or roles.
    pub may: Vec<String>,
    /// Whether a call may change anything.
    pub changes: bool,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::ANYONE, routes!(show)))
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "interface",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
async fn show() -> Result<Response> {
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((json, written()?).into_response())
}

/// Returns the document as JSON. It is made when somebody asks for the first time: as a tree it
/// takes a fifth of the memory that a house at rest needs.
fn written() -> Result<Bytes> {
    static WRITTEN: OnceLock<Bytes> = OnceLock::new();
    if let Some(written) = WRITTEN.get() {
        return Ok(written.clone());
    }
    let json = serde_json::to_vec(&super::routes().1).map_err(anyhow::Error::from)?;
    Ok(WRITTEN.get_or_init(|| json.into()).clone())
}

/// Returns every route of `document`, by path and method.
pub fn listing(document: &OpenApi) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations(item) {
            let may = operation.extensions.as_ref().and_then(|more| more.get("x-may"));
            let may = may.and_then(|words| words.as_array()).into_iter().flatten();
            routes.push(Route {
                method: method.to_owned(),
                path: path.clone(),
                may: may.filter_map(|word| word.as_str()).map(str::to_owned).collect(),
                changes: method != "GET",
            });
        }
    }
    routes
}

/// Finishes the document that the routes have made.
pub(super) fn finish(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Daybook")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The live day book of a house. `x-may` names who may call a route. Live events are \
             described in docs/events.md. A GET with the header `Daybook-Background: 1` says that \
             a program reads by itself: it keeps nobody online.",
        ))
        .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")))
        .build();
    // The router's sign for "the rest of the path" means nothing to readers of the document.
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths =
        paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_mut(item) {
            finish_operation(method, path, operation);
        }
    }
    free_of_bodies(&mut document);
    let components = document.components.get_or_insert_default();
    components.schemas.insert("Problem".to_owned(), problem::Written::schema());
    shapes::bound_texts(&mut components.schemas);
    let cookie = ApiKey::Cookie(ApiKeyValue::new("daybook"));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.security_schemes.insert("session".to_owned(), SecurityScheme::ApiKey(cookie).into());
    components.security_schemes.insert("device".to_owned(), SecurityScheme::Http(bearer).into());
    document
}

/// Gives an operation a name of its own, its keys, and the answer that any error is.
fn finish_operation(method: &str, path: &str, operation: &mut Operation) {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let tagged = |tag: &str| operation.tags.iter().flatten().any(|other| other == tag);
    let (page, classic) = (tagged("pages"), tagged("classic"));
    // Of the classic paths some differ in nothing else.
    let words: Vec<&str> = words.filter(|word| classic || !["api", "v1"].contains(word)).collect();
    let kind = if page {
        "_page"
    } else if classic {
        "_classic"
    } else {
        ""
    };
    operation.operation_id = Some(format!("{}{kind}_{}", method.to_lowercase(), words.join("_")));
    describe_path(path, operation);
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            shapes::bound_limit(parameter);
        }
    }
    if method == "POST" && !WITHOUT_KEY.contains(&path) {
        operation.parameters.get_or_insert_default().push(key().into());
    }
    let may = operation.extensions.as_ref().and_then(|more| more.get("x-may")).cloned();
    let may = may.and_then(|words| words.as_array().cloned()).unwrap_or_default();
    let named = |word: &str| may.iter().any(|other| other == word);
    operation.security = Some(if named("anyone") {
        Vec::new()
    } else {
        let scheme = if named("device") { "device" } else { "session" };
        vec![SecurityRequirement::new(scheme, Vec::<String>::new())]
    });
    describe_errors(operation);
}

/// Says of each error that it comes as a problem, of those that the handler names for their meaning
/// and of all others. What has a body of its own keeps it; a page has both, as the guard refuses
/// what comes to it as it does everything.
fn describe_errors(operation: &mut Operation) {
    const PROBLEM: &str = "application/problem+json";
    let content = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && (response.content.is_empty() || response.content.contains_key("text/html"))
        {
            response.content.insert(PROBLEM.to_owned(), RefOr::T(content()));
        }
    }
    let any = ResponseBuilder::new()
        .description("Any error, as a problem (RFC 9457)")
        .content(PROBLEM, content())
        .build();
    operation.responses.responses.insert("default".to_owned(), any.into());
}

/// Says of each POST whose body may say nothing that it may have none.
fn free_of_bodies(document: &mut OpenApi) {
    let schemas = document.components.as_ref().map(|all| all.schemas.clone()).unwrap_or_default();
    let may_say_nothing = |content: &RefOr<Content>| {
        let RefOr::T(Content { schema: Some(RefOr::Ref(to)), .. }) = content else { return false };
        let name = to.ref_location.rsplit('/').next().unwrap_or_default();
        matches!(schemas.get(name), Some(RefOr::T(Schema::Object(it))) if it.required.is_empty())
    };
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations_mut(item).filter(|(method, _)| *method == "POST") {
            let Some(RefOr::T(body)) = &mut operation.request_body else { continue };
            if body.content.get("application/json").is_some_and(may_say_nothing) {
                body.required = Some(Required::False);
            }
        }
    }
}

/// The header that makes a repeat harmless.
fn key() -> Parameter {
    let text = ObjectBuilder::new().schema_type(schema::Type::String);
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Made by the caller, one for each act: a repeat within 24 hours gives the stored answer; \
             the same key with another request is 422",
        ))
        .schema(Some(text.min_length(Some(1)).max_length(Some(KEY_MAX))))
        .build()
}

/// Describes the parameters of the path that the handler leaves to its page.
fn describe_path(path: &str, operation: &mut Operation) {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    for name in names {
        let parameters = operation.parameters.get_or_insert_default();
        let known = parameters.iter().any(|parameter| match parameter {
            RefOr::T(parameter) => parameter.name == name,
            RefOr::Ref(_) => false,
        });
        if !known {
            let text = ObjectBuilder::new().schema_type(schema::Type::String);
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(text));
            parameters.push(parameter.build().into());
        }
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
