//! QuestionnaireResponses against their Questionnaire. SPEC: R4 questionnaireresponse.html#notes.
//!
//! Items stand where and in the order that the questionnaire has them; groups hold items, questions hold
//! answers; answers have the type of their question and are among its options; what is required is there once
//! the response is complete, unless a condition disables it. The questionnaire is looked for among the
//! contained resources, in the Bundle, and with the caller's resolver; one that is not found is a warning.

use crate::finding::Place;
use crate::profile::binding::with_coding;
use crate::profile::fixed;
use crate::questionnaire::{answer_types, by_link_id, choice, items, text};
use crate::session::Session;
use crate::walk::{Inside, Walk};
use fhir::element::Element;
use fhir::issue::{Issue, IssueType, Severity};
use fhir::json::Value;
use fhir::primitive::decimal::Decimal;
use fhir::ucum::Units;
use fhirpath::Temporal;
use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use terminology::{Membership, ValueSetHandle};

/// A response being checked.
struct Response<'t> {
    questionnaire: Value<'t>,
    /// All answers, by link id.
    answers: HashMap<Cow<'t, str>, Vec<Value<'t>>>,
    /// All items of the questionnaire, by link id.
    all: HashMap<Cow<'t, str>, Value<'t>>,
    /// What is required must be there.
    is_complete: bool,
    /// Value sets of answers, found once.
    sets: RefCell<HashMap<String, Option<ValueSetHandle>>>,
    /// Whether the conditions of a question hold, found once. By its place in the questionnaire.
    enabled: RefCell<HashMap<u32, bool>>,
}

impl<'t> Walk<'t> {
    pub(crate) fn questionnaire_response(&mut self, resource: Element<'t>, inside: &Inside<'_, 't>, place: &Place<'_>) {
        let Some(value) = resource.value else { return };
        let Some(stated) = value.get("questionnaire") else { return };
        let Some(canonical) = stated.as_str() else { return };
        let Some(questionnaire) = self.questionnaire_of(&canonical, inside).and_then(|found| found.value) else {
            let text = "the questionnaire is not to be had: the answers are not checked against it";
            let here = Place { parent: Some(place), name: "questionnaire", index: None };
            self.findings.add_at(Issue::warning(IssueType::NotFound, text), &here, stated.span().start);
            return;
        };
        let mut answers = HashMap::new();
        answers_of(value, &mut answers);
        let mut all = HashMap::new();
        by_link_id(questionnaire, &mut all);
        let is_complete = matches!(text(value, "status").as_deref(), Some("completed" | "amended"));
        let response = Response {
            questionnaire,
            answers,
            all,
            is_complete,
            sets: RefCell::default(),
            enabled: RefCell::default(),
        };
        self.subject(&response, value, place);
        self.response_items(&response, questionnaire, value, place);
    }

