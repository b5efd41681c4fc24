//! `rate_limit` and `rate_wait` of a service.

use std::time::Duration;

use crate::proxy::Rate;

use super::settings::Given;

/// What has been set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Draft {
    limit: Option<(usize, Duration)>,
    wait: Option<Duration>,
}

impl Draft {
    /// Such as `20/s`, `60/m` or `100/10s`.
    pub(super) fn set_limit(&mut self, given: &Given) -> Result<(), String> {
        self.limit = Some(limit(&given.text()?)?);
        Ok(())
    }

    /// A duration; none at all refuses at once.
    pub(super) fn set_wait(&mut self, given: &Given) -> Result<(), String> {
        self.wait = Some(given.duration()?);
        Ok(())
    }

    /// The rate, if there is one.
    pub(super) fn finish(self) -> Result<Option<Rate>, String> {
        match (self.limit, self.wait) {
            (Some((requests, per)), wait) => Ok(Some(Rate { requests, per, wait: wait.unwrap_or(WAIT) })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err("it has `rate_wait`, but no `rate_limit` to wait for".to_owned()),
        }
    }
}

fn limit(text: &str) -> Result<(usize, Duration), String> {
    let wrong = || format!("`{text}` is no rate such as `20/s`, `60/m` or `100/10s`");
    let (requests, per) = text.split_once('/').ok_or_else(wrong)?;
    let requests = requests.trim().parse().ok().filter(|requests| (1..=Rate::MOST).contains(requests));
    let per = match per.trim() {
        unit @ ("s" | "m" | "h") => crate::duration::parse(&format!("1{unit}")),
        per => crate::duration::parse(per),
    };
    let per = per.ok().filter(|per| !per.is_zero());
    Ok((requests.ok_or_else(wrong)?, per.ok_or_else(wrong)?))
}

/// Clients wait longer for a busy service.
const WAIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_time() {
        for (text, requests, seconds) in
            [("20/s", 20, 1), ("60/m", 60, 60), ("100 / 10s", 100, 10), ("1/1h", 1, 3600)]
        {
            assert_eq!(limit(text), Ok((requests, Duration::from_secs(seconds))), "{text}");
        }
        for text in ["20", "0/s", "-1/s", "1.5/s", "20/", "20/0s", "20/parsec", "1000000/s"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wait_alone_is_a_mistake() {
        let mut draft = Draft::default();
        draft.set_wait(&Given::Text("5s".to_owned())).unwrap();
        assert!(draft.finish().is_err());
        draft.set_limit(&Given::Text("20/s".to_owned())).unwrap();
        assert_eq!(draft.finish().unwrap().unwrap().wait, Duration::from_secs(5));
    }
}
