//! `handrail labels`: the file on security labels checked, and what is stored labelled anew. `docs/labels.md`.

use super::{data, settings::AtRest};
use crate::{
    assembly::{self, BaseUrl},
    control::{self, Order, Relabelled, Reply},
    fault::Fault,
    household::{self, Keeper},
    knowledge::Knowledge,
    packages::Packages,
    print::{self, Style, many},
};
use authserver::egress::NoFetch;
use clap::{Args, Subcommand};
use fhir::{ResourceType, json::Tree};
use policy::label::rules::Condition;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Look after security labels.
#[derive(Debug, Args)]
pub(super) struct Labels {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check a file on labels, and say which labels resources would get
    #[command(after_help = "Examples:
  handrail labels check labels.rules
  handrail labels check labels.rules observation.json condition.json --data ./data

Everything that is wrong is told with its line; the exit code is 1 then, also when a value set is not
loaded. With --data the packages and code systems of that directory count. docs/labels.md has the
language.")]
    Check {
        /// File on labels
        file: PathBuf,
        /// Resources (JSON) to try the rules on
        resources: Vec<PathBuf>,
        /// Data directory whose packages and code systems count
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Label what is stored anew, after the rules changed
    #[command(after_help = "Examples:
  handrail labels apply --data ./data --only-look
  handrail labels apply --data ./data

Works on a running server and on a directory at rest, with the file that labels.rules names; a running
server reads it again first. Labels that rules gave and give no more are taken away, what they give now
is added, as new versions of the resources, up to 200 in one transaction. Labels that somebody else gave
stay. It may be stopped and begun again at any time.")]
    Apply {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Only say what would change
        #[arg(long)]
        only_look: bool,
        #[command(flatten)]
        at_rest: AtRest,
    },
}

impl Labels {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Check { file, resources, data } => check(&file, &resources, data.as_deref()),
            Action::Apply { data, only_look, at_rest } => apply(data::existing(&data)?, only_look, &at_rest).await,
        }
    }
}

fn check(file: &Path, resources: &[PathBuf], data: Option<&Path>) -> Result<ExitCode, Fault> {
    let labels = household::labels(file)?;
    let validator = match data {
        None => validation::r4(),
        Some(directory) => {
            let packages = Packages::open(data::existing(directory)?)?;
            Knowledge::of(packages.definitions(), directory)?.validator()
        }
    };
    let terminology = validator.terminology();
    let mut missing = Vec::new();
    for rule in labels.rules() {
        for condition in &rule.when {
            if let Condition::ValueSet(url) = condition
                && terminology.value_set(url, "").is_none()
            {
                missing.push(format!("{}: line {}: the value set {url} is not loaded", file.display(), rule.line));
            }
        }
    }
    if !missing.is_empty() {
        return Err(Fault::new(missing.join("\n"))
            .fix("handrail package add FILE.tgz adds the package that has it; --data DIR lets it count here"));
    }
    let sets = rest::Sets(terminology);
    let style = Style::of_stdout();
    for path in resources {
        let bytes = std::fs::read(path).map_err(|why| Fault::at(path.display(), why))?;
        let tree = Tree::parse(bytes).map_err(|why| Fault::at(path.display(), why))?;
        let kind = tree.resource_type().and_then(|name| ResourceType::parse(&name).ok());
        let kind = kind.ok_or_else(|| Fault::at(path.display(), "this is no resource of R4"))?;
        let due = policy::label::rules::due(labels.rules(), kind, tree.root(), &sets);
        let codes: Vec<&str> = due.iter().map(|due| due.label.code.as_str()).collect();
        let codes = if codes.is_empty() { "no label".to_owned() } else { codes.join(", ") };
        print::result(format_args!("{}: {}", path.display(), style.strong(codes)));
    }
    print::result(format_args!("OK: {}", many(count(labels.rules().len()), "rule")));
    Ok(ExitCode::SUCCESS)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What all parts came to.
#[derive(Default)]
struct Report {
    /// By type: looked at, changed.
    kinds: BTreeMap<String, (u64, u64)>,
    added: BTreeMap<String, u64>,
    removed: BTreeMap<String, u64>,
    refused: Vec<(String, String)>,
}

impl Report {
    fn take(&mut self, part: Relabelled) -> Option<String> {
        let (looked, changed) = self.kinds.entry(part.kind).or_default();
        *looked += part.looked;
        *changed += part.changed;
        for (label, number) in part.added {
            *self.added.entry(label).or_default() += number;
        }
        for (label, number) in part.removed {
            *self.removed.entry(label).or_default() += number;
        }
        self.refused.extend(part.refused);
        part.next
    }

    fn show(&self, only_look: bool) {
        for (kind, (looked, changed)) in self.kinds.iter().filter(|(_, (looked, _))| *looked > 0) {
            print::result(format_args!("{kind:<28} {looked:>9} looked at {changed:>9} changed"));
        }
        for (what, labels) in [("added", &self.added), ("taken away", &self.removed)] {
            for (label, number) in labels {
                print::result(format_args!("{what:<11} {label:<28} {number:>9}"));
            }
        }
        for (name, why) in &self.refused {
            print::result(format_args!("not changed: {name}: {why}"));
        }
        if only_look {
            print::result("nothing was written");
        }
    }
}

async fn apply(directory: &Path, only_look: bool, at_rest: &AtRest) -> Result<ExitCode, Fault> {
    let mut report = Report::default();
    let mut after = None;
    let order = |after: Option<String>| Order::ApplyLabels { after, only_look };
    if control::is_served(directory).await {
        let told = |why| Fault::at("the server on this data directory does not answer", why);
        if let Some(Reply::Refused(why)) = control::ask(directory, &Order::ReloadPolicy).await.map_err(told)? {
            return Err(Fault::new(why));
        }
        loop {
            match control::ask(directory, &order(after)).await.map_err(told)? {
                Some(Reply::LabelsApplied(part)) => after = report.take(part),
                Some(reply) => return Err(data::unexpected(reply)),
                None => return Err(Fault::at(directory.display(), "the server was stopped; begin again")),
            }
            if after.is_none() {
                break;
            }
        }
    } else {
        let config = at_rest.read()?;
        let open = assembly::open(directory, BaseUrl::AsItWas, false, &config.validation, Arc::new(NoFetch))?;
        Keeper::at_rest(&open, config.household.clone())?;
        let hands = open.hands();
        loop {
            match control::perform(&hands, order(after)) {
                Reply::LabelsApplied(part) => after = report.take(part),
                reply => return Err(data::unexpected(reply)),
            }
            if after.is_none() {
                break;
            }
        }
    }
    report.show(only_look);
    Ok(if report.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
