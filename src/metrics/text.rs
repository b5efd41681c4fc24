//! Prometheus' text format 0.0.4 and OpenMetrics 1.0, which differ in little: what a counter's family is called, how the
//! text ends, and its media type.

use std::fmt::{Display, Write as _};

use http::HeaderMap;
use http::header::ACCEPT;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text 0.0.4, which everything reads.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The one that a client asks for: OpenMetrics where it is named, as Prometheus does, and not with `q=0`.
    pub fn asked_for(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
        let wanted = ranges.flat_map(|line| line.split(',')).any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_it =
                parts.next().is_some_and(|it| it.eq_ignore_ascii_case("application/openmetrics-text"));
            is_it && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        });
        if wanted { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A text under way.
pub(super) struct Page {
    text: String,
    format: Format,
    family: &'static str,
}

/// What kind of metric a family is.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Page {
    pub(super) fn new(format: Format) -> Self {
        Self { text: String::with_capacity(16 * 1024), format, family: "" }
    }

    /// What follows is of this family; a counter's ends in `_total`.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        self.family = name;
        let (kind, shown) = match (kind, self.format) {
            (Kind::Counter, Format::OpenMetrics) => ("counter", name.strip_suffix("_total").unwrap_or(name)),
            (Kind::Counter, Format::Prometheus) => ("counter", name),
            (Kind::Gauge, _) => ("gauge", name),
            (Kind::Histogram, _) => ("histogram", name),
        };
        // Writing to a String cannot fail.
        _ = write!(self.text, "# HELP {shown} {help}\n# TYPE {shown} {kind}\n");
    }

    /// A figure of the family.
    pub(super) fn put(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.put_as("", labels, value);
    }

    /// The same with an end to the family's name, such as `_bucket`.
    pub(super) fn put_as(&mut self, end: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.family);
        self.text.push_str(end);
        for (i, (label, text)) in labels.iter().enumerate() {
            _ = write!(self.text, "{}{label}=\"", if i == 0 { '{' } else { ',' });
            for char in text.chars() {
                match char {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    char => self.text.push(char),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        _ = writeln!(self.text, " {value}");
    }

    /// A family of one figure.
    pub(super) fn single(&mut self, name: &'static str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.put(&[], value);
    }

    pub(super) fn end(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn page(format: Format) -> String {
        let mut page = Page::new(format);
        page.family("x_total", Kind::Counter, "Help.");
        page.put(&[("a", "b\"\\\n"), ("c", "d")], 3);
        page.end()
    }

    #[test]
    fn a_counters_family_and_the_end_differ() {
        let figure = "x_total{a=\"b\\\"\\\\\\n\",c=\"d\"} 3\n";
        assert_eq!(
            page(Format::Prometheus),
            format!("# HELP x_total Help.\n# TYPE x_total counter\n{figure}")
        );
        assert_eq!(page(Format::OpenMetrics), format!("# HELP x Help.\n# TYPE x counter\n{figure}# EOF\n"));
    }

    #[test]
    fn a_client_chooses() {
        for (accept, expected) in [
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3",
                Format::OpenMetrics,
            ),
            ("text/plain", Format::Prometheus),
            ("*/*", Format::Prometheus),
            ("application/openmetrics-text; q=0", Format::Prometheus),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(Format::asked_for(&headers), expected, "{accept}");
        }
    }
}
