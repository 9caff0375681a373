//! The control socket of a running server, `DIR/control.sock`: one JSON line each way.
//!
//! Only the owner of the data directory may connect (directory 0700, socket 0600): who can open it
//! could open the store as well. Orders are carried out by the same code whether they come from
//! here or from a command that holds the directory itself ([`perform`]).

mod client;
mod udap;

pub(crate) use client::{ListedInvitation, Proof, Registered, Shown, Wanted, WantedInvitation};
pub(crate) use udap::{ListedCommunity, ListedPartner, WantedCommunity, standing};

use crate::{
    assembly::{self, Assembly},
    clock,
    glasses::Waiting,
    household::{self, Keeper, ledger::Ledger, shadow::Shelf},
    library::Library,
    limits, users,
};
use oauth::Caller;
use oauth::caller::Standing;
use rest::council::CouncilError;
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

/// What a command asks of the server.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Order {
    /// Register a client.
    AddClient {
        /// What it is.
        client: Box<Wanted>,
    },
    /// List the clients.
    ListClients,
    /// Make new signing keys.
    RotateKeys,
    /// Take a backup: it follows the reply, to the end of the stream.
    Backup,
    /// Remove a client.
    RemoveClient {
        /// Its id.
        id: String,
    },
    /// Disable a client, or let it work again.
    SetClientDisabled {
        /// Its id.
        id: String,
        /// Which.
        disabled: bool,
    },
    /// Say what an app can be opened for.
    SetClientIntents {
        /// Its id.
        id: String,
        /// `WORD` or `WORD=NAME` each; none: nothing in particular.
        intents: Vec<String>,
    },
    /// Say how a system stands to the records.
    SetClientStanding {
        /// Its id.
        id: String,
        /// `ordinary`, `custodian`, `deidentified`.
        standing: String,
    },
    /// Say what a system may act for.
    SetClientPurposes {
        /// Its id.
        id: String,
        /// Codes of v3-ActReason; none: treatment.
        purposes: Vec<String>,
    },
    /// Make another secret for a client.
    NewClientSecret {
        /// Its id.
        id: String,
    },
    /// End all secrets of a client but the newest.
    RetireClientSecrets {
        /// Its id.
        id: String,
    },
    /// Make an initial access token.
    InviteClient {
        /// What it allows.
        invitation: WantedInvitation,
    },
    /// List the initial access tokens that still work.
    ListClientInvitations,
    /// End one.
    WithdrawClientInvitation {
        /// Its name.
        name: String,
    },
    /// Take a package in that a command has staged.
    AddPackage {
        /// Name of its folder.
        staged: String,
    },
    /// List the packages.
    ListPackages,
    /// Remove a package.
    RemovePackage {
        /// `NAME` or `NAME#VERSION`.
        name: String,
    },
    /// Make an account.
    AddUser {
        /// What the person types to sign in.
        user: String,
        /// Name for people.
        name: String,
        /// What they are: `patient`, `privacy-officer`, …
        role: String,
        /// The resources that stand for them, as `Type/id`.
        bound_to: Vec<String>,
        /// Whether they have the right to break the glass.
        #[serde(default)]
        may_break_glass: bool,
    },
    /// Give a clinician the right to break the glass, or take it.
    SetUserBreakGlass {
        /// User name or id.
        user: String,
        /// Which.
        may: bool,
    },
    /// Invite somebody anew.
    InviteUser {
        /// User name or id.
        user: String,
    },
    /// List the accounts.
    ListUsers,
    /// Say how many cases of broken glasses wait for a verdict.
    CountGlassCases,
    /// Disable an account, or let it be used again.
    SetUserDisabled {
        /// User name or id.
        user: String,
        /// Which of the two.
        disabled: bool,
    },
    /// Bind a subject of an outside OpenID provider to an account.
    BindUser {
        /// User name or id.
        user: String,
        /// The provider's issuer.
        issuer: String,
        /// `sub` there.
        subject: String,
    },
    /// Take all such subjects from an account.
    UnbindUser {
        /// User name or id.
        user: String,
    },
    /// Make this server a member of a trust community.
    PutCommunity {
        /// What it is.
        community: Box<WantedCommunity>,
        /// Change the one of its URI.
        replace: bool,
    },
    /// List the trust communities.
    ListCommunities,
    /// Leave a trust community.
    RemoveCommunity {
        /// Its URI.
        uri: String,
    },
    /// List who joined by a trust community.
    ListPartners,
    /// Let in somebody who joined and waits.
    ApprovePartner {
        /// Client id.
        id: String,
    },
    /// Cancel what somebody registered who joined.
    CancelPartner {
        /// Client id.
        id: String,
    },
    /// Explain who may see a resource.
    ExplainAccess {
        /// `Type/id`.
        resource: String,
        /// Whose view, and for what.
        view: WantedView,
    },
    /// Read the files of the policy again.
    ReloadPolicy,
    /// Say what other rules would change.
    TryPolicy {
        /// Name of their file, for what is wrong with them.
        file: String,
        /// Their text.
        text: String,
    },
    /// Tell the versions of the rules, or the text of one.
    PolicyHistory {
        /// SHA-256 of a text; `None`: the list.
        hash: Option<String>,
    },
    /// Tell what rules in shadow would have decided otherwise.
    PolicyShadow {
        /// How many requests, the last ones.
        last: usize,
    },
    /// Label anew what is stored, a part at a time.
    ApplyLabels {
        /// Where the part before ended; `None`: begin.
        after: Option<String>,
        /// Only say what would change.
        only_look: bool,
    },
    /// Explain a search.
    Explain {
        /// `Type?parameters`.
        search: String,
        /// As a client with these scopes would search; else as the operator.
        scope: Option<String>,
    },
}

