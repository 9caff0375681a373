//! `handrail package`: FHIR packages of a data directory. Works on a running server, without a restart, and on a
//! data directory at rest.

use super::{data, settings::AtRest};
use crate::{
    control::{Order, Reply},
    fault::Fault,
    packages,
    print::{self, Style, count, many},
    tls::private_file,
};
use clap::{Args, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Lines about definitions that could not be used; the number of the others is told.
const FAULTS_SHOWN: usize = 20;

/// Add FHIR packages with their profiles, codes and search parameters, list and remove them.
#[derive(Debug, Args)]
pub(super) struct Package {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a package
    #[command(after_help = "Example:
  handrail package add hl7.fhir.us.mcode-3.0.0.tgz --data ./data

Add the packages that it depends on first: what is bound to something that is not loaded cannot be
checked. The archive is read under limits and refused whole when it is hostile. Search parameters that
it adds are indexed while the server runs; 'handrail package list' shows how far that is, and searches
by them are answered when it is done. What is known already keeps its meaning.")]
    Add {
        /// The package, as it is published
        #[arg(value_name = "FILE.tgz")]
        file: PathBuf,
        /// Data directory; made when it does not exist
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// List the packages and how far their search parameters are indexed
    List {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Remove a package
    #[command(after_help = "Example:
  handrail package remove hl7.fhir.us.mcode --data ./data --config /etc/handrail.toml

A package stays whose profile validation.required_profiles asks for. A running server knows what its
configuration says; for a directory at rest that is read from --config and the environment, as
'handrail serve' does.")]
    Remove {
        /// Its name, with the version when there are several: NAME#VERSION
        #[arg(value_name = "NAME")]
        name: String,
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        #[command(flatten)]
        at_rest: AtRest,
    },
}

impl Package {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Add { file, data } => add(&file, &data).await,
            Action::List { data } => list(data::existing(&data)?).await,
            Action::Remove { name, data, at_rest } => remove(data::existing(&data)?, name, &at_rest).await,
        }
    }
}

async fn add(file: &Path, data: &Path) -> Result<ExitCode, Fault> {
    let known = packages::definitions(data)?;
    print::note(format_args!("reading {}", file.display()));
    let had = data.is_dir();
    if !had {
        private_file::make_directory(data).map_err(|why| Fault::at(data.display(), why))?;
    }
    let staged = packages::stage(data, file, known).inspect_err(|_| {
        if !had {
            // Made for nothing: only when it is empty.
            drop(std::fs::remove_dir(data));
        }
    })?;
    for fault in staged.faults.iter().take(FAULTS_SHOWN) {
        print::note(format_args!("left out: {fault}"));
    }
    if let Some(more) = staged.faults.len().checked_sub(FAULTS_SHOWN).filter(|more| *more > 0) {
        print::note(format_args!("left out: {more} more definitions"));
    }
    let reply = data::carry_out(data, Order::AddPackage { staged: staged.folder.clone() }).await;
    // Under its own name by now, or not to be.
    packages::unstage(data, &staged);
    match reply? {
        Reply::PackageAdded(added) => {
            let style = Style::of_stdout();
            if !added.is_new {
                print::result(style.strong(format_args!("{} is there already; nothing changed", added.id)));
                return Ok(ExitCode::SUCCESS);
            }
            print::result(style.strong(format_args!("added {}", added.id)));
            print::result(format_args!(
                "holds       {}, {}, {}, {}",
                many(added.profiles, "profile"),
                many(added.value_sets, "value set"),
                many(added.code_systems, "code system"),
                many(added.concept_maps, "concept map"),
            ));
            for one in &added.loaded {
                print::result(format_args!("depends on  {one}: loaded"));
            }
            for one in &added.missing {
                print::result(format_args!("depends on  {one}: MISSING; what it defines cannot be checked"));
            }
            print::result(format_args!("indexes     {}", many(added.parameters, "search parameter")));
            for (url, why) in &added.left {
                print::result(format_args!("not indexed {url}: {why}"));
            }
            if added.parameters > 0 {
                print::note("indexed while the server runs; 'handrail package list' shows how far that is");
            }
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}

async fn list(data: &Path) -> Result<ExitCode, Fault> {
    match data::carry_out(data, Order::ListPackages).await? {
        Reply::Packages(packages) => {
            for package in packages {
                print::result(format_args!(
                    "{}\t{}",
                    package.id,
                    if package.is_added { "added" } else { "compiled in" }
                ));
                for one in package.parameters {
                    let types = one.types.join(",");
                    let state = match (one.state.as_str(), one.percent) {
                        (state, Some(percent)) => format!("{state} {percent} % ({} looked at)", count(one.done)),
                        (state, None) => state.to_owned(),
                    };
                    print::result(format_args!("\tsearch parameter\t{}\t{types}\t{state}", one.code));
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}

async fn remove(data: &Path, name: String, at_rest: &AtRest) -> Result<ExitCode, Fault> {
    let rules = || at_rest.read().map(|config| config.validation);
    match data::carry_out_under(data, Order::RemovePackage { name }, rules).await? {
        Reply::PackageRemoved(id) => {
            print::result(format_args!("removed {id}"));
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}
