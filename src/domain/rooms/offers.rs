//! Offers of responsibility: who gives a charge asks, and has it until the other accepts.
//!
//! An offer is of one stretch of supervision and to one person; whatever else ends that stretch (the
//! run is over, the lead has given it away) ends the offer with it.

use rusqlite::{Connection, params};

use super::model::{Charge, Supervision};
use super::{receivers, supervising};
use crate::base::id::{OfferId, PersonId, SupervisionId};
use crate::base::{Error, Result, Timestamp};
use crate::domain::people::Role;
use crate::event::Event;
use crate::live::Tx;
use crate::store::rows::{self, FromRow, Row};
use crate::words;

words! {
    /// For good, or beside somebody who is absent.
    GiveKind { HandOver = "hand_over", Substitution = "substitution" }
}

words! {
    /// What became of an offer.
    OfferEnd {
        Accepted = "accepted", Declined = "declined",
        Withdrawn = "withdrawn", Expired = "expired",
    }
}

/// A charge that somebody is asked to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub id: OfferId,
    /// The stretch that is offered.
    pub supervision: SupervisionId,
    pub charge: Charge,
    /// Whose it is, and stays until the other accepts.
    pub from: PersonId,
    pub to: PersonId,
    pub kind: GiveKind,
    /// When a substitution would end.
    pub until_at: Option<Timestamp>,
    pub offered_at: Timestamp,
    pub outcome: Option<OfferEnd>,
}

/// Asks `to` to take what `from` has.
pub fn offer(
    tx: &mut Tx<'_>,
    charge: Charge,
    from: PersonId,
    to: PersonId,
    kind: GiveKind,
    until: Option<Timestamp>,
) -> Result<Offer> {
    supervising::end_due(tx)?;
    supervising::require_charge(tx, charge)?;
    let held = supervising::require_held(tx, charge, from)?;
    let until = match kind {
        GiveKind::HandOver => {
            receivers::require_receiver(tx, from, to)?;
            None
        }
        GiveKind::Substitution => {
            let until = receivers::within(tx, until, held.until_at)?;
            receivers::require_substitute(tx, Some(from), to, until)?;
            supervising::require_no_lasting(tx, charge, to)?;
            Some(until)
        }
    };
    if open_of(tx, held.id)?.is_some() {
        return Err(Error::conflict("supervision.offered", "somebody is asked already"));
    }
    let id = rows::insert(
        tx,
        "insert into supervision_offer (supervision_id, person_id, kind, until_at, offered_at)
         values (?1, ?2, ?3, ?4, ?5)",
        params![held.id, to, kind, until, tx.now],
    )?;
    let offer = find(tx, OfferId(id))?;
    tx.emit(Event::SupervisionOffered {
        offer_id: offer.id,
        charge,
        kind: kind.word(),
        from,
        to,
        until,
    })?;
    Ok(offer)
}

/// Takes what is offered to `by`: from this moment on it is theirs.
pub fn accept(tx: &mut Tx<'_>, id: OfferId, by: PersonId, role: Role) -> Result<Supervision> {
    let offer = open_to(tx, id, by, role)?;
    end(tx, &offer, OfferEnd::Accepted)?;
    let Offer { charge, from, to, .. } = offer;
    match offer.kind {
        GiveKind::HandOver => supervising::hand_over(tx, charge, Some(from), to),
        GiveKind::Substitution => {
            supervising::substitute(tx, charge, Some(from), to, offer.until_at)
        }
    }
}

/// Refuses what is offered to `by`.
pub fn decline(tx: &mut Tx<'_>, id: OfferId, by: PersonId, role: Role) -> Result<()> {
    let offer = open_to(tx, id, by, role)?;
    end(tx, &offer, OfferEnd::Declined)
}

/// Takes an offer back: its maker, and the lead.
pub fn withdraw(tx: &mut Tx<'_>, id: OfferId, by: PersonId, role: Role) -> Result<()> {
    let offer = known_to(tx, id, by, role)?;
    if by != offer.from && role != Role::Admin {
        return Err(not_yours());
    }
    require_open(&offer)?;
    end(tx, &offer, OfferEnd::Withdrawn)
}

/// What every read of offers begins with, and what it goes on with.
macro_rules! offers {
    ($which:literal) => {
        concat!(
            "select supervision_offer_id, supervision_id, run_id, group_id,
                    supervision.person_id as from_id, supervision_offer.person_id as to_id,
                    supervision_offer.kind as kind, supervision_offer.until_at as until_at,
                    offered_at, outcome
             from supervision_offer
             join supervision using (supervision_id)
             ",
            $which
        )
    };
}