/// What the server answers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply {
    /// The client's id, and its new secret when it has one.
    Added {
        /// `client_id`.
        id: String,
        /// To be shown once.
        secret: Option<Shown>,
    },
    /// All clients.
    Clients(Vec<Registered>),
    /// The initial access token: to be shown once.
    ClientInvited(Shown),
    /// All initial access tokens that still work.
    ClientInvitations(Vec<ListedInvitation>),
    /// It is gone.
    Removed,
    /// It is as asked for.
    Done,
    /// It follows.
    Backup,
    /// What became of the package.
    PackageAdded(PackageAdded),
    /// All packages.
    Packages(Vec<ListedPackage>),
    /// The id of the package that is gone.
    PackageRemoved(String),
    /// The account is there.
    UserAdded {
        /// Its id.
        id: String,
        /// What its person takes it up with.
        link: Link,
    },
    /// There is a new invitation.
    UserInvited {
        /// As for `UserAdded`.
        link: Link,
    },
    /// All accounts.
    Users(Vec<ListedUser>),
    /// Cases of broken glasses.
    GlassCases {
        /// Those that wait for a verdict.
        waiting: usize,
        /// Those that wait for longer than they should.
        late: usize,
    },
    /// The account was changed.
    UserChanged,
    /// The community is as asked for.
    CommunityPut {
        /// When the first certificate ends.
        ends: String,
    },
    /// All trust communities.
    Communities(Vec<ListedCommunity>),
    /// Everybody who joined by a trust community.
    Partners(Vec<ListedPartner>),
    /// The policy was read.
    PolicyReloaded {
        /// Rules in force.
        rules: u64,
        /// Rules in shadow; `None`: there is no file of them.
        #[serde(default)]
        shadow: Option<u64>,
        /// Why the file of rules was not taken, where it was not.
        not_taken: Option<String>,
    },
    /// A part was labelled.
    LabelsApplied(Relabelled),
    /// Lines for people.
    Explained(String),
    /// Not done, and why.
    Refused(String),
}

/// The link of an invitation: a secret, shown once. Its `Debug` does not tell it.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Link(pub(crate) String);

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// An account, as a list shows it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedUser {
    /// The account's id, `sub`.
    pub(crate) id: String,
    /// What the person types to sign in.
    pub(crate) login: String,
    /// Name for people.
    pub(crate) name: String,
    /// What they are.
    pub(crate) role: String,
    /// `invited`, `active` or `disabled`.
    pub(crate) state: String,
    /// The resource that stands for them.
    pub(crate) fhir_user: Option<String>,
    /// Ids of the patients that they are bound to.
    pub(crate) patients: Vec<String>,
    /// Whether they may break the glass.
    pub(crate) may_break_glass: bool,
    /// When it was made.
    pub(crate) created: String,
}

