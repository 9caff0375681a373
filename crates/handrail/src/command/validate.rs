//! `handrail validate`: files against R4 and profiles, on this machine alone.
//!
//! The same validator as the server's; no data directory is needed, nothing is fetched. References lead to
//! contained resources, entries of the same Bundle, and the other files of the run. Exit code: 0 valid, 1 errors
//! found, 2 could not run.

mod files;
mod neighbours;
mod report;

use crate::{fault::Fault, knowledge::Knowledge, packages, print, terminologies};
use clap::{Args, ValueEnum};
use definitions::{Package, package::PackageError};
use fhir::{
    issue::{Issue, IssueType, Severity},
    json::{Tree, Value},
    schema::{self, Definitions},
    xml,
};
use neighbours::Neighbours;
use report::{Judged, Report};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::ExitCode,
};
use validation::Options;

/// Exit code when the work could not be done.
const COULD_NOT_RUN: u8 = 2;

/// Validate files against R4, the profiles that they claim, and others.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail validate patient.json
  handrail validate examples/ --package hl7.fhir.us.example-1.0.0.tgz --format junit > report.xml
  cat bundle.xml | handrail validate -

Compiled in are R4 and the profiles, value sets and code systems of US Core 3.1.1 and 6.1.0, PACIO PFE
2.0.0 and PACIO RT 1.0.0. References are followed to the other files of the same run: Type/id, the
fullUrl of a Bundle's entry, and the url of a definition; of several of one name the first counts.
What is in none of them is checked by its type alone; a target of the wrong type is an error, one that
does not meet the profile asked for a warning, or an error with --target-profiles error. The exit code is 0 when all is valid, 1 when errors were found, and 2 when a
file could not be read or an argument cannot be.")]
pub(super) struct Validate {
    /// Files in JSON or XML, or folders of them; - reads standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// A profile that every resource must meet, besides those that it claims
    #[arg(long, value_name = "URL")]
    profile: Vec<String>,
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// A FHIR package to know for this run
    #[arg(long, value_name = "FILE.tgz")]
    package: Vec<PathBuf>,
    /// A StructureDefinition, ValueSet, CodeSystem or another definition to know for this run
    #[arg(long, value_name = "FILE")]
    definitions: Vec<PathBuf>,
    /// What it is when a reference leads to another file whose resource does not meet the profile that the
    /// reference asks for
    #[arg(long, value_enum, default_value = "warning")]
    target_profiles: Weight,
    /// A data directory whose packages and code systems are known too
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// {"file": …, "outcome": OperationOutcome}, a line a file
    Json,
    /// JUnit XML
    Junit,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Weight {
    /// The file is still valid
    Warning,
    /// The file is not valid
    Error,
}

impl Validate {
    /// Does it.
    pub(super) fn run(self) -> ExitCode {
        match self.try_run() {
            Ok(code) => code,
            Err(fault) => {
                print::note(fault);
                ExitCode::from(COULD_NOT_RUN)
            }
        }
    }

    fn try_run(self) -> Result<ExitCode, Fault> {
        let knowledge = self.knowledge()?;
        let validator = knowledge.validator();
        for profile in &self.profile {
            if validator.definitions().profile(profile).is_none() {
                return Err(Fault::at(profile, "no such profile is loaded")
                    .fix("--package FILE.tgz or --definitions FILE loads it for this run"));
            }
        }
        let profiles: Vec<&str> = self.profile.iter().map(String::as_str).collect();
        let neighbours = Neighbours::new(files::below(&self.paths)?);
        let options = Options {
            profiles: &profiles,
            target_profiles_beyond: Some(match self.target_profiles {
                Weight::Warning => Severity::Warning,
                Weight::Error => Severity::Error,
            }),
            resolver: Some(&neighbours),
            ..Options::default()
        };
        let mut report = Report::new(self.format);
        for file in neighbours.files() {
            let judged = match neighbours.read(file) {
                Ok(bytes) => Judged::Issues(judge(bytes, validator, &options)),
                Err(why) => Judged::Unread(why.to_string()),
            };
            report.file(&file.display().to_string(), judged);
        }
        Ok(report.end())
    }

