//! The tokens that were made here: random, known for 24 h, bounded in number.
//!
//! Most are good for nothing but to be asked about; those that were given for a client secret open the listeners that
//! have it. Nothing is lost when the oldest of too many is forgotten, or all of them with the end of the program: a client
//! then logs in again. Both kinds are kept apart, so that whoever can make the one cannot have the other forgotten.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use http::HeaderValue;

use super::client_key::{Admission, ClientKey};
use super::request::Granted;
use crate::clock::Moment;

/// What is known of a local token.
#[derive(Debug)]
pub(crate) struct LocalToken {
    /// As the login named them.
    pub(super) methods: Vec<String>,
    /// What it says it is for.
    pub(super) scope: Granted,
    /// When it was made.
    pub(super) issued: Moment,
    /// When it is forgotten.
    pub(super) expires: Moment,
    /// Its name in audit trails, which is no secret.
    pub(super) audit_id: String,
    /// What whoever logged in knew; nothing was asked for if there is none.
    key: Option<ClientKey>,
}

/// The tokens there are.
#[derive(Debug, Default)]
pub(super) struct LocalTokens {
    keyless: Mutex<Known>,
    keyed: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By their random part.
    tokens: HashMap<Random, (u64, Arc<LocalToken>)>,
    /// The same in the order in which they were made, which is the one in which they end.
    order: BTreeMap<u64, Random>,
    made: u64,
}

type Random = [u8; 32];

/// The system gives no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random numbers for a local token")]
pub(super) struct NoRandomness;

impl LocalTokens {
    /// Makes a token that is good for [`LIFETIME`] from `now`.
    pub(super) fn issue(
        &self,
        methods: Vec<String>,
        scope: Granted,
        admission: Admission,
        now: Moment,
    ) -> Result<(HeaderValue, Arc<LocalToken>), NoRandomness> {
        let Admission { key, until } = admission;
        let (random, audit) = (random::<32>()?, random::<16>()?);
        let text = HeaderValue::from_str(&format!("{MARK}{}", hex(&random)));
        let mut text = text.map_err(|_| NoRandomness)?;
        text.set_sensitive(true);
        let audit_id = hex(&audit);
        let expires = until.unwrap_or_else(|| now.plus(LIFETIME));
        let token = Arc::new(LocalToken { methods, scope, issued: now, expires, audit_id, key });
        let mut known = lock(if key.is_some() { &self.keyed } else { &self.keyless });
        known.make_room(now);
        known.made += 1;
        let number = known.made;
        known.order.insert(number, random);
        known.tokens.insert(random, (number, Arc::clone(&token)));
        Ok((text, token))
    }

    /// What is known of a token; `None` if it is none of ours, or no longer.
    pub(super) fn find(&self, subject: &HeaderValue, now: Moment) -> Option<Arc<LocalToken>> {
        let random = random_part(subject.as_bytes())?;
        let find = |kind| lock(kind).find(&random, now);
        find(&self.keyless).or_else(|| find(&self.keyed))
    }

    /// The end of a token that was given for `key` and is still good.
    pub(super) fn opens(&self, token: &[u8], key: &ClientKey, now: Moment) -> Option<Moment> {
        let found = random_part(token).and_then(|random| lock(&self.keyed).find(&random, now));
        found.filter(|token| token.key.as_ref() == Some(key)).map(|token| token.expires)
    }

    /// Forgets a token.
    pub(super) fn revoke(&self, subject: &HeaderValue) {
        let Some(random) = random_part(subject.as_bytes()) else { return };
        for kind in [&self.keyless, &self.keyed] {
            let mut known = lock(kind);
            if let Some((number, _)) = known.tokens.remove(&random) {
                known.order.remove(&number);
            }
        }
    }
}

