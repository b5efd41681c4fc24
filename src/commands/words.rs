//! `gatestone completions` and `gatestone man`: the words of `--help` in other shapes.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Exit, complain};
use crate::cli::Cli;

/// Prints a script for a shell.
pub fn completions(shell: Shell) -> io::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gatestone", &mut script);
    print(&script)
}

/// Prints the manual page, or writes those of all commands into `folder`, which is made if it is missing.
pub fn man(folder: Option<&Path>) -> io::Result<Exit> {
    let command = Cli::command();
    match folder {
        Some(folder) => {
            let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
            if let Err(error) = written {
                complain(format_args!(
                    "cannot write into {}: {error}; name another folder",
                    folder.display()
                ));
                return Ok(Exit::Failure);
            }
            Ok(Exit::Success)
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            print(&page)
        }
    }
}

fn print(bytes: &[u8]) -> io::Result<Exit> {
    match io::stdout().lock().write_all(bytes) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Success),
        outcome => outcome.map(|()| Exit::Success),
    }
}
