//! The tables of a package as text: what a package is compiled to, and what is kept of it on disk.
//!
//! One text: a first line that names the form, then for each table a line `== name` and its lines.
//! The lines of each table are described in `definitions/README.md`.

/// First line of the form that this version writes and reads. A change of the tables that older
/// readers would misread changes the number.
const FORM: &str = "handrail tables 1";

/// The tables of one or several packages, or of a definition alone, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// Packages: id, SHA-256, dependencies.
    pub manifest: String,
    /// Invariants that `profiles` names.
    pub constraints: String,
    /// Profiles and extensions.
    pub profiles: String,
    /// Code systems.
    pub code_systems: String,
    /// Value sets.
    pub value_sets: String,
    /// Concept maps.
    pub concept_maps: String,
    /// Search parameters.
    pub search_parameters: String,
    /// What CapabilityStatements ask of a server.
    pub capability: String,
}

/// Why a text is not that of tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TablesError {
    /// The first line is another: a later or an older form, or no tables at all.
    Form,
    /// A table of this name is not known.
    Unknown(String),
    /// A table stands twice.
    Twice(String),
    /// Lines stand before the first table.
    Stray,
}

impl std::fmt::Display for TablesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Form => {
                write!(f, "the first line is not {FORM:?}: written by another version; add the package again")
            }
            Self::Unknown(name) => write!(f, "there is no table {name:?}"),
            Self::Twice(name) => write!(f, "the table {name:?} stands twice"),
            Self::Stray => write!(f, "lines stand before the first table"),
        }
    }
}

impl std::error::Error for TablesError {}

impl Tables {
    /// As one text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{FORM}\n");
        for (name, table) in self.named() {
            if !table.is_empty() {
                text.push_str("== ");
                text.push_str(name);
                text.push('\n');
                text.push_str(table);
                if !table.ends_with('\n') {
                    text.push('\n');
                }
            }
        }
        text
    }

    /// Reads what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// See [`TablesError`].
    pub fn read(text: &str) -> Result<Self, TablesError> {
        let body = text.strip_prefix(FORM).and_then(|rest| rest.strip_prefix('\n')).ok_or(TablesError::Form)?;
        let mut tables = Self::default();
        let mut into: Option<&mut String> = None;
        for line in body.split_inclusive('\n') {
            if let Some(name) = line.strip_prefix("== ") {
                let name = name.trim_end();
                let table = tables.table(name).ok_or_else(|| TablesError::Unknown(name.to_owned()))?;
                if !table.is_empty() {
                    return Err(TablesError::Twice(name.to_owned()));
                }
                into = Some(table);
            } else {
                into.as_mut().ok_or(TablesError::Stray)?.push_str(line);
            }
        }
        Ok(tables)
    }

    fn named(&self) -> [(&'static str, &str); 8] {
        [
            ("manifest", &self.manifest),
            ("constraints", &self.constraints),
            ("profiles", &self.profiles),
            ("code-systems", &self.code_systems),
            ("value-sets", &self.value_sets),
            ("concept-maps", &self.concept_maps),
            ("search-parameters", &self.search_parameters),
            ("capability", &self.capability),
        ]
    }

    fn table(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "manifest" => &mut self.manifest,
            "constraints" => &mut self.constraints,
            "profiles" => &mut self.profiles,
            "code-systems" => &mut self.code_systems,
            "value-sets" => &mut self.value_sets,
            "concept-maps" => &mut self.concept_maps,
            "search-parameters" => &mut self.search_parameters,
            "capability" => &mut self.capability,
            _ => return None,
        })
    }
}
