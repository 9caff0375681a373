//! A small JSON value, so that resources read like resources in the code that makes them.

use fhir::json::Writer;

/// A JSON value; `Nothing` members and items are not written.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    Nothing,
    Text(String),
    Number(String),
    Bool(bool),
    Array(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

/// `object! { "name": value, … }`.
macro_rules! object {
    ($($name:literal : $value:expr),* $(,)?) => {
        $crate::json::Json::Object(vec![$(($name, $crate::json::Json::from($value))),*])
    };
}

/// `array![value, …]`.
macro_rules! array {
    ($($value:expr),* $(,)?) => {
        $crate::json::Json::Array(vec![$($crate::json::Json::from($value)),*])
    };
}

pub(crate) use {array, object};

impl Json {
    pub(crate) fn write(&self, w: &mut Writer) {
        match self {
            // A bare `Nothing` is only met as a member or item, and left out there.
            Self::Nothing => {}
            Self::Text(text) => w.string(text),
            Self::Number(text) => w.raw(text.as_bytes()),
            Self::Bool(value) => w.boolean(*value),
            Self::Array(items) => {
                w.array(|w| items.iter().filter(|item| !item.is_nothing()).for_each(|item| item.write(w)));
            }
            Self::Object(members) => w.object(|w| {
                for (name, value) in members.iter().filter(|(_, value)| !value.is_nothing()) {
                    w.key(name);
                    value.write(w);
                }
            }),
        }
    }

    /// An empty array or object says nothing either: FHIR JSON has none.
    fn is_nothing(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Array(items) => items.iter().all(Self::is_nothing),
            Self::Object(members) => members.iter().all(|(_, value)| value.is_nothing()),
            _ => false,
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u32> for Json {
    fn from(value: u32) -> Self {
        Self::Number(value.to_string())
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Self::Array(items)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}
