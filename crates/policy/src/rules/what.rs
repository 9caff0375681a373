//! What a rule is about: types of resources with search criteria, in which variables stand for the caller's own
//! resources.
//!
//! A variable is never text: the criteria are parsed with a stand-in for it, and in what came out of that the stand-in is
//! replaced by a type and an id. So nothing that a token or an account holds is read as a search.
//!
//! `%now` is a moment: `date=ge%now-30d`. It is bound by whoever answers a question, at the moment of that question
//! ([`search::predicate::FromNow`]): what is compiled from a rule may be kept for as long as one likes.
//!
//! Chains and `_has` look at the whole store, not at what the caller sees: a rule is the operator's own question.

use super::{
    text::{Fault, Place, Word, decoded, items, nearest},
    who::{Facts, Variable},
};
use crate::{
    DAY_MS,
    grants::is_audit_event,
    limits,
    record::{self, Whose},
};
use fhir::{LogicalId, ResourceType};
use search::{
    Predicate, Registry, Test,
    predicate::{DateTest, FromNow, ReferenceTest},
};
use std::sync::Arc;

/// Stands for a variable while criteria are parsed. Only in a criterion that has nothing but the variable: so it is
/// never taken for an id that somebody meant.
const STAND_IN: &str = "variable";

/// Stands for a moment while criteria are parsed, as [`STAND_IN`] does for a resource.
const STAND_IN_MOMENT: &str = "1600-01-01T00:00:00Z";

/// Its first millisecond since the epoch.
const STAND_IN_MOMENT_MS: i64 = -11_676_096_000_000;

/// How a date can compare with a moment. Equal to one is nothing by chance, and about one says not how far.
const MOMENT_PREFIXES: [&str; 6] = ["ge", "le", "gt", "lt", "sa", "eb"];

/// Units of a distance from now, in milliseconds.
const UNITS: [(char, i64); 3] = [('h', 3_600_000), ('d', DAY_MS), ('w', 7 * DAY_MS)];

/// Variables, as they are written.
const VARIABLES: [(&str, Variable); 3] =
    [("patient", Variable::Patient), ("user", Variable::User), ("organization", Variable::Organization)];

/// The types that are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    /// This one.
    One(ResourceType),
    /// All but audit events.
    Everything,
    /// Those that can be in a patient's record.
    Record,
}

/// One item of `what`.
#[derive(Debug, Clone)]
pub(super) struct What {
    kinds: Kinds,
    criteria: Criteria,
    /// `of Patient?…`: in the record of one of these.
    of: Option<Criteria>,
    /// As written.
    pub(super) text: String,
}

/// Criteria on one type; none: all of it.
#[derive(Debug, Clone, Default)]
struct Criteria(Vec<Criterion>);

/// One parameter with its values, any of which will do.
#[derive(Debug, Clone)]
struct Criterion {
    name: String,
    /// As a search has them, divided by commas.
    literals: Option<String>,
    variables: Vec<Variable>,
    moments: Vec<Moment>,
    place: Place,
}

/// `ge%now-30d`: a comparison with a moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    prefix: &'static str,
    shift_ms: i64,
}

/// Why criteria mean nothing on a type.
struct Unfit {
    place: Place,
    name: String,
    why: String,
}

