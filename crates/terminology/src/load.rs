//! Official files of code systems, read as streams into a [`Builder`]: LOINC, SNOMED CT (RF2), ICD-10-CM, ICF.
//!
//! The caller opens files and hands over readers: nothing here touches a file system. A [`Load`] takes the
//! files in the order of their [`Role`]s, tells how far it is, can be written down at any moment and gone on
//! with later. Memory is that of what is kept, whatever the files' size. Bad lines are named with file and
//! line; a system with bad lines is not finished.
//!
//! Not here: definitions and notes (prose), attributes of SNOMED CT concepts, translations of LOINC.

mod icd10cm;
mod icf;
mod loinc;
mod rows;
mod snomed;
mod xml;

use crate::{BuildError, Builder, CodeSystem, FormatError};
use rows::Lines;
use std::{
    fmt,
    io::{self, BufRead, Write},
};

/// A code system that can be loaded from its official files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `http://loinc.org`
    Loinc,
    /// `http://snomed.info/sct`
    Snomed,
    /// `http://hl7.org/fhir/sid/icd-10-cm`
    Icd10Cm,
    /// `http://hl7.org/fhir/sid/icf`
    Icf,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Loinc, Self::Snomed, Self::Icd10Cm, Self::Icf];

    /// Its name on the command line and in file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loinc => "loinc",
            Self::Snomed => "snomed",
            Self::Icd10Cm => "icd-10-cm",
            Self::Icf => "icf",
        }
    }

    /// Its canonical URL.
    #[must_use]
    pub const fn url(self) -> &'static str {
        match self {
            Self::Loinc => "http://loinc.org",
            Self::Snomed => "http://snomed.info/sct",
            Self::Icd10Cm => "http://hl7.org/fhir/sid/icd-10-cm",
            Self::Icf => crate::grammar::ICF,
        }
    }

    /// What a file of this name is for; `None`: nothing. Of a path the last part counts.
    #[must_use]
    pub fn role(self, file: &str) -> Option<Role> {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let order = match self {
            Self::Loinc => loinc::role(name),
            Self::Snomed => snomed::role(name),
            Self::Icd10Cm => icd10cm::role(name),
            Self::Icf => icf::role(name),
        };
        order.map(|order| Role { order })
    }

    /// The files that it is loaded from, for people.
    #[must_use]
    pub const fn files(self) -> &'static str {
        match self {
            Self::Loinc => {
                "Loinc.csv; if there: AnswerList.csv, LoincAnswerListLink.csv, ComponentHierarchyBySystem.csv, Part.csv"
            }
            Self::Snomed => {
                "of the RF2 Snapshot: sct2_Concept, sct2_Description, sct2_Relationship; if there: the language refset"
            }
            Self::Icd10Cm => "icd10cm-order-YEAR.txt, or icd10cm-tabular-YEAR.xml",
            Self::Icf => "ClaML (.xml), or a table (.csv, .tsv, .txt) with the columns Code and Title",
        }
    }
}

/// What a file is for. Files are read in the order of their roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    order: u8,
}

/// How far a load is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// File that is being read.
    pub file: &'a str,
    /// Bytes read of it, uncompressed.
    pub bytes: u64,
    /// Rows read of it.
    pub rows: u64,
    /// Concepts so far.
    pub concepts: usize,
}

/// What the caller wants after a look at the progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// Go on.
    On,
    /// Stop here; what was read stays.
    Stop,
}

