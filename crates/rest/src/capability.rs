//! The CapabilityStatement of `/metadata`, drawn from what the server works with: the schema, the
//! registry of search parameters, the router's table, the definitions. Written anew when one of them
//! changes.
//!
//! SPEC: R4 capabilitystatement.html; SMART App Launch (row B9: the legacy `oauth-uris` extension, by which
//! clients of SMART 1.0 find the endpoints).

use crate::{
    route::{Kind, ROUTES, Segment},
    service::Parts,
};
use fhir::{ResourceType, json::Writer, schema::Definitions};
use search::{Parameter, ParameterKind, Registry};
use std::collections::{BTreeMap, BTreeSet};

const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";
/// The definitions of operations of our own, for their name; the statement contains them.
const OWN_OPERATIONS: &[(&str, &[u8])] = &[
    ("explain-access", include_bytes!("../definitions/explain-access.json")),
    ("policy-propose", include_bytes!("../definitions/policy-propose.json")),
    ("policy-approve", include_bytes!("../definitions/policy-approve.json")),
    ("policy-withdraw", include_bytes!("../definitions/policy-withdraw.json")),
    ("policy-history", include_bytes!("../definitions/policy-history.json")),
    ("access-report", include_bytes!("../definitions/access-report.json")),
    ("k-anonymity", include_bytes!("../definitions/k-anonymity.json")),
    ("verify-signature", include_bytes!("../definitions/verify-signature.json")),
];

const SECURITY_SERVICE: &str = "http://terminology.hl7.org/CodeSystem/restful-security-service";

/// What the server works with.
struct Known<'a> {
    store: &'a store::Store,
    registry: &'a Registry,
    definitions: &'a Definitions,
}

impl Known<'_> {
    /// Whether searches by it are answered now.
    fn serves(&self, parameter: &Parameter) -> bool {
        self.registry.is_supported(parameter) && self.store.is_indexed(parameter.id)
    }
}

/// The statement's bytes.
pub(crate) fn statement(parts: &Parts, registry: &Registry, definitions: &Definitions) -> Vec<u8> {
    let known = &Known { store: &parts.store, registry, definitions };
    let mut w = Writer::with_capacity(512 * 1024);
    let revincludes = revincludes(known);
    w.object(|w| {
        w.member("resourceType", "CapabilityStatement");
        w.key("contained");
        w.array(|w| OWN_OPERATIONS.iter().for_each(|(_, definition)| w.raw(definition)));
        w.member("url", &format!("{}/metadata", parts.base_url));
        w.member("version", parts.software);
        w.member("name", "Handrail");
        w.member("title", "handrail FHIR server");
        w.member("status", "active");
        w.member("date", &(parts.clock)().to_string());
        w.member("kind", "instance");
        let guides: BTreeSet<&str> = definitions.capability_statements().map(|guide| guide.url).collect();
        strings(w, "instantiates", guides);
        w.key("software");
        w.object(|w| {
            w.member("name", "handrail");
            w.member("version", parts.software);
        });
        w.key("implementation");
        w.object(|w| {
            w.member("description", "Exchange of functioning and timepoint data of post-acute care");
            w.member("url", &parts.base_url);
        });
        w.member("fhirVersion", "4.0.1");
        strings(w, "format", ["json", "application/fhir+json"]);
        strings(
            w,
            "implementationGuide",
            known.definitions.packages().iter().filter_map(|one| guide(one.name, one.version)),
        );
        w.key("rest");
        w.array(|w| {
            w.object(|w| {
                w.member("mode", "server");
                security(w, parts);
                w.key("resource");
                w.array(|w| ResourceType::all().for_each(|kind| resource(w, known, kind, &revincludes)));
                w.key("interaction");
                w.array(|w| ["transaction", "batch"].iter().for_each(|code| w.object(|w| w.member("code", code))));
            });
        });
    });
    w.into_bytes()
}

