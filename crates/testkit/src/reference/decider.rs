//! The decision, by the words of the standard and of docs/consent.md, on plain JSON.

use serde_json::Value;
use std::collections::BTreeSet;

/// What kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Clinician,
    Person,
    Organization,
    System,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What kind.
    pub kind: Kind,
    /// Resources that they are: `Practitioner/p1`.
    pub own: Vec<&'static str>,
    /// Purposes of use.
    pub purposes: Vec<&'static str>,
}

/// The facility's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are PCF's")]
pub enum Defaults {
    AllNormal,
    BasicNormal,
    BreakGlassOnly,
    Deny,
}

/// What the facility decided.
#[derive(Debug, Clone, Copy)]
pub struct House {
    /// Where no Consent speaks.
    pub default: Defaults,
    /// The newest Consent wins.
    pub newest: bool,
    /// A denial in general does not count when the glass is broken.
    pub glass_overrides: bool,
}

/// Other resources, and the moment.
#[derive(Debug)]
pub struct World {
    /// Those resources.
    pub resources: Vec<Value>,
    /// Milliseconds since the epoch.
    pub now: i64,
}

/// The decision, from the strictest to the most generous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The caller may not see it.
    Denied,
    /// Nothing is said of it.
    Silent,
    /// The caller may see it.
    Permitted,
    /// The caller may see it because a permit names them.
    Given,
}

/// The answers that are possible to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tri {
    Yes,
    No,
    Either,
}

impl Tri {
    fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Either,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Either,
        }
    }

    fn possible(self) -> &'static [bool] {
        match self {
            Self::Yes => &[true],
            Self::No => &[false],
            Self::Either => &[true, false],
        }
    }
}

/// Whether the caller may see the resource: by all Consents of its patient, else by the default.
#[must_use]
pub fn decide(consents: &[Value], caller: &Caller, house: &House, resource: &Value, world: &World) -> Outcome {
    let at = At { caller, house, resource, world };
    let read: Vec<Consent<'_>> = consents.iter().filter_map(Consent::read).collect();
    let in_force: Vec<&Consent<'_>> = read.iter().filter(|one| one.is_in_force(world.now)).collect();
    let counting: Vec<&Consent<'_>> =
        in_force.iter().filter(|one| !in_force.iter().any(|other| other.supersedes(one))).copied().collect();
    let overrides = at.overrides();
    let replaced = counting
        .iter()
        .any(|one| one.is_privacy && !overrides && one.kind == Some(true) && at.who(one.root, one.kind) != Tri::No);
    let default =
        if !replaced && at.default_permits(house.default) == Tri::Yes { Outcome::Permitted } else { Outcome::Denied };
    let said: Vec<(i64, Outcome)> = counting.iter().map(|one| (one.order(), one.says(&at))).collect();
    let mut dates: BTreeSet<i64> = said.iter().map(|(date, _)| *date).collect();
    if !house.newest {
        dates = BTreeSet::from([0]);
    }
    // From the newest date to the oldest; without `newest` all are of one.
    for date in dates.into_iter().rev() {
        let group = said.iter().filter(|(own, _)| !house.newest || *own == date).map(|(_, outcome)| *outcome);
        let group: Vec<Outcome> = group.collect();
        if group.contains(&Outcome::Denied) {
            return Outcome::Denied;
        }
        if let Some(best) = group.into_iter().filter(|outcome| *outcome >= Outcome::Permitted).max() {
            return best;
        }
    }
    default
}

struct At<'a> {
    caller: &'a Caller,
    house: &'a House,
    resource: &'a Value,
    world: &'a World,
}

/// A Consent that counts, whatever it says.
struct Consent<'a> {
    root: &'a Value,
    /// Permit, deny, or neither.
    kind: Option<bool>,
    policy: Option<Defaults>,
    key: Option<BTreeSet<String>>,
    date: Option<(i64, i64)>,
    doubtful: bool,
    is_privacy: bool,
    too_deep: bool,
}