    fn questionnaire_of(&self, canonical: &str, inside: &Inside<'_, 't>) -> Option<Element<'t>> {
        let found = if let Some(id) = canonical.strip_prefix('#') {
            inside.container.contained(id)
        } else {
            let bundled = inside.bundle.and_then(|bundle| bundle.definition(canonical));
            bundled.or_else(|| self.session.fetch_canonical(canonical, self.validator.schema))
        };
        found.filter(|found| found.definition.name == "Questionnaire")
    }

    fn subject(&mut self, response: &Response<'t>, value: Value<'t>, place: &Place<'_>) {
        let Some(subject) = value.get("subject") else { return };
        let Some(reference) = text(subject, "reference") else { return };
        let Some(found) = crate::reference::type_segment(&reference) else { return };
        let mut wanted = items(response.questionnaire, "subjectType").filter_map(Value::as_str).peekable();
        if wanted.peek().is_some() && !wanted.any(|one| one == found) && fhir::ResourceType::parse(found).is_ok() {
            let here = Place { parent: Some(place), name: "subject", index: None };
            let text = format!("the questionnaire is not about a resource of type {found}");
            self.findings.add_at(Issue::error(IssueType::Value, text), &here, subject.span().start);
        }
    }

    /// The items of one level. `wanted`: the questionnaire or one of its items; `found`: the response, one of
    /// its items or an answer.
    fn response_items(&mut self, response: &Response<'t>, wanted: Value<'t>, found: Value<'t>, place: &Place<'_>) {
        let level: Vec<Value<'t>> = items(wanted, "item").collect();
        // Groups that repeat are held against their part of the questionnaire each time.
        if !self.session.charge(level.len()) {
            let text = "the response takes more steps to check than are allowed: the rest is not checked";
            self.findings.add_at(Issue::warning(IssueType::TooCostly, text), place, found.span().start);
            return;
        }
        let positions: HashMap<Cow<'_, str>, usize> =
            level.iter().enumerate().rev().filter_map(|(at, one)| Some((text(*one, "linkId")?, at))).collect();
        let mut counts = vec![0usize; level.len()];
        let mut last = 0;
        for (index, item) in items(found, "item").enumerate() {
            let here = Place { parent: Some(place), name: "item", index: Some(index) };
            let Some(id) = text(item, "linkId") else { continue };
            let offset = item.span().start;
            let position = positions.get(&id).copied();
            let Some((position, question)) = position.and_then(|at| level.get(at).map(|one| (at, *one))) else {
                let known = if response.all.contains_key(&id) { "has it elsewhere" } else { "has no such item" };
                let text = format!("expected the linkId of an item that stands here: the questionnaire {known}");
                self.findings.add_at(Issue::error(IssueType::NotFound, text), &here, offset);
                continue;
            };
            if position < last {
                let text = "items stand in the order of the questionnaire; found this one late";
                self.findings.add_at(Issue::error(IssueType::Structure, text), &here, offset);
            }
            last = last.max(position);
            if let Some(count) = counts.get_mut(position) {
                *count += 1;
                if *count == 2 && !is_true(question, "repeats") {
                    let text = "the item does not repeat; found it again";
                    self.findings.add_at(Issue::error(IssueType::Structure, text), &here, offset);
                } else if *count == 2 && text(question, "type").as_deref() != Some("group") {
                    let text = "a question that repeats has several answers in one item; found another item";
                    self.findings.add_at(Issue::error(IssueType::Structure, text), &here, offset);
                }
            }
            self.response_item(response, question, item, &here);
        }
        for (question, count) in level.into_iter().zip(counts) {
            let is_wanted = response.is_complete && is_true(question, "required") && count == 0;
            if is_wanted
                && text(question, "type").as_deref() != Some("display")
                && response.enables(question, self.session)
            {
                let id = text(question, "linkId").unwrap_or_default();
                let text = format!("the item {} is required; found none", shown(&id));
                self.findings.add_at(Issue::error(IssueType::Required, text), place, found.span().start);
            }
        }
    }

    fn response_item(&mut self, response: &Response<'t>, question: Value<'t>, item: Value<'t>, place: &Place<'_>) {
        let offset = item.span().start;
        let kind = text(question, "type").unwrap_or_default();
        let count = items(item, "answer").count();
        if (count > 0 || item.get("item").is_some()) && !response.enables(question, self.session) {
            let text = "the questionnaire disables this item by its conditions; found it filled in";
            self.findings.add_at(Issue::warning(IssueType::BusinessRule, text), place, offset);
        }
        if matches!(&*kind, "group" | "display") {
            if count > 0 {
                let text = format!("an item of type {kind} has no answer; found {count}");
                self.findings.add_at(Issue::error(IssueType::Structure, text), place, offset);
            }
            return self.response_items(response, question, item, place);
        }
        if let Some(nested) = item.get("item") {
            let text = "items below a question stand in its answers; found them beside";
            self.findings.add_at(Issue::error(IssueType::Structure, text), place, nested.span().start);
        }
        if count == 0
            && response.is_complete
            && is_true(question, "required")
            && response.enables(question, self.session)
        {
            self.findings.add_at(Issue::error(IssueType::Required, "an answer is required; found none"), place, offset);
        }
        if count > 1 && !is_true(question, "repeats") {
            let text = format!("the question takes one answer; found {count}");
            self.findings.add_at(Issue::error(IssueType::Structure, text), place, offset);
        }
        for (index, answer) in items(item, "answer").enumerate() {
            let here = Place { parent: Some(place), name: "answer", index: Some(index) };
            self.answer(response, question, &kind, answer, &here);
            self.response_items(response, question, answer, &here);
        }
    }

    fn answer(
        &mut self,
        response: &Response<'t>,
        question: Value<'t>,
        kind: &str,
        answer: Value<'t>,
        place: &Place<'_>,
    ) {
        let Some((found, value)) = choice(answer, "value") else { return };
        let here = Place { parent: Some(place), name: "value", index: None };
        let offset = value.span().start;
        let wanted = answer_types(kind);
        let of_option =
            items(question, "answerOption").filter_map(|one| choice(one, "value")).any(|(of, _)| of == found);
        if !wanted.is_empty() && !wanted.contains(&found) && !of_option {
            let text = format!("an answer to a question of type {kind} is {}, found {found}", wanted.join(" or "));
            return self.findings.add_at(Issue::error(IssueType::Value, text), &here, offset);
        }
        if let Some(most) = question.get("maxLength").and_then(Value::number_text).and_then(|text| text.parse().ok())
            && let Some(text) = value.as_str()
            && text.chars().count() > most
        {
            let text = format!("expected at most {most} characters, found {}", text.chars().count());
            self.findings.add_at(Issue::error(IssueType::TooLong, text), &here, offset);
        }
        if kind == "open-choice" && found == "String" {
            return;
        }
        let mut options = items(question, "answerOption").filter_map(|one| choice(one, "value")).peekable();
        if options.peek().is_some() {
            if !options.any(|(of, option)| of == found && is_same(found, value, option)) {
                let text = "the answer is one of the options of the question; found another";
                let issue = Issue::error(IssueType::CodeInvalid, text);
                let severity = if kind == "open-choice" { Severity::Warning } else { Severity::Error };
                self.findings.add_at(Issue { severity, ..issue }, &here, offset);
            }
        } else if let Some(set) = text(question, "answerValueSet")
            && found == "Coding"
        {
            self.answer_of_set(response, &set, kind, value, &here);
        }
    }

    fn answer_of_set(&mut self, response: &Response<'t>, set: &str, kind: &str, value: Value<'t>, place: &Place<'_>) {
        let terminology = self.validator.terminology();
        let find = || match set.strip_prefix('#') {
            Some(id) => items(response.questionnaire, "contained")
                .find(|one| text(*one, "id").is_some_and(|its| its == id))
                .and_then(|contained| terminology.value_set_in(contained).ok()),
            None => terminology.value_set(set, ""),
        };
        let set = response.sets.borrow_mut().entry(set.to_owned()).or_insert_with(find).clone();
        let holds = set.and_then(|set| {
            let asked = with_coding(value, |coding| match terminology.holds(&set, coding) {
                Membership::In => Some(true),
                Membership::NotIn => Some(false),
                Membership::Unknown(_) => None,
            });
            asked.unwrap_or(Some(false))
        });
        let offset = value.span().start;
        let (severity, code, text) = match holds {
            Some(true) => return,
            Some(false) if kind == "open-choice" => {
                (Severity::Warning, IssueType::CodeInvalid, "the answer is not of the question's value set")
            }
            Some(false) => {
                (Severity::Error, IssueType::CodeInvalid, "the answer is of the question's value set; found another")
            }
            None => {
                (Severity::Information, IssueType::Incomplete, "the question's value set is not known: not checked")
            }
        };
        self.findings.add_at(Issue { severity, ..Issue::error(code, text) }, place, offset);
    }
}