/// Canonical of a guide: `http://hl7.org/fhir/us/pacio-rt/ImplementationGuide/hl7.fhir.us.pacio-rt|1.0.0`.
fn guide(package: &str, version: &str) -> Option<String> {
    let realm_and_name = package.strip_prefix("hl7.fhir.us.")?;
    Some(format!("http://hl7.org/fhir/us/{realm_and_name}/ImplementationGuide/{package}|{version}"))
}

fn security(w: &mut Writer, parts: &Parts) {
    w.key("security");
    w.object(|w| {
        w.key("extension");
        w.array(|w| {
            w.object(|w| {
                w.key("extension");
                w.array(|w| {
                    let issuer = parts.oauth_url.trim_end_matches("/oauth");
                    let below = |endpoint: &str| format!("{}/{endpoint}", parts.oauth_url);
                    for (url, uri) in [
                        ("authorize", below("authorize")),
                        ("token", below("token")),
                        ("register", below("register")),
                        ("introspect", below("introspect")),
                        ("revoke", below("revoke")),
                        ("manage", format!("{issuer}/account/apps")),
                    ] {
                        w.object(|w| {
                            w.member("url", url);
                            w.member("valueUri", &uri);
                        });
                    }
                });
                w.member("url", OAUTH_URIS);
            });
        });
        w.key("cors");
        w.boolean(true);
        w.key("service");
        w.array(|w| {
            w.object(|w| {
                w.key("coding");
                w.array(|w| {
                    w.object(|w| {
                        w.member("system", SECURITY_SERVICE);
                        w.member("code", "SMART-on-FHIR");
                    });
                });
            });
        });
    });
}

fn resource(
    w: &mut Writer,
    known: &Known<'_>,
    kind: ResourceType,
    revincludes: &BTreeMap<ResourceType, BTreeSet<String>>,
) {
    let is_audit = kind.name() == "AuditEvent";
    w.object(|w| {
        w.member("type", kind.name());
        w.member("profile", &format!("http://hl7.org/fhir/StructureDefinition/{kind}"));
        let guides = known.definitions.profiles().filter(|one| !one.package.starts_with("hl7.fhir.r4.core#"));
        let supported = guides.filter(|one| one.type_name == kind.name() && !one.is_abstract);
        strings(w, "supportedProfile", supported.map(|one| one.url).collect::<BTreeSet<_>>());
        w.key("interaction");
        w.array(|w| interactions(is_audit).for_each(|code| w.object(|w| w.member("code", code))));
        w.member("versioning", if is_audit { "no-version" } else { "versioned" });
        for (name, value) in [("readHistory", !is_audit), ("updateCreate", !is_audit), ("conditionalCreate", !is_audit)]
        {
            w.key(name);
            w.boolean(value);
        }
        w.member("conditionalRead", "full-support");
        w.key("conditionalUpdate");
        w.boolean(false);
        w.member("conditionalDelete", "not-supported");
        strings(w, "referencePolicy", ["literal", "logical"]);
        let served = || known.registry.of_type(kind).filter(|parameter| known.serves(parameter));
        let is_joined = known.registry.is_joined(kind);
        let references = served().filter(|parameter| is_joined && parameter.kind == ParameterKind::Reference);
        strings(w, "searchInclude", references.map(|parameter| format!("{kind}:{}", parameter.code)));
        strings(w, "searchRevInclude", revincludes.get(&kind).into_iter().flatten());
        if served().next().is_some() {
            w.key("searchParam");
            w.array(|w| {
                for parameter in served() {
                    w.object(|w| {
                        w.member("name", &parameter.code);
                        if !parameter.url.is_empty() {
                            w.member("definition", &parameter.url);
                        }
                        w.member("type", parameter.kind.code());
                    });
                }
            });
        }
        w.key("operation");
        w.array(|w| {
            for (name, definition) in operations(kind) {
                w.object(|w| {
                    w.member("name", name);
                    w.member("definition", &definition);
                });
            }
        });
    });
}

