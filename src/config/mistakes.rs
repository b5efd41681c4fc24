//! All mistakes of a configuration at once, each with its place and what to do.
//!
//! No message ever holds the value of a secret: those who write messages quote
//! names, places and only such values as everybody may see.

use std::fmt;
use std::io;
use std::path::Path;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was written: a variable, a flag, a file with line and key; empty if nowhere.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Everything that is wrong, in the order it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Adds one that has a place.
    pub fn at(&mut self, place: impl fmt::Display, message: impl Into<String>) {
        let mistake = Mistake { place: place.to_string(), message: message.into() };
        if !self.0.contains(&mistake) {
            self.0.push(mistake);
        }
    }

    /// Adds one whose message names its own place.
    pub fn add(&mut self, message: impl Into<String>) {
        self.at("", message);
    }

    /// Adds those of another collection.
    pub fn extend(&mut self, others: Self) {
        for mistake in others.0 {
            self.at(mistake.place, mistake.message);
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.place, self.message)
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("nothing is wrong with the configuration"),
            [only] => write!(f, "the configuration has a mistake:\n  {}", indented(only)),
            several => {
                write!(f, "the configuration has {} mistakes:", several.len())?;
                for (number, mistake) in (1..).zip(several) {
                    write!(f, "\n  {number}. {}", indented(mistake))?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Mistakes {}

/// Lines after the first stand below the first.
fn indented(mistake: &Mistake) -> String {
    mistake.to_string().replace('\n', "\n     ")
}

/// The candidate that `name` was probably meant to be, if one is close enough.
pub(super) fn close_name<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A slip or two: a letter wrong, missing, doubled or swapped; less in short names.
    let bearable = if name.chars().count() < 5 { 1 } else { 2 };
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= bearable)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// `, did you mean X?`, or nothing.
pub(super) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    close_name(name, candidates).map(|close| format!("; did you mean `{close}`?")).unwrap_or_default()
}

/// Why a file cannot be read, and what to do about it.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => "let this user read it, or name another file",
        _ => "name another file",
    };
    format!("cannot read {}: {error}; {hint}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_listed_with_their_places() {
        let mut mistakes = Mistakes::default();
        mistakes.at("--listen", "this");
        assert_eq!(mistakes.to_string(), "the configuration has a mistake:\n  --listen: this");
        mistakes.add("that\nin two lines");
        mistakes.add("that\nin two lines");
        assert_eq!(
            mistakes.to_string(),
            "the configuration has 2 mistakes:\n  1. --listen: this\n  2. that\n     in two lines"
        );
    }

    #[test]
    fn close_names_are_found_and_far_ones_are_not() {
        let names = ["OS_PROJECT_NAME", "OS_PASSWORD", "listen", "key"];
        for (typed, meant) in [
            ("OS_PROJCT_NAME", Some("OS_PROJECT_NAME")),
            ("OS_PASSWROD", Some("OS_PASSWORD")),
            ("Listen", Some("listen")),
            ("kye", Some("key")),
            ("OS_FLAVOR", None),
            ("cat", None),
        ] {
            assert_eq!(close_name(typed, names), meant, "{typed}");
        }
    }
}