/// A package that was added.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackageAdded {
    /// `NAME#VERSION`.
    pub(crate) id: String,
    /// False when it was there already.
    pub(crate) is_new: bool,
    /// Profiles and extensions.
    pub(crate) profiles: u64,
    /// Value sets.
    pub(crate) value_sets: u64,
    /// Code systems.
    pub(crate) code_systems: u64,
    /// Concept maps.
    pub(crate) concept_maps: u64,
    /// Packages that it depends on and that are there.
    pub(crate) loaded: Vec<String>,
    /// Those that are not.
    pub(crate) missing: Vec<String>,
    /// Search parameters that are indexed for it.
    pub(crate) parameters: u64,
    /// URL of those that are not, and why.
    pub(crate) left: Vec<(String, String)>,
}

/// A package, as a list shows it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedPackage {
    /// `NAME#VERSION`.
    pub(crate) id: String,
    /// Else it is compiled in.
    pub(crate) is_added: bool,
    /// Its search parameters that are indexed, or are to be.
    pub(crate) parameters: Vec<ListedParameter>,
}

/// A search parameter, as a list shows it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedParameter {
    /// Name in the query string.
    pub(crate) code: String,
    /// Types it searches.
    pub(crate) types: Vec<String>,
    /// `indexing`, `ready` or `removing`.
    pub(crate) state: String,
    /// About how much of the work is done.
    pub(crate) percent: Option<u8>,
    /// Versions looked at.
    pub(crate) done: u64,
}

/// Whose view of a resource a command asks for.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedView {
    /// `read`, `search`, …; `None`: read.
    pub(crate) need: Option<String>,
    /// Id or sign-in name of an account.
    pub(crate) user: Option<String>,
    /// Id of a client.
    pub(crate) client: Option<String>,
    /// Scopes.
    pub(crate) scope: Option<String>,
    /// Purposes of use.
    pub(crate) purposes: Vec<String>,
    /// In the words of a test of rules.
    pub(crate) described: Option<String>,
}

/// What orders are carried out with.
#[derive(Clone)]
pub(crate) struct Hands {
    pub(crate) library: Arc<Library>,
    pub(crate) authserver: Arc<authserver::Service>,
    pub(crate) rest: Arc<rest::Service>,
    pub(crate) store: Arc<store::Store>,
    /// Of a running server.
    pub(crate) household: Option<Arc<Keeper>>,
}

