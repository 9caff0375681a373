//! Those whom all patients share: facilities, their clinicians, and the payers.

use crate::{
    bundle::Resource,
    codes::{IDENTIFIERS, SNOMED, US_CORE, concept, profile, reference, terminology, text},
    course::Setting,
    json::{array, object},
    names::{FAMILIES, MEN, STREETS, TOWNS, WOMEN},
    random::Random,
};

/// What a clinician is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Physician,
    Nurse,
    PhysicalTherapist,
    OccupationalTherapist,
    SpeechTherapist,
    Dietitian,
    MdsCoordinator,
}

impl Role {
    const ALL: [Self; 7] = [
        Self::Physician,
        Self::Nurse,
        Self::PhysicalTherapist,
        Self::OccupationalTherapist,
        Self::SpeechTherapist,
        Self::Dietitian,
        Self::MdsCoordinator,
    ];

    /// Key in ids, SNOMED CT code, title.
    const fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Physician => ("md", "309343006", "Physician"),
            Self::Nurse => ("rn", "224535009", "Registered nurse"),
            Self::PhysicalTherapist => ("pt", "36682004", "Physical therapist"),
            Self::OccupationalTherapist => ("ot", "80546007", "Occupational therapist"),
            Self::SpeechTherapist => ("slp", "159026005", "Speech-language pathologist"),
            Self::Dietitian => ("rd", "159033005", "Dietitian"),
            Self::MdsCoordinator => ("mds", "224535009", "MDS coordinator"),
        }
    }
}

/// A hospital, SNF or home health agency.
#[derive(Debug)]
pub(crate) struct Facility {
    pub(crate) setting: Setting,
    pub(crate) name: &'static str,
    id: String,
    town: usize,
}

impl Facility {
    pub(crate) fn organization(&self) -> String {
        format!("Organization/{}", self.id)
    }

    pub(crate) fn location(&self) -> String {
        format!("Location/{}", self.id)
    }

    pub(crate) fn practitioner(&self, role: Role) -> String {
        format!("Practitioner/{}-{}", self.id, role.facts().0)
    }

    pub(crate) fn practitioner_role(&self, role: Role) -> String {
        format!("PractitionerRole/{}-{}", self.id, role.facts().0)
    }

    pub(crate) fn town(&self) -> (&'static str, &'static str, &'static str) {
        TOWNS.get(self.town % TOWNS.len()).copied().unwrap_or_default()
    }
}

/// An organization that pays.
#[derive(Debug)]
pub(crate) struct Payer {
    pub(crate) name: &'static str,
    /// Source of Payment Typology: 1 Medicare, 2 Medicaid, 5 private.
    pub(crate) typology: &'static str,
    pub(crate) id: String,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Cast {
    facilities: Vec<Facility>,
    pub(crate) payers: Vec<Payer>,
    resources: Vec<Resource>,
}

const FACILITIES: &[(Setting, &str)] = &[
    (Setting::Hospital, "Fernhollow General Hospital"),
    (Setting::Hospital, "Lake Amberly Medical Center"),
    (Setting::Hospital, "Thistle Bay Hospital"),
    (Setting::Snf, "Larkspur Skilled Nursing"),
    (Setting::Snf, "Old Mill Rehabilitation Center"),
    (Setting::Snf, "Brindle Springs Care Home"),
    (Setting::Snf, "Windmill Way Nursing and Rehab"),
    (Setting::Snf, "Maple Ferry Transitional Care"),
    (Setting::HomeHealth, "Meadow Loop Home Health"),
    (Setting::HomeHealth, "Sparrow Hill Visiting Nurses"),
    (Setting::HomeHealth, "Lantern Street Home Care"),
];

const PAYERS: &[(&str, &str)] =
    &[("Story Medicare", "1"), ("Story Medicare Advantage", "1"), ("Story Medicaid", "2"), ("Copperleaf Mutual", "5")];

impl Cast {
    pub(crate) fn new(prefix: &str, random: &mut Random) -> Self {
        let mut resources = Vec::new();
        let mut facilities = Vec::new();
        for (at, (setting, name)) in FACILITIES.iter().enumerate() {
            let kind = match setting {
                Setting::Hospital => "hospital",
                Setting::Snf => "snf",
                Setting::HomeHealth => "hha",
            };
            let facility = Facility { setting: *setting, name, id: format!("{prefix}-{kind}-{}", at + 1), town: at };
            facility_resources(&facility, random, &mut resources);
            facilities.push(facility);
        }
        let mut payers = Vec::new();
        for (at, (name, typology)) in PAYERS.iter().enumerate() {
            let id = format!("{prefix}-payer-{}", at + 1);
            let members = object! {
                "meta": profile(format!("{US_CORE}us-core-organization")),
                "identifier": array![object! { "system": format!("{IDENTIFIERS}payer"), "value": &id }],
                "active": true,
                "type": array![terminology("organization-type", "pay")],
                "name": *name,
                "telecom": array![phone(random)],
            };
            resources.push(Resource::new("Organization", id.clone(), members));
            payers.push(Payer { name, typology, id });
        }
        Self { facilities, payers, resources }
    }

