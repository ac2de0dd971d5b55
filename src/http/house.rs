//! The settings of the house: read by the lead, who changes its hours here.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Who, may};
use super::extract::Json;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::base::{Result, TimeOfDay};
use crate::domain::house::{self, HoursChange, House, Language, Profile};
use crate::domain::people::audit;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(may(Who::ADMIN, routes!(show, update)))
}

/// The house and its settings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HouseSettings {
    name: String,
    profile: Profile,
    zone: String,
    language: Language,
    demo: bool,
    /// A member who arrives later is late; in the zone of the house.
    late_after: TimeOfDay,
    /// The day is closed then; in the zone of the house.
    closes_at: TimeOfDay,
}

impl From<House> for HouseSettings {
    fn from(house: House) -> HouseSettings {
        let House { name, profile, zone, language, hours, demo } = house;
        let (late_after, closes_at) = (hours.late_after, hours.closes_at);
        HouseSettings { name, profile, zone, language, demo, late_after, closes_at }
    }
}

/// Returns the house and its settings.
#[utoipa::path(get, path = "/api/v1/house", tag = "house",
    responses((status = 200, body = HouseSettings)))]
async fn show(State(app): State<App>) -> Result<Json<HouseSettings>> {
    let house = app.read(house::queries::house).await?;
    Ok(Json(house.into()))
}

/// What is to change of the house; a field that is missing stays as it is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct HouseChange {
    late_after: Option<TimeOfDay>,
    /// Must be later than `late_after`.
    closes_at: Option<TimeOfDay>,
}

/// Changes the hours of the house, from now on: what was closed or came late before stays so.
#[utoipa::path(patch, path = "/api/v1/house", tag = "house", request_body = HouseChange,
    responses((status = 200, body = HouseSettings), (status = 422)))]
async fn update(
    State(app): State<App>,
    who: SignedIn,
    Json(body): Json<HouseChange>,
) -> Result<Json<HouseSettings>> {
    let HouseChange { late_after, closes_at } = body;
    let changed = app.write(who.actor(), "house.set_hours", move |tx| {
        let old = house::queries::house(tx)?.hours;
        let new = house::commands::set_hours(tx, HoursChange { late_after, closes_at })?;
        for (field, old, new) in [
            ("late_after", old.late_after, new.late_after),
            ("closes_at", old.closes_at, new.closes_at),
        ] {
            if old != new {
                audit::record(tx, "house.hours_set", None, &format!("{field} {old} -> {new}"))?;
            }
        }
        house::queries::house(tx)
    });
    Ok(Json(changed.await?.into()))
}
