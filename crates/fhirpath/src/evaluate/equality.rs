//! Equality and equivalence, and the hashes that make sets of items fast.
//!
//! SPEC: FHIRPath N1, "Equality". FHIR primitives compare by value; other elements by their children,
//! whatever their order in JSON. Equal items have equal hashes.

use super::{Evaluator, Outcome};
use crate::item::{Collection, Item};
use crate::number;
use crate::quantity;
use crate::temporal::{Precision, Temporal};
use fhir::element::Element;
use fhir::primitive::decimal::Decimal;
use fhir::schema::TypeKind;
use smallvec::SmallVec;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Items below this number are compared one by one; a table pays only beyond.
const TABLE_FROM: usize = 12;

type Children<'a> = SmallVec<[(&'a str, Element<'a>); 8]>;

fn is_complex(item: &Item<'_>) -> bool {
    matches!(item, Item::Element(element) if element.definition.kind != TypeKind::Primitive)
}

fn as_number(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(value) => Some(number::integer(*value)),
        Item::Decimal(value) => Some(*value),
        _ => None,
    }
}

impl<'a> Evaluator<'a> {
    /// `=` on two items; `None` when it cannot be told.
    pub(super) fn equal(&mut self, left: &Item<'a>, right: &Item<'a>) -> Outcome<Option<bool>> {
        self.charge(1)?;
        // Two references to one type need not mean one resource.
        if let (Item::Unresolved(_), Item::Unresolved(_)) = (left, right) {
            return Ok(None);
        }
        if let (Item::Type(namespace, name), Item::Type(other_namespace, other_name)) = (left, right) {
            return Ok(Some(namespace == other_namespace && name == other_name));
        }
        if let (Item::Definition(left), Item::Definition(right)) = (left, right) {
            return Ok(Some(left.same(*right)));
        }
        let (left_value, right_value) = (left.to_system(), right.to_system());
        if let (Item::Element(left_element), Item::Element(right_element)) = (left, right)
            && (is_complex(left) || is_complex(right) || left_value.is_none() || right_value.is_none())
        {
            return self.equal_elements(left_element, right_element, 0).map(Some);
        }
        let (Some(left), Some(right)) = (left_value, right_value) else { return Ok(Some(false)) };
        Ok(equal_values(&left, &right))
    }

