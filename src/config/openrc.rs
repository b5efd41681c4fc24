//! An openrc file, understood and never executed: what a shell would export after `source`.
//!
//! 1. Assignments, `export`, `unset`, `read`, and `if` with `[ -z .. ]` or `[ -n .. ]`, as the dashboard writes them; quotes,
//!    escapes and `$NAME` as in POSIX (Shell Command Language, 2.2, 2.3 and 2.6.2).
//! 2. What would have to be executed (`$(..)`, backquotes) is a mistake where it is assigned to a variable of OpenStack's.
//!    Other commands are passed over.
//! 3. `read` asks on the terminal, once in the life of the process; not if the environment has the password.
//! 4. Its variables come before those of the environment, as after `source`; those that it unsets are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use zeroize::Zeroizing;

use super::env::{Environment, Overlay};
use super::mistakes::{Mistakes, unreadable};

use self::words::{Part, When, Word};

mod words;

/// Reads the file over the environment.
pub(super) fn source<'a>(path: &Path, under: &'a dyn Environment, mistakes: &mut Mistakes) -> Overlay<'a> {
    let mut shell = Shell {
        sourced: Overlay { under, set: BTreeMap::new() },
        path,
        skipped: BTreeSet::new(),
        conditions: Vec::new(),
        said: String::new(),
        succeeded: Some(true),
        mistakes,
    };
    match read(path) {
        Ok(text) => shell.run(&text),
        Err(why) => shell.mistakes.at("--openrc", why),
    }
    shell.sourced
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let text = Zeroizing::new(text);
    if text.len() > LARGEST {
        return Err(format!("{} is longer than an openrc file can be ({LARGEST} bytes)", path.display()));
    }
    Ok(text)
}

const LARGEST: usize = 256 * 1024;

struct Shell<'a, 'm> {
    sourced: Overlay<'a>,
    path: &'m Path,
    /// Variables that hold what was not asked for.
    skipped: BTreeSet<String>,
    /// Of each `if` around: whether its commands are executed; none if nobody knows.
    conditions: Vec<Option<bool>>,
    /// What `echo` said last, for the one who is asked then.
    said: String,
    /// Whether the command before was a success, if that is known.
    succeeded: Option<bool>,
    mistakes: &'m mut Mistakes,
}

impl Shell<'_, '_> {
    fn run(&mut self, text: &str) {
        for command in words::commands(text) {
            let is_executed = match command.when {
                When::Always => Some(true),
                When::AfterSuccess => self.succeeded,
                When::AfterFailure => self.succeeded.map(|succeeded| !succeeded),
            };
            match is_executed {
                Some(true) => {
                    self.succeeded = self.outcome(&command.words);
                    self.execute(&command.words, command.line);
                }
                Some(false) => {}
                None => self.unknown(&command.words, command.line),
            }
        }
    }

    /// Whether a command succeeds, as far as that is known without executing it.
    fn outcome(&self, words: &[Word]) -> Option<bool> {
        match words.first()?.plain()? {
            "[" | "[[" => self.holds(words),
            "export" | "declare" | "typeset" | "readonly" | "unset" | "echo" | "printf" | "read" | ":"
            | "true" => Some(true),
            "false" => Some(false),
            _ => words.iter().all(|word| word.assignment().is_some()).then_some(true),
        }
    }

    /// A command that is executed if another succeeds, of which nobody knows.
    fn unknown(&mut self, words: &[Word], line: usize) {
        for word in words {
            if let Some((name, _)) = word.assignment().filter(|(name, _)| name.starts_with("OS_")) {
                self.mistakes.at(
                    format!("{}:{line}", self.path.display()),
                    format!(
                        "whether {name} is set there depends on a command, which is not executed; write what you mean, or \
                         `source` the file yourself"
                    ),
                );
            }
        }
    }

