//! What a user wrote about a login, before it is checked: the same keys whether they
//! come from `OS_*` variables or from `clouds.yaml`, since openstacksdk, too, treats the
//! environment as one more cloud (`openstack/config/loader.py:_get_os_environ`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::secret::Secret;

use super::mistakes::Mistakes;
use super::settings::Placed;

/// Keys that are shown in messages, with the variables that set them, the first set winning.
pub(super) const TEXTS: [(&str, &[&str]); 32] = [
    ("auth_url", &["OS_AUTH_URL"]),
    ("auth_type", &["OS_AUTH_TYPE", "OS_AUTH_PLUGIN"]),
    // A list, with commas between.
    ("auth_methods", &["OS_AUTH_METHODS"]),
    ("username", &["OS_USERNAME", "OS_USER_NAME"]),
    // gophercloud's spelling has one underscore less.
    ("user_id", &["OS_USER_ID", "OS_USERID"]),
    ("user_domain_id", &["OS_USER_DOMAIN_ID"]),
    ("user_domain_name", &["OS_USER_DOMAIN_NAME"]),
    ("project_id", &["OS_PROJECT_ID", "OS_TENANT_ID"]),
    ("project_name", &["OS_PROJECT_NAME", "OS_TENANT_NAME"]),
    ("project_domain_id", &["OS_PROJECT_DOMAIN_ID"]),
    ("project_domain_name", &["OS_PROJECT_DOMAIN_NAME"]),
    ("domain_id", &["OS_DOMAIN_ID"]),
    ("domain_name", &["OS_DOMAIN_NAME"]),
    // `OS_DEFAULT_DOMAIN` is an id (`osc_lib/shell.py`).
    ("default_domain_id", &["OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"]),
    ("default_domain_name", &["OS_DEFAULT_DOMAIN_NAME"]),
    ("system_scope", &["OS_SYSTEM_SCOPE"]),
    ("trust_id", &["OS_TRUST_ID"]),
    ("application_credential_id", &["OS_APPLICATION_CREDENTIAL_ID"]),
    ("application_credential_name", &["OS_APPLICATION_CREDENTIAL_NAME"]),
    ("identity_provider", &["OS_IDENTITY_PROVIDER"]),
    ("protocol", &["OS_PROTOCOL"]),
    ("client_id", &["OS_CLIENT_ID"]),
    ("openid_scope", &["OS_OPENID_SCOPE"]),
    ("discovery_endpoint", &["OS_DISCOVERY_ENDPOINT"]),
    ("access_token_endpoint", &["OS_ACCESS_TOKEN_ENDPOINT"]),
    ("access_token_type", &["OS_ACCESS_TOKEN_TYPE"]),
    ("device_authorization_endpoint", &["OS_DEVICE_AUTHORIZATION_ENDPOINT"]),
    ("code_challenge_method", &["OS_CODE_CHALLENGE_METHOD"]),
    ("idp_otp_key", &["OS_IDP_OTP_KEY"]),
    ("oauth2_endpoint", &["OS_OAUTH2_ENDPOINT"]),
    ("oauth2_client_id", &["OS_OAUTH2_CLIENT_ID"]),
    // keystoneauth's older name of it is `url`.
    ("endpoint", &["OS_ENDPOINT", "OS_URL"]),
];

/// Keys that never are; each may come from a file instead: `OS_PASSWORD_FILE`, `password_file`.
pub(super) const SECRETS: [(&str, &[&str]); 8] = [
    ("password", &["OS_PASSWORD"]),
    ("application_credential_secret", &["OS_APPLICATION_CREDENTIAL_SECRET"]),
    ("token", &["OS_TOKEN", "OS_AUTH_TOKEN"]),
    ("passcode", &["OS_PASSCODE"]),
    // Of ours: no other client makes passcodes.
    ("totp_secret", &["OS_TOTP_SECRET"]),
    ("client_secret", &["OS_CLIENT_SECRET"]),
    ("access_token", &["OS_ACCESS_TOKEN"]),
    ("oauth2_client_secret", &["OS_OAUTH2_CLIENT_SECRET"]),
];

/// A login as written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// Where it was written.
    pub(super) origin: Origin,
    /// Values of [`TEXTS`].
    pub(super) texts: BTreeMap<&'static str, Placed<String>>,
    /// Values of [`SECRETS`].
    pub(super) secrets: BTreeMap<&'static str, Placed<Secret>>,
    /// The files of those that have one to themselves.
    pub(super) secret_files: BTreeMap<&'static str, PathBuf>,
    /// Secrets that are set and cannot be used; what is wrong has been told.
    pub(super) unusable: BTreeSet<&'static str>,
}

/// Where a login was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `OS_*` variables.
    Environment,
    /// One cloud of `clouds.yaml`.
    Cloud {
        /// Its key below `clouds`.
        name: String,
        /// The file, and `secure.yaml` if there is one.
        files: String,
    },
}

impl Draft {
    /// Nothing yet.
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            texts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            secret_files: BTreeMap::new(),
            unusable: BTreeSet::new(),
        }
    }

    /// The value of a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(|placed| placed.value.as_str())
    }

    /// Whether a key has a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.texts.contains_key(key) || self.secrets.contains_key(key)
    }

    /// Whether this says who logs in or where, and not only, say, a password.
    pub(super) fn is_login(&self) -> bool {
        [
            "auth_url",
            "username",
            "user_id",
            "application_credential_id",
            "application_credential_name",
            "token",
            "identity_provider",
            "oauth2_client_id",
            "endpoint",
        ]
        .iter()
        .any(|key| self.has(key))
    }

    /// The cloud that it is of.
    pub(super) fn cloud(&self) -> Option<&str> {
        match &self.origin {
            Origin::Environment => None,
            Origin::Cloud { name, .. } => Some(name),
        }
    }

    /// Where a key's value was written.
    pub(super) fn place(&self, key: &str) -> &str {
        let text = self.texts.get(key).map(|placed| placed.place.as_str());
        text.or_else(|| self.secrets.get(key).map(|placed| placed.place.as_str())).unwrap_or_default()
    }

    /// Where all of it was written, by key.
    pub(super) fn places(&self) -> BTreeMap<&'static str, String> {
        let texts = self.texts.iter().map(|(key, placed)| (*key, placed.place.clone()));
        let secrets = self.secrets.iter().map(|(key, placed)| (*key, placed.place.clone()));
        texts.chain(secrets).collect()
    }

    /// How a user writes a key: the variable that set it, or would.
    pub(super) fn name(&self, key: &str) -> String {
        match &self.origin {
            Origin::Cloud { .. } => format!("`{key}`"),
            Origin::Environment if self.has(key) => self.place(key).to_owned(),
            Origin::Environment => format!("OS_{}", key.to_uppercase()),
        }
    }

    /// How a user writes `key` with an example `value`.
    pub(super) fn example(&self, key: &str, value: &str) -> String {
        match &self.origin {
            Origin::Cloud { .. } => format!("`{key}: {value}`"),
            Origin::Environment => format!("OS_{}={value}", key.to_uppercase()),
        }
    }

    /// Adds a mistake about the login as a whole.
    pub(super) fn mistake(&self, mistakes: &mut Mistakes, message: impl Into<String>) {
        match &self.origin {
            Origin::Environment => mistakes.add(message),
            Origin::Cloud { .. } => mistakes.at(self, message),
        }
    }
}

impl std::fmt::Display for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.origin {
            Origin::Environment => f.write_str("the OS_* variables"),
            Origin::Cloud { name, files } => write!(f, "cloud `{name}` in {files}"),
        }
    }
}
