//! What the guides' CapabilityStatements ask of a server, parsed at first use.
//!
//! SPEC: R4 capabilitystatement.html; extension capabilitystatement-expectation. Names mended, see
//! `definitions/README.md`.

use super::{Definitions, table};

/// How much a guide wants something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the words")]
pub enum Expectation {
    Unsaid,
    May,
    Should,
    Shall,
}

/// One thing that a guide asks for.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Code of an interaction, canonical of a profile, name of a parameter or operation, `Type:code`
    /// of an include, codes between blanks for a combination of parameters.
    pub name: &'static str,
    /// How much.
    pub expectation: Expectation,
    /// Canonical of the definition (parameters and operations); empty when none is named.
    pub definition: &'static str,
}

/// What a guide asks for one resource type.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are those of CapabilityStatement.rest.resource")]
pub struct ExpectedResource {
    /// The resource type.
    pub name: &'static str,
    pub expectation: Expectation,
    pub profiles: Vec<Expected>,
    pub interactions: Vec<Expected>,
    pub includes: Vec<Expected>,
    pub revincludes: Vec<Expected>,
    pub parameters: Vec<Expected>,
    pub combinations: Vec<Expected>,
    pub operations: Vec<Expected>,
}

/// What one guide asks of a server.
#[derive(Debug)]
pub struct CapabilityStatement {
    /// Canonical URL.
    pub url: &'static str,
    /// Version of the guide.
    pub version: &'static str,
    /// Interactions of the whole system.
    pub interactions: Vec<Expected>,
    /// Resource types, sorted.
    pub resources: Vec<ExpectedResource>,
}

/// The server statements of the compiled-in guides, in the order of the packages.
pub fn capability_statements() -> impl Iterator<Item = &'static CapabilityStatement> + Clone {
    Definitions::builtin().capability_statements()
}

pub(super) fn read(text: &'static str) -> Vec<CapabilityStatement> {
    let mut list: Vec<CapabilityStatement> = Vec::new();
    for mut row in table::lines(text) {
        let (letter, name) = (row.cell(), row.cell());
        if letter == "C" {
            let version = row.cell();
            list.push(CapabilityStatement { url: name, version, interactions: Vec::new(), resources: Vec::new() });
            continue;
        }
        if letter == "S" {
            row.cell();
        }
        let expectation = match row.cell() {
            "SHALL" => Expectation::Shall,
            "SHOULD" => Expectation::Should,
            "MAY" => Expectation::May,
            _ => Expectation::Unsaid,
        };
        let Some(statement) = list.last_mut() else { continue };
        let expected = Expected { name, expectation, definition: row.cell() };
        match (letter, statement.resources.last_mut()) {
            ("W", _) => statement.interactions.push(expected),
            ("R", _) => statement.resources.push(ExpectedResource {
                name,
                expectation,
                profiles: Vec::new(),
                interactions: Vec::new(),
                includes: Vec::new(),
                revincludes: Vec::new(),
                parameters: Vec::new(),
                combinations: Vec::new(),
                operations: Vec::new(),
            }),
            ("P", Some(resource)) => resource.profiles.push(expected),
            ("I", Some(resource)) => resource.interactions.push(expected),
            ("N", Some(resource)) => resource.includes.push(expected),
            ("V", Some(resource)) => resource.revincludes.push(expected),
            ("S", Some(resource)) => resource.parameters.push(expected),
            ("X", Some(resource)) => resource.combinations.push(expected),
            ("O", Some(resource)) => resource.operations.push(expected),
            _ => {}
        }
    }
    list
}