/// Carries out an order.
pub(crate) fn perform(hands: &Hands, order: Order) -> Reply {
    let authserver = hands.authserver.as_ref();
    match order {
        Order::AddPackage { staged } => hands.library.add(&staged).map_or_else(Reply::Refused, Reply::PackageAdded),
        Order::ListPackages => Reply::Packages(hands.library.list()),
        Order::RemovePackage { name } => hands.library.remove(&name).map_or_else(Reply::Refused, Reply::PackageRemoved),
        Order::AddUser { user, name, role, bound_to, may_break_glass } => {
            users::add(hands, users::Wanted { login: user, name, role, bound_to, may_break_glass })
        }
        Order::SetUserBreakGlass { user, may } => users::set_break_glass(hands, &user, may),
        Order::InviteUser { user } => users::invite(hands, &user),
        Order::ListUsers => users::list(hands),
        Order::CountGlassCases => {
            let Waiting { cases, late, .. } = Waiting::of(authserver, clock::now());
            Reply::GlassCases { waiting: cases, late }
        }
        Order::SetUserDisabled { user, disabled } => users::set_disabled(hands, &user, disabled),
        Order::BindUser { user, issuer, subject } => users::bind(hands, &user, &issuer, &subject),
        Order::UnbindUser { user } => users::unbind(hands, &user),
        Order::PutCommunity { community, replace } => udap::put(authserver, *community, replace),
        Order::ListCommunities => udap::communities(authserver),
        Order::RemoveCommunity { uri } => udap::remove(authserver, &uri),
        Order::ListPartners => udap::partners(authserver),
        Order::ApprovePartner { id } => client::done(authserver.approve_udap(&id)),
        Order::CancelPartner { id } => client::done(authserver.cancel_udap(&id)),
        Order::ExplainAccess { resource, view } => explain_access(&hands.rest, &resource, &view),
        Order::ReloadPolicy => reload(hands),
        Order::TryPolicy { file, text } => try_policy(hands, &file, &text),
        Order::PolicyHistory { hash } => policy_history(hands, hash.as_deref()),
        Order::PolicyShadow { last } => policy_shadow(hands, last),
        Order::ApplyLabels { after, only_look } => apply_labels(hands, after.as_deref(), only_look),
        Order::Explain { search, scope } => explain(&hands.rest, &search, scope.as_deref()),
        Order::AddClient { client } => client::add(authserver, *client),
        Order::ListClients => client::list(authserver),
        Order::RotateKeys => client::done(authserver.rotate_keys()),
        // Carried out by whoever holds the stream that it goes to: `exchange`, `command::backup`.
        Order::Backup => Reply::Refused("a backup needs a stream".into()),
        Order::RemoveClient { id } => match client::done(authserver.remove_client(&id)) {
            Reply::Done => Reply::Removed,
            refused => refused,
        },
        Order::SetClientDisabled { id, disabled } => client::done(authserver.set_client_disabled(&id, disabled)),
        Order::SetClientIntents { id, intents } => client::done(authserver.set_client_intents(&id, &intents)),
        Order::SetClientStanding { id, standing } => match Standing::parse(&standing) {
            Some(standing) => client::done(authserver.set_client_standing(&id, standing)),
            None => client::no_standing(&standing),
        },
        Order::SetClientPurposes { id, purposes } => client::done(authserver.set_client_purposes(&id, &purposes)),
        Order::NewClientSecret { id } => client::new_secret(authserver, id),
        Order::InviteClient { invitation } => client::invite(authserver, invitation),
        Order::ListClientInvitations => client::invitations(authserver),
        Order::WithdrawClientInvitation { name } => match authserver.withdraw_client_invitation(&name) {
            Err(authserver::ClientError::NotFound) => Reply::Refused("no initial access token of this name".into()),
            outcome => client::done(outcome),
        },
        Order::RetireClientSecrets { id } => client::done(authserver.retire_client_secrets(&id)),
    }
}

fn explain_access(rest: &rest::Service, resource: &str, view: &WantedView) -> Reply {
    let here = rest::wire::Accepted::new(std::net::Ipv4Addr::LOCALHOST.into());
    let named = rest::View {
        user: view.user.as_deref(),
        client: view.client.as_deref(),
        scope: view.scope.as_deref(),
        purposes: view.purposes.iter().map(String::as_str).collect(),
        described: view.described.as_deref(),
    };
    let explained = rest.explain_access(here, "handrail policy explain", resource, view.need.as_deref(), &named);
    explained.map_or_else(Reply::Refused, Reply::Explained)
}

fn reload(hands: &Hands) -> Reply {
    let Some(household) = &hands.household else { return Reply::Refused("no server runs".into()) };
    match household.look(&hands.rest) {
        Ok(read) => {
            let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
            let (rules, shadow) = (number(read.rules), read.shadow.map(number));
            Reply::PolicyReloaded { rules, shadow, not_taken: read.not_taken }
        }
        Err(fault) => Reply::Refused(format!("{}\nwhat was in force stays in force", fault.into_parts().0)),
    }
}