    /// Equality of two elements by their children.
    fn equal_elements(&mut self, left: &Element<'a>, right: &Element<'a>, depth: usize) -> Outcome<bool> {
        self.charge(1)?;
        let primitive = left.definition.kind == TypeKind::Primitive;
        if primitive != (right.definition.kind == TypeKind::Primitive) || depth > fhir::limits::DEPTH_MAX {
            return Ok(false);
        }
        if primitive {
            let value = |element: &Element<'a>| Item::Element(*element).to_system();
            match (value(left), value(right)) {
                (None, None) => {}
                (Some(left), Some(right)) if equal_values(&left, &right) == Some(true) => {}
                _ => return Ok(false),
            }
        }
        let (left_children, right_children) = (sorted_children(left), sorted_children(right));
        if left_children.len() != right_children.len() {
            return Ok(false);
        }
        for ((left_name, left), (right_name, right)) in left_children.iter().zip(&right_children) {
            if left_name != right_name || !self.equal_elements(left, right, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `=` on collections: the same items in the same order; `None` when either is empty.
    pub(super) fn equal_collections(&mut self, left: &Collection<'a>, right: &Collection<'a>) -> Outcome<Option<bool>> {
        if left.is_empty() || right.is_empty() {
            return Ok(None);
        }
        if left.len() != right.len() {
            return Ok(Some(false));
        }
        let mut result = Some(true);
        for (left, right) in left.iter().zip(right) {
            match self.equal(left, right)? {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None => result = None,
            }
        }
        Ok(result)
    }

    /// `~` on two items.
    pub(super) fn equivalent(&mut self, left: &Item<'a>, right: &Item<'a>) -> Outcome<bool> {
        self.charge(1)?;
        if let (Item::Element(left_element), Item::Element(right_element)) = (left, right) {
            let quantities = matches!(left.to_system(), Some(Item::Quantity(_)));
            if is_complex(left) && is_complex(right) && !quantities {
                return self.equivalent_elements(left_element, right_element, 0);
            }
        }
        match (left.to_system(), right.to_system()) {
            (Some(left), Some(right)) => {
                if let (Item::String(left), Item::String(right)) = (&left, &right) {
                    self.charge_text(left.len() + right.len())?;
                }
                Ok(equivalent_values(&left, &right))
            }
            _ => Ok(false),
        }
    }

    fn equivalent_elements(&mut self, left: &Element<'a>, right: &Element<'a>, depth: usize) -> Outcome<bool> {
        let (mut left_children, mut right_children) = (sorted_children(left), sorted_children(right));
        left_children.retain(|(name, _)| *name != "id");
        right_children.retain(|(name, _)| *name != "id");
        if left_children.len() != right_children.len() || depth > fhir::limits::DEPTH_MAX {
            return Ok(false);
        }
        for (name, left) in &left_children {
            let mut found = None;
            for (at, (other, right)) in right_children.iter().enumerate() {
                self.charge(1)?;
                let same = name == other && {
                    let (left, right) = (Item::Element(*left), Item::Element(*right));
                    if is_complex(&left) && is_complex(&right) {
                        match (&left, &right) {
                            (Item::Element(left), Item::Element(right)) => {
                                self.equivalent_elements(left, right, depth + 1)?
                            }
                            _ => false,
                        }
                    } else {
                        self.equivalent(&left, &right)?
                    }
                };
                if same {
                    found = Some(at);
                    break;
                }
            }
            match found {
                Some(at) => drop(right_children.remove(at)),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// `~` on collections: the same items in any order.
    pub(super) fn equivalent_collections(&mut self, left: &Collection<'a>, right: &Collection<'a>) -> Outcome<bool> {
        if left.len() != right.len() {
            return Ok(false);
        }
        let mut rest: SmallVec<[&Item<'a>; 4]> = right.iter().collect();
        for item in left {
            let mut found = None;
            for (at, other) in rest.iter().enumerate() {
                if self.equivalent(item, other)? {
                    found = Some(at);
                    break;
                }
            }
            match found {
                Some(at) => drop(rest.remove(at)),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn hash_item(&mut self, item: &Item<'a>) -> Outcome<u64> {
        self.charge(1)?;
        let mut hasher = DefaultHasher::new();
        let complex = match item {
            Item::Element(element) if is_complex(item) => Some(element),
            _ => None,
        };
        if let Some(element) = complex {
            return self.hash_element(element, 0);
        }
        match item.to_system() {
            Some(value) => hash_value(&value, &mut hasher),
            None => 0u8.hash(&mut hasher),
        }
        Ok(hasher.finish())
    }

    fn hash_element(&mut self, element: &Element<'a>, depth: usize) -> Outcome<u64> {
        self.charge(1)?;
        let item = Item::Element(*element);
        // WHY: a Quantity element may equal a System quantity in another unit.
        if matches!(item.to_system(), Some(Item::Quantity(_))) && depth == 0 {
            let mut hasher = DefaultHasher::new();
            1u8.hash(&mut hasher);
            return Ok(hasher.finish());
        }
        let mut hasher = DefaultHasher::new();
        if element.definition.kind == TypeKind::Primitive {
            if let Some(value) = item.to_system() {
                hash_value(&value, &mut hasher);
            }
            return Ok(hasher.finish());
        }
        if depth <= fhir::limits::DEPTH_MAX {
            for (name, found) in sorted_children(element) {
                name.hash(&mut hasher);
                self.hash_element(&found, depth + 1)?.hash(&mut hasher);
            }
        }
        Ok(hasher.finish())
    }
}

/// Children with their names, sorted by name and in order within a name.
fn sorted_children<'a>(element: &Element<'a>) -> Children<'a> {
    let mut children = Children::new();
    element.all_children(|found| children.push((found.reached_by.map_or("", |definition| definition.name), found)));
    children.sort_by_key(|(name, _)| *name);
    children
}

/// `=` on System values.
pub(super) fn equal_values(left: &Item<'_>, right: &Item<'_>) -> Option<bool> {
    match (left, right) {
        (Item::String(left), Item::String(right)) => Some(left == right),
        (Item::Boolean(left), Item::Boolean(right)) => Some(left == right),
        (Item::Integer(left), Item::Integer(right)) => Some(left == right),
        (Item::Temporal(left), Item::Temporal(right)) => equal_temporals(left, right),
        (Item::Quantity(left), Item::Quantity(right)) => left.compare(right).map(Ordering::is_eq),
        (Item::Quantity(quantity), value) | (value, Item::Quantity(quantity)) => {
            let value = as_number(value).map(quantity::Quantity::dimensionless);
            value.map_or(Some(false), |value| quantity.compare(&value).map(Ordering::is_eq))
        }
        (left, right) => match (as_number(left), as_number(right)) {
            (Some(left), Some(right)) => Some(left.compare(&right).is_eq()),
            _ => Some(false),
        },
    }
}

fn equal_temporals(left: &Temporal, right: &Temporal) -> Option<bool> {
    use crate::temporal::TemporalKind::Time;
    if (left.kind == Time) != (right.kind == Time) {
        return Some(false);
    }
    left.compare(right).map(Ordering::is_eq)
}

fn equivalent_values(left: &Item<'_>, right: &Item<'_>) -> bool {
    match (left, right) {
        (Item::String(left), Item::String(right)) => folded(left) == folded(right),
        (Item::Temporal(left), Item::Temporal(right)) => {
            let precision = |value: &Temporal| value.precision.min(Precision::Second);
            precision(left) == precision(right) && left.compare(right) == Some(Ordering::Equal)
        }
        (Item::Quantity(left), Item::Quantity(right)) => left.equivalent(right),
        (left, right) => match (as_number(left), as_number(right)) {
            (Some(left), Some(right)) => quantity::equivalent(left, right),
            _ => equal_values(left, right) == Some(true),
        },
    }
}

/// Lower case, blanks joined: what equivalence of strings looks at.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
}

/// Hashes so that values that may be equal have equal hashes.
fn hash_value(value: &Item<'_>, hasher: &mut DefaultHasher) {
    match value {
        Item::String(text) => (2u8, text.as_ref()).hash(hasher),
        Item::Boolean(value) => (3u8, *value).hash(hasher),
        Item::Temporal(_) => 4u8.hash(hasher),
        _ => match as_number(value) {
            Some(value) => {
                let value = number::stripped(value);
                (5u8, value.mantissa, value.exponent).hash(hasher);
            }
            None => 1u8.hash(hasher),
        },
    }
}

/// A set of items under `=`; linear while small, hashed when large.
pub(super) struct Set<'a> {
    items: Collection<'a>,
    table: HashMap<u64, SmallVec<[u32; 2]>>,
}

impl<'a> Set<'a> {
    pub(super) fn new() -> Self {
        Self { items: Collection::new(), table: HashMap::new() }
    }

    pub(super) fn into_items(self) -> Collection<'a> {
        self.items
    }

    /// Adds an item; false when an equal one was there.
    pub(super) fn insert(&mut self, evaluator: &mut Evaluator<'a>, item: Item<'a>) -> Outcome<bool> {
        if self.contains(evaluator, &item)? {
            return Ok(false);
        }
        let at = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        if self.items.len() >= TABLE_FROM {
            if self.table.is_empty() {
                for (at, known) in (0u32..).zip(&self.items) {
                    self.table.entry(evaluator.hash_item(known)?).or_default().push(at);
                }
            }
            self.table.entry(evaluator.hash_item(&item)?).or_default().push(at);
        }
        evaluator.push(&mut self.items, item)?;
        Ok(true)
    }

    pub(super) fn contains(&self, evaluator: &mut Evaluator<'a>, item: &Item<'a>) -> Outcome<bool> {
        if self.table.is_empty() {
            for known in &self.items {
                if evaluator.equal(known, item)? == Some(true) {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let Some(places) = self.table.get(&evaluator.hash_item(item)?) else { return Ok(false) };
        for at in places {
            if let Some(known) = self.items.get(*at as usize)
                && evaluator.equal(known, item)? == Some(true)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
