//! What an organization that came by UDAP may see, whatever its scopes say. Rows D28, F48, G14, G15.
//!
//! | purpose of use | patients | what of them |
//! |---|---|---|
//! | HPAYMT and what lies below it | those whom it pays for ([`crate::relation::payer`]) | [`PAYMENT`] |
//! | TREAT and what lies below it | those whom it treats ([`crate::relation::treatment`]) | their records |
//! | any other | nobody | nothing |
//!
//! Everybody's directory besides. To read and to search, never to write; no audit events. **Several purposes**: what
//! each of them opens, since data that is given for several may be used for each. An organization that no Organization
//! of this facility stands for reaches the directory alone: that it is who it says is proven, what it has to do with
//! anybody here is not known.

use crate::{
    grants::is_audit_event,
    house::House,
    permit::Access,
    record::{self, Whose},
    relation::{self, Of, all, either},
};
use fhir::{LogicalId, ResourceType};
use oauth::{Caller, udap::purpose::Purpose};
use search::{Predicate, Registry, predicate::During};
use std::sync::Arc;

/// What of a member's record goes with payment, and which of it.
const PAYMENT: &[(&str, Part)] = &[
    ("Patient", Part::Whole),
    ("Encounter", Part::Dated("date")),
    // What concerns another payer does not concern this one.
    ("Coverage", Part::To("payor")),
    ("Claim", Part::To("insurer")),
    ("ClaimResponse", Part::To("insurer")),
    ("CoverageEligibilityResponse", Part::To("insurer")),
    ("ExplanationOfBenefit", Part::UnderCoverage),
    // What a claim rests on.
    ("ClinicalImpression", Part::Claimed("date")),
    ("Condition", Part::Claimed("recorded-date")),
    ("DeviceRequest", Part::Claimed("authored-on")),
    ("Observation", Part::Claimed("date")),
    ("Procedure", Part::Claimed("date")),
    ("QuestionnaireResponse", Part::Claimed("authored")),
    ("ServiceRequest", Part::Claimed("authored")),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of the type.
    Whole,
    /// Those whose date, by this parameter, touches the period of a Coverage of this payer that counts.
    Dated(&'static str),
    /// Those that name the payer so.
    To(&'static str),
    /// Those under a Coverage of this payer.
    UnderCoverage,
    /// Those of an Encounter, or of a part of one, that an active Claim to this payer is for, both within a covered
    /// period. What has no date of its own goes with its Encounter.
    Claimed(&'static str),
}

/// All of an organization and its token that decides what it may: two callers who are equal in it and have the same
/// scopes may the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Organization {
    /// Logical id of the Organization that stands for it.
    id: Option<LogicalId>,
    /// A purpose is payment.
    pays: bool,
    /// A purpose is treatment.
    treats: bool,
    /// A purpose is one that opens nothing: data that may be used for it nobody here gives.
    is_for_more: bool,
}

impl Organization {
    /// The organization that a caller acts for; `None` for callers that did not come by UDAP.
    #[must_use]
    pub fn of(caller: &Caller) -> Option<Self> {
        let acting = caller.acting()?;
        let asks_for = |kind: fn(Purpose) -> bool| caller.purposes().iter().any(|purpose| kind(*purpose));
        let reference = acting.organization.as_deref().and_then(|reference| reference.strip_prefix("Organization/"));
        Some(Self {
            id: reference.and_then(|id| LogicalId::parse(id).ok()),
            pays: asks_for(Purpose::is_payment),
            treats: asks_for(Purpose::is_treatment),
            is_for_more: caller.purposes().iter().any(|purpose| !purpose.is_payment() && !purpose.is_treatment()),
        })
    }
}

/// What an organization reaches.
pub(crate) struct Reached<'r> {
    registry: &'r Registry,
    /// For payment; the inner `None`: nothing.
    payer: Option<Option<Payer<'r>>>,
    /// For treatment, likewise.
    treated: Option<Option<Arc<Predicate>>>,
}

impl<'r> Reached<'r> {
    pub(crate) fn new(organization: &Organization, registry: &'r Registry, house: &House) -> Self {
        let known = organization.id.as_ref().filter(|_| !organization.is_for_more);
        let payer = organization.pays.then(|| Payer::new(registry, known?, house.payer_lookback_ms));
        let treated = organization.treats.then(|| relation::treatment(registry, known?));
        Self { registry, payer, treated }
    }

    /// What of a type is reached, to read and to search.
    pub(crate) fn of_type(&self, kind: ResourceType) -> Access {
        if is_audit_event(kind) {
            return Access::Nothing;
        }
        if record::is_directory(kind) {
            return Access::Everything;
        }
        let paid = self.payer.as_ref().map(|payer| payer.as_ref().and_then(|payer| payer.of_type(kind)));
        let treated = self.treated.as_ref().map(|treated| {
            treated.as_ref().and_then(|these| record::record_of(self.registry, kind, Whose::These(these)))
        });
        // Who asks for several purposes gets what each of them opens.
        match (paid, treated) {
            (Some(Some(paid)), Some(Some(treated))) => Access::Where(all([paid, treated])),
            (Some(Some(one)), None) | (None, Some(Some(one))) => Access::Where(one),
            _ => Access::Nothing,
        }
    }
}

struct Payer<'r> {
    registry: &'r Registry,
    id: LogicalId,
    /// Patients whom it pays for.
    members: Arc<Predicate>,
    /// Encounters that it is asked to pay for, within a covered period.
    claimed: Arc<Predicate>,
    /// Coverages of its own, in force or not.
    coverages: Arc<Predicate>,
    /// Those that count.
    counting: Arc<Predicate>,
}

