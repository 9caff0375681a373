//! What the parts of one patient's story share: ids, references, choices, and the resources so far.

use crate::{bundle::Resource, cast::Cast, json::Json, random::Random};

#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) cast: &'a Cast,
    pub(crate) random: Random,
    pub(crate) patient: String,
    prefix: String,
    resources: Vec<Resource>,
}

impl<'a> Scene<'a> {
    /// `prefix` is the patient's id.
    pub(crate) fn new(cast: &'a Cast, random: Random, prefix: String) -> Self {
        Self { cast, random, patient: format!("Patient/{prefix}"), prefix, resources: Vec::new() }
    }

    /// The patient's number as text, for identifiers.
    pub(crate) fn number(&self) -> &str {
        &self.prefix
    }

    /// The reference that [`Scene::add`] will give for this key.
    pub(crate) fn reference(&self, kind: &str, key: &str) -> String {
        format!("{kind}/{}-{key}", self.prefix)
    }

    /// Adds a resource; an empty key is the patient.
    pub(crate) fn add(&mut self, kind: &'static str, key: &str, members: Json) -> String {
        let id = if key.is_empty() { self.prefix.clone() } else { format!("{}-{key}", self.prefix) };
        let resource = Resource::new(kind, id, members);
        let reference = resource.reference();
        self.resources.push(resource);
        reference
    }

    pub(crate) fn into_resources(self) -> Vec<Resource> {
        self.resources
    }
}
