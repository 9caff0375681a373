//! `handrail policy`: the operator's rules on who may see what: checked, tested, read again. `docs/policy.md`.

use super::{
    data,
    remote::{Reach, Remote},
};
use crate::{
    clock,
    control::{self, Order, Reply, WantedView},
    fault::Fault,
    household,
    print::{self, Style, many},
};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use policy::{
    House,
    rules::{Failed, Rules},
};
use serde_json::{Value, json};
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
  handrail policy explain Observation/1 --user dora --server URL --token \"$TOKEN\"

Every scope, relation, rule, consent and label with its part in the decision. Works on a running
server; on a directory at rest no rules of 'policy.file' are in force. The question is recorded in
the audit log. --as takes the words of a test of rules (docs/policy.md); it is also how the view of
an organization that comes by UDAP is asked for. With --server the server is asked, with the token of
whoever may know.")]
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
        #[arg(long, value_name = "DIR", required_unless_present = "server")]
        data: Option<PathBuf>,
        #[command(flatten)]
        remote: Elsewhere,
    },
    /// Say what would change for whom if these rules took the place of those in force
    #[command(after_help = "Example:
  handrail policy try rules.policy --data ./data

Every account, every system, and each organization that rules name is tried on the data of this
moment, by the functions that decide: how many resources of which type they would gain (+) and lose
(-), with some of their ids. Nothing is written; the question is recorded in the audit log. On a
directory at rest the last version of the rules counts as the one in force.")]
    Try {
        /// File of rules
        file: PathBuf,
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Propose rules for a second administrator to approve
    #[command(after_help = "Examples:
  handrail policy propose rules.policy --note 'the fall registry joins' --server URL --token \"$TOKEN\"
  handrail policy propose --version HASH --note 'back to that of May' --server URL --token \"$TOKEN\"

Where 'policy.four_eyes' is set. The token is an administrator's, of an app with the scope
user/Library.c, who signed in within the last five minutes. The tests beside the rules are run first.
What is printed: the hash that is to be approved, whom it concerns, and which types.")]
    Propose {
        /// File of rules
        #[arg(required_unless_present = "version", conflicts_with = "version")]
        file: Option<PathBuf>,
        /// The rules of an earlier version, by its hash
        #[arg(long, value_name = "HASH")]
        version: Option<String>,
        /// What the change is for
        #[arg(long, value_name = "TEXT")]
        note: String,
        #[command(flatten)]
        remote: There,
    },
    /// Approve what another administrator proposed
    #[command(after_help = "Example:
  handrail policy approve HASH --server URL --token \"$TOKEN\"

Look at it first: 'handrail policy show HASH'. It counts with the next request. The token is of an app
with the scope user/Library.u. Nobody approves what they proposed themselves.")]
    Approve {
        /// SHA-256 of the text, as 'propose' printed it
        hash: String,
        #[command(flatten)]
        remote: There,
    },
    /// End a proposal
    Withdraw {
        /// SHA-256 of the text
        hash: String,
        #[command(flatten)]
        remote: There,
    },
    /// List proposals and versions: who proposed, who approved, when
    #[command(after_help = "Examples:
  handrail policy history --data ./data
  handrail policy history --server URL --token \"$TOKEN\"")]
    History {
        /// Data directory
        #[arg(long, value_name = "DIR", required_unless_present = "server")]
        data: Option<PathBuf>,
        #[command(flatten)]
        remote: Elsewhere,
    },
    /// Show the text of a proposal or version
    Show {
        /// SHA-256 of the text
        hash: String,
        /// Data directory
        #[arg(long, value_name = "DIR", required_unless_present = "server")]
        data: Option<PathBuf>,
        #[command(flatten)]
        remote: Elsewhere,
    },
    /// Tell what rules in shadow would have decided otherwise of real requests
    #[command(after_help = "Example:
  handrail policy shadow --data ./data --last 50

The setting 'policy.shadow' names a file of rules that rule nobody. Each request that the server
answers is decided by them as well, after it was answered: how many would have been refused, would
have had resources withheld, would have been given, or may have found more, by rule; and the last
requests, with who asked and ids of resources. The question is recorded in the audit log.")]
    Shadow {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// How many requests to list
        #[arg(long, value_name = "COUNT", default_value_t = 20)]
        last: usize,
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

/// A server, where no data directory is named.
#[derive(Debug, Args)]
struct Elsewhere {
    /// FHIR base URL of a server to ask instead
    #[arg(long, value_name = "URL", conflicts_with = "data", requires = "token")]
    server: Option<String>,
    /// Access token for it
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true, requires = "server")]
    token: Option<String>,
    #[command(flatten)]
    reach: Reach,
}

