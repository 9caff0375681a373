//! Who calls guarded worlds, and under which decisions of the house.

use crate::{
    Server,
    dice::Dice,
    reference::{self, Defaults},
};
use oauth::caller::{Glass, Role, Standing, User};
use policy::consent::{self, Combine, Implicit, Settings};
use std::sync::Arc;

/// What kind of caller it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Patient,
    Caregiver,
    Clinician,
    /// An organization that came by UDAP to pay.
    Payer,
    /// One that came to treat.
    Hospital,
    System,
    Deidentified,
    /// No token, or one that is none.
    Nobody,
}

/// A scope, of which only what sees is judged: each has `r` and `s`, or nothing.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) context: &'static str,
    pub(super) kind: Option<&'static str>,
    pub(super) letters: &'static str,
    /// Of Observations alone.
    pub(super) category: Option<&'static str>,
}

pub(super) const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
pub(super) const CATEGORIES: [&str; 2] = ["vital-signs", "survey"];

impl Scope {
    fn text(&self) -> String {
        let kind = self.kind.unwrap_or("*");
        let query = self.category.map(|code| format!("?category={CATEGORY}|{code}")).unwrap_or_default();
        format!("{}/{kind}.{}{query}", self.context, self.letters)
    }
}

/// A rule of the facility's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Observations with LOINC 1 are not seen.
    Deny,
    /// Conditions of women are seen by clinicians and organizations.
    Allow,
    /// Only [`LEFT`] are left.
    Limit,
}

/// Types that [`Rule::Limit`] leaves.
pub(super) const LEFT: [&str; 5] = ["Patient", "Observation", "Encounter", "Practitioner", "Consent"];

/// A caller.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) kind: Kind,
    /// Resources that they are.
    pub(super) own: Vec<&'static str>,
    /// Patients that the account names.
    pub(super) patients: Vec<&'static str>,
    /// The patient in context.
    pub(super) context: Option<&'static str>,
    /// The patient whose glass is broken.
    pub(super) glass: Option<&'static str>,
    /// What each request is for.
    pub(super) purposes: Vec<&'static str>,
    /// Of these one, which each request names in a header.
    pub(super) named_purpose: Option<&'static str>,
    pub(super) scopes: Vec<Scope>,
    pub(super) consents: reference::House,
    pub(super) rule: Option<Rule>,
    /// A rule labels what has LOINC 2.
    pub(super) labelling: bool,
}

impl Who {
    pub(super) fn roll(dice: &mut Dice) -> Self {
        let kinds = [
            Kind::Patient,
            Kind::Patient,
            Kind::Caregiver,
            Kind::Caregiver,
            Kind::Caregiver,
            Kind::Clinician,
            Kind::Clinician,
            Kind::Clinician,
            Kind::Clinician,
            Kind::Clinician,
            Kind::Payer,
            Kind::Payer,
            Kind::Payer,
            Kind::Hospital,
            Kind::Hospital,
            Kind::System,
            Kind::System,
            Kind::System,
            Kind::Deidentified,
        ];
        let kind = if dice.chance(2) { Kind::Nobody } else { *dice.pick(&kinds) };
        let mut who = Self {
            kind,
            own: Vec::new(),
            patients: Vec::new(),
            context: None,
            glass: None,
            purposes: vec!["TREAT"],
            named_purpose: None,
            scopes: Vec::new(),
            consents: reference::cases::house(dice),
            rule: None,
            labelling: dice.chance(30),
        };
        // Where everything is denied there is little to ask.
        if matches!(who.consents.default, Defaults::Deny | Defaults::BreakGlassOnly) && dice.chance(60) {
            who.consents.default = Defaults::AllNormal;
        }
        if dice.chance(45) {
            who.rule = Some(*dice.pick(&[Rule::Deny, Rule::Deny, Rule::Allow, Rule::Limit]));
        }
        match kind {
            Kind::Patient => {
                let own = dice.word(&["pat", "pat", "other"]);
                who.own = vec![if own == "pat" { "Patient/pat" } else { "Patient/other" }];
                who.patients = vec![own];
                who.context = Some(own);
                who.purposes = vec!["PATRQT"];
            }
            Kind::Caregiver => {
                who.own = vec![dice.word(&["RelatedPerson/rp1", "RelatedPerson/rp2", "Person/per1"])];
                if dice.chance(30) {
                    who.patients = vec!["pat"];
                }
                who.context = Some("pat");
                who.purposes = vec!["FAMRQT"];
            }
            Kind::Clinician => {
                who.own =
                    vec![dice.word(&["Practitioner/p1", "Practitioner/p1", "Practitioner/p2", "PractitionerRole/r1"])];
                who.context = Some(dice.word(&["pat", "other"]));
                who.glass = dice.chance(40).then(|| dice.word(&["pat", "other", "p2"]));
            }
            Kind::Payer | Kind::Hospital => {
                who.own = vec![dice.word(&["Organization/o1", "Organization/o2", "Organization/o3"])];
                who.purposes = vec![if kind == Kind::Payer { "HPAYMT" } else { "TREAT" }];
            }
            Kind::System | Kind::Deidentified => {
                who.purposes = match dice.below(4) {
                    0 => vec!["HRESCH"],
                    1 => vec!["HPAYMT", "TREAT"],
                    _ => vec!["TREAT"],
                };
                if who.purposes.len() > 1 && dice.chance(50) {
                    who.named_purpose = Some("HPAYMT");
                    who.purposes = vec!["HPAYMT"];
                }
            }
            Kind::Nobody => {}
        }
        who.scopes = who.some_scopes(dice);
        who
    }