/// Reads a list of items, and tries each on the search parameters there are.
pub(super) fn read(words: &[Word<'_>], registry: &Registry) -> Result<Vec<What>, Fault> {
    let items = items(words)?;
    if let Some([first, ..]) = items.get(limits::RULE_LIST_MAX).map(Vec::as_slice) {
        return Err(Fault::new(first.place, format!("a list has at most {} items", limits::RULE_LIST_MAX)));
    }
    items.iter().map(|item| one(item, registry)).collect()
}

fn one(item: &[Word<'_>], registry: &Registry) -> Result<What, Fault> {
    const FORMS: &str =
        "write Type, Type?criteria, 'everything' or 'record', and perhaps 'of Patient?criteria' after it";
    let (head, of) = match item {
        [head] => (head, None),
        [head, of, patient] if of.text == "of" => (head, Some(patient)),
        [_, wrong, ..] => {
            return Err(Fault::new(wrong.place, format!("'{}' does not belong here", wrong.text)).instead(FORMS));
        }
        [] => return Err(Fault::new(Place { line: 0, column: 0 }, "nothing is named").instead(FORMS)),
    };
    let (name, criteria) = split(head)?;
    let kinds = match name {
        "everything" | "*" => Kinds::Everything,
        "record" => Kinds::Record,
        name => Kinds::One(kind(name, head.place)?),
    };
    if let Kinds::One(kind) = kinds
        && is_audit_event(kind)
    {
        return Err(Fault::new(head.place, "audit events are ruled by role alone").instead("leave AuditEvent out"));
    }
    let of = of.map(|patient| patients(patient, registry)).transpose()?;
    if let (Some(_), Kinds::One(kind)) = (&of, kinds)
        && !record::is_about_a_patient(kind)
    {
        return Err(Fault::new(head.place, format!("{kind} is in no patient's record")).instead("leave 'of …' out"));
    }
    let text = item.iter().map(|word| word.text).collect::<Vec<_>>().join(" ");
    let what = What { kinds, criteria, of, text };
    what.check(registry)?;
    Ok(what)
}

/// `Type?criteria`.
fn split<'t>(word: &Word<'t>) -> Result<(&'t str, Criteria), Fault> {
    let Some((name, query)) = word.text.split_once('?') else { return Ok((word.text, Criteria::default())) };
    let mut at = name.len() + 1;
    let mut found = Vec::new();
    for pair in query.split('&') {
        let place = word.place.after(word.text, at);
        at += pair.len() + 1;
        found.push(criterion(pair, place)?);
    }
    if found.len() > limits::RULE_CRITERIA_MAX {
        return Err(Fault::new(word.place, format!("at most {} criteria", limits::RULE_CRITERIA_MAX)));
    }
    Ok((name, Criteria(found)))
}

fn criterion(pair: &str, place: Place) -> Result<Criterion, Fault> {
    let Some((name, value)) = pair.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty()) else {
        return Err(Fault::new(place, format!("'{pair}' is no criterion")).instead("write parameter=value"));
    };
    let name_decoded = decoded(name).ok_or_else(|| Fault::new(place, format!("'{name}' is no parameter's name")))?;
    let (mut literals, mut variables, mut moments) = (Vec::<String>::new(), Vec::<Variable>::new(), Vec::new());
    let mut at = name.len() + 1;
    for text in alternatives(value) {
        let place = place.after(pair, at);
        at += text.len() + 1;
        if let Some((prefix, shift)) = text.split_once("%now") {
            moments.push(moment(prefix, shift, place)?);
            continue;
        }
        match (decoded(text), text.strip_prefix('%')) {
            (Some(literal), _) => literals.push(literal),
            (None, Some(variable)) => variables.push(variable_of(variable, place)?),
            (None, None) => {
                let what = format!("'{text}' mixes text with a variable, or has a % that is none");
                return Err(Fault::new(place, what).instead("a variable stands alone: patient=%patient; a % is %25"));
            }
        }
    }
    if !variables.is_empty() && name_decoded.ends_with(":not") && literals.len() + variables.len() > 1 {
        return Err(Fault::new(place, "a variable beside other values cannot be turned round")
            .instead("write one criterion with :not for each"));
    }
    let literals = (!literals.is_empty()).then(|| literals.join(","));
    Ok(Criterion { name: name_decoded, literals, variables, moments, place })
}

/// `ge`, `-30d`.
fn moment(prefix: &str, shift: &str, place: Place) -> Result<Moment, Fault> {
    const FORMS: &str = "write for example ge%now-30d: hours h, days d or weeks w before (-) or after (+) now";
    let Some(prefix) = MOMENT_PREFIXES.into_iter().find(|known| *known == prefix) else {
        let fault = Fault::new(place, format!("'{prefix}%now' compares with no moment"));
        return Err(fault.instead(format!("begin with {}: ge%now-30d", MOMENT_PREFIXES.join(", "))));
    };
    if shift.is_empty() {
        return Ok(Moment { prefix, shift_ms: 0 });
    }
    let wrong = || Fault::new(place, format!("'%now{shift}' is no moment")).instead(FORMS);
    let (sign, rest) = match shift.split_at_checked(1) {
        Some(("-", rest)) => (-1, rest),
        Some(("+", rest)) => (1, rest),
        _ => return Err(wrong()),
    };
    let unit = UNITS.iter().find(|(unit, _)| rest.ends_with(*unit)).ok_or_else(wrong)?;
    let number = rest.get(..rest.len() - 1).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number: i64 = number.and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    let distance_ms = number.checked_mul(unit.1).filter(|ms| *ms <= limits::RULE_MOMENT_DAYS_MAX * DAY_MS);
    let distance_ms = distance_ms
        .ok_or_else(|| Fault::new(place, format!("a moment is at most {} days away", limits::RULE_MOMENT_DAYS_MAX)))?;
    Ok(Moment { prefix, shift_ms: sign * distance_ms })
}

