//! What handlers take from a request, with errors as problems.

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Collected, LengthLimitError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::pairs::{self, Pairs};
use super::parse::{self, Fault};
use super::signed_in::Principal;
use crate::base::{Error, Result, secret};
use crate::live::Once;

/// How long an idempotency key may be.
pub const KEY_MAX: usize = 200;

/// The bytes that an answer is given room for at first; most have no more.
const ANSWER_GUESS: usize = 512;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON body in, a JSON body out. A POST whose fields may all be missing may come without a body.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// The body of a request that creates or acts, with its idempotency key.
/// `Act<()>` takes an empty body or `{}`; without any other, as for [`Json`].
#[derive(Debug, Clone)]
pub struct Act<T> {
    pub body: T,
    pub once: Option<Once>,
}

/// The same with the body as it came, for what is not JSON.
#[derive(Debug, Clone)]
pub struct Raw {
    pub bytes: Bytes,
    pub once: Option<Once>,
}

/// A form, as a browser without our scripts sends it.
#[derive(Debug, Clone, Copy)]
pub struct Form<T>(pub T);

/// Parameters from the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

/// Parameters from the query.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(ANSWER_GUESS);
        match serde_json::to_writer(&mut body, &self.0) {
            Ok(()) => {
                let mut response = Response::new(Body::from(body));
                response.headers_mut().insert(header::CONTENT_TYPE, JSON);
                response
            }
            Err(error) => Error::from(anyhow::Error::from(error)).into_response(),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    /// Not an `async fn`, which would keep room for the whole request while its body comes in.
    fn from_request(request: Request, _: &S) -> impl Future<Output = Result<Json<T>>> + Send {
        let is_empty = request.method() == Method::POST && request.body().is_end_stream();
        let nothing = is_empty && !request.headers().contains_key(header::CONTENT_TYPE);
        let kind = if nothing { Ok(()) } else { json_type(request.headers()) };
        let body = request.into_body();
        async move {
            kind?;
            if nothing { absent() } else { value(&whole(body).await?) }.map(Json)
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + 'static> FromRequest<S> for Act<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Act<T>> {
        let headers = request.headers().clone();
        let Raw { bytes, once } = Raw::from_request(request, state).await?;
        let empty = std::any::TypeId::of::<T>() == std::any::TypeId::of::<()>();
        let body = if empty && matches!(bytes.trim_ascii(), b"" | b"{}") {
            value(b"null")?
        } else if bytes.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            absent()?
        } else {
            json_type(&headers)?;
            value(&bytes)?
        };
        Ok(Act { body, once })
    }
}

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Raw> {
        let (parts, body) = request.into_parts();
        let key = idempotency_key(&parts)?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let act = format!("{} {target}\n", parts.method);
        let bytes = whole(body).await?;
        let once = key.map(|(principal, key)| {
            let request_hash = secret::hash([act.as_bytes(), &bytes].concat());
            Once { principal, key, request_hash }
        });
        Ok(Raw { bytes, once })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Form<T>> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, Body::from(whole(body).await?));
        let form = axum::Form::<Pairs>::from_request(request, state).await;
        let form = form.map_err(|error| match error.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Error::WrongType("application/x-www-form-urlencoded")
            }
            _ => Error::malformed("the form cannot be read"),
        })?;
        pairs::read(form.0).map(Form).map_err(|fault| unread(fault, "the form"))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    /// A path that holds no id names nothing: it is not found, not malformed.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Path(path.0)).map_err(|_| Error::NotFound("resource"))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Query<T>> {
        let query = axum::extract::Query::<Pairs>::from_request_parts(parts, state).await;
        let query = query.map_err(|_| Error::malformed("the query cannot be read"))?;
        pairs::read(query.0).map(Query).map_err(|fault| unread(fault, "the query"))
    }
}

/// Tells a field that is `null`, which empties it, from one that is missing.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Returns what a request without a body says, if it may say nothing.
fn absent<T: DeserializeOwned>() -> Result<T> {
    serde_json::from_slice(b"{}").map_err(|_| Error::WrongType("application/json"))
}

/// Reads a body.
fn value<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    parse::read(bytes).map_err(|fault| unread(fault, "the body"))
}

/// Says what cannot be read, of `whole` where no field is at fault.
fn unread(fault: Fault, whole: &str) -> Error {
    let problem = fault.of(whole).into();
    Error::Malformed { field: fault.field, problem }
}

fn json_type(headers: &HeaderMap) -> Result<()> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    match kind {
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(Error::WrongType("application/json")),
    }
}

/// Reads a body to its end. How long it may be is for the guard to say.
pub async fn whole(body: Body) -> Result<Bytes> {
    let read = body.collect().await;
    read.map(Collected::to_bytes).map_err(|error| {
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
        if causes.into_iter().any(|cause| cause.is::<LengthLimitError>()) {
            return Error::TooLarge;
        }
        Error::malformed("the body did not come to its end")
    })
}

fn idempotency_key(parts: &Parts) -> Result<Option<(String, String)>> {
    let Some(key) = parts.headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_MAX);
    let Some(key) = key else {
        return Err(Error::malformed("Idempotency-Key must be 1 to 200 visible characters"));
    };
    let principal = parts.extensions.get::<Principal>().map(Principal::actor);
    Ok(principal.map(|principal| (principal.to_string(), key.to_owned())))
}

#[cfg(test)]
mod tests {
    use http_body_util::Limited;

    use super::{Body, Error, value, whole};

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        content: String,
        #[expect(dead_code, reason = "only its reading is tested")]
        room_id: Option<crate::base::id::RoomId>,
    }

    fn field(body: &str) -> Option<String> {
        match value::<Ask>(body.as_bytes()) {
            Err(Error::Malformed { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    /// Fault 24.
    #[tokio::test]
    async fn a_body_that_is_cut_off_by_the_guard_is_too_large() {
        let limited = |text: &'static str| Body::new(Limited::new(Body::from(text), 4));
        assert_eq!(whole(limited("four")).await.unwrap(), "four");
        assert!(matches!(whole(limited("five!")).await, Err(Error::TooLarge)));
    }

    /// Faults 20 and 22.
    #[test]
    fn a_mistake_in_a_body_names_its_field() {
        assert_eq!(field(r#"{"content": 7}"#).as_deref(), Some("content"));
        assert_eq!(field(r#"{"content": "x", "room": "1"}"#).as_deref(), Some("room"));
        assert_eq!(field("{}").as_deref(), Some("content"));
        assert_eq!(field(r#"{"content": "x", "room_id": "one"}"#).as_deref(), Some("room_id"));
        assert_eq!(field(r#"{"content": "a", "content": "b"}"#).as_deref(), Some("content"));
    }

    /// Faults 17, 18 and 19.
    #[test]
    fn what_is_no_json_is_refused_whole() {
        for body in ["", "[]", "null", r#"{"content": "x"} x"#, "{\"content\": \"\\ud800\"}"] {
            assert!(value::<Ask>(body.as_bytes()).is_err(), "{body}");
        }
        assert!(value::<Ask>(b"{\"content\": \"\xff\"}").is_err());
        assert!(value::<Ask>("[".repeat(100_000).as_bytes()).is_err());
        assert_eq!(value::<Ask>(br#"{"content": "x"}"#).unwrap().content, "x");
    }
}
