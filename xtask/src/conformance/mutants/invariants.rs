//! Broken invariants: for each key that the tables have on an element of an example, how to break it by what its
//! words say. Keys without a line here make no mutants. A break is made only where the element meets what the
//! line asks for, so that the invariant cannot hold any more; the error stands at the element that has the
//! invariant.

use super::node::{Edit, Node, Path, Step, item, member, object, text};
use super::site::Site;
use super::structure::removal;
use super::{Kind, Mutants};
use fhir::schema::{Constraint, TypeKind};

const NOWHERE: &str = "http://example.org/no-such-thing";

/// Breaks each invariant of an element.
pub(super) fn all(site: &Site<'_>, out: &mut Mutants) {
    let mut seen = Vec::new();
    let of_element = site.by.map(|by| by.element.constraints.as_slice()).unwrap_or_default();
    let of_rules = site.rules.iter().filter(|rule| rule.stays(&site.path)).filter_map(|rule| rule.says());
    let of_rules = of_rules.flat_map(|says| &says.constraints);
    for constraint in site.definition.constraints.iter().chain(of_element).chain(of_rules) {
        if constraint.is_error && !seen.contains(&constraint.expression) {
            seen.push(constraint.expression);
            of_one(site, constraint, out);
        }
    }
}

fn of_one(site: &Site<'_>, constraint: &Constraint, out: &mut Mutants) {
    let its = Its { site };
    let mut at = vec![site.place.clone()];
    let edits = match constraint.key {
        "dom-2" | "dom-3" | "dom-4" | "dom-5" => its.contained(constraint.key, &mut at),
        "bdl-2" | "bdl-3" | "bdl-4" | "bdl-7" => its.bundle(constraint.key),
        key if key.starts_with("que-") => its.questionnaire(key),
        key if key.starts_with("tim-") => its.timing(key),
        key => its.edits(key, constraint.expression),
    };
    if let Some(edits) = edits {
        if constraint.key == "ref-1" {
            at.push(format!("{}.reference", site.place));
        }
        let what = format!("{} on {}", constraint.key, site.definition.name);
        out.add(Kind::Invariant, what, edits, at);
    }
}

struct Its<'s, 'n> {
    site: &'s Site<'n>,
}

impl Its<'_, '_> {
    fn has(&self, name: &str) -> bool {
        removal(self.site, name).is_some()
    }

    fn code(&self, name: &str) -> Option<&str> {
        self.site.value.text_of(name)
    }

    fn is(&self, name: &str, code: &str) -> bool {
        self.code(name) == Some(code)
    }

    /// Whether a concept has one of these codes.
    fn concept_is(&self, name: &str, codes: &[&str]) -> bool {
        let codings = self.site.value.get(name).and_then(|concept| concept.get("coding"));
        let codings = codings.map(Node::items).unwrap_or_default();
        codings.iter().any(|one| one.text_of("code").is_some_and(|code| codes.contains(&code)))
    }

    fn path(&self, name: &str) -> Path {
        member(&self.site.path, name)
    }

    fn set(&self, name: &str, value: Node) -> Edit {
        Edit::Set(self.path(name), value)
    }

    /// Takes elements away; `None` when none of them is there.
    fn without(&self, names: &[&str]) -> Option<Vec<Edit>> {
        let edits: Vec<Edit> = names.iter().filter_map(|name| removal(self.site, name)).flatten().collect();
        (!edits.is_empty()).then_some(edits)
    }

    /// Nothing but an extension that nobody knows is left.
    fn hollow(&self) -> Vec<Edit> {
        vec![Edit::Set(self.site.path.clone(), object([("extension", Node::Array(vec![unknown_extension()]))]))]
    }

    fn replaced(&self, value: Node) -> Vec<Edit> {
        vec![Edit::Set(self.site.path.clone(), value)]
    }