fn variable_of(text: &str, place: Place) -> Result<Variable, Fault> {
    if let Some((_, variable)) = VARIABLES.iter().find(|(name, _)| *name == text) {
        return Ok(*variable);
    }
    let names = VARIABLES.map(|(name, _)| name);
    let fault = Fault::new(place, format!("there is no variable %{text}"));
    Err(match nearest(text, names) {
        Some(near) => fault.instead(format!("write %{near}")),
        None => fault.instead("write %patient, %user, %organization or, of a date, ge%now-30d; a % in a value is %25"),
    })
}

/// Parts at commas that no backslash stands before.
fn alternatives(value: &str) -> Vec<&str> {
    let (mut found, mut from, mut escaped) = (Vec::new(), 0, false);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            b'\\' if !escaped => escaped = true,
            b',' if !escaped => {
                found.push(value.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => escaped = false,
        }
    }
    found.push(value.get(from..).unwrap_or_default());
    found
}

fn kind(name: &str, place: Place) -> Result<ResourceType, Fault> {
    ResourceType::parse(name).map_err(|_| {
        let fault = Fault::new(place, format!("there is no resource type '{name}' in R4"));
        match nearest(name, ResourceType::all().map(|kind| kind.name())) {
            Some(near) => fault.instead(format!("write {near}")),
            None => fault.instead("write a type, 'everything' or 'record'"),
        }
    })
}

/// `Patient?criteria` after `of`.
fn patients(word: &Word<'_>, registry: &Registry) -> Result<Criteria, Fault> {
    let (name, criteria) = split(word)?;
    if name != "Patient" || criteria.0.is_empty() {
        return Err(Fault::new(word.place, "a record is of patients").instead("write 'of Patient?criteria'"));
    }
    criteria.compile(registry, kind(name, word.place)?).map_err(|unfit| unfit.fault(registry, Some("Patient")))?;
    Ok(criteria)
}

impl Unfit {
    fn fault(self, registry: &Registry, kind: Option<&str>) -> Fault {
        let kind = kind.and_then(|name| ResourceType::parse(name).ok());
        let fault = Fault::new(self.place, self.why);
        let code = self.name.split([':', '.']).next().unwrap_or_default();
        let known = kind.filter(|kind| registry.parameter(*kind, code).is_none());
        match known.and_then(|kind| nearest(code, registry.of_type(kind).map(|parameter| parameter.code.as_str()))) {
            Some(near) => fault.instead(format!("write {near}")),
            None => fault,
        }
    }
}

impl Criteria {
    /// What they mean on a type, with stand-ins for variables.
    fn compile(&self, registry: &Registry, kind: ResourceType) -> Result<Vec<Template>, Unfit> {
        self.0.iter().map(|criterion| criterion.compile(registry, kind)).collect()
    }

    fn variables(&self) -> impl Iterator<Item = Variable> {
        self.0.iter().flat_map(|criterion| criterion.variables.iter().copied())
    }

    /// What they mean for this caller.
    fn bind(&self, registry: &Registry, kind: ResourceType, facts: &Facts) -> Result<Arc<Predicate>, Unfit> {
        let templates = self.compile(registry, kind)?;
        let parts = templates.iter().map(|template| template.bind(kind, facts));
        Ok(all_of(parts.collect()))
    }
}

/// A criterion on a type.
struct Template {
    /// What stands for no variable of the caller's, each an alternative.
    literals: Vec<Arc<Predicate>>,
    variables: Vec<(Variable, Predicate)>,
}

impl Template {
    fn bind(&self, kind: ResourceType, facts: &Facts) -> Arc<Predicate> {
        let bound = self.variables.iter().map(|(variable, predicate)| {
            let values = facts.value(*variable);
            Arc::new(replaced(predicate, kind, &values).unwrap_or(Predicate::Nothing))
        });
        let mut parts: Vec<Arc<Predicate>> = self.literals.iter().cloned().chain(bound).collect();
        match (parts.len(), parts.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                parts.extend(last);
                Arc::new(Predicate::Or(parts))
            }
        }
    }
}

