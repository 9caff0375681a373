//! The domains of PFE: which chapter of ICF the LOINC codes of a domain value set belong to.
//!
//! SPEC: PFE 2.0.0, profiles of observations: domains and the value set of codes for each. The concept map
//! that a later version of the guide has covers PROMIS-10 alone; what it says about the other instruments
//! follows from these value sets.

use crate::{
    Coding, Membership, Terminology,
    grammar::ICF,
    operation::translate::{TranslateOptions, Translation},
};

/// Canonical of the map that [`Terminology::translate`] knows without a package.
pub const DOMAINS: &str = "urn:handrail:ConceptMap:pfe-loinc-to-icf";

const LOINC: &str = "http://loinc.org";
const VALUE_SETS: &str = "http://hl7.org/fhir/us/pacio-pfe/ValueSet/";

/// Name of the value set, and the component or chapter of ICF.
const DOMAIN_SETS: [(&str, &str); 17] = [
    ("pfe-mental-functions-vs", "b1"),
    ("pfe-sensory-functions-pain-vs", "b2"),
    ("pfe-sensory-functions-pain-clinical-test-vs", "b2"),
    ("pfe-voice-and-speech-vs", "b3"),
    ("pfe-functions-of-digestive-vs", "b5"),
    ("pfe-genitourinary-vs", "b6"),
    ("pfe-neuromusculoskeletal-vs", "b7"),
    ("pfe-skin-functions-vs", "b8"),
    ("pfe-body-structures-vs", "s"),
    ("pfe-structures-voice-and-speech-vs", "s3"),
    ("pfe-learning-and-applying-knowledge-vs", "d1"),
    ("pfe-communication-vs", "d3"),
    ("pfe-mobility-vs", "d4"),
    ("pfe-goals-mobility-vs", "d4"),
    ("pfe-self-care-vs", "d5"),
    ("pfe-goals-self-care-vs", "d5"),
    ("pfe-domestic-life-vs", "d6"),
];

/// Products and technology: a chapter of environmental factors.
const PRODUCTS: (&str, &str) = ("pfe-products-and-technology-vs", "e1");

impl Terminology {
    /// The components or chapters of ICF that a LOINC code belongs to by the value sets of PFE, in the order
    /// of the classification, each once.
    #[must_use]
    pub fn pfe_domains(&self, loinc: &str) -> Vec<&'static str> {
        let mut held = Vec::new();
        for (name, chapter) in DOMAIN_SETS.into_iter().chain([PRODUCTS]) {
            let canonical = format!("{VALUE_SETS}{name}");
            let Some(set) = self.value_set(&canonical, "") else { continue };
            if self.holds(&set, Coding::of(LOINC, loinc)) == Membership::In && !held.contains(&chapter) {
                held.push(chapter);
            }
        }
        held
    }
}

/// Adds the domains of a LOINC code; all domains are wider than a code of theirs.
pub(crate) fn translate(
    terminology: &Terminology,
    system: &str,
    code: &str,
    options: TranslateOptions<'_>,
    into: &mut Translation,
) {
    let wanted = options.target_system.is_empty() || options.target_system == ICF;
    let sets = options.source.is_empty() && options.target.is_empty();
    if options.reverse || system != LOINC || !wanted || !sets {
        return;
    }
    for chapter in terminology.pfe_domains(code) {
        into.matches.push(terminology.matched(DOMAINS, "wider", ICF, "", chapter, ""));
    }
}