static EMPTY: Value = Value::Null;

impl<'a> Consent<'a> {
    fn read(consent: &'a Value) -> Option<Self> {
        let status = consent["status"].as_str();
        if status.is_some_and(|status| status != "active") {
            return None;
        }
        let scopes = codings(&consent["scope"]);
        let ours = |(system, _): &&(String, String)| system == "http://terminology.hl7.org/CodeSystem/consentscope";
        let is_privacy = scopes.iter().filter(ours).any(|(_, code)| code == "patient-privacy");
        let is_other = |scope: &(String, String)| ours(&scope) && ["adr", "research", "treatment"].contains(&&*scope.1);
        if !is_privacy && scopes.iter().any(is_other) {
            return None;
        }
        let root = consent.get("provision").unwrap_or(&EMPTY);
        let (kind, policy) = if root.get("type").is_some() { (kind_of(root, false), None) } else { base(consent) };
        let verified = list(&consent["verification"]);
        let refuted = !verified.is_empty() && !verified.iter().any(|one| one["verified"] == true);
        let modified = consent.get("modifierExtension").is_some() || consent.get("implicitRules").is_some();
        Some(Self {
            root,
            kind,
            policy,
            key: key(consent),
            date: consent["dateTime"].as_str().and_then(date),
            doubtful: status.is_none() || !is_privacy || modified || refuted,
            is_privacy,
            too_deep: depth(root) > 8,
        })
    }

    fn is_in_force(&self, now: i64) -> bool {
        self.too_deep || covers(self.root.get("period"), now) != Tri::No
    }

    /// Its place among others by date; what nobody can read is the newest.
    fn order(&self) -> i64 {
        if self.too_deep { i64::MAX } else { self.date.map_or(i64::MIN, |(low, _)| low) }
    }

    fn supersedes(&self, other: &Self) -> bool {
        let (Some((low, _)), Some((_, high))) = (self.date, other.date) else { return false };
        let known = !self.doubtful && !other.doubtful && !self.too_deep && !other.too_deep;
        known && self.key.is_some() && self.key == other.key && low >= high
    }

    fn says(&self, at: &At<'_>) -> Outcome {
        if self.too_deep {
            return if at.overrides() { Outcome::Silent } else { Outcome::Denied };
        }
        let policy = self.policy.map_or(Tri::Yes, |policy| at.default_permits(policy));
        let worst = at.outcomes(self.root, self.kind, policy).into_iter().min().unwrap_or(Outcome::Denied);
        if self.doubtful && worst >= Outcome::Permitted { Outcome::Silent } else { worst }
    }
}

fn depth(provision: &Value) -> usize {
    list(&provision["provision"]).iter().map(|one| 1 + depth(one)).max().unwrap_or(0)
}

/// Permit, deny or, of a root alone, neither; what nobody can read forbids.
fn kind_of(provision: &Value, is_nested: bool) -> Option<bool> {
    match provision["type"].as_str() {
        Some("permit") => Some(true),
        None if !is_nested && provision.get("type").is_none() => None,
        _ => Some(false),
    }
}

/// What a root without a type is: by policies, else by categories, the strictest of each.
fn base(consent: &Value) -> (Option<bool>, Option<Defaults>) {
    let mut found: Vec<u8> = Vec::new();
    for policy in list(&consent["policy"]) {
        let name = policy["uri"].as_str().and_then(|uri| uri.strip_prefix("https://profiles.ihe.net/ITI/PCF/Policy-"));
        match name {
            Some("all-normal") => found.push(1),
            Some("basic-normal") => found.push(2),
            Some("break-glass-only") => found.push(3),
            Some("deny") => found.push(4),
            _ => {}
        }
    }
    let by_code = |(system, code): &(String, String)| match (system.as_str(), code.as_str()) {
        ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN" | "OPTINR") => Some(1),
        ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTOUT" | "OPTOUTE") => Some(4),
        ("http://terminology.hl7.org/CodeSystem/consentcategorycodes", "emrgonly") => Some(3),
        ("http://terminology.hl7.org/CodeSystem/consentpolicycodes", "hipaa-restrictions") => Some(4),
        _ => None,
    };
    found.extend(codings(&consent["policyRule"]).iter().filter_map(by_code));
    if found.is_empty() {
        found.extend(list(&consent["category"]).iter().flat_map(|one| codings(one)).filter_map(|one| by_code(&one)));
    }
    match found.into_iter().max() {
        None => (None, None),
        Some(4) => (Some(false), None),
        Some(1) => (Some(true), None),
        Some(2) => (Some(true), Some(Defaults::BasicNormal)),
        Some(_) => (Some(true), Some(Defaults::BreakGlassOnly)),
    }
}