fn lock(kind: &Mutex<Known>) -> MutexGuard<'_, Known> {
    kind.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    fn find(&self, random: &Random, now: Moment) -> Option<Arc<LocalToken>> {
        let (_, token) = self.tokens.get(random)?;
        (!token.expires.is_over(now)).then(|| Arc::clone(token))
    }

    /// Forgets what has ended, and the oldest if there would be too many.
    fn make_room(&mut self, now: Moment) {
        while let Some(oldest) = self.order.first_entry() {
            let is_over = self.tokens.get(oldest.get()).is_none_or(|(_, token)| token.expires.is_over(now));
            if !is_over && self.tokens.len() < MOST_TOKENS {
                return;
            }
            self.tokens.remove(&oldest.remove());
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// The random part of a token, if it is one of this form.
fn random_part(token: &[u8]) -> Option<Random> {
    let digits = token.strip_prefix(MARK.as_bytes())?;
    let mut random = [0; 32];
    if digits.len() != 2 * random.len() {
        return None;
    }
    for (byte, pair) in random.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16).filter(|_| !digit.is_ascii_uppercase())?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(random)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Tells whoever finds such a token in a log that it is harmless.
const MARK: &str = "gatestone-local-";
/// Design 6. Clients log in again before it ends.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// A client that logs in for each of its requests makes so many in some minutes; they take 4 MB at most.
const MOST_TOKENS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::secret::Secret;

    fn issue(tokens: &LocalTokens, now: Moment) -> HeaderValue {
        issue_for(tokens, None, now)
    }

    fn issue_for(tokens: &LocalTokens, key: Option<ClientKey>, now: Moment) -> HeaderValue {
        let admission = Admission { key, until: None };
        tokens.issue(vec!["password".to_owned()], Granted::Held, admission, now).unwrap().0
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_known_for_a_day_or_until_it_is_revoked() {
        let (tokens, start) = (LocalTokens::default(), Clock::system().now());
        let (first, second) = (issue(&tokens, start), issue(&tokens, start));
        assert_ne!(first, second);
        assert!(first.to_str().unwrap().starts_with("gatestone-local-"));
        tokens.revoke(&second);
        for (after, is_known) in [(0, true), (LIFETIME.as_secs() - 1, true), (LIFETIME.as_secs(), false)] {
            let now = start.plus(Duration::from_secs(after));
            assert_eq!(tokens.find(&first, now).is_some(), is_known, "after {after} s");
            assert!(tokens.find(&second, now).is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_of_too_many_is_forgotten_and_so_is_what_has_ended() {
        let (tokens, start) = (LocalTokens::default(), Clock::system().now());
        let all: Vec<HeaderValue> = (0..=MOST_TOKENS).map(|_| issue(&tokens, start)).collect();
        assert!(tokens.find(&all[0], start).is_none());
        assert!(tokens.find(&all[1], start).is_some() && tokens.find(&all[MOST_TOKENS], start).is_some());
        let sizes = |tokens: &LocalTokens| {
            let known = lock(&tokens.keyless);
            (known.tokens.len(), known.order.len())
        };
        assert_eq!(sizes(&tokens), (MOST_TOKENS, MOST_TOKENS));
        tokens.revoke(&all[7]);
        issue(&tokens, start.plus(LIFETIME));
        assert_eq!(sizes(&tokens), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_opens_for_a_day_what_it_was_given_for() {
        let (tokens, start) = (LocalTokens::default(), Clock::system().now());
        let [one, other] = ["one", "other"].map(|text| ClientKey::new(&Secret::new(text)));
        let (keyed, keyless) = (issue_for(&tokens, Some(one), start), issue(&tokens, start));
        let opens = |token: &HeaderValue, key, after| {
            tokens.opens(token.as_bytes(), key, start.plus(Duration::from_secs(after))).is_some()
        };
        let day = LIFETIME.as_secs();
        assert!(opens(&keyed, &one, 0) && opens(&keyed, &one, day - 1) && !opens(&keyed, &one, day));
        assert!(!opens(&keyed, &other, 0) && !opens(&keyless, &one, 0));
        assert!(tokens.opens(b"", &one, start).is_none());
        // However many are made by those who need to know nothing.
        for _ in 0..=MOST_TOKENS {
            issue(&tokens, start);
        }
        assert!(opens(&keyed, &one, 0) && tokens.find(&keyed, start).is_some());
        tokens.revoke(&keyed);
        assert!(!opens(&keyed, &one, 0) && tokens.find(&keyed, start).is_none());
    }

    #[test]
    fn what_is_not_of_this_form_is_no_token_of_ours() {
        let tokens = LocalTokens::default();
        let now = Moment { monotonic: tokio::time::Instant::now(), wall: std::time::SystemTime::now() };
        let good = issue(&tokens, now);
        let text = good.to_str().unwrap();
        assert!(tokens.find(&good, now).is_some());
        for other in [
            "",
            "gatestone-local-",
            &text[MARK.len()..],
            &text[..text.len() - 1],
            &format!("{text}0"),
            &format!("{}{}", MARK, "+1".repeat(32)),
            &format!("{}{}", MARK, "ä".repeat(32)),
            &text.to_ascii_uppercase(),
        ] {
            assert!(
                tokens.find(&HeaderValue::from_bytes(other.as_bytes()).unwrap(), now).is_none(),
                "{other}"
            );
        }
    }
}
