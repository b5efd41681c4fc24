//! Whether a client prefers HTML (RFC 9110 §12.5.1).
//!
//! It does if it names `text/html` and gives it more weight than `application/json`, which it may name or cover by a
//! wildcard. All others get JSON, as before there was a page: `curl` (`*/*`), and whatever looks for Keystone's versions.

use http::HeaderMap;
use http::header::ACCEPT;

/// Whether it does.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut html = 0;
    // By how closely the range names it, then its weight.
    let mut json = (0, 0);
    for range in lines.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight =
            parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('=')).map_or(1000, weight);
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("text/html") {
            html = html.max(weight);
        }
        let closeness = match () {
            () if is("application/json") => 3,
            () if is("application/*") => 2,
            () if is("*/*") => 1,
            () => 0,
        };
        if closeness > 0 {
            json = json.max((closeness, weight));
        }
    }
    html > json.1
}

/// In thousandths; nothing for what is none.
fn weight(text: &str) -> u32 {
    let weight = text.trim().parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight));
    weight.map_or(0, |weight| (weight * 1000.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn browsers_get_html_and_all_others_json() {
        for (accept, expected) in [
            // Firefox, Chromium, Safari, lynx, w3m.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
                true,
            ),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01", true),
            ("text/html, text/*;q=0.5, image/*", true),
            ("TEXT/HTML ; charset=utf-8", true),
            ("*/*", false),
            ("application/json", false),
            ("application/json, text/plain, */*", false),
            ("application/json, text/html", false),
            ("text/html;q=0.5, application/json", false),
            ("text/html;q=0.5, application/*", false),
            ("text/html;q=0.5, application/json;q=0.4, */*", true),
            ("text/html;q=0", false),
            ("text/html;q=much", false),
            ("text/html;q=0.1, */*", false),
            ("text/*", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(prefers_html(&headers), expected, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