fn try_policy(hands: &Hands, file: &str, text: &str) -> Reply {
    let registry = hands.store.registry();
    let rules = match policy::Rules::read(text, &registry) {
        Ok(rules) => Arc::new(rules),
        Err(faults) => return Reply::Refused(household::told(Path::new(file), &faults).into_parts().0),
    };
    // On a directory at rest the rules of the last version are those that it would be served with.
    if hands.household.is_none() {
        let last = Ledger::open(&hands.store).map_err(|why| why.to_string()).and_then(|ledger| {
            let told = |why: CouncilError| household::told_of(&why);
            let version = ledger.in_force().map_err(told)?;
            version.map(|version| ledger.text(&version.hash).map_err(told)).transpose()
        });
        let last = match last {
            Ok(text) => text.flatten().unwrap_or_default(),
            Err(why) => return Reply::Refused(why),
        };
        let in_force = match policy::Rules::read(&last, &registry) {
            Ok(rules) => rules,
            Err(faults) => {
                return Reply::Refused(household::told(Path::new(household::IN_FORCE), &faults).into_parts().0);
            }
        };
        let mut house = policy::House::clone(&hands.store.house());
        house.rules = Arc::new(in_force);
        hands.store.set_house(house);
    }
    let here = rest::wire::Accepted::new(std::net::Ipv4Addr::LOCALHOST.into());
    let run = hands.rest.try_rules(&here, "handrail policy try", rules);
    run.map_or_else(Reply::Refused, |run| Reply::Explained(run.text()))
}

fn policy_shadow(hands: &Hands, last: usize) -> Reply {
    // Who asked for what is told: that is on record, like any look at the log.
    if let Err(fault) = assembly::record(&hands.store, "policy-shadow") {
        return Reply::Refused(fault.into_parts().0);
    }
    let text = match &hands.household {
        Some(household) => {
            household.look_at_shadow(&hands.rest, limits::SHADOW_TIME_ASKED);
            Ok(household.shadow_text(last))
        }
        None => {
            Shelf::open(&hands.store).and_then(|shelf| shelf.found()).map(|found| found.map(|found| found.text(last)))
        }
    };
    match text {
        Ok(Some(text)) => Reply::Explained(text),
        Ok(None) => Reply::Refused(
            "no rules are in shadow: name their file in the setting 'policy.shadow' (docs/policy.md)".into(),
        ),
        Err(fault) => Reply::Refused(fault.into_parts().0),
    }
}

fn policy_history(hands: &Hands, hash: Option<&str>) -> Reply {
    let told = |why: CouncilError| Reply::Refused(household::told_of(&why));
    let ledger = match Ledger::open(&hands.store) {
        Ok(ledger) => ledger,
        Err(why) => return Reply::Refused(why.to_string()),
    };
    match hash {
        Some(hash) => match ledger.text(hash) {
            Ok(Some(text)) => Reply::Explained(text),
            Ok(None) => told(CouncilError::Unknown),
            Err(why) => told(why),
        },
        // Whether two are needed, a server knows by its settings.
        None => match household::council::told(&ledger, hands.household.as_ref().is_some_and(|own| own.four_eyes())) {
            Ok(ledger) => Reply::Explained(listed(&ledger)),
            Err(why) => told(why),
        },
    }
}

/// What waits and what was, to be read.
fn listed(ledger: &rest::council::Ledger) -> String {
    use std::fmt::Write;
    let by =
        |what: &str, signature: &rest::council::Signature| format!("{what} by {} at {}", signature.name, signature.at);
    let mut out = String::new();
    for waiting in &ledger.waiting {
        let _ = writeln!(out, "waits      {}  {}, until {}", waiting.hash, by("proposed", &waiting.by), waiting.ends);
        let _ = writeln!(out, "           {}", waiting.note);
    }
    for (at, version) in ledger.versions.iter().enumerate() {
        let state = if at == 0 { "in force" } else { "" };
        let signatures = [("proposed", &version.proposed), ("approved", &version.approved)];
        let signed: Vec<String> =
            signatures.iter().filter_map(|(what, one)| one.as_ref().map(|one| by(what, one))).collect();
        let how = if signed.is_empty() { "read of the operator's file".to_owned() } else { signed.join(", ") };
        let _ =
            writeln!(out, "version {:<5} {}  since {}  {how}  {state}", version.number, version.hash, version.since);
        if !version.note.is_empty() {
            let _ = writeln!(out, "           {}", version.note);
        }
    }
    if out.is_empty() {
        out.push_str("there is no version yet");
    }
    out
}

/// A part of the labelling of what is stored, as [`rest::Relabelled`] has it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Relabelled {
    pub(crate) kind: String,
    pub(crate) looked: u64,
    pub(crate) changed: u64,
    pub(crate) added: Vec<(String, u64)>,
    pub(crate) removed: Vec<(String, u64)>,
    pub(crate) refused: Vec<(String, String)>,
    pub(crate) next: Option<String>,
}