impl Criterion {
    fn compile(&self, registry: &Registry, kind: ResourceType) -> Result<Template, Unfit> {
        let unfit = |why: String| Unfit { place: self.place, name: self.name.clone(), why };
        let parse = |value: &str| {
            let pair = [(self.name.clone(), value.to_owned())];
            search::compile_criteria(registry, kind, &pair).map_err(|issues| {
                unfit(issues.into_iter().next().map(|issue| issue.diagnostics.into_owned()).unwrap_or_default())
            })
        };
        let mut literals = Vec::new();
        if let Some(text) = self.literals.as_deref() {
            literals.push(Arc::new(parse(text)?));
        }
        for moment in &self.moments {
            let misplaced =
                || unfit(format!("{}: %now is a moment: it goes with a parameter that is a date", self.name));
            let parsed = parse(&format!("{}{STAND_IN_MOMENT}", moment.prefix));
            // Of a parameter that is there, what is wrong is the moment: its own words, not those about the stand-in.
            let code = self.name.split(':').next().unwrap_or_default();
            let parsed =
                parsed.map_err(|why| if registry.parameter(kind, code).is_some() { misplaced() } else { why })?;
            literals.push(Arc::new(timed(&parsed, moment.shift_ms).ok_or_else(misplaced)?));
        }
        let mut variables = Vec::with_capacity(self.variables.len());
        for variable in &self.variables {
            // Its own words, not those about the stand-in.
            let misplaced = || {
                let what =
                    "a variable stands for a resource: it goes with a parameter that is a reference, or with _id";
                unfit(format!("{}: {what}", self.name))
            };
            let predicate = parse(STAND_IN)?;
            replaced(&predicate, kind, &[]).ok_or_else(misplaced)?;
            if let Variable::Patient | Variable::Organization = variable
                && compares_id_of_other(&predicate, kind, *variable)
            {
                return Err(unfit(format!("{}: the variable is of another type than this id", self.name)));
            }
            variables.push((*variable, predicate));
        }
        Ok(Template { literals, variables })
    }
}

/// Whether an id of another type than the variable's is compared with it: that is never so.
fn compares_id_of_other(predicate: &Predicate, kind: ResourceType, variable: Variable) -> bool {
    let name = if variable == Variable::Patient { "Patient" } else { "Organization" };
    match predicate {
        Predicate::Id(_) => kind.name() != name,
        Predicate::Chain { target, predicate, .. } => compares_id_of_other(predicate, *target, variable),
        Predicate::Has { source, predicate, .. } => compares_id_of_other(predicate, *source, variable),
        Predicate::Not(part) => compares_id_of_other(part, kind, variable),
        // An untyped chain leads to several types: one of them will do.
        Predicate::Or(parts) => parts.iter().all(|part| compares_id_of_other(part, kind, variable)),
        _ => false,
    }
}

/// The predicate with a moment from now where it compares with the stand-in; `None` when it does so with something else
/// than a date.
fn timed(predicate: &Predicate, shift_ms: i64) -> Option<Predicate> {
    let inner = |part: &Arc<Predicate>| Some(Arc::new(timed(part, shift_ms)?));
    let each = |parts: &[Arc<Predicate>]| parts.iter().map(inner).collect::<Option<Vec<_>>>();
    let from = |parameter, test: &DateTest| {
        let is_stand_in = test.low == STAND_IN_MOMENT_MS;
        is_stand_in.then_some(Predicate::FromNow(FromNow { parameter, prefix: test.prefix, shift_ms }))
    };
    Some(match predicate {
        Predicate::Value { parameter, test: Test::Date(test) } => from(Some(*parameter), test)?,
        Predicate::LastUpdated(test) => from(None, test)?,
        Predicate::And(parts) => Predicate::And(each(parts)?),
        Predicate::Or(parts) => Predicate::Or(each(parts)?),
        Predicate::Not(part) => Predicate::Not(inner(part)?),
        Predicate::Chain { parameter, target, predicate } => {
            Predicate::Chain { parameter: *parameter, target: *target, predicate: inner(predicate)? }
        }
        Predicate::Has { source, parameter, predicate } => {
            Predicate::Has { source: *source, parameter: *parameter, predicate: inner(predicate)? }
        }
        _ => return None,
    })
}

