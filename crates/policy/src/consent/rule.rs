//! The result: for each patient the predicate that their consents leave, or give, one caller on one type. SPEC: rows
//! G7, G16. It is a part of the permit, so that searches, totals, joins and pages are of what is left.

use super::{
    algebra::{and, everything, is_within, nothing, whether},
    combine,
    directive::Directives,
    limits::PARTS_MAX,
    provision::{Asked, Kind, Provision},
    security_label::Label,
    view::View,
};
use fhir::{LogicalId, ResourceType};
use search::{Predicate, matcher::Related};
use std::{any::Any, collections::BTreeSet, sync::Arc};

/// What is asked of consents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Asks {
    /// What they leave of what the caller reaches otherwise.
    Guard,
    /// What they give a caller whom they name.
    Gives,
}

/// One caller's view of one type: what the consents of each patient leave them, or give them.
#[derive(Debug)]
pub struct Ruling {
    pub(crate) view: Arc<View>,
    pub(crate) kind: ResourceType,
    asks: Asks,
    /// Of a patient whose consents say nothing.
    unsaid: Arc<Predicate>,
}

impl Ruling {
    /// What consents leave of what a caller reaches otherwise; everything of their own record.
    #[must_use]
    pub fn guard(view: &Arc<View>, kind: ResourceType) -> Self {
        Self { view: Arc::clone(view), kind, asks: Asks::Guard, unsaid: combine::of_default(view) }
    }

    /// What consents give a caller whom they name (row G16): what a permit for actors permits and nothing denies. The
    /// default counts for nothing here.
    #[must_use]
    pub fn gives(view: &Arc<View>, kind: ResourceType) -> Self {
        Self { view: Arc::clone(view), kind, asks: Asks::Gives, unsaid: nothing() }
    }

    /// The rule of a patient of whom this is known.
    #[must_use]
    pub fn of(&self, patient: &LogicalId, said: Option<&Directives>, related: &dyn Related) -> Arc<Predicate> {
        if self.view.is_own(patient) {
            return whether(self.asks == Asks::Guard);
        }
        let Some(directives) = said.filter(|one| !one.is_empty()) else { return Arc::clone(&self.unsaid) };
        let predicate = self.whole(directives, related);
        if is_within(&predicate, PARTS_MAX) { predicate } else { nothing() }
    }

    /// Whether the rule of these Consents would be too large: then nothing is left, whatever they say.
    #[must_use]
    pub fn is_too_large(&self, said: &Directives, related: &dyn Related) -> bool {
        !is_within(&self.whole(said, related), PARTS_MAX)
    }

    fn whole(&self, directives: &Directives, related: &dyn Related) -> Arc<Predicate> {
        let asked = self.asked(related);
        match self.asks {
            Asks::Guard => combine::left(directives, &asked),
            Asks::Gives => combine::given(directives, &asked),
        }
    }

    pub(crate) fn asked<'a>(&'a self, related: &'a dyn Related) -> Asked<'a> {
        Asked { view: &self.view, kind: self.kind, related }
    }

    pub(crate) fn is_guard(&self) -> bool {
        self.asks == Asks::Guard
    }
}

impl search::predicate::Ruling for Ruling {
    /// `said`: [`Directives`]. Anything else is a fault of whoever keeps them: nothing is left.
    fn rule(
        &self,
        patient: &LogicalId,
        said: Option<&(dyn Any + Send + Sync)>,
        related: &dyn Related,
    ) -> Arc<Predicate> {
        match said.map(|said| said.downcast_ref::<Directives>()) {
            None => self.of(patient, None, related),
            Some(Some(directives)) => self.of(patient, Some(directives), related),
            Some(None) => nothing(),
        }
    }
}

/// Labels that a permit for a caller names.
#[derive(Debug, Clone)]
pub(crate) struct PermittedLabels {
    /// `(system, code)`, with those below each; confidentiality is not among them.
    pub(crate) labels: BTreeSet<(String, String)>,
    /// The resources of which the permit speaks.
    pub(crate) of: Arc<Predicate>,
}

impl Directives {
    /// What a patient lets somebody see of a type though it is labelled so, permit by permit; whether a resource is
    /// permitted, [`Ruling`] says.
    pub(crate) fn permitted_labels(
        &self,
        view: &View,
        kind: ResourceType,
        related: &dyn Related,
    ) -> Vec<PermittedLabels> {
        let asked = Asked { view, kind, related };
        let mut permitted = Vec::new();
        for (directive, standing) in combine::standings_by(self, &|low, high| related.holds(low, high)) {
            if standing != combine::Standing::Counts || directive.doubtful {
                continue;
            }
            if directive.base.answer(view).surely {
                collect(&directive.root, &everything(), &asked, &mut permitted);
            }
        }
        permitted
    }
}

/// `within`: the resources to which those above confine it.
fn collect(provision: &Provision, within: &Arc<Predicate>, asked: &Asked<'_>, permitted: &mut Vec<PermittedLabels>) {
    if !provision.addresses(asked).surely {
        return;
    }
    let means = and([Arc::clone(within), provision.means(asked.kind).surely]);
    if provision.kind == Kind::Permit {
        let named = provision.labels.repeats.iter().filter_map(|label| match label {
            Label::Any(codes) => Some(codes),
            Label::Level(_) => None,
        });
        let labels: BTreeSet<_> = named.flatten().map(|one| (one.system.to_string(), one.code.to_string())).collect();
        if !labels.is_empty() {
            permitted.push(PermittedLabels { labels, of: Arc::clone(&means) });
        }
    }
    for one in &provision.below {
        // What is added reaches beyond it, an exception does not.
        collect(one, if one.kind == provision.kind { within } else { &means }, asked, permitted);
    }
}