fn key(consent: &Value) -> Option<BTreeSet<String>> {
    let mut key: BTreeSet<String> =
        list(&consent["policy"]).iter().filter_map(|one| one["uri"].as_str().map(|uri| format!("u{uri}"))).collect();
    key.extend(codings(&consent["policyRule"]).into_iter().map(|(system, code)| format!("r{system}|{code}")));
    if key.is_empty() {
        return None;
    }
    let categories = list(&consent["category"]).into_iter().flat_map(codings);
    key.extend(categories.map(|(system, code)| format!("c{system}|{code}")));
    key.extend(codings(&consent["scope"]).into_iter().map(|(system, code)| format!("s{system}|{code}")));
    Some(key)
}

impl At<'_> {
    fn overrides(&self) -> bool {
        let purposes = &self.caller.purposes;
        self.house.glass_overrides && !purposes.is_empty() && purposes.iter().all(|purpose| *purpose == "BTG")
    }

    /// Permitted is who asks for this alone, perhaps permitted who asks for this and more.
    fn default_permits(&self, default: Defaults) -> Tri {
        let purposes = &self.caller.purposes;
        let asks = |wanted: &str| match purposes.iter().filter(|one| is_a(one, wanted)).count() {
            0 => Tri::No,
            some if some == purposes.len() => Tri::Yes,
            _ => Tri::Either,
        };
        match default {
            Defaults::AllNormal => Tri::Yes,
            Defaults::BasicNormal if self.caller.kind == Kind::Clinician && purposes.is_empty() => Tri::Yes,
            Defaults::BasicNormal => asks("TREAT"),
            Defaults::BreakGlassOnly => asks("BTG"),
            Defaults::Deny => Tri::No,
        }
    }

    /// Everything that the provision may come to, over all answers to what is in doubt.
    fn outcomes(&self, provision: &Value, kind: Option<bool>, policy: Tri) -> BTreeSet<Outcome> {
        let is_overridden = self.overrides() && kind == Some(false) && provision.get("purpose").is_none();
        let mut all = BTreeSet::new();
        let named = kind == Some(true) && provision.get("actor").is_some();
        for addressed in self.who(provision, kind).and(policy).possible() {
            if !addressed {
                all.insert(Outcome::Silent);
                continue;
            }
            for meant in self.what(provision, kind).possible() {
                let below = list(&provision["provision"]).into_iter().map(|one| (kind_of(one, true), one));
                let looked: Vec<BTreeSet<Outcome>> = below
                    .filter(|(own, _)| *meant || *own == kind)
                    .map(|(own, one)| self.outcomes(one, own, Tri::Yes))
                    .collect();
                let own = match (meant, kind) {
                    (true, Some(true)) => Outcome::Permitted,
                    (true, Some(false)) if !is_overridden => Outcome::Denied,
                    _ => Outcome::Silent,
                };
                for together in self.combinations(&looked) {
                    let outcome = if together == Outcome::Silent { own } else { together };
                    all.insert(if named && outcome == Outcome::Permitted { Outcome::Given } else { outcome });
                }
            }
        }
        all
    }

    /// What provisions side by side may come to.
    fn combinations(&self, sets: &[BTreeSet<Outcome>]) -> BTreeSet<Outcome> {
        let mut all = BTreeSet::from([Outcome::Silent]);
        for set in sets {
            let one = |first: Outcome, second: Outcome| {
                let denied = first == Outcome::Denied || second == Outcome::Denied;
                let best = first.max(second);
                if denied { Outcome::Denied } else { best }
            };
            all = all
                .iter()
                .flat_map(|first| set.iter().map(|second| one(*first, *second)).collect::<Vec<_>>())
                .collect();
        }
        all
    }

    /// Whether it speaks of this caller, purpose, action and moment.
    fn who(&self, provision: &Value, kind: Option<bool>) -> Tri {
        let modified = if provision.get("modifierExtension").is_some() { Tri::Either } else { Tri::Yes };
        modified
            .and(covers(provision.get("period"), self.world.now))
            .and(any(provision.get("action"), |action| {
                let actions = ["collect", "access", "use", "disclose", "correct"];
                let known = codings(action).into_iter().find(|(system, code)| {
                    system == "http://terminology.hl7.org/CodeSystem/consentaction" && actions.contains(&code.as_str())
                });
                match known.as_ref().map(|(_, code)| code.as_str()) {
                    Some("access" | "use") => Tri::Yes,
                    Some("disclose") => Tri::of(self.caller.kind != Kind::Clinician),
                    Some(_) => Tri::No,
                    None => Tri::Either,
                }
            }))
            .and(self.purposes(provision))
            .and(self.actors(provision, kind))
    }

    /// Each purpose of the caller is looked at by itself: all of them have to be met to be sure.
    fn purposes(&self, provision: &Value) -> Tri {
        let of = |own: Option<&str>| {
            any(provision.get("purpose"), |purpose| {
                let Some((system, code)) = coding(purpose) else { return Tri::Either };
                if system != "http://terminology.hl7.org/CodeSystem/v3-ActReason"
                    || !PURPOSES.iter().any(|(own, _)| *own == code)
                {
                    return Tri::Either;
                }
                if code == "PurposeOfUse" {
                    return Tri::Yes;
                }
                own.map_or(Tri::Either, |own| Tri::of(is_a(own, &code)))
            })
        };
        if self.caller.purposes.is_empty() {
            return of(None);
        }
        let met: Vec<Tri> = self.caller.purposes.iter().map(|own| of(Some(own))).collect();
        if met.iter().all(|one| *one == Tri::Yes) {
            Tri::Yes
        } else if met.iter().all(|one| *one == Tri::No) {
            Tri::No
        } else {
            Tri::Either
        }
    }

    fn actors(&self, provision: &Value, kind: Option<bool>) -> Tri {
        let Some(actors) = provision.get("actor") else { return Tri::Yes };
        let local = |actor: &Value| -> Option<String> {
            actor.get("modifierExtension").is_none().then(|| target(&actor["reference"])).flatten()
        };
        let keeper = |actor: &Value| {
            let role = codings(&actor["role"]);
            !role.is_empty() && role.iter().all(|(_, code)| matches!(code.as_str(), "CST" | "CUST" | "AUT"))
        };
        let all = list(actors);
        let only_keepers = !all.is_empty() && all.iter().all(|actor| local(actor).is_some() && keeper(actor));
        if only_keepers && kind != Some(true) {
            return Tri::Yes;
        }
        any(Some(actors), |actor| {
            let Some(reference) = local(actor) else { return Tri::Either };
            if keeper(actor) && !only_keepers {
                return Tri::No;
            }
            if self.stands(&reference, true) {
                return Tri::Yes;
            }
            if self.caller.own.contains(&reference.as_str()) || self.stands(&reference, false) {
                return Tri::Either;
            }
            if self.caller.kind == Kind::System && reference.starts_with("Device/") { Tri::Either } else { Tri::No }
        })
    }

    /// Whether that resource of the world stands for the caller; `in_use`: whatever is on the way is in use.
    fn stands(&self, reference: &str, in_use: bool) -> bool {
        let Some(resource) = self.find(reference) else { return false };
        if in_use && self.is_over(resource) {
            return false;
        }
        let own = |reference: &str| self.caller.own.contains(&reference);
        let of_type = |kind: &'static str| self.world.resources.iter().filter(move |one| one["resourceType"] == *kind);
        let (kind, _) = reference.split_once('/').unwrap();
        let points = |value: &Value| target(value).is_some_and(|target| self.stands(&target, in_use));
        let linked = || {
            of_type("Person").any(|person| {
                own(&name(person))
                    && !(in_use && self.is_over(person))
                    && list(&person["link"]).iter().any(|link| target(&link["target"]).as_deref() == Some(reference))
            })
        };
        match kind {
            "Patient" | "RelatedPerson" => own(reference) || linked(),
            "Practitioner" => {
                own(reference)
                    || linked()
                    || of_type("PractitionerRole")
                        .filter(|role| !(in_use && self.is_over(role)))
                        .any(|role| own(&name(role)) && target(&role["practitioner"]).as_deref() == Some(reference))
            }
            "PractitionerRole" => {
                (own(reference) || points(&resource["practitioner"]))
                    && resource["active"] != false
                    && self.holds_now(&resource["period"])
            }
            "Organization" => {
                let mut level: Vec<String> = vec![reference.to_owned()];
                for _ in 0..=4 {
                    let works = |one: &String| {
                        own(one)
                            || of_type("PractitionerRole").any(|role| {
                                target(&role["organization"]).as_ref() == Some(one) && self.stands(&name(role), in_use)
                            })
                    };
                    if level.iter().any(works) {
                        return true;
                    }
                    let parts = of_type("Organization")
                        .filter(|one| !(in_use && self.is_over(one)))
                        .filter(|one| target(&one["partOf"]).is_some_and(|of| level.contains(&of)));
                    level = parts.map(name).collect();
                }
                false
            }
            "CareTeam" => {
                let status = resource["status"].as_str().unwrap_or_default();
                !matches!(status, "proposed" | "suspended" | "inactive" | "entered-in-error")
                    && self.holds_now(&resource["period"])
                    && list(&resource["participant"]).iter().any(|one| points(&one["member"]))
            }
            "Group" => {
                resource["active"] != false
                    && list(&resource["member"]).iter().any(|one| one["inactive"] != true && points(&one["entity"]))
            }
            _ => own(reference),
        }
    }

    /// Whether it says that it is over; a role is with its Practitioner, too.
    fn is_over(&self, resource: &Value) -> bool {
        let ends = ["Person", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization"];
        let of_role = || {
            let practitioner = target(&resource["practitioner"]).and_then(|one| self.find(&one));
            resource["resourceType"] == "PractitionerRole" && practitioner.is_some_and(|one| self.is_over(one))
        };
        ends.iter().any(|kind| resource["resourceType"] == **kind)
            && (resource["active"] == false || !self.holds_now(&resource["period"]) || of_role())
    }

    fn holds_now(&self, period: &Value) -> bool {
        span(period).is_none_or(|(low, high)| low <= self.world.now && self.world.now < high)
    }

    fn find(&self, reference: &str) -> Option<&Value> {
        let (kind, id) = reference.split_once('/')?;
        self.world.resources.iter().find(|one| one["id"] == *id && one["resourceType"] == *kind)
    }

    /// Whether it means the resource.
    fn what(&self, provision: &Value, kind: Option<bool>) -> Tri {
        any(provision.get("class"), |class| self.class(class))
            .and(self.data_period(provision.get("dataPeriod"), kind))
            .and(any(provision.get("securityLabel"), |label| self.label(label, kind)))
            .and(any(provision.get("code"), |code| {
                let codes = codings(code);
                if codes.is_empty() {
                    Tri::Either
                } else {
                    Tri::of(codes.iter().any(|one| all_codes(self.resource).contains(one)))
                }
            }))
            .and(any(provision.get("data"), |data| self.data(data)))
    }

    fn kind(&self) -> &str {
        self.resource["resourceType"].as_str().unwrap()
    }

    fn class(&self, class: &Value) -> Tri {
        let Some((system, code)) = coding(class) else { return Tri::Either };
        match system.as_str() {
            "http://hl7.org/fhir/resource-types" => match code.as_str() {
                "Resource" | "DomainResource" => Tri::Yes,
                "NoSuchType" => Tri::Either,
                name => Tri::of(name == self.kind()),
            },
            "urn:ietf:bcp:13" => Tri::of(
                self.kind() == "DocumentReference"
                    && list(&self.resource["content"]).iter().any(|one| one["attachment"]["contentType"] == *code),
            ),
            "urn:ietf:rfc:3986" => {
                let claimed = list(&self.resource["meta"]["profile"]);
                let of_type = !code.ends_with("/bp") || self.kind() == "Observation";
                match claimed.iter().any(|one| **one == *code) {
                    true => Tri::Yes,
                    false if claimed.is_empty() && of_type => Tri::Either,
                    false => Tri::No,
                }
            }
            _ => {
                let mut kinds: Vec<(String, String)> = Vec::new();
                if self.kind() == "DocumentReference" {
                    kinds.extend(codings(&self.resource["type"]));
                    kinds.extend(list(&self.resource["category"]).into_iter().flat_map(codings));
                    kinds.extend(list(&self.resource["content"]).iter().filter_map(|one| coding(&one["format"])));
                }
                let wanted = (system, code);
                match kinds.contains(&wanted) {
                    true => Tri::Yes,
                    false if all_codes(self.resource).contains(&wanted) => Tri::Either,
                    false => Tri::No,
                }
            }
        }
    }

    fn label(&self, label: &Value, kind: Option<bool>) -> Tri {
        const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
        let Some((system, code)) = coding(label) else { return Tri::Either };
        let mut own: Vec<(String, String)> =
            list(&self.resource["meta"]["security"]).into_iter().filter_map(coding).collect();
        if self.kind() == "DocumentReference" {
            own.extend(list(&self.resource["securityLabel"]).into_iter().flat_map(codings));
        }
        if system != CONFIDENTIALITY {
            return Tri::of(own.iter().any(|(other, label)| *other == system && label_is_a(label, &code)));
        }
        let Some(wanted) = "ULMNRV".find(&code) else { return Tri::Either };
        let levels: Vec<Option<usize>> = own
            .iter()
            .filter(|(system, _)| system == CONFIDENTIALITY)
            .map(|(_, code)| "ULMNRV".find(code.as_str()))
            .collect();
        let level = match (levels.iter().flatten().max(), levels.is_empty()) {
            (Some(level), _) => *level,
            (None, true) => 3,
            (None, false) => 6,
        };
        Tri::of(if kind == Some(true) { level <= wanted } else { level >= wanted })
    }

    fn data_period(&self, period: Option<&Value>, kind: Option<bool>) -> Tri {
        let Some(period) = period else { return Tri::Yes };
        let Some((low, high)) = readable(period) else { return Tri::Either };
        if self.kind() == "Patient" {
            return Tri::of(kind == Some(true));
        }
        let one = |name: &str| self.resource[name].as_str().and_then(date);
        let time = match self.kind() {
            "Observation" => one("effectiveDateTime").or_else(|| span(&self.resource["effectivePeriod"])),
            "Condition" => {
                one("onsetDateTime").or_else(|| span(&self.resource["onsetPeriod"])).or_else(|| one("recordedDate"))
            }
            "DocumentReference" => span(&self.resource["context"]["period"]).or_else(|| one("date")),
            "Encounter" | "Coverage" | "CareTeam" => span(&self.resource["period"]),
            "Claim" => one("created"),
            "Consent" => one("dateTime"),
            "ServiceRequest" => one("occurrenceDateTime").or_else(|| one("authoredOn")),
            "RelatedPerson" => None,
            "MedicationRequest" => one("authoredOn"),
            "QuestionnaireResponse" => one("authored"),
            other => panic!("no time known of {other}"),
        };
        match time {
            None => Tri::Either,
            Some((from, to)) if low <= from && to <= high => Tri::Yes,
            Some((from, to)) if from < high && low < to => Tri::Either,
            Some(_) => Tri::No,
        }
    }

    fn data(&self, data: &Value) -> Tri {
        if data.get("modifierExtension").is_some() {
            return Tri::Either;
        }
        let (Some(meaning), Some(wanted)) = (data["meaning"].as_str(), target(&data["reference"])) else {
            return Tri::Either;
        };
        let itself = name(self.resource) == wanted;
        let refers = || references(self.resource).contains(&wanted);
        let referred = || {
            self.kind() != "Patient"
                && self.find(&wanted).is_some_and(|one| references(one).contains(&name(self.resource)))
        };
        match meaning {
            "instance" => Tri::of(itself),
            "dependents" => Tri::of(itself || refers()),
            "related" => Tri::of(itself || refers() || referred()),
            "authoredby" => self.authored(&wanted),
            _ => Tri::Either,
        }
    }

    fn authored(&self, wanted: &str) -> Tri {
        let resource = self.resource;
        let many = |name: &str, inner: Option<&str>| -> Vec<&Value> {
            list(&resource[name]).into_iter().map(|one| inner.map_or(one, |inner| &one[inner])).collect()
        };
        let (has_author, authors) = match self.kind() {
            "Observation" => (true, many("performer", None)),
            "Condition" => (true, many("asserter", None)),
            "DocumentReference" => (true, [many("author", None), many("authenticator", None)].concat()),
            "Encounter" => (true, many("participant", Some("individual"))),
            "MedicationRequest" | "ServiceRequest" => (true, many("requester", None)),
            "Claim" => (true, [many("enterer", None), many("provider", None)].concat()),
            "QuestionnaireResponse" => (true, [many("author", None), many("source", None)].concat()),
            _ => (false, Vec::new()),
        };
        let is_wanted = |author: &Value| {
            let Some(author) = target(author) else { return false };
            let role = || self.find(&author).filter(|one| one["resourceType"] == "PractitionerRole");
            author == wanted || role().is_some_and(|role| target(&role["practitioner"]).as_deref() == Some(wanted))
        };
        if authors.iter().any(|author| is_wanted(author)) {
            return Tri::Yes;
        }
        let told = self.world.resources.iter().filter(|one| one["resourceType"] == "Provenance").any(|one| {
            list(&one["target"]).iter().any(|target_of| target(target_of) == Some(name(resource)))
                && list(&one["agent"]).iter().any(|agent| is_wanted(&agent["who"]))
        });
        if told || (has_author && authors.is_empty()) { Tri::Either } else { Tri::No }
    }
}