impl<'t> Response<'t> {
    /// Whether the conditions of an item let it be answered. SPEC: R4 questionnaire-definitions.html,
    /// Questionnaire.item.enableWhen.
    fn enables(&self, question: Value<'t>, session: &Session<'_>) -> bool {
        let mut conditions = items(question, "enableWhen").peekable();
        if conditions.peek().is_none() {
            return true;
        }
        if let Some(known) = self.enabled.borrow().get(&question.index()) {
            return *known;
        }
        let enabled = if text(question, "enableBehavior").as_deref() == Some("any") {
            conditions.any(|one| self.holds(one, session))
        } else {
            conditions.all(|one| self.holds(one, session))
        };
        self.enabled.borrow_mut().insert(question.index(), enabled);
        enabled
    }

    /// Whether a condition holds; one that would take too many steps does.
    fn holds(&self, condition: Value<'t>, session: &Session<'_>) -> bool {
        let (Some(id), Some((kind, wanted))) = (text(condition, "question"), choice(condition, "answer")) else {
            return true;
        };
        let answers = self.answers.get(&id).map(Vec::as_slice).unwrap_or_default();
        if !session.charge(answers.len()) {
            return true;
        }
        let operator = text(condition, "operator").unwrap_or_default();
        if operator == "exists" {
            return answers.is_empty() != (wanted.as_bool() == Some(true));
        }
        let mut values = answers.iter().filter_map(|answer| choice(*answer, "value"));
        if operator == "!=" {
            return values.all(|(of, value)| of != kind || !is_same(kind, value, wanted));
        }
        values.filter(|(of, _)| *of == kind).any(|(_, value)| match &*operator {
            "=" => is_same(kind, value, wanted),
            operator => {
                let order = compare(kind, value, wanted);
                matches!(
                    (operator, order),
                    (">", Some(Ordering::Greater))
                        | ("<", Some(Ordering::Less))
                        | (">=", Some(Ordering::Greater | Ordering::Equal))
                        | ("<=", Some(Ordering::Less | Ordering::Equal))
                )
            }
        })
    }
}

