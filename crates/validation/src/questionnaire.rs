//! Questionnaires: what their invariants leave open. SPEC: R4 questionnaire.html.
//!
//! Conditions refer to questions that exist and answer them in their type; options and initial values have the
//! type of their item. Unique link ids and the rest are invariants of the tables (que-1 to que-13). Of those,
//! que-12 asks for `enableBehavior` from the third condition on, its words from the second: here the words.

use crate::finding::Place;
use crate::walk::Walk;
use fhir::issue::{Issue, IssueType};
use fhir::json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// Types that an answer to an item of this type may have, by their JSON suffix; empty: no answer at all.
pub(crate) fn answer_types(item_type: &str) -> &'static [&'static str] {
    match item_type {
        "boolean" => &["Boolean"],
        "decimal" => &["Decimal"],
        "integer" => &["Integer"],
        "date" => &["Date"],
        "dateTime" => &["DateTime"],
        "time" => &["Time"],
        "string" | "text" => &["String"],
        "url" => &["Uri"],
        "choice" => &["Coding"],
        "open-choice" => &["Coding", "String"],
        "attachment" => &["Attachment"],
        "reference" => &["Reference"],
        "quantity" => &["Quantity"],
        _ => &[],
    }
}

/// The value of a choice element (`valueCoding`) and its type; `prefix`: `value`, `answer`.
pub(crate) fn choice<'t>(object: Value<'t>, prefix: &str) -> Option<(&'t str, Value<'t>)> {
    object.members().find_map(|member| {
        let suffix = member.name().strip_prefix(prefix)?;
        suffix.starts_with(|first: char| first.is_ascii_uppercase()).then_some((suffix, member))
    })
}

pub(crate) fn text<'t>(object: Value<'t>, name: &str) -> Option<Cow<'t, str>> {
    object.get(name).and_then(Value::as_str)
}

pub(crate) fn items<'t>(object: Value<'t>, name: &str) -> impl Iterator<Item = Value<'t>> + use<'t> {
    object.get(name).into_iter().flat_map(Value::items)
}

/// All items below, by link id.
pub(crate) fn by_link_id<'t>(holder: Value<'t>, all: &mut HashMap<Cow<'t, str>, Value<'t>>) {
    for item in items(holder, "item") {
        if let Some(id) = text(item, "linkId") {
            all.entry(id).or_insert(item);
        }
        by_link_id(item, all);
    }
}

impl<'t> Walk<'t> {
    pub(crate) fn questionnaire(&mut self, questionnaire: Value<'t>, place: &Place<'_>) {
        let mut all = HashMap::new();
        by_link_id(questionnaire, &mut all);
        self.questions(questionnaire, &all, place);
    }

    fn questions(&mut self, holder: Value<'t>, all: &HashMap<Cow<'t, str>, Value<'t>>, place: &Place<'_>) {
        for (index, item) in items(holder, "item").enumerate() {
            let here = Place { parent: Some(place), name: "item", index: Some(index) };
            let kind = text(item, "type").unwrap_or_default();
            self.conditions(item, all, &here);
            for (name, prefix) in [("answerOption", "value"), ("initial", "value")] {
                for (index, option) in items(item, name).enumerate() {
                    let there = Place { parent: Some(&here), name, index: Some(index) };
                    // An option of a choice may be of any type: the answer then has it.
                    let any = name == "answerOption" && matches!(&*kind, "choice" | "open-choice");
                    let wanted = answer_types(&kind);
                    if let Some((found, value)) = choice(option, prefix)
                        && !any
                        && !wanted.is_empty()
                        && !wanted.contains(&found)
                    {
                        let text = format!("an item of type {kind} takes {}, found {found}", wanted.join(" or "));
                        self.findings.add_at(Issue::error(IssueType::Value, text), &there, value.span().start);
                    }
                }
            }
            self.questions(item, all, &here);
        }
    }

    fn conditions(&mut self, item: Value<'t>, all: &HashMap<Cow<'t, str>, Value<'t>>, place: &Place<'_>) {
        let mut count = 0;
        for (index, condition) in items(item, "enableWhen").enumerate() {
            count += 1;
            let here = Place { parent: Some(place), name: "enableWhen", index: Some(index) };
            let Some(question) = condition.get("question") else { continue };
            let asked = question.as_str().and_then(|id| all.get(&id).copied());
            let Some(asked) = asked else {
                let text = "a condition refers to an item of the questionnaire; found none with this linkId";
                self.findings.add_at(Issue::error(IssueType::NotFound, text), &here, question.span().start);
                continue;
            };
            let Some((found, answer)) = choice(condition, "answer") else { continue };
            let operator = text(condition, "operator").unwrap_or_default();
            let kind = text(asked, "type").unwrap_or_default();
            let wanted: &[&str] = if operator == "exists" { &["Boolean"] } else { answer_types(&kind) };
            if operator != "exists" && wanted.is_empty() {
                let text = format!("a condition refers to a question, found an item of type {kind}");
                self.findings.add_at(Issue::error(IssueType::Value, text), &here, question.span().start);
            } else if !wanted.contains(&found) && (kind != "choice" || operator == "exists") {
                let text = format!("the answer of this condition is {}, found {found}", wanted.join(" or "));
                self.findings.add_at(Issue::error(IssueType::Value, text), &here, answer.span().start);
            }
        }
        if count > 1 && item.get("enableBehavior").is_none() {
            let text = "with more than one condition enableBehavior says how they combine (que-12); found none";
            self.findings.add_at(Issue::error(IssueType::Invariant, text), place, item.span().start);
        }
    }
}
