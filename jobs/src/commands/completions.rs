//! `tagmill completions`: what a shell needs to complete commands, options and their values.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use tagmill_schemas::Result;

use crate::cli::Cli;
use crate::output;

const AFTER: &str = "\
Examples:
  tagmill completions bash > ~/.local/share/bash-completion/completions/tagmill
  tagmill completions zsh > ~/.zfunc/_tagmill
  tagmill completions fish > ~/.config/fish/completions/tagmill.fish";

/// Print what a shell needs to complete tagmill's commands and options
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub async fn run(arguments: Arguments) -> Result<()> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    clap_complete::generate(arguments.shell, &mut command, "tagmill", &mut script);
    output::print_line(String::from_utf8_lossy(&script).trim_end())
}