fn apply_labels(hands: &Hands, after: Option<&str>, only_look: bool) -> Reply {
    let caller = Caller::operator("handrail labels apply");
    let here = rest::wire::Accepted::new(std::net::Ipv4Addr::LOCALHOST.into());
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return Reply::Refused("no runtime".into()) };
    // WHY: orders are carried out where waiting is allowed, by a server, and where it is not, by a command.
    let done = std::thread::scope(|scope| {
        scope.spawn(|| runtime.block_on(hands.rest.relabel(&here, &caller, after, only_look))).join()
    });
    match done {
        Ok(Ok(part)) => Reply::LabelsApplied(Relabelled {
            kind: part.kind,
            looked: part.looked,
            changed: part.changed,
            added: part.added.into_iter().collect(),
            removed: part.removed.into_iter().collect(),
            refused: part.refused,
            next: part.next,
        }),
        Ok(Err(why)) => Reply::Refused(why),
        Err(_) => Reply::Refused("the server failed; its log has more".into()),
    }
}

fn explain(rest: &rest::Service, search: &str, scope: Option<&str>) -> Reply {
    const COMMAND: &str = "handrail explain";
    let caller = match scope {
        None => Caller::operator(COMMAND),
        Some(scope) => match Caller::operator_within(COMMAND, scope) {
            Ok(caller) => caller,
            Err(why) => return Reply::Refused(format!("--scope: {why}")),
        },
    };
    let here = rest::wire::Accepted::new(std::net::Ipv4Addr::LOCALHOST.into());
    match rest.explain(here, &caller, search) {
        Ok(text) => Reply::Explained(text),
        Err(why) => Reply::Refused(why),
    }
}

/// The server's end. Dropping it removes the socket.
pub(crate) struct Control {
    path: PathBuf,
}

impl Control {
    /// Listens. The caller holds the store's lock, so a socket that lies there is a dead server's.
    ///
    /// # Errors
    /// Whatever the operating system says.
    pub(crate) fn listen(directory: &Path, assembly: &Assembly, household: Arc<Keeper>) -> io::Result<Self> {
        let path = directory.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let short = ShortPath::new(directory)?;
        let listener = UnixListener::bind(&short.path)?;
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        let hands = Hands { household: Some(household), ..assembly.hands() };
        let served = Served { hands, store: Arc::clone(&assembly.store), directory: directory.to_owned() };
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(exchange(stream, served.clone()))),
                    Err(why) => {
                        tracing::warn!(%why, "the control socket failed");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                }
            }
        });
        Ok(Self { path })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

const SOCKET: &str = "control.sock";

/// What the socket serves.
#[derive(Clone)]
struct Served {
    hands: Hands,
    store: Arc<store::Store>,
    directory: PathBuf,
}

async fn exchange(mut stream: UnixStream, served: Served) -> io::Result<()> {
    let Ok(line) = timeout(limits::CONTROL, first_line(&mut stream)).await else { return Ok(()) };
    let hands = served.hands;
    let reply = match serde_json::from_str(&line?) {
        Ok(Order::Backup) => {
            // A backup takes as long as it takes; what bounds it is a reader that takes nothing.
            let stream = stream.into_std()?;
            return tokio::task::spawn_blocking(move || backup(stream, &served.store, &served.directory)).await?;
        }
        // Registering waits for the disk.
        Ok(order) => tokio::task::spawn_blocking(move || perform(&hands, order)).await?,
        Err(why) => Reply::Refused(format!("not an order that this server knows: {why}")),
    };
    timeout(limits::CONTROL, stream.write_all(&line_of(&reply)?)).await.unwrap_or(Ok(()))
}

async fn first_line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = String::new();
    let bytes_max = u64::try_from(limits::CONTROL_BYTES_MAX).unwrap_or(u64::MAX);
    BufReader::new(stream.take(bytes_max)).read_line(&mut line).await?;
    Ok(line)
}

