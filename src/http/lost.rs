//! What is answered at an address that there is none of.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::pages::{Look, inside, mark, page, speaking, url};
use crate::app::App;
use crate::base::Result;
use crate::domain::house;

#[derive(Template)]
#[template(path = "lost.html")]
struct Lost {
    look: Look,
    house: String,
}

/// Says so: by a page to somebody who has mistyped it, by a problem to a program.
pub async fn lost(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response> {
    if uri.path().starts_with("/api/") || !wants_page(&headers) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    if let Some(lang) = uri.query().and_then(|query| query.strip_prefix("lang=")?.parse().ok()) {
        return Ok(speaking(lang, inside(uri.path())));
    }
    // Before its set-up a house has neither name nor language.
    let house = app.read(house::queries::house).await.ok();
    let look = Look::of(&headers, None, house.as_ref().map(|house| house.language));
    let house = house.map_or_else(|| "Daybook".to_owned(), |house| house.name);
    page(StatusCode::NOT_FOUND, &Lost { look, house })
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
