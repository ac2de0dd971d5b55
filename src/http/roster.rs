//! The import of people from a file, and its undo.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query, Raw};
use super::parse;
use super::problem::Problem;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::id::ImportId;
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, Timestamp};
use crate::domain::help;
use crate::domain::people::columns::Matches;
use crate::domain::people::import;
use crate::domain::rooms::imports::{self, Import};
use crate::domain::rooms::roster::{self, Report};
use crate::domain::rooms::undoing::Undone;
use crate::live::once;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN, routes!(take_over)))
        .routes(may(Who::ADMIN, routes!(list)))
        .routes(may(Who::ADMIN, routes!(undo)))
}

/// How a file is to be taken over.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Manner {
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
    /// What columns hold whose headings do not say it: a JSON object of a heading, or `[C]` for the
    /// third column, and a field as in `columns` of a report (`phone_2`), or `ignore`.
    #[param(example = r#"{"Kind":"name","[C]":"class","Notiz":"ignore"}"#)]
    columns: Option<String>,
}

impl Manner {
    fn matches(&self) -> Result<Matches> {
        let Some(columns) = &self.columns else { return Ok(Matches::default()) };
        let said: BTreeMap<String, String> =
            parse::read(columns.as_bytes()).map_err(|_| Error::Malformed {
                field: Some("columns".to_owned()),
                problem: "must be a JSON object of headings and fields".into(),
            })?;
        let pairs = said.iter().map(|(name, field)| (name.as_str(), field.as_str()));
        Matches::read(pairs)
            .map_err(|word| Error::invalid("columns", format!("{word:?} is no field of a person")))
    }
}

/// What is kept of a file that was taken over, for whoever asks again under the same key.
#[derive(Serialize, Deserialize)]
struct Taken {
    new: usize,
    changed: usize,
    same: usize,
    ignored: Vec<String>,
    import_id: Option<ImportId>,
    undo_until: Option<Timestamp>,
}

/// Takes a file of people over, all or nothing. Taking the same file over again changes nothing.
/// Only a file that was taken over uses its `Idempotency-Key` up: a dry run and a refusal change
/// nothing, and may be followed by the real one under the same key.
#[utoipa::path(post, path = "/api/v1/people/import", tag = "people", params(Manner),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Report), (status = 400), (status = 413), (status = 415),
        (status = 422, description = "`import.refused`; `details` is the report")))]
async fn take_over(
    State(app): State<App>,
    who: SignedIn,
    Query(manner): Query<Manner>,
    headers: HeaderMap,
    Raw { bytes: file, once }: Raw,
) -> Result<Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("text/csv") {
        return Err(Error::WrongType("text/csv"));
    }
    let matches = manner.matches()?;
    // First, since to a repeat the people of the first time may look like a mistake in the file.
    if let Some(once) = once.clone().filter(|_| !manner.dry_run)
        && let Some(taken) = app.read(move |conn| once::answered(conn, &once)).await?
    {
        return Ok(report(taken).into_response());
    }
    // Reading and planning are long work for a big file: they keep nobody from writing.
    let (import, plan) = app
        .read(move |conn| {
            let import = import::read_as(&file, &matches);
            let plan = roster::plan(conn, import.clone())?;
            Ok((import, plan))
        })
        .await?;
    if manner.dry_run {
        return Ok(Json(plan).into_response());
    }
    if plan.errors.is_empty() {
        let taken = app.write_once(once, who.actor(), "people.import", move |tx| {
            let report = help::leaving::take_over(tx, import)?;
            // Somebody changed the people between plan and act: the next try has a plan of its own.
            if report.imported { Ok(Taken::from(report)) } else { Err(Error::Busy) }
        });
        return Ok(report(taken.await?).into_response());
    }
    refused(Report { dry_run: false, ..plan })
}

fn report(taken: Taken) -> Json<Report> {
    let Taken { new, changed, same, ignored, import_id, undo_until } = taken;
    let done = Report { imported: true, ..Report::default() };
    Json(Report { new, changed, same, ignored, import_id, undo_until, ..done })
}

impl From<Report> for Taken {
    fn from(report: Report) -> Taken {
        let Report { new, changed, same, ignored, import_id, undo_until, .. } = report;
        Taken { new, changed, same, ignored, import_id, undo_until }
    }
}

fn refused(report: Report) -> Result<Response> {
    let complaints = match report.errors.len() {
        1 => "1 complaint".to_owned(),
        count => format!("{count} complaints"),
    };
    let details = serde_json::to_value(report).map_err(anyhow::Error::from)?;
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "import.refused")
        .because(format!("{complaints}; nothing was taken over"))
        .with_details(details);
    Ok(problem.into_response())
}

/// Lists the imports that may be undone, the newest first. Only the newest can be undone now.
#[utoipa::path(get, path = "/api/v1/people/imports", tag = "people", params(Paging),
    responses((status = 200, body = Page<Import>)))]
async fn list(
    State(app): State<App>,
    _: SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Import>>> {
    let now = app.clock.now();
    let found = app.read(move |conn| Page::part(imports::undoable(conn, now)?, &paging));
    found.await.map(Json)
}

/// Undoes the newest import within 24 hours, all or nothing. Whom the file made is gone, or inactive
/// if something is known of them by now; whom it changed is as before, but for what was changed
/// since. What was undone already is not undone again: the answer is the same.
#[utoipa::path(post, path = "/api/v1/people/imports/{id}/undo", tag = "people",
    params(("id" = ImportId, Path)),
    responses((status = 200, body = Undone), (status = 404), (status = 409, description =
        "`import.undo_too_late`, `import.not_newest`, `person.last_admin`")))]
async fn undo(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<ImportId>,
    act: Act<()>,
) -> Result<Json<Undone>> {
    let undone = app.write_once(act.once, who.actor(), "people.undo_import", move |tx| {
        help::leaving::undo_import(tx, id)
    });
    undone.await.map(Json)
}
