//! The seed of one-time passcodes, as people have it.

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::totp;

/// Reads base32, or the `otpauth://totp/..` URL that a QR code shows; an error does not quote it.
pub(super) fn read(text: &Secret) -> Result<Secret, String> {
    let seed = match text.expose().trim().strip_prefix("otpauth://") {
        None => Zeroizing::new(text.expose().trim().to_owned()),
        Some(rest) => of_url(rest)?,
    };
    match totp::code(&seed, 0) {
        Some(_) => Ok(Secret::new(seed.as_str())),
        None => {
            Err("it is not base32 (letters and the digits 2 to 7), as seeds of one-time passcodes are"
                .to_owned())
        }
    }
}

/// Behind its scheme (Google Authenticator's key URI format). Keystone makes six digits by SHA-1 each 30 s, so nothing
/// else is of use.
fn of_url(rest: &str) -> Result<Zeroizing<String>, String> {
    let query = rest.strip_prefix("totp/").and_then(|rest| rest.split_once('?'));
    let Some((_, query)) = query else {
        return Err(
            "an otpauth:// URL of time-based codes starts with `otpauth://totp/` and has a query".to_owned()
        );
    };
    let value = |wanted: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    for (name, only) in [("algorithm", "SHA1"), ("digits", "6"), ("period", "30")] {
        if value(name).is_some_and(|value| !value.eq_ignore_ascii_case(only)) {
            return Err(format!(
                "its `{name}` is another than {only}, which is the only one that Keystone has"
            ));
        }
    }
    let secret = value("secret").ok_or("the otpauth:// URL has no `secret`")?;
    Ok(Zeroizing::new(percent_decode_str(secret).decode_utf8_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read_as_people_have_them() {
        for text in [
            "GEZDGNBVGY3TQOJQ",
            " gezd gnbv gy3t qojq\n",
            "otpauth://totp/Cloud:demo?secret=GEZDGNBVGY3TQOJQ&issuer=Cloud",
            "otpauth://totp/x?digits=6&Algorithm=sha1&period=30&secret=GEZDGNBVGY3TQOJQ%3D%3D",
        ] {
            let seed = read(&Secret::new(text)).unwrap();
            assert_eq!(totp::code(seed.expose(), 7), totp::code("GEZDGNBVGY3TQOJQ", 7), "{text}");
        }
    }

    #[test]
    fn what_is_no_seed_is_told_and_not_shown() {
        for (text, part) in [
            ("hunter2-sesame1", "not base32"),
            ("", "not base32"),
            ("otpauth://hotp/x?secret=GEZDGNBVGY3TQOJQ", "otpauth://totp/"),
            ("otpauth://totp/x", "has a query"),
            ("otpauth://totp/x?issuer=hunter2", "no `secret`"),
            ("otpauth://totp/x?secret=hunter1", "not base32"),
            ("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&digits=8", "`digits`"),
        ] {
            let error = read(&Secret::new(text)).unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter"), "{error}");
        }
    }
}
