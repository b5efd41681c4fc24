//! Placeholders in the endpoints that a user sets.
//!
//! `%(project_id)s` and `$(project_id)s` are the forms of Keystone's own endpoint templates
//! (`keystone/catalog/core.py`); `tenant_id` is the old name of the same id. What such a URL expands to
//! depends on the token, so it is done for each.

use crate::catalog::{EndpointUrl, UrlError};

/// What placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    /// The token's project.
    pub(super) project_id: Option<&'a str>,
    /// The token's user.
    pub(super) user_id: Option<&'a str>,
}

/// Why an override cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ExpandError {
    /// A placeholder we have no meaning for.
    #[error("`{0}` is no placeholder; there are project_id, tenant_id and user_id")]
    Unknown(String),
    /// The token is for no project.
    #[error("`{0}` needs a token with a project")]
    NoProject(String),
    /// The user is not known.
    #[error("`{0}` needs the user's id, which is not known")]
    NoUser(String),
    /// What came out is no URL.
    #[error(transparent)]
    Url(#[from] UrlError),
}

impl Values<'_> {
    /// The URL with every placeholder filled in.
    pub(super) fn expand(&self, template: &str) -> Result<EndpointUrl, ExpandError> {
        let mut url = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((before, name, after)) = next_placeholder(rest) {
            url.push_str(before);
            url.push_str(self.value(name)?);
            rest = after;
        }
        url.push_str(rest);
        Ok(EndpointUrl::parse(&url)?)
    }

    fn value(&self, name: &str) -> Result<&str, ExpandError> {
        match name {
            "project_id" | "tenant_id" => {
                self.project_id.ok_or_else(|| ExpandError::NoProject(name.to_owned()))
            }
            "user_id" => self.user_id.ok_or_else(|| ExpandError::NoUser(name.to_owned())),
            _ => Err(ExpandError::Unknown(name.to_owned())),
        }
    }
}

/// Splits at the first `%(name)s` or `$(name)s`.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let start = [text.find("%("), text.find("$(")].into_iter().flatten().min()?;
    let (name, after) = text[start + 2..].split_once(")s")?;
    Some((&text[..start], name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_placeholder_is_filled_in() {
        let values = Values { project_id: Some("p1"), user_id: Some("u1") };
        for (template, expected) in [
            ("http://h/v1/AUTH_%(project_id)s", "http://h/v1/AUTH_p1"),
            ("http://h/$(tenant_id)s/%(tenant_id)s/", "http://h/p1/p1"),
            ("http://h/$(project_id)s/%(user_id)s", "http://h/p1/u1"),
            ("http://h/plain", "http://h/plain"),
        ] {
            assert_eq!(values.expand(template).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_explained() {
        let values = Values { project_id: None, user_id: None };
        for (template, expected) in [
            ("http://h/%(project_id)s", ExpandError::NoProject("project_id".into())),
            ("http://h/$(user_id)s", ExpandError::NoUser("user_id".into())),
            ("http://h/%(region)s", ExpandError::Unknown("region".into())),
            ("http://h/%(project_id", ExpandError::Url(UrlError::Placeholder)),
            ("h/x", ExpandError::Url(UrlError::Scheme)),
        ] {
            assert_eq!(values.expand(template), Err(expected), "{template}");
        }
    }
}
