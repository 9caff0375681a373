//! The flags of `serve` and `config`: one for each setting of the table; and the configuration as commands on a
//! directory at rest read it.

use crate::config::{
    problem::Problems,
    source::Flags,
    table::{Kind, Setting, TABLE},
};
use crate::{config::Config, fault::Fault};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::path::{Path, PathBuf};

/// Heading of these flags in the help.
const HEADING: &str = "Settings, each also in the file and as HANDRAIL_… (docs/configuration.md)";

/// The file and all flags.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// Configuration file (TOML); HANDRAIL_CONFIG names it too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: SettingFlags,
}

impl Given {
    /// Reads the configuration from file, environment and flags.
    ///
    /// # Errors
    /// [`Fault`] with everything that is wrong.
    pub(super) fn read(self) -> Result<Config, Fault> {
        read(self.config.as_deref(), self.flags.0)
    }
}

fn read(file: Option<&Path>, flags: Flags) -> Result<Config, Fault> {
    Config::read(file, flags).map_err(|why: Problems| {
        Fault::new(why)
            .fix("docs/configuration.md lists every setting; 'handrail config' shows what is in effect and why")
    })
}

/// The configuration for a command that does a server's work on a directory at rest: the same file and
/// environment as the server's, so that the same rules hold.
#[derive(Debug, Args)]
pub(super) struct AtRest {
    /// The server's configuration file (TOML), for a directory that no server runs on; HANDRAIL_CONFIG
    /// names it too
    #[arg(long, value_name = "FILE", requires = "data")]
    config: Option<PathBuf>,
}

impl AtRest {
    /// Reads it.
    ///
    /// # Errors
    /// [`Fault`] with everything that is wrong.
    pub(super) fn read(&self) -> Result<Config, Fault> {
        read(self.config.as_deref(), Flags::default())
    }
}

/// Built from the table: clap's derive would be a second list of settings.
#[derive(Debug)]
struct SettingFlags(Flags);

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        TABLE.iter().fold(command, |command, setting| command.arg(flag(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let uses = |setting: &'static Setting| {
            let texts = matches.get_many::<String>(setting.name)?;
            Some((setting, texts.cloned().collect()))
        };
        Ok(Self(Flags(TABLE.iter().filter_map(|setting| uses(setting)).collect())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn flag(setting: &'static Setting) -> Arg {
    let mut help = setting.meaning.to_owned();
    if let Some(first) = help.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if let Kind::OneOf(words) = setting.kind {
        help = format!("{help} [{}]", words.join("|"));
    }
    help = match setting.default {
        Some(default) => format!("{help} [default: {default}]"),
        None => format!("{help} [default: {}]", setting.without),
    };
    Arg::new(setting.name)
        .long(setting.flag)
        .value_name(setting.kind.value_name())
        .help(help)
        .help_heading(HEADING)
        .action(if setting.kind.is_list() { ArgAction::Append } else { ArgAction::Set })
}
