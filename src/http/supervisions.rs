//! Who is responsible for what: hand-over, substitution, and their ends.
//!
//! The lead gives anything to anybody, at once; staff offer what is theirs (`offers.rs`).

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query};
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::id::{GroupId, PersonId, RunId, SupervisionId};
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, Timestamp};
use crate::domain::people::Role;
use crate::domain::rooms::offers::GiveKind;
use crate::domain::rooms::{self, Charge, SupervisionKind, commands, queries};
use crate::live::Tx;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN | Who::STAFF, routes!(list)))
        .routes(may(Who::ADMIN, routes!(create)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(end)))
}

/// A stretch of responsibility for one run or one group.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Supervision {
    id: SupervisionId,
    staff_id: PersonId,
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<GroupId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_name: Option<String>,
    kind: SupervisionKind,
    from: Timestamp,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl From<rooms::SupervisionFacts> for Supervision {
    fn from(facts: rooms::SupervisionFacts) -> Supervision {
        let held = facts.supervision;
        Supervision {
            id: held.id,
            staff_id: held.person,
            display_name: facts.display_name,
            run_id: held.charge.run(),
            activity_name: facts.run.as_ref().map(|run| run.activity_name.clone()),
            room_name: facts.run.map(|run| run.room_name),
            group_id: held.charge.group(),
            group_name: facts.group.map(|group| group.name),
            kind: held.kind,
            from: held.from_at,
            until: held.until_at,
        }
    }
}

/// Whose supervision is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Of one person; staff may ask for their own only, and get it without asking.
    staff_id: Option<PersonId>,
    /// How many items at the most (1 to 500, default 50).
    limit: Option<u32>,
    /// Where the page before ended, as its `next_cursor` said.
    cursor: Option<String>,
}

/// Lists what has not ended.
#[utoipa::path(get, path = "/api/v1/supervisions", tag = "rooms", params(Asked),
    responses((status = 200, body = Page<Supervision>),
        (status = 403, description = "`supervision.not_own`")))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<Page<Supervision>>> {
    let Asked { staff_id, limit, cursor } = asked;
    let person = match who.role {
        Role::Admin => staff_id,
        _ if staff_id.is_none_or(|id| id == who.person) => Some(who.person),
        _ => return Err(Error::Forbidden("supervision.not_own")),
    };
    let read = app.read(move |conn| {
        let held = queries::supervisions(conn, person)?.into_iter();
        let facts = held.map(|held| queries::supervision_facts(conn, held));
        Page::part(facts.collect::<Result<Vec<_>>>()?, &Paging { limit, cursor })
    });
    read.await.map(Json)
}

/// Who is to be responsible, for what, and in whose place.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct GiveBody {
    /// Who gets it.
    staff_id: PersonId,
    run_id: Option<RunId>,
    group_id: Option<GroupId>,
    kind: GiveKind,
    /// When a substitution ends; when the house closes, if not said.
    until: Option<Timestamp>,
    /// Whose it is now; must be said when several have it. A substitution that
    /// names neither run nor group is for everything that is this person's.
    from_id: Option<PersonId>,
}

/// Hands a run or a group over at once, or puts a substitute beside who has it.
/// The answer lists what was given.
#[utoipa::path(post, path = "/api/v1/supervisions", tag = "rooms", request_body = GiveBody,
    responses((status = 201, body = Given),
        (status = 409, description = "`supervision.not_held`, `supervision.held`, `run.ended`"),
        (status = 422)))]
async fn create(
    State(app): State<App>,
    who: SignedIn,
    act: Act<GiveBody>,
) -> Result<(StatusCode, Json<Given>)> {
    let body = act.body;
    let given = app.write_once(act.once, who.actor(), "rooms.give_supervision", move |tx| {
        let given = give(tx, who.person, &body)?.into_iter();
        let items = given.map(|held| queries::supervision_facts(tx, held).map(Supervision::from));
        Ok(Given { items: items.collect::<Result<_>>()? })
    });
    Ok((StatusCode::CREATED, Json(given.await?)))
}

/// What was given.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Given {
    items: Vec<Supervision>,
}

fn give(tx: &mut Tx<'_>, lead: PersonId, body: &GiveBody) -> Result<Vec<rooms::Supervision>> {
    let charge = match (body.run_id, body.group_id) {
        (Some(run), None) => Some(Charge::Run(run)),
        (None, Some(group)) => Some(Charge::Group(group)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(Error::invalid("group_id", "must not stand beside run_id"));
        }
    };
    let from = body.from_id;
    match (body.kind, charge) {
        (GiveKind::HandOver, _) if body.until.is_some() => {
            Err(Error::invalid("until", "only a substitution ends by itself"))
        }
        (GiveKind::HandOver, None) => Err(Error::invalid("run_id", "must be there, or group_id")),
        (GiveKind::HandOver, Some(charge)) => {
            let from = match from {
                Some(from) => Some(from),
                None => holder(tx, charge, lead)?,
            };
            Ok(vec![commands::hand_over(tx, charge, from, body.staff_id)?])
        }
        (GiveKind::Substitution, Some(charge)) => {
            Ok(vec![commands::substitute(tx, charge, from, body.staff_id, body.until)?])
        }
        (GiveKind::Substitution, None) => {
            let absent = from.ok_or_else(|| Error::invalid("from_id", "must say who is absent"))?;
            commands::substitute_all(tx, absent, body.staff_id, body.until)
        }
    }
}

/// Returns who has `charge`: the lead, before others; nobody else, if several do.
fn holder(tx: &Tx<'_>, charge: Charge, lead: PersonId) -> Result<Option<PersonId>> {
    match queries::staff_of(tx, charge)?.as_slice() {
        [] => Ok(None),
        several if several.iter().any(|who| who.id == lead) => Ok(Some(lead)),
        [one] => Ok(Some(one.id)),
        _ => Err(Error::invalid("from_id", "must say whose it is: several have it")),
    }
}

/// Ends somebody's responsibility without a successor. Staff end their own, but
/// not that for a standing group, which must be handed over.
#[utoipa::path(post, path = "/api/v1/supervisions/{id}/end", tag = "rooms",
    params(("id" = SupervisionId, Path)),
    responses((status = 204), (status = 404),
        (status = 403, description = "`supervision.standing`"),
        (status = 409, description = "`supervision.ended`")))]
async fn end(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<SupervisionId>,
    act: Act<()>,
) -> Result<StatusCode> {
    app.write_once(act.once, who.actor(), "rooms.end_supervision", move |tx| {
        let held = queries::supervision(tx, id)?;
        if who.role != Role::Admin {
            if held.person != who.person {
                return Err(Error::NotFound("supervision"));
            }
            if held.kind == SupervisionKind::Standing {
                return Err(Error::Forbidden("supervision.standing"));
            }
        }
        commands::end_supervision(tx, id)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