    fn some_scopes(&self, dice: &mut Dice) -> Vec<Scope> {
        let contexts: &[&'static str] = match self.kind {
            Kind::Patient | Kind::Caregiver | Kind::Clinician => &["patient", "user", "user"],
            _ => &["system"],
        };
        let letters = match self.kind {
            Kind::Payer | Kind::Hospital | Kind::Deidentified => dice.word(&["rs"]),
            _ => dice.word(&["rs", "cruds", "cruds"]),
        };
        let of = |kind, context| Scope { context, kind, letters, category: None };
        let context = dice.word(contexts);
        match dice.below(10) {
            // A narrow app.
            0 | 1 => {
                let category = Some(dice.word(&CATEGORIES));
                let mut scopes = vec![Scope { category, ..of(Some("Observation"), context) }];
                let kinds = ["Patient", "Encounter", "Consent", "Condition", "Provenance", "RelatedPerson", "Claim"];
                scopes.extend((0..dice.below(4)).map(|_| of(Some(dice.word(&kinds)), context)));
                scopes
            }
            2 => {
                let other = dice.word(contexts);
                vec![of(None, context), of(Some("Observation"), other)]
            }
            _ => vec![of(None, context)],
        }
    }

    /// As a token has them.
    pub(super) fn scope(&self) -> String {
        self.scopes.iter().map(Scope::text).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn is_person(&self) -> bool {
        matches!(self.kind, Kind::Patient | Kind::Caregiver | Kind::Clinician)
    }

    pub(super) fn is_organization(&self) -> bool {
        matches!(self.kind, Kind::Payer | Kind::Hospital)
    }

    /// Whether anything can be changed.
    pub(super) fn writes(&self) -> bool {
        self.kind != Kind::Nobody && self.scopes.iter().any(|scope| scope.letters == "cruds")
    }

    /// What the rules and labels of the house are, as its operator writes them.
    pub(super) fn house(&self) -> policy::House {
        let registry = search::registry::registry();
        let settings = Settings {
            default: match self.consents.default {
                Defaults::AllNormal => Implicit::AllNormal,
                Defaults::BasicNormal => Implicit::BasicNormal,
                Defaults::BreakGlassOnly => Implicit::BreakGlassOnly,
                Defaults::Deny => Implicit::Deny,
            },
            combine: if self.consents.newest { Combine::Newest } else { Combine::DenyOverrides },
            glass: if self.consents.glass_overrides { consent::Glass::Overrides } else { consent::Glass::AsConsented },
        };
        let labels = match self.labelling {
            true => {
                policy::label::Labels::read("label PSY R when code http://loinc.org|2 and type Observation,Condition\n")
                    .expect("rules of labels")
            }
            false => policy::label::Labels::standard(),
        };
        let rules = self.rule.map_or_else(String::new, |rule| self.rule_text(rule));
        let mut house = policy::House::default();
        house.consents = Some(settings);
        house.labels = Arc::new(labels);
        house.rules = Arc::new(policy::rules::Rules::read(&rules, registry).expect("rules"));
        house
    }

    fn rule_text(&self, rule: Rule) -> String {
        let any = match self.kind {
            Kind::Payer | Kind::Hospital => "any organization",
            Kind::System | Kind::Deidentified => "any system",
            _ => "any person",
        };
        let (head, who, needs, what) = match rule {
            Rule::Deny => ("deny", any, "may not see", vec!["Observation?code=http://loinc.org|1".to_owned()]),
            Rule::Allow => {
                let who = if self.is_person() { "role clinician" } else { "any organization" };
                ("allow", who, "may see", vec!["Condition of Patient?gender=female".to_owned()])
            }
            Rule::Limit => ("limit", any, "may only see", LEFT.map(str::to_owned).to_vec()),
        };
        let what: String = what.iter().map(|what| format!("    what {what}\n")).collect();
        format!("{head} \"A rule\"\n    who {who}\n    {needs}\n{what}")
    }

    /// A token of theirs.
    pub(super) fn token(&self, server: &Server) -> Option<String> {
        let (tokens, scope) = (server.tokens(), self.scope());
        match self.kind {
            Kind::Nobody => None,
            Kind::Payer | Kind::Hospital => {
                Some(tokens.token_of_organization(self.own.first().copied(), &self.purposes, &scope))
            }
            Kind::System | Kind::Deidentified => {
                let is_deidentified = self.kind == Kind::Deidentified;
                let standing = if is_deidentified { Standing::Deidentified } else { Standing::Ordinary };
                let token = tokens.token_of_standing("test-partner", &scope, standing);
                let both = ["HPAYMT", "TREAT"];
                tokens.set_purposes(&token, if self.named_purpose.is_some() { &both } else { &self.purposes });
                Some(token)
            }
            Kind::Patient | Kind::Caregiver | Kind::Clinician => {
                let now_s = server.clock().now().unix_seconds();
                let glass =
                    |patient: &'static str| Glass { id: "case".into(), patient: patient.into(), until_s: now_s + 3000 };
                let user = User {
                    id: "person".into(),
                    name: "A person of a test".into(),
                    role: match self.kind {
                        Kind::Patient => Role::Patient,
                        Kind::Caregiver => Role::Caregiver,
                        _ => Role::Clinician,
                    },
                    fhir_user: self.own.first().map(|own| (*own).into()),
                    patients: self.patients.iter().map(|id| Arc::from(*id)).collect(),
                    glasses: self.glass.into_iter().map(glass).collect(),
                    may_break_glass: self.glass.is_some(),
                };
                Some(tokens.token_of_user(user, self.context, &scope))
            }
        }
    }
}
