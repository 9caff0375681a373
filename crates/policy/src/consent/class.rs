//! `provision.class`: what kind of thing. SPEC: R4 consent.html, value set consent-content-class; row G4.
//!
//! | system | means |
//! |---|---|
//! | `http://hl7.org/fhir/resource-types` | resources of this type (`Resource`, `DomainResource`: all) |
//! | `urn:ietf:rfc:3986`, or a code that is a URL of a StructureDefinition | resources that say in `meta.profile` that they follow it; for a deny also those of its type that name no profile at all |
//! | `urn:ietf:bcp:13` | DocumentReferences of this media type |
//! | any other | documents of this type, category or format ([`super::facts`]); for a deny all that has the code anywhere |

use super::{
    algebra::{Criterion, Sides, and, nothing, or, whether},
    code, facts,
    read::Coded,
};
use fhir::{ResourceType, schema::Definitions};
use search::{
    Predicate, Test,
    predicate::{TokenTest, UriMatch},
};
use std::sync::Arc;

const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";
const URI: &str = "urn:ietf:rfc:3986";
const MEDIA_TYPE: &str = "urn:ietf:bcp:13";

/// One class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Class {
    /// All resources.
    Any,
    Type(ResourceType),
    /// A profile; its type where this server knows it.
    Profile(Arc<str>, Option<ResourceType>),
    MediaType(Arc<str>),
    Document(Coded),
}

pub(crate) fn read(code: Coded) -> Option<Class> {
    match &*code.system {
        RESOURCE_TYPES if matches!(&*code.code, "Resource" | "DomainResource") => Some(Class::Any),
        RESOURCE_TYPES => ResourceType::parse(&code.code).ok().map(Class::Type),
        MEDIA_TYPE => Some(Class::MediaType(code.code)),
        URI => Some(profile(code.code)),
        _ if code.code.contains("/StructureDefinition/") => Some(profile(code.code)),
        _ => Some(Class::Document(code)),
    }
}

fn profile(url: Arc<str>) -> Class {
    let known = Definitions::builtin().profile(&url);
    let kind = known.and_then(|profile| ResourceType::parse(profile.type_name).ok());
    Class::Profile(url, kind)
}

pub(crate) fn sides(criterion: &Criterion<Class>, kind: ResourceType) -> Sides {
    criterion.sides(|class| of(class, kind))
}

fn of(class: &Class, kind: ResourceType) -> Sides {
    let facts = facts::of(kind);
    match class {
        Class::Any => Sides::met(),
        Class::Type(wanted) => Sides::exact(whether(*wanted == kind)),
        Class::Profile(url, of_type) => {
            let Some(parameter) = facts.profile else { return Sides::doubtful() };
            let test = Test::Uri(UriMatch::Exact, url.to_string());
            let surely = Arc::new(Predicate::Value { parameter, test });
            let silent = Arc::new(Predicate::Missing { parameter, missing: true });
            let may_be = of_type.is_none_or(|wanted| wanted == kind);
            let maybe = or([Arc::clone(&surely), and([silent, whether(may_be)])]);
            Sides { surely, maybe }
        }
        Class::MediaType(wanted) => {
            let test = Test::Token(TokenTest::Code(wanted.to_string()));
            let found = facts.media_type.map(|parameter| Arc::new(Predicate::Value { parameter, test }));
            Sides::exact(found.unwrap_or_else(nothing))
        }
        Class::Document(wanted) => {
            let surely = code::among(&facts.documents, wanted);
            Sides { maybe: or([Arc::clone(&surely), code::among(&facts.codes, wanted)]), surely }
        }
    }
}
