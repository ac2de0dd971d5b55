//! Offers of responsibility: staff ask a colleague to take what is theirs, who accepts or declines.
//! Until then the giver stays responsible.

use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::{Act, Json, Path, Query};
use super::runs::Supervisor;
use super::signed_in::SignedIn;
use super::supervisions::Supervision;
use crate::app::{App, AsOf};
use crate::base::id::{GroupId, OfferId, PersonId, RunId};
use crate::base::page::{Page, Paging};
use crate::base::{Error, Result, Timestamp};
use crate::domain::people::{self, Role};
use crate::domain::rooms::offers::{self, GiveKind};
use crate::domain::rooms::{Charge, queries};
use crate::live::Tx;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(may(Who::ADMIN | Who::STAFF, routes!(list)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(create)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(accept)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(decline)))
        .routes(may(Who::ADMIN | Who::STAFF, routes!(withdraw)))
}

/// A run or a group that somebody is asked to take.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Offer {
    id: OfferId,
    kind: GiveKind,
    /// Whose it is, and stays until the other accepts.
    from: Supervisor,
    to: Supervisor,
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
    /// When the substitution would end.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    offered_at: Timestamp,
}

impl Offer {
    fn of(conn: &Connection, offer: offers::Offer) -> Result<Offer> {
        let named = |id| -> Result<Supervisor> {
            let name = people::queries::display_name(conn, id)?;
            Ok(Supervisor::new(id, name.unwrap_or_default()))
        };
        let run = offer.charge.run().map(|id| queries::run(conn, id)).transpose()?;
        let group = offer.charge.group().map(|id| queries::group(conn, id)).transpose()?;
        Ok(Offer {
            id: offer.id,
            kind: offer.kind,
            from: named(offer.from)?,
            to: named(offer.to)?,
            run_id: offer.charge.run(),
            activity_name: run.as_ref().map(|run| run.activity_name.clone()),
            room_name: run.map(|run| run.room_name),
            group_id: offer.charge.group(),
            group_name: group.map(|group| group.name),
            until: offer.until_at,
            offered_at: offer.offered_at,
        })
    }
}

/// The open offers at one moment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Offers {
    #[serde(flatten)]
    at: AsOf,
    #[serde(flatten)]
    page: Page<Offer>,
}

/// Lists the open offers that the caller has made or may accept; the lead sees all.
#[utoipa::path(get, path = "/api/v1/supervision-offers", tag = "rooms", params(Paging),
    responses((status = 200, body = Offers)))]
async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(paging): Query<Paging>,
) -> Result<Json<Offers>> {
    let read = app.snapshot(move |conn, _| {
        let person = (who.role != Role::Admin).then_some(who.person);
        let open = offers::open(conn, person)?.into_iter();
        let items = open.map(|offer| Offer::of(conn, offer)).collect::<Result<Vec<_>>>()?;
        Page::part(items, &paging)
    });
    let (at, page) = read.await?;
    Ok(Json(Offers { at, page }))
}

/// Who is asked, and for what.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OfferBody {
    /// Who is asked to take it.
    staff_id: PersonId,
    run_id: Option<RunId>,
    group_id: Option<GroupId>,
    kind: GiveKind,
    /// When a substitution would end, not after the caller's own; when the house closes or that
    /// ends, if not said.
    until: Option<Timestamp>,
}

impl OfferBody {
    fn charge(&self) -> Result<Charge> {
        match (self.run_id, self.group_id) {
            (Some(run), None) => Ok(Charge::Run(run)),
            (None, Some(group)) => Ok(Charge::Group(group)),
            (None, None) => Err(Error::invalid("run_id", "must be there, or group_id")),
            (Some(_), Some(_)) => Err(Error::invalid("group_id", "must not stand beside run_id")),
        }
    }
}

/// Asks a colleague to take over a run or a group of one's own, or to stand in for a while. One
/// is asked at a time; the caller stays responsible until the other accepts.
#[utoipa::path(post, path = "/api/v1/supervision-offers", tag = "rooms", request_body = OfferBody,
    responses((status = 201, body = Offer),
        (status = 403, description = "`supervision.not_own`"),
        (status = 409, description = "`supervision.offered`, `supervision.held`, `run.ended`"),
        (status = 422)))]
async fn create(
    State(app): State<App>,
    who: SignedIn,
    act: Act<OfferBody>,
) -> Result<(StatusCode, Json<Offer>)> {
    let body = act.body;
    let offered = app.write_once(act.once, who.actor(), "rooms.offer_supervision", move |tx| {
        let charge = body.charge()?;
        if body.kind == GiveKind::HandOver && body.until.is_some() {
            return Err(Error::invalid("until", "only a substitution ends by itself"));
        }
        require_own(tx, who.person, charge)?;
        let (to, kind) = (body.staff_id, body.kind);
        let offer = offers::offer(tx, charge, who.person, to, kind, body.until)?;
        Offer::of(tx, offer)
    });
    Ok((StatusCode::CREATED, Json(offered.await?)))
}

fn require_own(tx: &Tx<'_>, person: PersonId, charge: Charge) -> Result<()> {
    let held = queries::supervisions(tx, Some(person))?;
    if held.iter().any(|held| held.charge == charge) {
        Ok(())
    } else {
        Err(Error::Forbidden("supervision.not_own"))
    }
}

/// Takes what is offered to the caller, who is responsible from now on.
#[utoipa::path(post, path = "/api/v1/supervision-offers/{id}/accept", tag = "rooms",
    params(("id" = OfferId, Path)),
    responses((status = 200, body = Supervision), (status = 404),
        (status = 403, description = "`supervision.offer_not_yours`"),
        (status = 409, description = "`supervision.offer_ended`, `supervision.held`")))]
async fn accept(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<OfferId>,
    act: Act<()>,
) -> Result<Json<Supervision>> {
    let taken = app.write_once(act.once, who.actor(), "rooms.accept_supervision", move |tx| {
        let held = offers::accept(tx, id, who.person, who.role)?;
        queries::supervision_facts(tx, held).map(Supervision::from)
    });
    taken.await.map(Json)
}

/// Refuses what is offered to the caller.
#[utoipa::path(post, path = "/api/v1/supervision-offers/{id}/decline", tag = "rooms",
    params(("id" = OfferId, Path)),
    responses((status = 204), (status = 404),
        (status = 403, description = "`supervision.offer_not_yours`"),
        (status = 409, description = "`supervision.offer_ended`")))]
async fn decline(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<OfferId>,
    act: Act<()>,
) -> Result<StatusCode> {
    app.write_once(act.once, who.actor(), "rooms.decline_supervision", move |tx| {
        offers::decline(tx, id, who.person, who.role)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes back what the caller has offered; the lead takes back any offer.
#[utoipa::path(post, path = "/api/v1/supervision-offers/{id}/withdraw", tag = "rooms",
    params(("id" = OfferId, Path)),
    responses((status = 204), (status = 404),
        (status = 403, description = "`supervision.offer_not_yours`"),
        (status = 409, description = "`supervision.offer_ended`")))]
async fn withdraw(
    State(app): State<App>,
    who: SignedIn,
    Path(id): Path<OfferId>,
    act: Act<()>,
) -> Result<StatusCode> {
    app.write_once(act.once, who.actor(), "rooms.withdraw_supervision", move |tx| {
        offers::withdraw(tx, id, who.person, who.role)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