impl<'r> Payer<'r> {
    fn new(registry: &'r Registry, id: &LogicalId, lookback_ms: i64) -> Option<Self> {
        let (claim, encounter) = (Of::new(registry, "Claim")?, Of::new(registry, "Encounter")?);
        let claims = all([claim.refers("insurer", "Organization", id)?, claim.is("status", "active")?]);
        let itself = claim.refers_to_these("encounter", &claims)?;
        let part = encounter.refers_where("part-of", "Encounter", &itself)?;
        let coverages = Of::new(registry, "Coverage")?.refers("payor", "Organization", id)?;
        let counting = relation::coverage(registry, Arc::clone(&coverages), lookback_ms)?;
        let mut payer = Self {
            registry,
            id: id.clone(),
            members: relation::payer(registry, &counting)?,
            claimed: either([itself, part]),
            coverages,
            counting,
        };
        payer.claimed = all([Arc::clone(&payer.claimed), payer.covered(encounter, "date", false)?]);
        Some(payer)
    }

    /// Those of a type that lie in a period that the payer paid for.
    fn covered(&self, of: Of<'_>, date: &str, undated: bool) -> Option<Arc<Predicate>> {
        let coverage = Of::new(self.registry, "Coverage")?;
        Some(Arc::new(Predicate::During(Arc::new(During {
            date: of.parameter(date)?,
            undated,
            about: of.parameter(record::about(of.kind().name())?)?,
            source: coverage.kind(),
            by: coverage.parameter("beneficiary")?,
            period: coverage.own("period")?,
            predicate: Arc::clone(&self.counting),
        }))))
    }

    fn of_type(&self, kind: ResourceType) -> Option<Arc<Predicate>> {
        let (name, part) = PAYMENT.iter().find(|(name, _)| *name == kind.name())?;
        let of = Of::new(self.registry, name)?;
        let record = record::record_of(self.registry, kind, Whose::These(&self.members))?;
        let part = match part {
            Part::Whole => return Some(record),
            Part::Dated(date) => self.covered(of, date, false)?,
            Part::To(code) => of.refers(code, "Organization", &self.id)?,
            Part::UnderCoverage => of.refers_where("coverage", "Coverage", &self.coverages)?,
            Part::Claimed(date) => {
                let claimed = of.refers_where("encounter", "Encounter", &self.claimed)?;
                all([claimed, self.covered(of, date, true)?])
            }
        };
        Some(all([part, record]))
    }
}

#[cfg(test)]
mod tests;