fn answers_of<'t>(holder: Value<'t>, all: &mut HashMap<Cow<'t, str>, Vec<Value<'t>>>) {
    for item in items(holder, "item") {
        let mut own = Vec::new();
        for answer in items(item, "answer") {
            own.push(answer);
            answers_of(answer, all);
        }
        if let Some(id) = text(item, "linkId") {
            all.entry(id).or_default().extend(own);
        }
        answers_of(item, all);
    }
}

fn is_true(item: Value<'_>, name: &str) -> bool {
    item.get(name).and_then(Value::as_bool) == Some(true)
}

/// Whether two values of one type mean the same answer.
fn is_same(kind: &str, one: Value<'_>, other: Value<'_>) -> bool {
    match kind {
        "Coding" => {
            let same = |name: &str| text(one, name) == text(other, name);
            same("code") && same("system") && (one.get("code").is_some() || same("display"))
        }
        "Reference" => text(one, "reference") == text(other, "reference"),
        "Decimal" | "Integer" | "Quantity" | "Date" | "DateTime" | "Time" => {
            compare(kind, one, other) == Some(Ordering::Equal)
        }
        _ => fixed::equals(one, other),
    }
}

fn compare(kind: &str, one: Value<'_>, other: Value<'_>) -> Option<Ordering> {
    let number = |value: Value<'_>| Decimal::parse(value.number_text()?);
    let moment = |value: Value<'_>| match kind {
        "Date" => Temporal::parse_date(&value.as_str()?),
        "Time" => Temporal::parse_time(&value.as_str()?),
        _ => Temporal::parse_date_time(&value.as_str()?),
    };
    match kind {
        "Decimal" | "Integer" => Some(number(one)?.compare(&number(other)?)),
        "Quantity" => {
            let unit = |value| text(value, "code").or_else(|| text(value, "unit"));
            let (left, right) = (number(one.get("value")?)?, number(other.get("value")?)?);
            if unit(one) == unit(other) {
                return Some(left.compare(&right));
            }
            Units::builtin().compare((left, &text(one, "code")?), (right, &text(other, "code")?))
        }
        "Date" | "DateTime" | "Time" => moment(one)?.compare(&moment(other)?),
        _ => None,
    }
}

/// A link id names a part of a definition; one that reads like prose is not repeated.
fn shown(id: &str) -> &str {
    let plain = id.len() <= 60 && id.bytes().all(|byte| byte.is_ascii_graphic());
    if plain { id } else { "of the questionnaire" }
}
