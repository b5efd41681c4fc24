//! One-time passcodes: RFC 6238 with SHA-1, steps of 30 s and six digits, as Keystone's `totp` plugin takes them
//! (`keystone/auth/plugins/totp.py`).

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// The step in which a moment lies; a code belongs to one step.
pub(crate) fn step(unix_seconds: u64) -> u64 {
    unix_seconds / STEP_SECONDS
}

/// The code of a step; nothing if the seed is not base32 (RFC 4648 section 6). Keystone's seeds are that, and so is what
/// authenticators show, in small letters and groups as well.
pub(crate) fn code(seed: &str, step: u64) -> Option<Zeroizing<String>> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(seed)?);
    let digest = hmac::sign(&key, &step.to_be_bytes());
    let digest = digest.as_ref();
    // RFC 4226 5.3: the last four bits say where the number begins.
    let at = usize::from(digest.last()? & 0xf);
    let number = digest.get(at..at + 4)?.try_into().map(u32::from_be_bytes).ok()? & 0x7fff_ffff;
    let mut code = Zeroizing::new(String::with_capacity(6));
    write!(code, "{:06}", number % 1_000_000).ok()?;
    Some(code)
}

/// Without padding, blanks and dashes; empty is nothing.
fn base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut held, mut bits) = (0_u16, 0_u8);
    for digit in text.trim_end_matches('=').bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a',
            b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        held = (held << 5 | u16::from(value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

const STEP_SECONDS: u64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        // "12345678901234567890" in base32; the RFC gives eight digits, these are the last six.
        let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = step(time);
            assert_eq!(code(seed, step).unwrap().as_str(), expected);
            assert_eq!(code("gezd gnbv-gy3tqojqgezdgnbvgy3tqojq==", step).unwrap().as_str(), expected);
        }
        for seed in ["1!", "", "=", "A"] {
            assert_eq!(code(seed, 1), None, "{seed}");
        }
    }
}
