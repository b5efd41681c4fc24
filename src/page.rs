//! The page for people: who we are, the token's age, each prefix and how it fares, and what passed of late.
//!
//! ```text
//! Admin ─► status (JSON, for programs) ─► view (words and lines, still JSON) ─► template ─► HTML
//!                                              └─► events, `/-/status?page` ─► page.js fills the same template
//! ```
//!
//! 1. The page is whole without a script, and without any other request but for its icon. The script only fills in what a
//!    newer view says, by the same marks in the same template (`template`).
//! 2. Everything that is not in our own files is text, here (`template::escape`) and in the script (`textContent`). The
//!    policy lets in the one script and the one style sheet that we hold, by their hashes, and nothing else: not even a
//!    script of this origin, where anyone who stores an object could put one.
//! 3. No secret comes near: the view is made from what `/-/status` says.
//! 4. `/` is HTML only for who prefers that (`negotiation`); clients look there for Keystone's versions.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response};
use serde_json::Value;

mod chart;
pub(crate) mod events;
mod negotiation;
mod template;
pub(crate) mod view;
pub(crate) mod words;

pub(crate) use negotiation::prefers_html;

use crate::reply::ReplyBody;

const CSS: &str = include_str!("page/page.css");
const JS: &str = include_str!("page/page.js");
const WHOLE: &str = include_str!("page/page.html");
const FRONT: &str = include_str!("page/front.html");
const ICON: &str = include_str!("page/icon.svg");

/// With style and script in their places.
static PAGE: LazyLock<String> =
    LazyLock::new(|| WHOLE.replace("<!--css-->", CSS).replace("<!--js-->", JS).replace("<!--icon-->", ICON));
static FRONT_PAGE: LazyLock<String> =
    LazyLock::new(|| FRONT.replace("<!--css-->", CSS).replace("<!--icon-->", ICON));

/// What the page may do: what we wrote, by its hash; ask us again; nothing else. `img-src` is for the icon.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        hash(JS),
        hash(CSS)
    );
    HeaderValue::from_str(&policy).ok()
});

/// The page, with a view of how things are.
pub(crate) fn page(view: &Value) -> Response<ReplyBody> {
    html(template::fill(&PAGE, view))
}

/// For who may not see that: how to log in.
pub(crate) fn front(view: &Value) -> Response<ReplyBody> {
    html(template::fill(&FRONT_PAGE, view))
}

/// What browsers show beside the title.
pub(crate) fn icon() -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::ours(ICON));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=86400"));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response
}

fn html(text: String) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::ours(text));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    fields.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    fields.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    fields.insert(VARY, HeaderValue::from_static("Accept"));
    let denied = || HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    fields.insert(CONTENT_SECURITY_POLICY, POLICY.clone().unwrap_or_else(denied));
    response
}

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_stand_in_the_page_as_they_are_hashed() {
        assert!(PAGE.contains(&format!("<style>{CSS}</style>")));
        assert!(PAGE.contains(&format!("<script>{JS}</script>")));
        assert!(FRONT_PAGE.contains(&format!("<style>{CSS}</style>")) && !FRONT_PAGE.contains("<script"));
        for text in [CSS, JS, ICON] {
            assert!(!text.contains("</style") && !text.contains("</script") && !text.contains("<!--"));
            assert!(!text.contains(" data-"), "a mark stands on elements of the template alone");
        }
        assert!(POLICY.is_some());
    }

    #[test]
    fn the_page_asks_for_nothing_elsewhere_and_is_small() {
        for text in [&*PAGE, &*FRONT_PAGE] {
            let outside = text.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !outside.contains("http:") && !outside.contains("https:") && !outside.contains("\"//"),
                "{outside}"
            );
            assert!(!text.contains(" style=") && !text.contains(" onclick"), "the policy refuses them");
        }
        assert!(PAGE.len() < 30 * 1024, "{} bytes", PAGE.len());
    }
}
