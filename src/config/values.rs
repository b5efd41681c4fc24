//! Texts to values: switches, host names, `HOST:PORT:ADDRESS`.
//!
//! Each reader returns what is wrong as a sentence without subject; the caller knows the place.

use std::net::IpAddr;

use crate::catalog::Interface;
use crate::client::Resolve;

/// A switch, in any of YAML 1.1's and the shells' spellings.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "1" => Ok(true),
        "false" | "no" | "off" | "n" | "0" => Ok(false),
        other => Err(format!("`{other}` is neither `true` nor `false`")),
    }
}

/// A number of things, at least one.
pub(super) fn count(text: &str, most: usize) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is not a whole number from 1 to {most}")),
    }
}

/// Texts between commas.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Interfaces in order of preference, each once.
pub(super) fn interfaces(texts: &[String]) -> Result<Vec<Interface>, String> {
    let mut interfaces = Vec::new();
    for text in texts {
        let interface: Interface = text.trim().parse().map_err(|_| {
            format!("`{text}` is not an interface; there are `public`, `internal` and `admin`")
        })?;
        if !interfaces.contains(&interface) {
            interfaces.push(interface);
        }
    }
    if interfaces.is_empty() {
        return Err("no interface is named".to_owned());
    }
    Ok(interfaces)
}

/// A `Host` value: a name or an address, and perhaps a port.
pub(super) fn host(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not a host or host:port, without `http://` and path");
    let authority: http::uri::Authority = text.trim().parse().map_err(|_| wrong())?;
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(wrong());
    }
    Ok(authority.as_str().to_ascii_lowercase())
}

/// curl's `--resolve`: `HOST:PORT:ADDRESS[,ADDRESS]`, IPv6 addresses in brackets or bare.
pub(super) fn resolve(text: &str) -> Result<Resolve, String> {
    let mut parts = text.trim().splitn(3, ':');
    let (Some(host), Some(port), Some(addresses)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!("`{text}` is not HOST:PORT:ADDRESS"));
    };
    if host.is_empty() {
        return Err(format!("`{text}` names no host"));
    }
    let port = match port {
        "*" => None,
        port => Some(port.parse().map_err(|_| format!("`{port}` is neither a port nor `*`"))?),
    };
    let address = |text: &str| -> Result<IpAddr, String> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        bare.parse().map_err(|_| format!("`{text}` is not an IP address"))
    };
    let addresses = list(addresses).iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>()?;
    if addresses.is_empty() {
        return Err(format!("`{text}` names no address"));
    }
    Ok(Resolve { host: host.to_ascii_lowercase(), port, addresses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_have_many_spellings() {
        for (text, value) in [("yes", Ok(true)), ("TRUE", Ok(true)), ("1", Ok(true)), ("Off", Ok(false))] {
            assert_eq!(boolean(text), value);
        }
        assert!(boolean("maybe").is_err());
    }

    #[test]
    fn hosts_have_no_scheme_and_no_path() {
        assert_eq!(host("Cloud.Example:8080"), Ok("cloud.example:8080".to_owned()));
        assert_eq!(host("[::1]:80"), Ok("[::1]:80".to_owned()));
        for text in ["http://a", "a/b", "", "u@a", "a b"] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn resolve_is_curls() {
        let found = resolve("Keystone.internal:443:10.0.0.1,[fd00::1],fd00::2").unwrap();
        assert_eq!(
            (found.host.as_str(), found.port, found.addresses.len()),
            ("keystone.internal", Some(443), 3)
        );
        assert_eq!(resolve("a:*:::1").unwrap().port, None);
        for text in ["a:443", "a:http:1.2.3.4", ":443:1.2.3.4", "a:443:", "a:443:b"] {
            assert!(resolve(text).is_err(), "{text}");
        }
    }

    #[test]
    fn interfaces_keep_their_order() {
        let texts = ["internalURL", "public", "internal"].map(str::to_owned);
        assert_eq!(interfaces(&texts), Ok(vec![Interface::Internal, Interface::Public]));
        assert!(interfaces(&["Public1".to_owned()]).is_err());
    }
}