    #[expect(clippy::too_many_lines, reason = "one line for each invariant")]
    fn edits(&self, key: &str, expression: &str) -> Option<Vec<Edit>> {
        let when = |holds: bool, edits: Vec<Edit>| holds.then_some(edits);
        let site = self.site;
        let is_complex = matches!(site.definition.kind, TypeKind::Complex | TypeKind::Backbone);
        match key {
            "ele-1" => when(is_complex, self.replaced(Node::Object(Vec::new()))),
            "ext-1" => {
                let inner = Node::Array(vec![unknown_extension()]);
                let valued = site.value.members().iter().any(|(name, _)| name.starts_with("value"));
                if valued {
                    Some(vec![self.set("extension", inner)])
                } else {
                    Some(vec![self.set("valueString", text("x"))])
                }
            }
            "ref-1" => Some(vec![self.set("reference", text("#no-such-contained"))]),
            "per-1" => Some(self.replaced(object([("start", text("2024-05-02")), ("end", text("2024-05-01"))]))),
            "qty-3" => when(self.has("code"), self.without(&["system"])?),
            "rng-2" => {
                let number = |number: &str| object([("value", Node::Number(number.to_owned()))]);
                Some(self.replaced(object([("low", number("9")), ("high", number("1"))])))
            }
            "rat-1" => when(self.has("numerator"), self.without(&["denominator"])?),
            "att-1" => {
                let mut edits = removal(site, "contentType").unwrap_or_default();
                edits.extend(removal(site, "hash").unwrap_or_default());
                edits.extend(removal(site, "size").unwrap_or_default());
                edits.push(self.set("data", text("AAAA")));
                Some(edits)
            }
            "cpt-2" => when(self.has("value"), self.without(&["system"])?),
            "age-1" | "dis-1" | "cnt-3" => when(self.has("value"), self.without(&["code"])?),
            "drt-1" => when(self.has("code"), vec![self.set("system", text(NOWHERE))]),
            "sqty-1" => when(self.has("value"), vec![self.set("comparator", text("<"))]),
            // Only what the invariant asks for is taken away, and an extension left, so that ele-1 holds.
            "pat-1" | "con-1" | "con-2" | "obs-3" | "app-1" | "apr-1" | "cmp-1" | "imm-1" | "imr-1" | "bdl-5"
            | "vsd-1" | "vsd-6" => Some(self.hollow()),
            "obs-6" => when(self.has("value"), vec![self.set("dataAbsentReason", object([("text", text("x"))]))]),
            "obs-7" => {
                let code = site.value.get("code").filter(|code| code.get("coding").is_some())?;
                let same = object([("code", code.clone()), ("valueString", text("x"))]);
                when(self.has("value"), vec![self.set("component", Node::Array(vec![same]))])
            }
            "con-4" => {
                let over = ["resolved", "remission", "inactive"];
                let abated = self.concept_is("clinicalStatus", &over) || self.has("abatement");
                when(!abated, vec![self.set("abatementDateTime", text("2024-05-01"))])
            }
            "con-5" | "ait-2" => {
                let name = if key == "con-5" { "condition-ver-status" } else { "allergyintolerance-verification" };
                let system = format!("http://terminology.hl7.org/CodeSystem/{name}");
                let mistake = object([("system", Node::Text(system)), ("code", text("entered-in-error"))]);
                let mistake = object([("coding", Node::Array(vec![mistake]))]);
                when(self.has("clinicalStatus"), vec![self.set("verificationStatus", mistake)])
            }
            "ait-1" => {
                let mistake = self.concept_is("verificationStatus", &["entered-in-error"]);
                when(!mistake, self.without(&["clinicalStatus"])?)
            }
            "cmp-2" => when(self.has("entry"), vec![self.set("emptyReason", object([("text", text("x"))]))]),
            "lst-1" => when(self.has("entry"), vec![self.set("emptyReason", object([("text", text("x"))]))]),
            "cpl-3" => when(
                self.has("detail") || self.has("reference"),
                vec![
                    self.set("detail", object([("status", text("scheduled"))])),
                    self.set("reference", object([("display", text("x"))])),
                ],
            ),
            "gol-1" => {
                let mut edits = removal(site, "measure").unwrap_or_default();
                if !self.has("detail") {
                    edits.push(self.set("detailString", text("x")));
                }
                Some(edits)
            }
            "mdd-1" => when(
                self.has("whenPrepared"),
                vec![self.set("whenPrepared", text("2024-05-02")), self.set("whenHandedOver", text("2024-05-01"))],
            ),
            "sdcqr-2" => {
                let answered = |one: &&Node| one.get("answer").is_some_and(|list| list.items().iter().any(valued));
                let items = site.value.get("item")?.items();
                let one = items.iter().find(answered)?;
                Some(vec![Edit::Push(self.path("item"), one.clone())])
            }
            "ipn-1" | "org-1" => self.without(&["identifier", "name"]),
            "org-2" | "org-3" => Some(vec![self.set("use", text("home"))]),
            "pd-1" => self.without(&["telecom", "endpoint"]),
            "bdl-1" => {
                let counted = self.is("type", "searchset") || self.is("type", "history");
                when(!counted, vec![self.set("total", Node::Number("1".to_owned()))])
            }
            "bdl-8" => {
                let url = self.code("fullUrl")?;
                Some(vec![self.set("fullUrl", Node::Text(format!("{url}/_history/1")))])
            }
            "bdl-9" => when(self.is("type", "document"), self.without(&["identifier"])?),
            "bdl-10" => when(self.is("type", "document"), self.without(&["timestamp"])?),
            "qrs-1" => {
                let inner = Node::Array(vec![object([("linkId", text("x"))])]);
                when(self.has("answer"), vec![self.set("item", inner)])
            }
            "ras-2" => {
                when(self.has("probability"), vec![self.set("probabilityDecimal", Node::Number("101".to_owned()))])
            }
            "prr-1" => when(self.has("orderDetail"), self.without(&["code"])?),
            "exp-1" => self.without(&["expression", "reference"]),
            "vs-1" | "us-core-1" => match site.value {
                // `is DateTime` asks for the System type, which no element of FHIR is: such a rule never fails.
                Node::Text(_) if site.definition.name == "dateTime" && !expression.contains("is DateTime") => {
                    Some(self.replaced(text("2024")))
                }
                _ => None,
            },
            "us-core-2" | "vs-2" => {
                let measured = self.has("component") || self.has("hasMember");
                when(!measured, self.without(&["value", "dataAbsentReason"])?)
            }
            "vs-3" => self.without(&["value", "dataAbsentReason"]),
            // On `Observation.value[x]` the guides ask for `value.ofType(Quantity)` inside of the value: it never fails.
            "us-core-3" if site.definition.name == "Observation" => {
                let quantity = site.value.get("valueQuantity")?;
                let mut path = self.path("valueQuantity");
                path.push(Step::Name("system".to_owned()));
                when(quantity.get("system").is_some(), vec![Edit::Set(path, text(NOWHERE))])
            }
            "us-core-6" if site.definition.name == "Attachment" => self.without(&["url", "data"]),
            "us-core-6" | "us-core-8" if site.definition.name == "HumanName" => {
                when(!self.has("extension"), self.replaced(object([("text", text("x"))])))
            }
            "us-core-8" | "us-core-10" if self.is("status", "final") => self.without(&["effective"]),
            "us-core-9" if self.is("status", "final") => self.without(&["issued"]),
            "us-core-9" if self.has("udiCarrier") => {
                let names = ["manufactureDate", "expirationDate", "lotNumber", "serialNumber", "distinctIdentifier"];
                self.without(&names)
            }
            "us-core-7" if self.is("status", "completed") => self.without(&["performed"]),
            "us-core-12" => {
                let carriers = site.value.get("udiCarrier").map(Node::items).unwrap_or_default();
                let path = self.path("udiCarrier");
                let without = |at: usize| {
                    let path = item(&path, at);
                    [Edit::Remove(member(&path, "carrierAIDC")), Edit::Remove(member(&path, "carrierHRF"))]
                };
                when(!carriers.is_empty(), (0..carriers.len()).flat_map(without).collect())
            }
            "us-core-13" => self.without(&["practitioner", "organization", "healthcareService", "location"]),
            "us-core-14" => self.without(&["name", "relationship"]),
            "us-core-15" => self.without(&["identifier", "subscriberId"]),
            "us-core-16" | "us-core-18" | "us-core-19" => when(self.has("value"), vec![self.set("value", text("12x"))]),
            "us-core-17" => {
                // The last digit of an NPI is a check digit.
                let (digits, last) = self.code("value")?.split_at_checked(9)?;
                let other = if last == "0" { "1" } else { "0" };
                Some(vec![self.set("value", Node::Text(format!("{digits}{other}")))])
            }
            "us-core-20" if self.is("status", "completed") => self.without(&["whenHandedOver"]),
            "us-core-21" if self.is("intent", "order") => self.without(&["requester"]),
            _ => None,
        }
    }

