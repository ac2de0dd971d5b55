//! The import of people from a file.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Json, Query};
use super::problem::Problem;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::{Error, Result};
use crate::domain::people::import;
use crate::domain::rooms::roster::{self, Report};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::ADMIN, routes!(take_over)))
}

/// How a file is to be taken over.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Manner {
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// Takes a file of people over, all or nothing. Taking the same file over again changes nothing.
#[utoipa::path(post, path = "/api/v1/people/import", tag = "people", params(Manner),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Report), (status = 413), (status = 415),
        (status = 422, description = "`import.refused`; `details` is the report")))]
async fn take_over(
    State(app): State<App>,
    who: SignedIn,
    Query(manner): Query<Manner>,
    headers: HeaderMap,
    file: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("text/csv") {
        return Err(Error::WrongType("text/csv"));
    }
    let file = file.map_err(|_| Error::TooLarge)?;
    // Reading and planning are long work for a big file: they keep nobody from writing.
    let (import, plan) = app
        .read(move |conn| {
            let import = import::read(&file);
            let plan = roster::plan(conn, import.clone())?;
            Ok((import, plan))
        })
        .await?;
    if manner.dry_run {
        return Ok(Json(plan).into_response());
    }
    let report = if plan.errors.is_empty() {
        app.write(who.actor(), "people.import", move |tx| roster::take_over(tx, import)).await?
    } else {
        Report { dry_run: false, ..plan }
    };
    if report.imported {
        return Ok(Json(report).into_response());
    }
    let details = serde_json::to_value(&report).map_err(anyhow::Error::from)?;
    let complaints = match report.errors.len() {
        1 => "1 complaint".to_owned(),
        count => format!("{count} complaints"),
    };
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "import.refused")
        .because(format!("{complaints}; nothing was taken over"))
        .with_details(details);
    Ok(problem.into_response())
}
