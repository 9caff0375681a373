//! `handrail policy`: the operator's rules on who may see what: checked, tested, read again. `docs/policy.md`.

use super::data;
use crate::{
    clock,
    control::{self, Order, Reply, WantedView},
    fault::Fault,
    household,
    print::{self, Style, many},
};
use clap::{Args, Subcommand};
use policy::{
    House,
    rules::{Failed, Rules},
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Look after the rules on who may see what.
#[derive(Debug, Args)]
pub(super) struct Policy {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check a file of rules, and read them aloud
    #[command(after_help = "Example:
  handrail policy check rules.policy

Everything that is wrong is told with its line and column and what to write instead; the exit code
is 1 then. docs/policy.md has the language and a cookbook. Search parameters that packages added are
not known here: 'handrail policy reload' asks the server.")]
    Check {
        /// File of rules
        file: PathBuf,
    },
    /// Run the tests beside the rules
    #[command(after_help = "Example:
  handrail policy test rules.policy

Runs the tests in the file itself and those in FILE.test, if that is there. Each decides in a small
world of its own, as a server with these rules would: scopes, roles and relations count too. The exit
code is 1 when an expectation does not come true.")]
    Test {
        /// File of rules
        file: PathBuf,
    },
    /// Explain why somebody may see a resource, or why not
    #[command(after_help = "Examples:
  handrail policy explain Observation/1 --user dora --data ./data
  handrail policy explain Observation/1 --client ID --scope 'system/Observation.rs' --data ./data
  handrail policy explain Observation/1 --as 'role clinician, user Practitioner/7' --data ./data

Every scope, relation, rule, consent and label with its part in the decision. Works on a running
server; on a directory at rest no rules of 'policy.file' are in force. The question is recorded in
the audit log. --as takes the words of a test of rules (docs/policy.md); it is also how the view of
an organization that comes by UDAP is asked for.")]
    Explain {
        /// The resource: Type/id
        resource: String,
        /// Whose view: id or sign-in name of an account
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// By which client
        #[arg(long, value_name = "ID")]
        client: Option<String>,
        /// With these scopes; without, all that the client or the person can have
        #[arg(long, value_name = "SCOPES")]
        scope: Option<String>,
        /// For this purpose of use
        #[arg(long, value_name = "CODE")]
        purpose: Vec<String>,
        /// Whose view, in the words of a test of rules
        #[arg(long = "as", value_name = "WORDS", conflicts_with_all = ["user", "client", "scope", "purpose"])]
        described: Option<String>,
        /// What they would do: read, search, create, update or delete
        #[arg(long, value_name = "NEED")]
        need: Option<String>,
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Have the running server read its file of rules again
    #[command(after_help = "Example:
  handrail policy reload --data ./data

The new rules count with the next request. When something is wrong with the file, the old ones stay
in force and the mistakes are printed. SIGHUP does the same, and tells the log.")]
    Reload {
        /// Data directory of the server
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

impl Policy {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Check { file } => check(&file),
            Action::Test { file } => test(&file),
            Action::Explain { resource, user, client, scope, purpose, described, need, data } => {
                let view = WantedView { need, user, client, scope, purposes: purpose, described };
                match data::carry_out(data::existing(&data)?, Order::ExplainAccess { resource, view }).await? {
                    Reply::Explained(text) => {
                        print::result(text.trim_end());
                        Ok(ExitCode::SUCCESS)
                    }
                    reply => Err(data::unexpected(reply)),
                }
            }
            Action::Reload { data } => reload(data::existing(&data)?).await,
        }
    }
}

fn check(file: &Path) -> Result<ExitCode, Fault> {
    let rules = household::rules(file, search::registry())?;
    let style = Style::of_stdout();
    for rule in rules.rules() {
        let name = format!("{} \"{}\"", rule.verb().as_str(), rule.name());
        print::result(format_args!("{}\n  {}", style.strong(name), rule.aloud()));
    }
    print::result(counted(&rules));
    Ok(ExitCode::SUCCESS)
}

fn counted(rules: &Rules) -> String {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let (rules, trials) = (number(rules.rules().len()), number(rules.trials().len()));
    format!("OK: {}, {}", many(rules, "rule"), many(trials, "test"))
}

fn test(file: &Path) -> Result<ExitCode, Fault> {
    let registry = search::registry();
    let own = Arc::new(household::rules(file, registry)?);
    let mut beside = file.as_os_str().to_owned();
    beside.push(".test");
    let beside = PathBuf::from(beside);
    let mut files = vec![(file.to_owned(), Arc::clone(&own))];
    if beside.is_file() {
        let tests = household::rules(&beside, registry)?;
        let only = Rules::default().with_trials_of(tests);
        files.push((beside.clone(), Arc::new(only.map_err(|fault| household::told(&beside, &[fault]))?)));
    }
    let mut house = House::default();
    house.rules = own;
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let load = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|why| why.to_string());
    let style = Style::of_stdout();
    let (mut tests, mut failed, mut expectations) = (0, 0, 0);
    for (file, rules) in &files {
        for trial in rules.trials() {
            tests += 1;
            let said: Vec<String> = match trial.run(registry, &house, clock::now(), &load) {
                Ok(count) => {
                    expectations += u64::try_from(count).unwrap_or(u64::MAX);
                    print::result(format_args!("ok      {}", trial.name()));
                    continue;
                }
                Err(Failed::Unfit(fault)) => vec![fault.to_string()],
                Err(Failed::Missed(missed)) => missed.iter().map(ToString::to_string).collect(),
            };
            failed += 1;
            print::result(style.strong(format_args!("FAILED  {}", trial.name())));
            for line in said {
                print::result(format_args!("        {}:{line}", file.display()));
            }
        }
    }
    if tests == 0 {
        return Err(Fault::at(file.display(), "there is no test in it, nor in FILE.test")
            .fix("docs/policy.md shows how a test is written"));
    }
    let passed = format!("{}, {}", many(tests, "test"), many(expectations, "expectation"));
    if failed == 0 {
        print::result(format_args!("OK: {passed}, all as expected"));
        return Ok(ExitCode::SUCCESS);
    }
    print::result(style.strong(format_args!("{} of {} failed", failed, many(tests, "test"))));
    Ok(ExitCode::FAILURE)
}

async fn reload(directory: &Path) -> Result<ExitCode, Fault> {
    let asked = control::ask(directory, &Order::ReloadPolicy).await;
    let asked = asked.map_err(|why| Fault::at("the server on this data directory does not answer", why))?;
    match asked {
        Some(Reply::PolicyReloaded { rules }) => {
            print::result(format_args!("{} in force", many(rules, "rule")));
            Ok(ExitCode::SUCCESS)
        }
        Some(reply) => Err(data::unexpected(reply)),
        None => Err(Fault::at(directory.display(), "no server runs on this directory")
            .fix("a server reads the file of 'policy.file' when it starts")),
    }
}