/// The predicate with values where it compares with the stand-in; `None` when it does so with something else than a
/// reference or an id. `kind`: the type that it is about.
fn replaced(predicate: &Predicate, kind: ResourceType, values: &[(ResourceType, LogicalId)]) -> Option<Predicate> {
    let inner = |part: &Arc<Predicate>, kind| Some(Arc::new(replaced(part, kind, values)?));
    let each = |parts: &[Arc<Predicate>]| parts.iter().map(|part| inner(part, kind)).collect::<Option<Vec<_>>>();
    Some(match predicate {
        Predicate::Value { parameter, test: Test::Reference(test) } => {
            let target = match test {
                ReferenceTest::Target(target, id) if id.as_str() == STAND_IN => Some(*target),
                ReferenceTest::AnyType(id) if id.as_str() == STAND_IN => None,
                _ => return None,
            };
            let fitting = values.iter().filter(|(kind, _)| target.is_none_or(|target| target == *kind));
            Predicate::Or(
                fitting
                    .map(|(kind, id)| {
                        let test = Test::Reference(ReferenceTest::Target(*kind, id.clone()));
                        Arc::new(Predicate::Value { parameter: *parameter, test })
                    })
                    .collect(),
            )
        }
        Predicate::Id(ids) if ids.iter().all(|id| id.as_str() == STAND_IN) => {
            Predicate::Id(values.iter().filter(|(of, _)| *of == kind).map(|(_, id)| id.clone()).collect())
        }
        Predicate::And(parts) => Predicate::And(each(parts)?),
        Predicate::Or(parts) => Predicate::Or(each(parts)?),
        Predicate::Not(part) => Predicate::Not(inner(part, kind)?),
        Predicate::Chain { parameter, target, predicate } => {
            Predicate::Chain { parameter: *parameter, target: *target, predicate: inner(predicate, *target)? }
        }
        Predicate::Has { source, parameter, predicate } => {
            Predicate::Has { source: *source, parameter: *parameter, predicate: inner(predicate, *source)? }
        }
        _ => return None,
    })
}

/// What one item means of a type.
pub(super) enum Meant {
    /// Nothing: it is about other types.
    Nothing,
    /// These.
    These(Arc<Predicate>),
}

impl What {
    /// Whether every variable in it stands for something.
    pub(super) fn is_bound(&self, facts: &Facts) -> bool {
        let mut all = self.criteria.variables().chain(self.of.iter().flat_map(Criteria::variables));
        all.all(|variable| !facts.value(variable).is_empty())
    }

    /// Tried on the types that it is about: on one named type all has to fit, of many types one has to.
    fn check(&self, registry: &Registry) -> Result<(), Fault> {
        if let Kinds::One(kind) = self.kinds {
            let tried = self.criteria.compile(registry, kind);
            return tried.map(|_| ()).map_err(|unfit| unfit.fault(registry, Some(kind.name())));
        }
        let mut first = None;
        for kind in ResourceType::all().filter(|kind| self.is_about(*kind)) {
            match self.criteria.compile(registry, kind) {
                Ok(_) => return Ok(()),
                Err(unfit) => first = first.or(Some(unfit)),
            }
        }
        first.map_or(Ok(()), |unfit| Err(unfit.fault(registry, None)))
    }

    /// Whether resources of this type can be meant.
    pub(super) fn is_about(&self, kind: ResourceType) -> bool {
        let is_of_kinds = match self.kinds {
            Kinds::One(own) => own == kind,
            Kinds::Everything => !is_audit_event(kind),
            Kinds::Record => record::is_about_a_patient(kind),
        };
        is_of_kinds && (self.of.is_none() || record::is_about_a_patient(kind))
    }

    /// The same, as if the search parameters of its criteria were none any more.
    #[cfg(test)]
    pub(super) fn with_lost_parameter(&self) -> Self {
        let mut lost = self.clone();
        lost.criteria.0.iter_mut().for_each(|criterion| criterion.name.push_str("-gone"));
        lost
    }

    /// Whether it can be said with these search parameters: they may have changed since the file was read.
    pub(super) fn is_understood(&self, registry: &Registry) -> bool {
        let of = |of: &Criteria| ResourceType::parse("Patient").is_ok_and(|kind| of.compile(registry, kind).is_ok());
        self.check(registry).is_ok() && self.of.as_ref().is_none_or(of)
    }

    /// What it means of a type for this caller. A type without the parameters has no resource that is meant.
    pub(super) fn of_type(&self, registry: &Registry, kind: ResourceType, facts: &Facts) -> Meant {
        if !self.is_about(kind) {
            return Meant::Nothing;
        }
        let Ok(own) = self.criteria.bind(registry, kind, facts) else { return Meant::Nothing };
        let Some(of) = &self.of else { return Meant::These(own) };
        let patients = ResourceType::parse("Patient").ok().and_then(|patient| of.bind(registry, patient, facts).ok());
        let record = patients.and_then(|these| record::record_of(registry, kind, Whose::These(&these)));
        match record {
            Some(record) if *own == Predicate::All => Meant::These(record),
            Some(record) => Meant::These(Arc::new(Predicate::And(vec![record, own]))),
            None => Meant::Nothing,
        }
    }
}

fn all_of(mut parts: Vec<Arc<Predicate>>) -> Arc<Predicate> {
    match (parts.len(), parts.pop()) {
        (_, None) => Arc::new(Predicate::All),
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            Arc::new(Predicate::And(parts))
        }
    }
}
