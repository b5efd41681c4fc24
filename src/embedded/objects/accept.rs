//! `Accept`, by Swift's rules (`swob.Accept`).

/// The first of `offers` that the field likes best: nothing if it likes none, an error if it is malformed.
pub(super) fn best<'a>(accept: Option<&str>, offers: &[&'a str]) -> Result<Option<&'a str>, Malformed> {
    let Some(accept) = accept.filter(|accept| !accept.is_empty()) else {
        return Ok(offers.first().copied());
    };
    let mut liked = accept.split(',').map(one).collect::<Result<Vec<_>, _>>()?;
    liked.sort_by(|a, b| b.quality.total_cmp(&a.quality).then(b.is_exact().cmp(&a.is_exact())));
    let found = liked.iter().find_map(|like| offers.iter().find(|offer| like.likes(offer)).copied());
    Ok(found)
}

/// It is not a list of media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

struct Like<'a> {
    kind: &'a str,
    subkind: &'a str,
    quality: f64,
}

impl Like<'_> {
    fn is_exact(&self) -> bool {
        self.kind != "*" && self.subkind != "*"
    }

    fn likes(&self, offer: &str) -> bool {
        let (kind, subkind) = offer.split_once('/').unwrap_or((offer, ""));
        (self.kind == "*" || self.kind == kind) && (self.subkind == "*" || self.subkind == subkind)
    }
}

fn one(text: &str) -> Result<Like<'_>, Malformed> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, subkind) = parts.next().and_then(|media| media.split_once('/')).ok_or(Malformed)?;
    if !is_token(kind) || !is_token(subkind) {
        return Err(Malformed);
    }
    let mut quality = 1.0;
    for parameter in parts.filter(|part| !part.is_empty()) {
        let (name, value) = parameter.split_once('=').ok_or(Malformed)?;
        if name.trim() == "q" {
            quality = value.trim().parse().map_err(|_| Malformed)?;
        }
    }
    Ok(Like { kind, subkind, quality })
}

fn is_token(text: &str) -> bool {
    let stops = "()<>@,;:\"/[]?={}";
    !text.is_empty() && text.chars().all(|c| c > ' ' && c != '\u{7f}' && !stops.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_offer_is_found() {
        let offers = ["text/plain", "application/json", "text/xml"];
        for (accept, expected) in [
            (None, Ok(Some("text/plain"))),
            (Some(""), Ok(Some("text/plain"))),
            (Some("*/*"), Ok(Some("text/plain"))),
            (Some("application/json"), Ok(Some("application/json"))),
            (Some("text/*;q=0.5, application/json"), Ok(Some("application/json"))),
            (Some("*/*, text/xml"), Ok(Some("text/xml"))),
            (Some("image/png"), Ok(None)),
            (Some("rubbish"), Err(Malformed)),
            (Some("a/b;q=x"), Err(Malformed)),
            (Some("a/b;q"), Err(Malformed)),
        ] {
            assert_eq!(best(accept, &offers), expected, "{accept:?}");
        }
    }
}