    /// A facility of this kind.
    pub(crate) fn facility<'a>(&'a self, setting: Setting, random: &mut Random) -> &'a Facility {
        let of_kind: Vec<&'a Facility> =
            self.facilities.iter().filter(|facility| facility.setting == setting).collect();
        let chosen: &&Facility = random.pick(&of_kind);
        chosen
    }

    pub(crate) fn resources(&self) -> &[Resource] {
        &self.resources
    }
}

/// A number that nobody has: 555-0100 to 555-0199 are kept for stories.
pub(crate) fn phone(random: &mut Random) -> crate::json::Json {
    let number = format!("{}-555-01{:02}", random.range(201, 989), random.range(0, 99));
    object! { "system": "phone", "value": number, "use": "work" }
}

pub(crate) fn address(random: &mut Random, (city, state, zip): (&str, &str, &str)) -> crate::json::Json {
    object! {
        "line": array![format!("{} {}", random.range(10, 999), random.pick(STREETS))],
        "city": city, "state": state, "postalCode": zip, "country": "US",
    }
}

fn facility_resources(facility: &Facility, random: &mut Random, out: &mut Vec<Resource>) {
    let address = address(random, facility.town());
    let members = object! {
        "meta": profile(format!("{US_CORE}us-core-organization")),
        "identifier": array![object! { "system": format!("{IDENTIFIERS}facility"), "value": &facility.id }],
        "active": true,
        "type": array![terminology("organization-type", "prov")],
        "name": facility.name,
        "telecom": array![phone(random)],
        "address": array![address.clone()],
    };
    out.push(Resource::new("Organization", facility.id.clone(), members));
    let members = object! {
        "meta": profile(format!("{US_CORE}us-core-location")),
        "status": "active",
        "name": facility.name,
        "telecom": array![phone(random)],
        "address": address,
        "managingOrganization": reference(&facility.organization()),
    };
    out.push(Resource::new("Location", facility.id.clone(), members));
    for role in Role::ALL {
        let (key, code, title) = role.facts();
        let id = format!("{}-{key}", facility.id);
        let woman = random.chance(60);
        let given = *random.pick(if woman { WOMEN } else { MEN });
        let family = *random.pick(FAMILIES);
        let members = object! {
            "meta": profile(format!("{US_CORE}us-core-practitioner")),
            "identifier": array![object! { "system": format!("{IDENTIFIERS}practitioner"), "value": &id }],
            "active": true,
            "name": array![object! { "use": "official", "family": family, "given": array![given] }],
            "telecom": array![phone(random)],
            "gender": if woman { "female" } else { "male" },
        };
        out.push(Resource::new("Practitioner", id.clone(), members));
        let members = object! {
            "meta": profile(format!("{US_CORE}us-core-practitionerrole")),
            "active": true,
            "practitioner": object! { "reference": format!("Practitioner/{id}"), "display": format!("{given} {family}") },
            "organization": reference(&facility.organization()),
            "code": array![concept(SNOMED, code, title)],
            "specialty": array![text(title)],
            "location": array![reference(&facility.location())],
            "telecom": array![phone(random)],
        };
        out.push(Resource::new("PractitionerRole", id, members));
    }
}