    fn execute(&mut self, words: &[Word], line: usize) {
        let Some(first) = words.first() else { return };
        match first.plain().unwrap_or_default() {
            "if" => self.conditions.push(self.holds(&words[1..])),
            "elif" => {
                // Of several branches nobody knows which.
                if let Some(last) = self.conditions.last_mut() {
                    *last = None;
                }
            }
            "else" => {
                if let Some(last) = self.conditions.last_mut() {
                    *last = last.map(|holds| !holds);
                }
                self.execute(&words[1..], line);
            }
            "fi" => {
                self.conditions.pop();
            }
            "then" => self.execute(&words[1..], line),
            _ if !self.conditions.iter().all(|condition| *condition == Some(true)) => {}
            "export" | "declare" | "typeset" | "local" | "readonly" => {
                words[1..].iter().for_each(|word| self.assign(word, line));
            }
            "unset" => {
                for name in words[1..].iter().filter_map(Word::plain).filter(|name| !name.starts_with('-')) {
                    self.sourced.set.insert(name.to_owned(), None);
                }
            }
            "read" => self.ask(&words[1..], line),
            "echo" | "printf" => {
                let said: Vec<String> = words[1..]
                    .iter()
                    .map(|word| self.expand(word).0)
                    .filter(|it| !it.starts_with('-'))
                    .collect();
                self.said = said.join(" ");
            }
            _ => words
                .iter()
                .take_while(|word| word.assignment().is_some())
                .for_each(|word| self.assign(word, line)),
        }
    }

    fn assign(&mut self, word: &Word, line: usize) {
        let Some((name, value)) = word.assignment() else { return };
        let needs_skipped = value.names().any(|used| self.skipped.contains(used));
        if needs_skipped {
            return;
        }
        let (value, is_known) = self.expand(&value);
        if !is_known && name.starts_with("OS_") {
            let place = format!("{}:{line}", self.path.display());
            self.mistakes.at(
                place,
                format!("{name} is made by a command, which is not executed; write its value, or `source` the file yourself"),
            );
            return;
        }
        self.sourced.set.insert(name.to_owned(), Some(Zeroizing::new(value)));
    }

    /// The text of a word, and whether nothing in it has to be executed.
    fn expand(&self, word: &Word) -> (String, bool) {
        let (mut text, mut is_known) = (String::new(), true);
        for part in &word.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable { name, otherwise } => match (self.sourced.get(name), otherwise) {
                    (Some(value), _) => text.push_str(&value),
                    (None, Some(otherwise)) => {
                        let (otherwise, otherwise_is_known) = self.expand(otherwise);
                        text.push_str(&otherwise);
                        is_known &= otherwise_is_known;
                    }
                    (None, None) => {}
                },
                Part::Command => is_known = false,
            }
        }
        (text, is_known)
    }

    /// `[ -z WORD ]` and `[ -n WORD ]`; none for another condition.
    fn holds(&self, words: &[Word]) -> Option<bool> {
        let [open, test, word, close] = words else { return None };
        let is_test =
            matches!((open.plain(), close.plain()), (Some("["), Some("]")) | (Some("[["), Some("]]")));
        let (text, is_known) = self.expand(word);
        match test.plain() {
            Some("-z") if is_test && is_known => Some(text.is_empty()),
            Some("-n") if is_test && is_known => Some(!text.is_empty()),
            _ => None,
        }
    }

    fn ask(&mut self, words: &[Word], line: usize) {
        let Some(name) = words.iter().rev().find_map(Word::plain).filter(|name| !name.starts_with('-'))
        else {
            return;
        };
        let under = self.sourced.under;
        if ["OS_PASSWORD", "OS_PASSWORD_FILE"].iter().any(|variable| under.get(variable).is_some()) {
            self.skipped.insert(name.to_owned());
            return;
        }
        let prompt =
            if self.said.trim().is_empty() { format!("{name}: ") } else { format!("{} ", self.said.trim()) };
        match under.ask(&prompt) {
            Ok(answer) => {
                self.sourced.set.insert(name.to_owned(), Some(Zeroizing::new(answer)));
            }
            Err(why) => {
                let place = format!("{}:{line}", self.path.display());
                self.mistakes.at(
                    place,
                    format!("the file asks for a password, and {why}; set OS_PASSWORD_FILE to a file that holds it"),
                );
                self.skipped.insert(name.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests;