/// A server.
#[derive(Debug, Args)]
struct There {
    /// FHIR base URL of the server
    #[arg(long, value_name = "URL")]
    server: String,
    /// Access token of an administrator
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    token: String,
    #[command(flatten)]
    reach: Reach,
}

impl There {
    async fn post(&self, operation: &str, parameters: &[(&str, &str)]) -> Result<Value, Fault> {
        let parameters: Vec<Value> =
            parameters.iter().map(|(name, value)| json!({ "name": name, "valueString": value })).collect();
        let body = json!({ "resourceType": "Parameters", "parameter": parameters }).to_string();
        let mut remote = Remote::new(&self.server, &self.reach)?;
        let path = format!("/Library/${operation}");
        answered(&remote.post(&path, "application/fhir+json", Some(&self.token), Bytes::from(body)).await?)
    }
}

impl Elsewhere {
    /// Asks the server, when one is named.
    async fn get(&self, path: &str) -> Result<Option<Value>, Fault> {
        let (Some(server), Some(token)) = (&self.server, &self.token) else { return Ok(None) };
        let mut remote = Remote::new(server, &self.reach)?;
        answered(&remote.get_as(path, token).await?).map(Some)
    }
}

/// The document of an answer, or in its own words why there is none.
fn answered(answer: &Response<Bytes>) -> Result<Value, Fault> {
    let document: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if answer.status().is_success() {
        return Ok(document);
    }
    let issues = document.get("issue").and_then(Value::as_array).into_iter().flatten();
    let said: Vec<&str> = issues.filter_map(|issue| issue.get("diagnostics")?.as_str()).collect();
    let said = if said.is_empty() { "no reason given".to_owned() } else { said.join("\n") };
    let fault = Fault::new(format_args!("the server refused ({}): {said}", answer.status().as_u16()));
    let challenge = answer.headers().get(http::header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    if challenge.is_some_and(|challenge| challenge.contains("insufficient_user_authentication")) {
        return Err(fault.fix("sign in again and get a new token"));
    }
    Err(fault)
}

/// The value of the first part of a name.
fn value<'v>(parts: Option<&'v Value>, name: &str) -> Option<&'v Value> {
    let parts = parts?.as_array()?;
    let part = parts.iter().find(|part| part.get("name").and_then(Value::as_str) == Some(name))?;
    part.as_object()?.iter().find(|(key, _)| key.starts_with("value") || *key == "part").map(|(_, value)| value)
}

fn string<'v>(parts: Option<&'v Value>, name: &str) -> &'v str {
    value(parts, name).and_then(Value::as_str).unwrap_or_default()
}

