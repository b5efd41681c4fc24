//! `Directories`: what links that differ in their last segment alone are turned to, found once.
//!
//! A list of a thousand servers has links of four directories. One is turned, or stays, by taking it apart and asking the
//! routes; the others follow it, where the routes say that they must
//! ([`RouteTable::turns_directory_of`](crate::routing::RouteTable::turns_directory_of)).

use memchr::memrchr;

use super::scanner::Turned;

/// The directories of one document.
#[derive(Debug, Default)]
pub(super) struct Directories {
    known: Vec<Known>,
    tries: usize,
}

#[derive(Debug)]
struct Known {
    came: Box<[u8]>,
    /// Nothing if its links stay.
    here: Option<Box<[u8]>>,
}

impl Directories {
    /// What becomes of a link, as it stands between its quotes in JSON.
    pub(super) fn find(&self, link: &[u8]) -> Option<Turned<'_>> {
        let length = directory(link)?;
        let known = self.known.iter().find(|known| *known.came == link[..length])?;
        Some(known.here.as_ref().map_or(Turned::Not, |here| Turned::To(length, here)))
    }

    /// Learns from a link and what it was turned to, if it was, and if `is_alike` says that its directory can be learnt.
    pub(super) fn learn(&mut self, link: &str, turned: Option<&str>, is_alike: impl FnOnce() -> bool) {
        let Some((came, leaf)) = directory(link.as_bytes()).and_then(|length| link.split_at_checked(length))
        else {
            return;
        };
        // One that was cut by the end of a chunk, or spelled otherwise, comes here though it is known.
        if self.tries == MOST_TRIES || self.known.iter().any(|known| *known.came == *came.as_bytes()) {
            return;
        }
        self.tries += 1;
        let here = match turned.map(|turned| turned.strip_suffix(leaf)) {
            Some(None) => return,
            Some(Some(here)) => Some(here),
            None => None,
        };
        if reads_as_written(came) && here.is_none_or(reads_as_written) && is_alike() {
            let here = here.map(|here| here.as_bytes().into());
            self.known.push(Known { came: came.as_bytes().into(), here });
        }
    }
}

/// The length of a link's directory with the slash at its end, if what comes behind it says nothing but a name.
fn directory(link: &[u8]) -> Option<usize> {
    let length = memrchr(b'/', link)? + 1;
    let leaf = &link[length..];
    let is_name = !leaf.is_empty()
        && leaf != b"-"
        && leaf.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let may_be_version = matches!(leaf, [b'v' | b'V', b'0'..=b'9', ..]);
    (is_name && !may_be_version && !leaf.eq_ignore_ascii_case(b"info")).then_some(length)
}

/// Whether a text stands in JSON as it is.
fn reads_as_written(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// Links that are looked at to learn from; a document may have any number of directories.
const MOST_TRIES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_what_comes_before_a_name() {
        for (link, expected) in [
            ("http://h/v2.1/servers/0a-B_9", Some("http://h/v2.1/servers/")),
            ("http://h/images/", None),
            ("http://h/v2.1", None),
            ("http://h/V3", None),
            ("http://h/x/info", None),
            ("http://h/x/Info", None),
            ("http://h/-", None),
            ("http://h/x/a.b", None),
            ("http://h/x/..", None),
            ("http://h/x/a%2Fb", None),
            ("http://h/x/a?limit=1", None),
            ("http://h/x/a#b", None),
            ("no slash", None),
            ("", None),
        ] {
            let found = directory(link.as_bytes()).map(|length| &link[..length]);
            assert_eq!(found, expected, "{link}");
        }
    }

    #[test]
    fn links_follow_the_one_that_was_learnt() {
        let mut directories = Directories::default();
        assert_eq!(directories.find(b"http://up/servers/12"), None);
        directories.learn("http://up/other/12", Some("http://here/other/12"), || false);
        directories.learn("http://up/servers/12", Some("http://here/compute/servers/12"), || true);
        directories.learn("http://elsewhere/12", None, || true);
        directories
            .learn("http://up/servers/13", Some("http://here/compute/servers/13"), || panic!("it is known"));
        let here = &b"http://here/compute/servers/"[..];
        assert_eq!(directories.find(b"http://up/servers/34"), Some(Turned::To(18, here)));
        assert_eq!(directories.find(b"http://elsewhere/34"), Some(Turned::Not));
        for link in [
            "http://up/servers/v2",
            "http://up/servers/a/bc",
            "http://up/other/34",
            "http:\\/\\/up\\/servers\\/34",
        ] {
            assert_eq!(directories.find(link.as_bytes()), None, "{link}");
        }
        for i in 0..MOST_TRIES {
            directories.learn(&format!("http://up/{i}/12"), None, || true);
        }
        assert_eq!(directories.known.len(), MOST_TRIES - 1);
    }
}