    /// Contained resources: the error stands at the one that was changed.
    fn contained(&self, key: &str, at: &mut Vec<String>) -> Option<Vec<Edit>> {
        let path = self.path("contained");
        let list = self.site.value.get("contained").map(Node::items).unwrap_or_default();
        let lonely = object([
            ("resourceType", text("Basic")),
            ("id", text("no-one-refers-to-this")),
            ("code", object([("text", text("x"))])),
        ]);
        if matches!(self.site.definition.name, "Bundle" | "Binary" | "Parameters") {
            return None;
        }
        // Contained resources contain none: those of this one are its own.
        if self.site.by.is_some_and(|by| by.element.name == "contained") {
            return None;
        }
        let here = |index: usize| format!("{}.contained[{index}]", self.site.place);
        if key == "dom-3" {
            at.push(here(list.len()));
            return Some(if list.is_empty() {
                vec![Edit::Set(path, Node::Array(vec![lonely]))]
            } else {
                vec![Edit::Push(path, lonely)]
            });
        }
        let first = list.first()?;
        at.push(here(0));
        let first_path = item(&path, 0);
        match key {
            "dom-2" => {
                at.push(format!("{}.contained", here(0)));
                Some(vec![Edit::Set(member(&first_path, "contained"), Node::Array(vec![lonely]))])
            }
            "dom-4" | "dom-5" => {
                let mut meta = first.get("meta").map(Node::members).unwrap_or_default().to_vec();
                meta.push(if key == "dom-4" {
                    ("versionId".to_owned(), text("1"))
                } else {
                    let label = object([("system", text(NOWHERE)), ("code", text("x"))]);
                    ("security".to_owned(), Node::Array(vec![label]))
                });
                Some(vec![Edit::Set(member(&first_path, "meta"), Node::Object(meta))])
            }
            _ => None,
        }
    }