/// Purposes that cases are made of, each with the one above it.
pub(super) const PURPOSES: &[(&str, &str)] = &[
    ("PurposeOfUse", ""),
    ("TREAT", "PurposeOfUse"),
    ("ETREAT", "TREAT"),
    ("BTG", "ETREAT"),
    ("HPAYMT", "PurposeOfUse"),
    ("COVERAGE", "HPAYMT"),
    ("ELIGVER", "COVERAGE"),
    ("PATRQT", "PurposeOfUse"),
    ("FAMRQT", "PATRQT"),
    ("HRESCH", "PurposeOfUse"),
];

fn is_a(code: &str, wanted: &str) -> bool {
    code == wanted || PURPOSES.iter().any(|(own, above)| *own == code && !above.is_empty() && is_a(above, wanted))
}

fn label_is_a(label: &str, wanted: &str) -> bool {
    label == wanted || (wanted == "SUD" && matches!(label, "ETHUD" | "OPIOIDUD"))
}

/// OR within repeats; what is not there is met.
fn any(element: Option<&Value>, mut one: impl FnMut(&Value) -> Tri) -> Tri {
    let Some(element) = element else { return Tri::Yes };
    let repeats = list(element);
    if repeats.is_empty() {
        return Tri::Either;
    }
    repeats.into_iter().map(&mut one).fold(Tri::No, Tri::or)
}