/// The operations on a type, from the router's table, each with its OperationDefinition: of R4, or contained.
fn operations(kind: ResourceType) -> impl Iterator<Item = (&'static str, String)> {
    let named = ROUTES.iter().filter_map(move |route| match (route.kind, route.path.first(), route.path.last()) {
        (Kind::Validate, _, _) => Some(("validate", "Resource")),
        (Kind::KAnonymity, _, _) if kind.name() == "Patient" => Some(("k-anonymity", "")),
        (Kind::VerifySignature, _, _) if is_signed(kind) => Some(("verify-signature", "")),
        (Kind::ExplainAccess, _, _) if kind.name() != "AuditEvent" => Some(("explain-access", "")),
        (Kind::AccessReport, _, _) if kind.name() == "Patient" => Some(("access-report", "")),
        (Kind::Relabel, _, Some(Segment::Word(name))) if kind.name() != "AuditEvent" => {
            Some((name.trim_start_matches('$'), "Resource"))
        }
        (Kind::Rules, Some(Segment::Word(of)), Some(Segment::Word(name))) if *of == kind.name() => {
            Some((name.trim_start_matches('$'), ""))
        }
        (Kind::Terminology, Some(Segment::Word(of)), Some(Segment::Word(name))) if *of == kind.name() => {
            Some((name.trim_start_matches('$'), kind.name()))
        }
        _ => None,
    });
    let all: BTreeSet<(&str, &str)> = named.collect();
    all.into_iter().map(|(name, of)| {
        let definition = match OWN_OPERATIONS.iter().any(|(own, _)| *own == name) {
            true => format!("#{name}"),
            false => format!("http://hl7.org/fhir/OperationDefinition/{of}-{name}"),
        };
        (name, definition)
    })
}

/// Whether it is known of resources of this type what a signature in them covers.
fn is_signed(kind: ResourceType) -> bool {
    matches!(kind.name(), "Bundle" | "Provenance" | "QuestionnaireResponse")
}

/// The interactions on a type, from the router's table. AuditEvent is written by the server alone.
fn interactions(is_audit: bool) -> impl Iterator<Item = &'static str> {
    let codes: BTreeSet<(u8, &str)> = ROUTES
        .iter()
        .filter_map(|route| match route.kind {
            Kind::Read => Some((0, "read")),
            Kind::SearchType => Some((1, "search-type")),
            Kind::Vread => Some((2, "vread")),
            Kind::HistoryInstance => Some((3, "history-instance")),
            Kind::Create => Some((4, "create")),
            Kind::Update => Some((5, "update")),
            Kind::Patch => Some((6, "patch")),
            Kind::Delete => Some((7, "delete")),
            Kind::Capabilities
            | Kind::SearchCompartment
            | Kind::Bundle
            | Kind::Validate
            | Kind::Relabel
            | Kind::Terminology
            | Kind::KAnonymity
            | Kind::VerifySignature
            | Kind::ExplainAccess
            | Kind::Rules
            | Kind::AccessReport => None,
        })
        .filter(|(order, _)| !is_audit || *order < 2)
        .collect();
    codes.into_iter().map(|(_, code)| code)
}

/// For each type the references that may lead to it, `Observation:subject`.
fn revincludes(known: &Known<'_>) -> BTreeMap<ResourceType, BTreeSet<String>> {
    let mut to: BTreeMap<ResourceType, BTreeSet<String>> = BTreeMap::new();
    let joined = |kind: &ResourceType| known.registry.is_joined(*kind);
    for source in ResourceType::all().filter(joined) {
        let references = known.registry.of_type(source).filter(|parameter| parameter.kind == ParameterKind::Reference);
        for parameter in references.filter(|parameter| known.serves(parameter)) {
            for target in parameter.targets.iter().filter(|target| joined(target)) {
                to.entry(*target).or_default().insert(format!("{source}:{}", parameter.code));
            }
        }
    }
    to
}

/// A list of strings; left out when empty, as R4 json.html asks.
fn strings<S: AsRef<str>>(w: &mut Writer, name: &str, values: impl IntoIterator<Item = S>) {
    let mut values = values.into_iter().peekable();
    if values.peek().is_some() {
        w.key(name);
        w.array(|w| values.for_each(|value| w.string(value.as_ref())));
    }
}