    fn bundle(&self, key: &str) -> Option<Vec<Edit>> {
        let entries = self.site.value.get("entry").map(Node::items).unwrap_or_default();
        let entry = item(&self.path("entry"), 0);
        let first = entries.first()?;
        let code = self.code("type")?;
        match key {
            "bdl-2" if code != "searchset" => {
                Some(vec![Edit::Set(member(&entry, "search"), object([("mode", text("match"))]))])
            }
            "bdl-3" => {
                let request = member(&entry, "request");
                if matches!(code, "batch" | "transaction" | "history") {
                    first.get("request").map(|_| vec![Edit::Remove(request)])
                } else {
                    let value = object([("method", text("GET")), ("url", text("Patient/1"))]);
                    Some(vec![Edit::Set(request, value)])
                }
            }
            "bdl-4" if !matches!(code, "batch-response" | "transaction-response" | "history") => {
                Some(vec![Edit::Set(member(&entry, "response"), object([("status", text("200"))]))])
            }
            "bdl-7" if code != "history" && first.get("fullUrl").is_some() => {
                Some(vec![Edit::Push(self.path("entry"), first.clone())])
            }
            _ => None,
        }
    }

    fn questionnaire(&self, key: &str) -> Option<Vec<Edit>> {
        let kind = self.code("type").unwrap_or_default();
        match key {
            "que-1" if kind == "group" => self.without(&["item"]),
            "que-2" => {
                let items = self.site.value.get("item")?.items();
                let first = items.first()?.text_of("linkId")?;
                let second = items.get(1)?;
                second.get("linkId")?;
                let path = member(&item(&self.path("item"), 1), "linkId");
                Some(vec![Edit::Set(path, text(first))])
            }
            "que-3" if kind == "display" => Some(vec![self.set("code", Node::Array(vec![coding()]))]),
            "que-4" if self.has("answerOption") => Some(vec![self.set("answerValueSet", text(NOWHERE))]),
            "que-5" if matches!(kind, "group" | "display" | "boolean") => {
                Some(vec![self.set("answerValueSet", text(NOWHERE))])
            }
            "que-6" if kind == "display" => Some(vec![self.set("required", Node::Bool(true))]),
            "que-8" if kind == "group" => {
                Some(vec![self.set("initial", Node::Array(vec![object([("valueString", text("x"))])]))])
            }
            "que-9" if kind == "display" => Some(vec![self.set("readOnly", Node::Bool(true))]),
            "que-10" if matches!(kind, "group" | "choice" | "date") => {
                Some(vec![self.set("maxLength", Node::Number("5".to_owned()))])
            }
            "que-11" if self.has("answerOption") => {
                Some(vec![self.set("initial", Node::Array(vec![object([("valueCoding", coding())])]))])
            }
            "que-13" if kind == "string" && !self.has("repeats") => {
                let one = object([("valueString", text("x"))]);
                Some(vec![self.set("initial", Node::Array(vec![one.clone(), one]))])
            }
            _ => None,
        }
    }

    fn timing(&self, key: &str) -> Option<Vec<Edit>> {
        match key {
            "tim-1" if self.has("duration") => self.without(&["durationUnit"]),
            "tim-2" if self.has("period") => self.without(&["periodUnit"]),
            "tim-9" if !self.has("when") => Some(vec![self.set("offset", Node::Number("5".to_owned()))]),
            "tim-10" => Some(vec![
                self.set("timeOfDay", Node::Array(vec![text("10:00:00")])),
                self.set("when", Node::Array(vec![text("MORN")])),
            ]),
            "tim-4" if self.has("duration") => Some(vec![self.set("duration", Node::Number("-1".to_owned()))]),
            "tim-5" if self.has("period") => Some(vec![self.set("period", Node::Number("-1".to_owned()))]),
            "tim-6" if self.has("periodMax") => self.without(&["period"]),
            "tim-7" if self.has("durationMax") => self.without(&["duration"]),
            "tim-8" if self.has("countMax") => self.without(&["count"]),
            _ => None,
        }
    }
}

/// Whether an answer has a value.
fn valued(answer: &Node) -> bool {
    answer.members().iter().any(|(name, _)| name.starts_with("value"))
}

fn unknown_extension() -> Node {
    object([("url", text("http://example.org/extension")), ("valueString", text("x"))])
}

fn coding() -> Node {
    object([("system", text(NOWHERE)), ("code", text("x"))])
}