fn line_of(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

fn backup(stream: std::os::unix::net::UnixStream, store: &store::Store, directory: &Path) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(limits::STALL))?;
    let mut out = std::io::BufWriter::with_capacity(256 * 1024, stream);
    io::Write::write_all(&mut out, &line_of(&Reply::Backup)?)?;
    match assembly::back_up(directory, store, &mut out) {
        Ok(_) => tracing::info!("a backup was taken"),
        // The stream ends before its end, and so its reader knows.
        Err(why) => tracing::error!(%why, "a backup failed"),
    }
    Ok(())
}

/// Asks the server of this directory for a backup, which is then read from the stream; `None` when no
/// server runs.
///
/// # Errors
/// When one runs and does not give it.
pub(crate) async fn ask_backup(directory: &Path) -> io::Result<Option<impl io::Read>> {
    let Some(mut stream) = connect(directory).await? else { return Ok(None) };
    stream.write_all(&line_of(&Order::Backup)?).await?;
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(limits::CONTROL))?;
    let mut stream = std::io::BufReader::with_capacity(256 * 1024, stream);
    let mut line = String::new();
    io::BufRead::read_line(&mut stream, &mut line)?;
    match serde_json::from_str(&line)? {
        Reply::Backup => Ok(Some(stream)),
        Reply::Refused(why) => Err(io::Error::other(why)),
        _ => Err(io::Error::other("the server gave another answer than asked for")),
    }
}

/// Asks the server of this directory; `None` when none runs.
///
/// # Errors
/// When one runs and the exchange fails.
pub(crate) async fn ask(directory: &Path, order: &Order) -> io::Result<Option<Reply>> {
    let Some(stream) = connect(directory).await? else { return Ok(None) };
    let exchange = async {
        let (read, mut write) = stream.into_split();
        write.write_all(&line_of(order)?).await?;
        let mut answer = String::new();
        BufReader::new(read).read_line(&mut answer).await?;
        Ok(Some(serde_json::from_str(&answer)?))
    };
    timeout(limits::CONTROL, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Whether a server runs on this directory.
pub(crate) async fn is_served(directory: &Path) -> bool {
    matches!(connect(directory).await, Ok(Some(_)))
}

async fn connect(directory: &Path) -> io::Result<Option<UnixStream>> {
    if !directory.join(SOCKET).exists() {
        return Ok(None);
    }
    let short = ShortPath::new(directory)?;
    match UnixStream::connect(&short.path).await {
        Ok(stream) => Ok(Some(stream)),
        // A socket that nobody listens on: its server was killed.
        Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
        Err(why) => Err(why),
    }
}

/// A socket's path has at most 107 bytes, a data directory's may be longer. On Linux an open
/// directory has a short name, good while it is open.
struct ShortPath {
    path: PathBuf,
    _open: Option<std::fs::File>,
}

impl ShortPath {
    fn new(directory: &Path) -> io::Result<Self> {
        const PATH_BYTES_MAX: usize = 100;
        let path = directory.join(SOCKET);
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self { path, _open: None });
        }
        let open = std::fs::File::open(directory)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", std::os::fd::AsRawFd::as_raw_fd(&open)));
        Ok(Self { path, _open: Some(open) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_replies_survive_the_line() {
        let order = Order::AddClient {
            client: Box::new(Wanted {
                name: "A \"lab\"".into(),
                scope: "system/*.rs".into(),
                proof: Proof::JwksUrl("https://a.example/jwks".into()),
                ..Wanted::default()
            }),
        };
        let line = serde_json::to_string(&order).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Order>(&line).unwrap(), order);
        let reply = Reply::Refused("no\nnew line".into());
        let line = serde_json::to_string(&reply).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Reply>(&line).unwrap(), reply);
    }

    #[test]
    fn unknown_orders_are_refused() {
        assert!(serde_json::from_str::<Order>(r#"{"order":"drop-everything"}"#).is_err());
        assert!(serde_json::from_str::<Order>(r#"{"order":"remove-client","id":"a","force":true}"#).is_err());
    }

    #[tokio::test]
    async fn no_server_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(ask(directory.path(), &Order::ListClients).await.unwrap().is_none());
        drop(std::os::unix::net::UnixListener::bind(directory.path().join(SOCKET)).unwrap());
        assert!(ask(directory.path(), &Order::ListClients).await.unwrap().is_none(), "a dead server's socket");
    }
}