/// Returns the open offers to or from `person`, or all.
pub fn open(conn: &Connection, person: Option<PersonId>) -> Result<Vec<Offer>> {
    rows::all(
        conn,
        offers!(
            "where outcome is null
               and (?1 is null or supervision.person_id = ?1 or supervision_offer.person_id = ?1)
             order by supervision_offer_id"
        ),
        params![person],
    )
}

/// Returns how many wait for `person` to say yes or no.
pub fn count_to(conn: &Connection, person: PersonId) -> Result<i64> {
    rows::one(
        conn,
        "offer",
        "select count(*)
         from supervision_offer
         where person_id = ?1 and outcome is null",
        params![person],
    )
}

/// Returns how many of `person`'s own wait for a colleague to say yes or no.
pub fn count_by(conn: &Connection, person: PersonId) -> Result<i64> {
    rows::one(
        conn,
        "offer",
        "select count(*)
         from supervision_offer
         join supervision using (supervision_id)
         where supervision.person_id = ?1 and outcome is null",
        params![person],
    )
}

/// Ends the open offer of a stretch that has ended in another way.
pub(super) fn expire_of(tx: &mut Tx<'_>, supervision: SupervisionId) -> Result<()> {
    match open_of(tx, supervision)? {
        Some(offer) => end(tx, &offer, OfferEnd::Expired),
        None => Ok(()),
    }
}

/// Ends the open offers to and of somebody who may be responsible for nobody any more.
pub(super) fn expire_to(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    for offer in open(tx, Some(person))? {
        end(tx, &offer, OfferEnd::Expired)?;
    }
    Ok(())
}

/// Ends the offers of substitutions that would be over by now.
pub(super) fn expire_due(tx: &mut Tx<'_>) -> Result<()> {
    for offer in open(tx, None)? {
        if offer.until_at.is_some_and(|until| until <= tx.now) {
            end(tx, &offer, OfferEnd::Expired)?;
        }
    }
    Ok(())
}

/// Returns the next planned end of a substitution that is offered.
pub(super) fn next_due(conn: &Connection) -> Result<Option<Timestamp>> {
    let all = open(conn, None)?;
    Ok(all.into_iter().filter_map(|offer| offer.until_at).min())
}

fn find(conn: &Connection, id: OfferId) -> Result<Offer> {
    rows::one(conn, "offer", offers!("where supervision_offer_id = ?1"), params![id])
}

fn open_of(conn: &Connection, supervision: SupervisionId) -> Result<Option<Offer>> {
    let id: Option<OfferId> = rows::maybe(
        conn,
        "select supervision_offer_id
         from supervision_offer
         where supervision_id = ?1 and outcome is null",
        params![supervision],
    )?;
    id.map(|id| find(conn, id)).transpose()
}

/// Returns an open offer to `by`.
fn open_to(tx: &mut Tx<'_>, id: OfferId, by: PersonId, role: Role) -> Result<Offer> {
    let offer = known_to(tx, id, by, role)?;
    if by != offer.to {
        return Err(not_yours());
    }
    require_open(&offer)?;
    Ok(offer)
}

/// Returns an offer as it is now. Who neither makes nor is made it knows nothing of it, but for
/// the lead.
fn known_to(tx: &mut Tx<'_>, id: OfferId, by: PersonId, role: Role) -> Result<Offer> {
    supervising::end_due(tx)?;
    let offer = find(tx, id)?;
    if role == Role::Admin || by == offer.from || by == offer.to {
        Ok(offer)
    } else {
        Err(Error::NotFound("offer"))
    }
}

fn end(tx: &mut Tx<'_>, offer: &Offer, outcome: OfferEnd) -> Result<()> {
    rows::run(
        tx,
        "update supervision_offer
         set ended_at = ?2, outcome = ?3
         where supervision_offer_id = ?1",
        params![offer.id, tx.now, outcome],
    )?;
    tx.emit(Event::SupervisionOfferEnded {
        offer_id: offer.id,
        charge: offer.charge,
        from: offer.from,
        to: offer.to,
        outcome: outcome.word(),
    })
}

fn require_open(offer: &Offer) -> Result<()> {
    match offer.outcome {
        None => Ok(()),
        Some(_) => Err(Error::conflict("supervision.offer_ended", "this offer is over")),
    }
}

fn not_yours() -> Error {
    Error::Forbidden("supervision.offer_not_yours")
}

impl FromRow for Offer {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Offer> {
        Ok(Offer {
            id: row.get("supervision_offer_id")?,
            supervision: row.get("supervision_id")?,
            charge: Charge::from_row(row)?,
            from: row.get("from_id")?,
            to: row.get("to_id")?,
            kind: row.get("kind")?,
            until_at: row.get("until_at")?,
            offered_at: row.get("offered_at")?,
            outcome: row.get("outcome")?,
        })
    }
}
