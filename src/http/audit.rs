//! The audit trail over HTTP: who looked at what, and who changed what. A look at it is a line of
//! it, written before anything is read: where no line can be written there is nothing to see.

use axum::extract::State;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Json, Query};
use super::signed_in::SignedIn;
use super::squeeze::squeezed;
use crate::app::App;
use crate::base::id::PersonId;
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, Timestamp};
use crate::domain::people::audit::{self, Entry, Filter};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::ADMIN, squeezed(routes!(list))))
}

/// Which lines.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only what was about this person.
    person_id: Option<PersonId>,
    /// Only this act, such as `contacts.read`.
    act: Option<String>,
    /// Only what happened then or later.
    since: Option<Timestamp>,
    /// How many items at the most (1 to 500, default 50).
    limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said.
    cursor: Option<String>,
}

/// Lists the lines of the audit trail, the newest first, this look among them.
#[utoipa::path(get, path = "/api/v1/audit", tag = "people", params(Asked),
    responses((status = 200, body = Page<Entry>), (status = 422)))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Entry>>> {
    let Asked { person_id, act, since, limit, cursor } = asked;
    let filter = Filter::new(person_id, act, since)?;
    let limit = Paging { limit, cursor: None }.limit()?;
    let before = cursor.as_deref().map_or(Ok(i64::MAX), line_of)?;
    let looked = filter.clone();
    app.write(who.actor(), "people.read_audit", move |tx| audit::record_look(tx, &looked)).await?;
    let found = app.read(move |conn| audit::entries(conn, &filter, before, limit + 1));
    Ok(Json(page(found.await?, limit as usize)))
}

/// Returns the line that a cursor stands for. A place counted from the newest line would move with
/// each look.
fn line_of(cursor: &str) -> Result<i64> {
    let line = cursor.strip_prefix('l').and_then(|line| line.parse::<u32>().ok());
    line.map(i64::from).ok_or_else(|| Error::invalid("cursor", "is not a cursor of this list"))
}

fn page(mut items: Vec<Entry>, limit: usize) -> Page<Entry> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|last| format!("l{}", last.id));
    Page { items, next_cursor }
}
