//! Why: which Consent and which of its provisions decided on one resource, element by element. For people who ask
//! (row G18) and for the audit log. It names ids, codes of elements and places, never what is in the resource.

use super::{
    Directives, Implicit, action, actor,
    algebra::{Answer, Sides},
    class, code,
    combine::{self, Standing},
    data, data_period,
    directive::Ignored,
    provision::{Asked, Kind, Provision},
    purpose,
    read::Period,
    rule::Ruling,
    security_label,
    view::View,
};
use fhir::LogicalId;
use search::{
    Predicate,
    matcher::{Related, Subject, matches},
};
use std::sync::Arc;

/// The whole decision on one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Whether the consents let the caller see the resource.
    pub permitted: bool,
    /// It is the caller's own record: nothing was asked.
    pub own_record: bool,
    /// The facility's default.
    pub default: Implicit,
    /// The default decided: no Consent said anything.
    pub by_default: bool,
    /// The default has no say for this caller: a Consent took its place.
    pub default_replaced: bool,
    /// Each Consent of the patient.
    pub consents: Vec<OfConsent>,
}

/// One Consent in a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct OfConsent {
    /// Its id.
    pub id: Arc<str>,
    /// Its version.
    pub version: u32,
    /// What it says of the resource, to this caller.
    pub verdict: Verdict,
    /// Something in it is in doubt: it permits nothing.
    pub doubtful: bool,
    /// Its provisions, the root first; empty when it does not count.
    pub steps: Vec<Step>,
}

/// What a Consent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing of this caller or this resource.
    Silent,
    /// The caller may see it.
    Permits,
    /// The caller may not.
    Denies,
    /// It does not count.
    Ignored(Ignored),
    /// Its period has not begun or is over.
    OutOfPeriod,
    /// The Consent with this id took its place.
    Superseded(Arc<str>),
}

/// One provision.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where: `[]` the root, `[1, 0]` the first below the second below the root.
    pub path: Vec<usize>,
    /// Its type.
    pub kind: Kind,
    /// Its populated elements, and whether they are met.
    pub elements: Vec<(Element, Met)>,
    /// All of them together.
    pub matched: Met,
}

/// An element of a provision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are R4's")]
pub enum Element {
    Period,
    Actor,
    Action,
    SecurityLabel,
    Purpose,
    Class,
    Code,
    DataPeriod,
    Data,
    /// The policy that the Consent names instead of a type.
    Policy,
    /// Something that must be understood and is not: `modifierExtension`.
    Modifier,
}

impl Element {
    /// R4's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::Actor => "actor",
            Self::Action => "action",
            Self::SecurityLabel => "securityLabel",
            Self::Purpose => "purpose",
            Self::Class => "class",
            Self::Code => "code",
            Self::DataPeriod => "dataPeriod",
            Self::Data => "data",
            Self::Policy => "policy",
            Self::Modifier => "modifierExtension",
        }
    }
}

/// Whether something is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "yes, no, or nobody can say")]
pub enum Met {
    Yes,
    No,
    InDoubt,
}

impl Met {
    fn of(answer: Answer) -> Self {
        match (answer.surely, answer.maybe) {
            (true, _) => Self::Yes,
            (false, true) => Self::InDoubt,
            (false, false) => Self::No,
        }
    }
}

impl Ruling {
    /// Whether the consents let the caller see this resource of the patient.
    #[must_use]
    pub fn allows(
        &self,
        patient: &LogicalId,
        said: Option<&Directives>,
        subject: Subject<'_>,
        related: &dyn Related,
    ) -> bool {
        subject.resource_type == self.kind && means(&self.of(patient, said, related), subject, related)
    }

