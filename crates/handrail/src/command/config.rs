//! `handrail config`: every setting, its value and where it comes from.

use super::settings::Given;
use crate::{
    config::problem::Place,
    fault::Fault,
    print::{self, Style},
};
use clap::Args;
use std::process::ExitCode;

/// Show every setting, its value and where it comes from.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail config
  handrail config --config /etc/handrail.toml
  HANDRAIL_LOG_LEVEL=debug handrail config --listen 0.0.0.0:443

Takes the same file, environment and flags as 'handrail serve', and starts nothing. The exit code is
1 when the configuration cannot be used; everything that is wrong is told, each with its place.")]
pub(super) struct Config {
    #[command(flatten)]
    given: Given,
}

impl Config {
    /// Prints the table.
    pub(super) fn run(self) -> Result<ExitCode, Fault> {
        let config = self.given.read()?;
        let style = Style::of_stdout();
        let width = |text: fn(&crate::config::Shown) -> &str| {
            config.shown.iter().map(|row| text(row).chars().count()).max().unwrap_or_default()
        };
        let (names, values) = (width(|row| row.setting.name), width(|row| &row.value).min(60));
        let line = |name: &str, value: &str, from: &str| format!("{name:<names$}  {value:<values$}  {from}");
        print::result(style.strong(line("setting", "value", "from")));
        for row in &config.shown {
            let text = line(row.setting.name, &row.value, &row.place.to_string());
            print::result(if row.place == Place::Default { style.faint(text) } else { text });
        }
        Ok(ExitCode::SUCCESS)
    }
}
