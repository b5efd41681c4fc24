//! The commit that is built, for `--version` and the metrics: `GATESTONE_COMMIT` where that is set, as by packagers, else
//! what git or a published crate says.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

#[allow(clippy::disallowed_methods)] // of whoever builds, not of whoever runs
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=GATESTONE_COMMIT");
    let given = env::var("GATESTONE_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(of_crate).or_else(of_checkout).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=GATESTONE_COMMIT={commit:.12}");
}

/// `cargo package` notes it in a file.
fn of_crate() -> Option<String> {
    let noted = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, after) = noted.split_once("\"sha1\": \"")?;
    after.split('"').next().map(str::to_owned)
}

fn of_checkout() -> Option<String> {
    // A folder inside somebody else's repository has another top.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let here = env::current_dir().and_then(fs::canonicalize).ok()?;
    if fs::canonicalize(top).ok()? != here {
        return None;
    }
    // Both are written when another commit is checked out or made.
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned()).filter(|text| !text.is_empty())
}