pub(crate) fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

pub(crate) fn name(resource: &Value) -> String {
    format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap())
}

/// `Type/id` of a reference to a resource here.
pub(crate) fn target(reference: &Value) -> Option<String> {
    let text = reference["reference"].as_str()?;
    let text = text.split("/_history/").next()?;
    (!text.contains(':') && !text.starts_with('#') && text.split('/').count() == 2).then(|| text.to_owned())
}

pub(crate) fn coding(value: &Value) -> Option<(String, String)> {
    Some((value["system"].as_str()?.to_owned(), value["code"].as_str()?.to_owned()))
}

pub(crate) fn codings(concept: &Value) -> Vec<(String, String)> {
    list(&concept["coding"]).into_iter().filter_map(coding).collect()
}

/// All Codings anywhere in a resource, but for labels and extensions.
pub(crate) fn all_codes(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Array(items) => items.iter().flat_map(all_codes).collect(),
        Value::Object(members) => {
            let own = if value.get("value").is_some() { None } else { coding(value) };
            let below =
                members.iter().filter(|(name, _)| !matches!(name.as_str(), "meta" | "extension" | "securityLabel"));
            own.into_iter().chain(below.flat_map(|(_, one)| all_codes(one))).collect()
        }
        _ => Vec::new(),
    }
}