    /// The same with each part that it has in the decision.
    #[must_use]
    pub fn explain(
        &self,
        patient: &LogicalId,
        said: Option<&Directives>,
        subject: Subject<'_>,
        related: &dyn Related,
    ) -> Trace {
        let asked = self.asked(related);
        let none = Directives::default();
        let directives = said.unwrap_or(&none);
        let mut trace = Trace {
            permitted: self.allows(patient, said, subject, related),
            own_record: self.view.is_own(patient),
            default: self.view.settings.default,
            by_default: false,
            default_replaced: false,
            consents: Vec::new(),
        };
        for (directive, standing) in combine::standings(directives, related.now().unix_millis()) {
            let verdict = match standing {
                Standing::OutOfPeriod => Verdict::OutOfPeriod,
                Standing::Superseded(by) => Verdict::Superseded(by.into()),
                Standing::Counts => {
                    trace.default_replaced |= combine::replaces(directive, &asked);
                    let says = combine::says(directive, &asked);
                    let permitted = if self.is_guard() { &says.permitted } else { &says.given };
                    if means(&says.denied, subject, related) {
                        Verdict::Denies
                    } else if means(permitted, subject, related) {
                        Verdict::Permits
                    } else {
                        Verdict::Silent
                    }
                }
            };
            let mut steps = Vec::new();
            if standing == Standing::Counts {
                let base = Met::of(directive.base.answer(&self.view));
                let policy = (base != Met::Yes).then_some((Element::Policy, base));
                walk(&directive.root, &mut Vec::new(), policy, &asked, subject, &mut steps);
            }
            let (id, version, doubtful) = (Arc::clone(&directive.id), directive.version, directive.doubtful);
            trace.consents.push(OfConsent { id, version, verdict, doubtful, steps });
        }
        trace.by_default = !trace.own_record
            && !trace.consents.iter().any(|one| matches!(one.verdict, Verdict::Permits | Verdict::Denies));
        for (id, version, why) in &directives.ignored {
            let (id, verdict) = (Arc::clone(id), Verdict::Ignored(*why));
            trace.consents.push(OfConsent { id, version: *version, verdict, doubtful: false, steps: Vec::new() });
        }
        trace
    }
}

fn means(predicate: &Predicate, subject: Subject<'_>, related: &dyn Related) -> bool {
    matches(search::registry::registry(), predicate, subject, related)
}

fn walk(
    provision: &Provision,
    path: &mut Vec<usize>,
    policy: Option<(Element, Met)>,
    asked: &Asked<'_>,
    subject: Subject<'_>,
    steps: &mut Vec<Step>,
) {
    let view: &View = asked.view;
    let on = |sides: &Sides| {
        let met = |predicate: &Predicate| means(predicate, subject, asked.related);
        Met::of(Answer { surely: met(&sides.surely), maybe: met(&sides.maybe) })
    };
    let mut elements: Vec<(Element, Met)> = policy.into_iter().collect();
    let mut note = |element, populated: bool, met: &dyn Fn() -> Met| {
        if populated {
            elements.push((element, met()));
        }
    };
    note(Element::Modifier, provision.doubtful, &|| Met::InDoubt);
    note(Element::Period, provision.period != Period::None, &|| match provision.period {
        Period::None => Met::Yes,
        Period::Span(span) => Met::of(Answer::is(span.holds(asked.related))),
        Period::Unreadable => Met::InDoubt,
    });
    note(Element::Actor, provision.actors.is_populated(), &|| {
        Met::of(actor::answer(&provision.actors, provision.kind, view, asked.related))
    });
    note(Element::Action, provision.actions.is_populated(), &|| Met::of(action::answer(&provision.actions, view)));
    note(Element::Purpose, provision.purposes.is_populated(), &|| Met::of(purpose::answer(&provision.purposes, view)));
    note(Element::SecurityLabel, provision.labels.is_populated(), &|| {
        on(&security_label::sides(&provision.labels, asked.kind, provision.kind))
    });
    note(Element::Class, provision.classes.is_populated(), &|| on(&class::sides(&provision.classes, asked.kind)));
    note(Element::Code, provision.codes.is_populated(), &|| on(&code::sides(&provision.codes, asked.kind)));
    note(Element::DataPeriod, provision.data_period != Period::None, &|| {
        on(&data_period::sides(provision.data_period, asked.kind, provision.kind))
    });
    note(Element::Data, provision.data.is_populated(), &|| on(&data::sides(&provision.data, asked.kind)));
    let all = |wanted: Met| elements.iter().all(|(_, met)| *met == wanted || *met == Met::Yes);
    let matched = match (all(Met::Yes), all(Met::InDoubt)) {
        (true, _) => Met::Yes,
        (false, true) => Met::InDoubt,
        (false, false) => Met::No,
    };
    steps.push(Step { path: path.clone(), kind: provision.kind, elements, matched });
    for (at, one) in provision.below.iter().enumerate() {
        path.push(at);
        walk(one, path, None, asked, subject, steps);
        path.pop();
    }
}