/// Proposals and versions of an answer, to be read.
fn listed(document: &Value) -> String {
    let mut lines = Vec::new();
    let all = document.get("parameter").and_then(Value::as_array).into_iter().flatten();
    for one in all {
        let parts = one.get("part");
        let by = |name: &str| {
            let signed = value(parts, name);
            signed.map(|_| format!("  {name} by {} at {}", string(signed, "name"), string(signed, "at")))
        };
        let signed: String = ["proposed", "approved"].iter().filter_map(|name| by(name)).collect();
        let hash = string(parts, "hash");
        match one.get("name").and_then(Value::as_str) {
            Some("proposal") => lines.push(format!("waits      {hash}{signed}, until {}", string(parts, "ends"))),
            Some("version") => {
                let number = value(parts, "number").and_then(Value::as_u64).unwrap_or_default();
                let signed = if signed.is_empty() { "  read of the operator's file".to_owned() } else { signed };
                lines.push(format!("version {number:<5} {hash}  since {}{signed}", string(parts, "since")));
            }
            _ => continue,
        }
        if !string(parts, "note").is_empty() {
            lines.push(format!("           {}", string(parts, "note")));
        }
    }
    if lines.is_empty() { "there is no version yet".into() } else { lines.join("\n") }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Prints what the operator is told of a data directory.
async fn told(directory: Option<PathBuf>, order: Order) -> Result<ExitCode, Fault> {
    let directory = directory.ok_or_else(|| Fault::new("give --data DIR or --server URL"))?;
    match data::carry_out(data::existing(&directory)?, order).await? {
        Reply::Explained(text) => {
            print::result(text.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}

impl Policy {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Check { file } => check(&file),
            Action::Test { file } => test(&file),
            Action::Explain { resource, user, client, scope, purpose, described, need, data, remote } => {
                if remote.server.is_some() {
                    let one = [("user", user), ("client", client), ("scope", scope), ("as", described), ("need", need)];
                    let given = one.into_iter().filter_map(|(name, value)| Some((name, value?)));
                    let given = given.chain(purpose.into_iter().map(|code| ("purpose", code)));
                    let query: Vec<String> = given.map(|(name, value)| format!("{name}={}", encoded(&value))).collect();
                    let path = format!("/{resource}/$explain-access?{}", query.join("&"));
                    let document = remote.get(path.trim_end_matches('?')).await?.unwrap_or_default();
                    print::result(string(document.get("parameter"), "text").trim_end());
                    return Ok(ExitCode::SUCCESS);
                }
                let view = WantedView { need, user, client, scope, purposes: purpose, described };
                told(data, Order::ExplainAccess { resource, view }).await
            }
            Action::Try { file, data } => {
                let text = household::text(&file)?;
                told(Some(data), Order::TryPolicy { file: file.display().to_string(), text }).await
            }
            Action::Propose { file, version, note, remote } => {
                let text = file.as_deref().map(household::text).transpose()?;
                let what = match (&text, &version) {
                    (Some(text), _) => ("text", text.as_str()),
                    (None, version) => ("version", version.as_deref().unwrap_or_default()),
                };
                let document = remote.post("policy-propose", &[what, ("note", &note)]).await?;
                let parts = document.get("parameter");
                let proposal = value(parts, "proposal");
                print::result(string(parts, "effect"));
                let number = |name| value(proposal, name).and_then(Value::as_u64).unwrap_or_default();
                let (rules, tests) = (many(number("rules"), "rule"), many(number("tests"), "test"));
                print::result(format_args!(
                    "{rules}, {tests}; to be approved by another administrator until {}:",
                    string(proposal, "ends")
                ));
                print::result(string(proposal, "hash"));
                Ok(ExitCode::SUCCESS)
            }
            Action::Approve { hash, remote } => {
                let document = remote.post("policy-approve", &[("hash", &hash)]).await?;
                let version = value(document.get("parameter"), "version");
                let number = value(version, "number").and_then(Value::as_u64).unwrap_or_default();
                print::result(format_args!("version {number} is in force"));
                Ok(ExitCode::SUCCESS)
            }
            Action::Withdraw { hash, remote } => {
                remote.post("policy-withdraw", &[("hash", &hash)]).await?;
                print::result("withdrawn");
                Ok(ExitCode::SUCCESS)
            }
            Action::History { data, remote } => match remote.get("/Library/$policy-history").await? {
                Some(document) => {
                    print::result(listed(&document));
                    Ok(ExitCode::SUCCESS)
                }
                None => told(data, Order::PolicyHistory { hash: None }).await,
            },
            Action::Show { hash, data, remote } => {
                match remote.get(&format!("/Library/$policy-history?hash={}", encoded(&hash))).await? {
                    Some(document) => {
                        print::result(string(document.get("parameter"), "text").trim_end());
                        Ok(ExitCode::SUCCESS)
                    }
                    None => told(data, Order::PolicyHistory { hash: Some(hash) }).await,
                }
            }
            Action::Shadow { data, last } => told(Some(data), Order::PolicyShadow { last }).await,
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
        Some(Reply::PolicyReloaded { rules, shadow, not_taken }) => {
            let shadow = shadow.map(|count| format!(", {} in shadow", many(count, "rule"))).unwrap_or_default();
            print::result(format_args!("{} in force{shadow}", many(rules, "rule")));
            not_taken
                .map_or(Ok(ExitCode::SUCCESS), |why| Err(Fault::new(format_args!("the file was not taken: {why}"))))
        }
        Some(reply) => Err(data::unexpected(reply)),
        None => Err(Fault::at(directory.display(), "no server runs on this directory")
            .fix("a server reads the file of 'policy.file' when it starts")),
    }
}