    /// What is known in this run.
    fn knowledge(&self) -> Result<Knowledge, Fault> {
        let mut known = self.base()?;
        let mut waiting = Vec::new();
        for path in &self.package {
            let file = File::open(path).map_err(|why| Fault::at(path.display(), why))?;
            let package = Package::read(file).map_err(|why: PackageError| Fault::at(path.display(), why))?;
            waiting.push((path, package));
        }
        // What others depend on first, in whatever order they were named.
        while !waiting.is_empty() {
            let needs_another = |package: &Package| {
                let is_waited_for = |id: &String| waiting.iter().any(|(_, other)| other.id() == *id);
                package.dependencies.iter().any(|id| *id != package.id() && is_waited_for(id))
            };
            let at = waiting.iter().position(|(_, package)| !needs_another(package)).unwrap_or_default();
            let (path, package) = waiting.remove(at);
            for id in package.dependencies.iter().filter(|id| known.package(id).is_none()) {
                print::note(format_args!(
                    "{}: depends on {id}, which is not loaded: what is defined there cannot be checked",
                    path.display()
                ));
            }
            let compiled = definitions::compile(&package, schema::r4(), &known);
            for fault in &compiled.faults {
                print::note(format_args!("{}: not used: {fault}", path.display()));
            }
            known = known.with(vec![compiled.tables]);
        }
        if !self.definitions.is_empty() {
            let mut alone = Vec::new();
            for path in &self.definitions {
                let bytes = files::read(path).map_err(|why| Fault::at(path.display(), why))?;
                let tree = parse(bytes).map_err(|issues| {
                    let why = issues.into_iter().next().map(|issue| issue.diagnostics).unwrap_or_default();
                    Fault::at(path.display(), why)
                })?;
                alone.extend(each(&tree));
            }
            let compiled =
                definitions::compile(&Package::of_definitions("handrail.local", "1", alone), schema::r4(), &known);
            if let Some(fault) = compiled.faults.first() {
                return Err(Fault::at("--definitions", fault));
            }
            known = known.with(vec![compiled.tables]);
        }
        let systems = self.data.as_deref().map(terminologies::all).transpose()?.unwrap_or_default();
        // Definitions live as long as the process, by decision.
        Ok(Knowledge::new(Box::leak(Box::new(known)), systems))
    }

    /// What is compiled in, and what the data directory adds.
    fn base(&self) -> Result<Definitions, Fault> {
        let Some(data) = &self.data else { return Ok(Definitions::builtin().with(Vec::new())) };
        if !data.is_dir() {
            return Err(Fault::at(data.display(), "there is no such data directory"));
        }
        Ok(packages::definitions(data)?.with(Vec::new()))
    }
}

/// The definitions of a file: itself, or the entries of a Bundle.
fn each(tree: &Tree) -> Vec<Tree> {
    if tree.resource_type().as_deref() != Some("Bundle") {
        return vec![tree.clone()];
    }
    let entries = tree.root().get("entry").into_iter().flat_map(Value::items);
    entries.filter_map(|entry| entry.get("resource")).map(Value::to_tree).collect()
}

/// A resource in JSON, or in XML when it begins like XML.
fn parse(bytes: Vec<u8>) -> Result<Tree, Vec<Issue>> {
    let first = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf));
    if first == Some(b'<') {
        xml::read(bytes, schema::r4()).map_err(|error| {
            let issue = |fault: xml::XmlFault| {
                let issue = Issue::error(IssueType::Structure, fault.kind.to_string()).on((fault.line, fault.column));
                Issue { expression: fault.expression, ..issue }
            };
            error.faults.into_iter().map(issue).collect()
        })
    } else {
        Tree::parse(bytes).map_err(|error| {
            vec![Issue::error(IssueType::Structure, error.kind.to_string()).on((error.line, error.column))]
        })
    }
}

/// Everything that is found in a file; "all OK" when nothing.
fn judge(bytes: Vec<u8>, validator: &validation::Validator<'_>, options: &Options<'_>) -> Vec<Issue> {
    let tree = match parse(bytes) {
        Ok(tree) => tree,
        Err(issues) => return issues,
    };
    let issues = match validator.validate_with(tree, None, options) {
        Ok((_, warnings)) => warnings,
        Err(invalid) => invalid.issues,
    };
    if issues.is_empty() {
        let ok = Issue::error(IssueType::Informational, "all OK");
        return vec![Issue { severity: Severity::Information, ..ok }];
    }
    issues
}

/// The path as an argument names it.
fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}