/// A line that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Why a load does not come to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// Lines that cannot be: the first of them.
    Lines(Vec<BadLine>),
    /// A file cannot be read.
    Read(String, io::Error),
    /// A file that is needed is not among them.
    Missing(&'static str),
    /// The content is more than there is room for.
    Build(BuildError),
    /// The caller said stop.
    Stopped,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines(lines) => {
                let all = lines.iter().map(BadLine::to_string).collect::<Vec<_>>();
                f.write_str(&all.join("\n"))
            }
            Self::Read(file, why) => write!(f, "{file}: {why}"),
            Self::Missing(what) => write!(f, "{what} is not among the files"),
            Self::Build(why) => write!(f, "{why}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<BuildError> for LoadError {
    fn from(why: BuildError) -> Self {
        Self::Build(why)
    }
}

/// Bad lines that are named; then the load ends.
const BAD_LINES_MAX: usize = 20;

/// Rows between two looks at the progress.
const ROWS_A_LOOK: u64 = 4096;

/// A load that is going on.
#[derive(Debug)]
pub struct Load {
    kind: Kind,
    builder: Builder,
    /// Files read to their end.
    done: Vec<String>,
    /// The file that is being read, and its rows so far.
    current: (String, u64),
    /// SNOMED CT: numbers of descriptions that are preferred, sorted.
    preferred: Vec<u64>,
    bad: Vec<BadLine>,
}

/// What is wrong with a row: its text, or no room.
pub(crate) enum Fault {
    Row(String),
    Build(BuildError),
}

impl From<BuildError> for Fault {
    fn from(why: BuildError) -> Self {
        match why {
            BuildError::Code => Self::Row("the code is empty or longer than 1024 bytes".to_owned()),
            why => Self::Build(why),
        }
    }
}

impl From<&str> for Fault {
    fn from(what: &str) -> Self {
        Self::Row(what.to_owned())
    }
}

impl From<String> for Fault {
    fn from(what: String) -> Self {
        Self::Row(what)
    }
}

impl Load {
    /// Of nothing yet.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let name = match kind {
            Kind::Loinc => "LOINC",
            Kind::Snomed => "SNOMED_CT",
            Kind::Icd10Cm => "ICD_10_CM",
            Kind::Icf => "ICF",
        };
        let mut builder = Builder::complete(kind.url(), "", name);
        match kind {
            Kind::Loinc => {
                builder.set_case_insensitive();
                builder.about().value_set = "http://loinc.org/vs".to_owned();
            }
            Kind::Snomed => builder.about().value_set = "http://snomed.info/sct?fhir_vs".to_owned(),
            Kind::Icd10Cm | Kind::Icf => {}
        }
        Self { kind, builder, done: Vec::new(), current: (String::new(), 0), preferred: Vec::new(), bad: Vec::new() }
    }

    /// One that was written down with [`Self::checkpoint`].
    ///
    /// # Errors
    /// [`FormatError`]; a load of another system.
    pub fn resume(kind: Kind, bytes: &[u8]) -> Result<Self, FormatError> {
        let (builder, notes) = Builder::read(bytes)?;
        let [name, file, rows, preferred, done @ ..] = notes.as_slice() else { return Err(FormatError::Content) };
        if name != kind.name() {
            return Err(FormatError::Kind);
        }
        let rows = rows.parse().map_err(|_| FormatError::Content)?;
        let preferred = preferred.split_ascii_whitespace().filter_map(|one| one.parse().ok()).collect();
        Ok(Self { kind, builder, done: done.to_vec(), current: (file.clone(), rows), preferred, bad: Vec::new() })
    }

    /// Writes it down as it is, so that [`Self::resume`] goes on after the last row.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn checkpoint(&self, to: &mut dyn Write) -> io::Result<()> {
        let preferred: Vec<String> = self.preferred.iter().map(u64::to_string).collect();
        let mut notes =
            vec![self.kind.name().to_owned(), self.current.0.clone(), self.current.1.to_string(), preferred.join(" ")];
        notes.extend(self.done.iter().cloned());
        self.builder.write(&notes, to)
    }

    /// The system that is being loaded.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this file was read to its end already.
    #[must_use]
    pub fn has_read(&self, file: &str) -> bool {
        self.done.iter().any(|one| one == file)
    }

    /// The files that were read, the one that was begun too.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let begun = Some(self.current.0.as_str()).filter(|file| !file.is_empty());
        self.done.iter().map(String::as_str).chain(begun)
    }

    /// Lines so far that cannot be. With any, the load cannot be finished, and must not be written down: what
    /// goes on later would not see them again.
    #[must_use]
    pub fn bad_lines(&self) -> &[BadLine] {
        &self.bad
    }

    /// Says the version of the system in place of the one that the files tell. After they were read.
    pub fn set_version(&mut self, version: &str) {
        self.builder.about().version = version.to_owned();
    }

    /// Reads a file; one that was read before is passed over, one that was read in part is gone on with.
    /// `look` is asked every few thousand rows.
    ///
    /// # Errors
    /// [`LoadError`]; bad lines only when there are more than are named, the others at [`Self::finish`].
    pub fn read(
        &mut self,
        role: Role,
        file: &str,
        input: &mut dyn BufRead,
        look: &mut dyn FnMut(&Self, Progress<'_>) -> Go,
    ) -> Result<(), LoadError> {
        if self.has_read(file) {
            return Ok(());
        }
        if self.current.0 != file {
            self.current = (file.to_owned(), 0);
        }
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let mut reading = Reading { file, lines: Lines::new(input), skip: self.current.1, look };
        match self.kind {
            Kind::Loinc => loinc::read(self, role.order, &mut reading)?,
            Kind::Snomed => snomed::read(self, role.order, name, &mut reading)?,
            Kind::Icd10Cm => icd10cm::read(self, role.order, name, &mut reading)?,
            Kind::Icf => icf::read(self, role.order, &mut reading)?,
        }
        self.done.push(file.to_owned());
        self.current = (String::new(), 0);
        Ok(())
    }

    /// The finished system, with the codes (child, parent) whose relation closes a circle and was left out.
    ///
    /// # Errors
    /// Bad lines; a file that is needed was not read; no room.
    pub fn finish(mut self) -> Result<(CodeSystem, Vec<(String, String)>), LoadError> {
        if !self.bad.is_empty() {
            return Err(LoadError::Lines(self.bad));
        }
        match self.kind {
            Kind::Loinc => loinc::finish(&mut self)?,
            Kind::Snomed => snomed::finish(&self)?,
            Kind::Icd10Cm => icd10cm::finish(&mut self)?,
            Kind::Icf => icf::finish(&mut self)?,
        }
        Ok(self.builder.finish()?)
    }

    fn has_role(&self, order: u8) -> bool {
        self.done.iter().any(|file| self.kind.role(file) == Some(Role { order }))
    }

    fn bad(&mut self, file: &str, line: u64, what: String) -> Result<(), LoadError> {
        self.bad.push(BadLine { file: file.to_owned(), line, what });
        if self.bad.len() >= BAD_LINES_MAX {
            return Err(LoadError::Lines(std::mem::take(&mut self.bad)));
        }
        Ok(())
    }

    /// Takes the outcome of a row; looks at the progress now and then.
    fn row(&mut self, reading: &mut Reading<'_>, line: u64, outcome: Result<(), Fault>) -> Result<(), LoadError> {
        match outcome {
            Ok(()) => {}
            Err(Fault::Row(what)) => self.bad(reading.file, line, what)?,
            Err(Fault::Build(why)) => return Err(why.into()),
        }
        self.current.1 += 1;
        if self.current.1.is_multiple_of(ROWS_A_LOOK) {
            let progress = Progress {
                file: reading.file,
                bytes: reading.lines.bytes(),
                rows: self.current.1,
                concepts: self.builder.len(),
            };
            if (reading.look)(self, progress) == Go::Stop {
                return Err(LoadError::Stopped);
            }
        }
        Ok(())
    }
}

/// A file being read.
struct Reading<'a> {
    file: &'a str,
    lines: Lines<'a>,
    /// Rows to pass over, which an interrupted load has taken already.
    skip: u64,
    look: &'a mut dyn FnMut(&Load, Progress<'_>) -> Go,
}

impl Reading<'_> {
    fn failed(&self, why: rows::ReadError) -> LoadError {
        match why {
            rows::ReadError::Io(why) => LoadError::Read(self.file.to_owned(), why),
            rows::ReadError::Line(line, what) => {
                LoadError::Lines(vec![BadLine { file: self.file.to_owned(), line, what: what.to_owned() }])
            }
        }
    }

    /// Whether the next row was taken already.
    fn skips(&mut self) -> bool {
        let skips = self.skip > 0;
        self.skip = self.skip.saturating_sub(1);
        skips
    }
}

#[cfg(test)]
mod tests;