/// All references anywhere in a resource.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(members) => target(value).into_iter().chain(members.values().flat_map(references)).collect(),
        _ => Vec::new(),
    }
}

fn covers(period: Option<&Value>, now: i64) -> Tri {
    match period {
        None => Tri::Yes,
        Some(period) => readable(period).map_or(Tri::Either, |(low, high)| Tri::of(low <= now && now < high)),
    }
}

/// A Period of a Consent, when all of it can be read.
fn readable(period: &Value) -> Option<(i64, i64)> {
    let bound = |name: &str| period.get(name).map(|text| text.as_str().and_then(date));
    match (bound("start"), bound("end")) {
        (None, None) | (Some(None), _) | (_, Some(None)) => None,
        (start, end) => {
            let (low, high) =
                (start.flatten().map_or(i64::MIN, |(low, _)| low), end.flatten().map_or(i64::MAX, |(_, high)| high));
            (low < high).then_some((low, high))
        }
    }
}

/// A Period of a resource; `None` when it has neither end.
pub(crate) fn span(period: &Value) -> Option<(i64, i64)> {
    let bound = |name: &str| period[name].as_str().and_then(date);
    let (start, end) = (bound("start"), bound("end"));
    (start.is_some() || end.is_some())
        .then(|| (start.map_or(i64::MIN, |(low, _)| low), end.map_or(i64::MAX, |(_, high)| high)))
}

const DAY: i64 = 86_400_000;

/// Days from 1970-01-01 to the first of a month.
fn days(year: i64, month: i64) -> i64 {
    let (mut days, mut at) = (0, 1970);
    while at < year {
        days += if is_leap(at) { 366 } else { 365 };
        at += 1;
    }
    (1..month).fold(days, |days, month| days + length(year, month))
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A date of 1970 or later, whole or in part, in UTC.
pub(crate) fn date(text: &str) -> Option<(i64, i64)> {
    let parts: Vec<Option<i64>> = text.split('-').map(|part| part.parse().ok()).collect();
    let (low, high) = match parts.as_slice() {
        [Some(year)] => (days(*year, 1), days(year + 1, 1)),
        [Some(year), Some(month @ 1..=12)] => (days(*year, *month), days(*year, *month) + length(*year, *month)),
        [Some(year), Some(month @ 1..=12), Some(day @ 1..=31)] => {
            let day = days(*year, *month) + day - 1;
            (day, day + 1)
        }
        _ => return None,
    };
    Some((low * DAY, high * DAY))
}
