//! `handrail user`: people who may sign in. Works on a running server and on a data directory at rest.

use super::data;
use crate::{
    control::{Order, Reply},
    fault::Fault,
    print,
};
use clap::{Args, Subcommand, ValueEnum};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Add, invite, list and disable the people who may sign in.
#[derive(Debug, Args)]
pub(super) struct User {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an account and print the link with which its person takes it up
    Add(Add),
    /// Print a new link for somebody who did not use the first, or lost all that they sign in with
    Invite(Named),
    /// List the accounts
    List {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Bind somebody of an outside OpenID provider to an account: whoever it vouches for signs in here
    Bind {
        #[command(flatten)]
        user: Named,
        /// Issuer of the provider, as in openid.issuer
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// Who they are there: the 'sub' of its id tokens, as the audit log shows it after a try
        #[arg(long, value_name = "SUB")]
        subject: String,
    },
    /// Take all that was bound from an account, and end its sessions
    Unbind(Named),
    /// Give a clinician the right to break the glass: to open a record in an emergency, with a reason that is reviewed
    SetBreakGlass {
        #[command(flatten)]
        user: Named,
        /// Take it away; what they have open ends
        #[arg(long)]
        no: bool,
    },
    /// Disable an account: its sessions and tokens stop working with the next request
    Disable(Named),
    /// Let a disabled account be used again
    Enable(Named),
}

#[derive(Debug, Args)]
struct Named {
    /// User name, or the account's id
    user: String,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Role {
    /// Whom they see, where the record decides that and not the account.
    const fn sees(self) -> Option<&'static str> {
        match self {
            Self::Caregiver => Some("they see whom the record says they care for, while it says so"),
            Self::Clinician => Some(
                "they see the patients whom the record relates them to (care team, encounter, order, appointment, \
                 general practitioner, facility), and nobody before it does; 'access.clinicians' changes that",
            ),
            Self::Patient | Self::PrivacyOfficer | Self::Administrator => None,
        }
    }
}

/// What somebody is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Sees their own record
    Patient,
    /// Cares for patients as family or friend, and sees their records
    Caregiver,
    /// Treats patients
    Clinician,
    /// Looks after the log of who did what
    PrivacyOfficer,
    /// Runs the server; sees no patient's data
    Administrator,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail user add rosa --data ./data --name 'Rosa Diaz' --role patient --as Patient/rosa
  handrail user add luis --data ./data --name 'Luis Diaz' --role caregiver --as RelatedPerson/luis
  handrail user add ana --data ./data --name 'Ana Diaz' --role caregiver --as Person/ana
  handrail user add kim --data ./data --name 'Dr. Kim' --role clinician --as Practitioner/kim
  handrail user add office --data ./data --name 'Office' --role administrator

A caregiver sees the patient of their RelatedPerson while it is active and in its period; a Person
that links to several RelatedPersons stands for a caregiver of several patients. A clinician sees the
patients whom the record relates to them (docs/access.md). Clinicians, privacy officers and
administrators need a passkey or an authenticator app besides their password.
The link alone goes to standard output. It is good for three days and works once: give it to the
person and nobody else.")]
struct Add {
    /// What the person types to sign in; they may choose another with the link
    user: String,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Name, for people
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What they are
    #[arg(long, value_enum)]
    role: Role,
    /// The resource that stands for them, as TYPE/ID; for a caregiver, further ones are the patients to
    /// whom the account is narrowed
    #[arg(long = "as", value_name = "TYPE/ID")]
    bound_to: Vec<String>,
    /// A clinician's right to break the glass: to open a record in an emergency, with a reason that is reviewed
    #[arg(long)]
    break_glass: bool,
}

impl User {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Add(add) => add.run().await,
            Action::Invite(Named { user, data }) => {
                match data::carry_out(data::existing(&data)?, Order::InviteUser { user }).await? {
                    Reply::UserInvited { link } => {
                        print::note("give this link to the person; it is good for three days and works once");
                        print::result(link.0);
                        Ok(ExitCode::SUCCESS)
                    }
                    reply => Err(data::unexpected(reply)),
                }
            }
            Action::List { data } => list(&data).await,
            Action::Bind { user: Named { user, data }, issuer, subject } => {
                changed(&data, Order::BindUser { user, issuer, subject }, "bound").await
            }
            Action::SetBreakGlass { user: Named { user, data }, no } => {
                let done =
                    if no { "the right is gone, and what they had open is closed" } else { "they may break the glass" };
                changed(&data, Order::SetUserBreakGlass { user, may: !no }, done).await
            }
            Action::Unbind(Named { user, data }) => {
                changed(&data, Order::UnbindUser { user }, "unbound; sessions no longer work").await
            }
            Action::Disable(Named { user, data }) => {
                let order = Order::SetUserDisabled { user, disabled: true };
                changed(&data, order, "disabled; sessions and tokens no longer work").await
            }
            Action::Enable(Named { user, data }) => {
                changed(&data, Order::SetUserDisabled { user, disabled: false }, "enabled").await
            }
        }
    }
}

impl Add {
    async fn run(self) -> Result<ExitCode, Fault> {
        let role = self.role.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let lacks_resource =
            self.bound_to.is_empty() && matches!(self.role, Role::Patient | Role::Caregiver | Role::Clinician);
        let order = Order::AddUser {
            user: self.user,
            name: self.name,
            role,
            bound_to: self.bound_to,
            may_break_glass: self.break_glass,
        };
        match data::carry_out(data::existing(&self.data)?, order).await? {
            Reply::UserAdded { id, link } => {
                print::note(format_args!("account {id} made"));
                if let Some(sees) = self.role.sees() {
                    print::note(sees);
                }
                print::note("give this link to the person; it is good for three days and works once");
                print::result(link.0);
                Ok(ExitCode::SUCCESS)
            }
            reply if lacks_resource => {
                Err(data::unexpected(reply).fix("say who it is with --as, for example --as Patient/rosa"))
            }
            reply => Err(data::unexpected(reply)),
        }
    }
}

async fn list(directory: &Path) -> Result<ExitCode, Fault> {
    match data::carry_out(data::existing(directory)?, Order::ListUsers).await? {
        Reply::Users(users) => {
            if users.is_empty() {
                print::note("there are no accounts; 'handrail user add --help' shows how");
            }
            for user in users {
                let bound_to = user.fhir_user.as_deref().unwrap_or("-");
                let patients = if user.patients.is_empty() { "-".to_owned() } else { user.patients.join(",") };
                print::result(format_args!(
                    "{}\t{}\t{}\t{}\t{}\t{bound_to}\t{patients}\t{}",
                    user.id, user.created, user.login, user.role, user.state, user.name
                ));
            }
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}

async fn changed(directory: &Path, order: Order, done: &str) -> Result<ExitCode, Fault> {
    match data::carry_out(data::existing(directory)?, order).await? {
        Reply::UserChanged => {
            print::note(done);
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}
