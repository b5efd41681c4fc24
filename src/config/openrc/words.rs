//! The commands of a shell script as words, as far as openrc files need it: quotes, escapes, comments, `$NAME`.

/// A simple command, and the line that it begins on.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    pub(super) line: usize,
    pub(super) when: When,
}

/// Whether a command depends on the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum When {
    #[default]
    Always,
    /// `&&`
    AfterSuccess,
    /// `||`
    AfterFailure,
}

/// A word before its variables are filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) parts: Vec<Part>,
    /// Whether a part of it was in quotes: such a word is no keyword.
    is_quoted: bool,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// `$NAME`, `${NAME}`, or `${NAME:-otherwise}`.
    Variable {
        name: String,
        otherwise: Option<Word>,
    },
    /// What would have to be executed.
    Command,
}

impl Word {
    /// Its text, if it has no variables.
    pub(super) fn plain(&self) -> Option<&str> {
        match &self.parts[..] {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// `NAME=value`.
    pub(super) fn assignment(&self) -> Option<(&str, Self)> {
        let (Part::Text(first), rest) = self.parts.split_first()? else { return None };
        let (name, value) = first.split_once('=')?;
        if name.is_empty() || !name.bytes().all(is_of_name) || name.as_bytes()[0].is_ascii_digit() {
            return None;
        }
        let mut parts = vec![Part::Text(value.to_owned())];
        parts.extend_from_slice(rest);
        Some((name, Self { parts, is_quoted: self.is_quoted }))
    }

    /// The variables in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            Part::Text(_) | Part::Command => None,
        })
    }

    fn push(&mut self, c: char) {
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => self.parts.push(Part::Text(c.into())),
        }
    }

    fn is_there(&self) -> bool {
        self.is_quoted || !self.parts.is_empty()
    }
}

/// Nobody writes more of them within each other.
const DEEPEST: usize = 8;

/// Where the brace is that closes those before the text.
fn end_of_braces(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return at,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// All commands of a script, in order.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let mut lexer = Lexer::new(text, 0);
    lexer.run();
    lexer.found
}

/// A text that is one word, blanks and all.
fn word_of(text: &str, depth: usize) -> Word {
    let mut lexer = Lexer::new(text, depth);
    while let Some(c) = lexer.next() {
        if !lexer.quoted(c) {
            lexer.word.push(c);
        }
    }
    lexer.word
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Command>,
    words: Vec<Word>,
    word: Word,
    /// The line of the first word.
    began: usize,
    when: When,
    /// Braces within braces.
    depth: usize,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, depth: usize) -> Self {
        let (found, words, word) = (Vec::new(), Vec::new(), Word::default());
        Self { rest: text, line: 1, found, words, word, began: 1, when: When::Always, depth }
    }

    fn run(&mut self) {
        while let Some(c) = self.next() {
            match c {
                '\n' => {
                    self.line -= 1;
                    self.end_command(When::Always);
                    self.line += 1;
                }
                '&' | '|' if self.rest.starts_with(c) => {
                    self.next();
                    self.end_command(if c == '&' { When::AfterSuccess } else { When::AfterFailure });
                }
                ';' | '&' | '|' => self.end_command(When::Always),
                ' ' | '\t' | '\r' => self.end_word(),
                '#' if !self.word.is_there() => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.rest = &self.rest[end..];
                }
                c if self.quoted(c) => {}
                c => self.word.push(c),
            }
        }
        self.end_command(When::Always);
    }

    /// Takes what a quote, an escape or a dollar begins; false if `c` is none.
    fn quoted(&mut self, c: char) -> bool {
        match c {
            '\'' => self.single_quoted(),
            '"' => self.double_quoted(),
            '\\' => match self.next() {
                Some('\n') | None => {}
                Some(c) => {
                    self.word.push(c);
                    self.word.is_quoted = true;
                }
            },
            '$' => self.dollar(),
            '`' => self.command_until('`'),
            _ => return false,
        }
        true
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn end_word(&mut self) {
        if self.word.is_there() {
            if self.words.is_empty() {
                self.began = self.line;
            }
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    /// `next` is when the command behind it is executed.
    fn end_command(&mut self, next: When) {
        self.end_word();
        if !self.words.is_empty() {
            let words = std::mem::take(&mut self.words);
            self.found.push(Command { words, line: self.began, when: self.when });
            self.when = next;
        }
    }

    fn single_quoted(&mut self) {
        self.word.is_quoted = true;
        while let Some(c) = self.next().filter(|c| *c != '\'') {
            self.word.push(c);
        }
    }

    fn double_quoted(&mut self) {
        self.word.is_quoted = true;
        while let Some(c) = self.next() {
            match c {
                '"' => return,
                '\\' => match self.next() {
                    Some('\n') | None => {}
                    Some(c @ ('$' | '`' | '"' | '\\')) => self.word.push(c),
                    Some(c) => {
                        self.word.push('\\');
                        self.word.push(c);
                    }
                },
                '$' => self.dollar(),
                '`' => self.command_until('`'),
                c => self.word.push(c),
            }
        }
    }

    fn dollar(&mut self) {
        if self.rest.starts_with('(') {
            self.parenthesis();
        } else if let Some(inside) = self.rest.strip_prefix('{') {
            let end = end_of_braces(inside);
            let (expression, rest) = inside.split_at(end);
            let (name, otherwise) = match expression.split_once(":-").or_else(|| expression.split_once('-')) {
                Some((name, _)) if self.depth >= DEEPEST => (name, None),
                Some((name, otherwise)) => (name, Some(word_of(otherwise, self.depth + 1))),
                None => (expression, None),
            };
            let is_simple = !name.is_empty() && name.bytes().all(is_of_name);
            self.word.parts.push(if is_simple && self.depth < DEEPEST {
                Part::Variable { name: name.to_owned(), otherwise }
            } else {
                Part::Command
            });
            self.rest = rest.strip_prefix('}').unwrap_or(rest);
        } else {
            let end = self.rest.bytes().position(|byte| !is_of_name(byte)).unwrap_or(self.rest.len());
            if end == 0 {
                return self.word.push('$');
            }
            let (name, rest) = self.rest.split_at(end);
            self.word.parts.push(Part::Variable { name: name.to_owned(), otherwise: None });
            self.rest = rest;
        }
    }

    /// `$(..)`, with those inside of it.
    fn parenthesis(&mut self) {
        self.word.parts.push(Part::Command);
        let mut depth = 0_usize;
        while let Some(c) = self.next() {
            match c {
                '(' => depth += 1,
                ')' if depth <= 1 => return,
                ')' => depth -= 1,
                _ => {}
            }
        }
    }

    fn command_until(&mut self, end: char) {
        self.word.parts.push(Part::Command);
        while self.next().is_some_and(|c| c != end) {}
    }
}
