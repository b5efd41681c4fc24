//! Which login a draft describes: `auth_type`, or what the other keys fit.
//!
//! The names are those of keystoneauth's plugins (`pyproject.toml`, entry points `keystoneauth1.plugin`).

use super::super::draft::Draft;
use super::super::mistakes::did_you_mean;
use super::super::values;

/// A kind of login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One proof.
    One(Factor),
    /// Those of `auth_methods`, in one request.
    Multifactor(Vec<Factor>),
    /// What an identity provider says.
    Oidc(Oidc),
    /// An application credential with a bearer token beside.
    OAuth2,
    /// Services without a Keystone.
    Standalone(Fixed),
}

/// What services without a Keystone are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fixed {
    Nothing,
    Basic,
    Token,
}

/// How an identity provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oidc {
    AccessToken,
    ClientCredentials,
    Password,
    Device,
}

/// One way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    Password,
    Token,
    ApplicationCredential,
    Totp,
}

impl Kind {
    pub(super) fn factors(&self) -> &[Factor] {
        match self {
            Self::One(factor) => std::slice::from_ref(factor),
            Self::Multifactor(factors) => factors,
            Self::Oidc(_) | Self::OAuth2 | Self::Standalone(_) => &[],
        }
    }

    /// Its secrets by their keys; of each group one is needed.
    pub(super) fn secrets(&self) -> Vec<&'static [&'static str]> {
        match self {
            // For a Keystone that wants it too.
            Self::One(Factor::Password) => vec![&["password"], &["totp_secret"]],
            Self::One(_) | Self::Multifactor(_) => {
                self.factors().iter().map(|factor| factor.secrets()).collect()
            }
            Self::Oidc(Oidc::AccessToken) => vec![&["access_token"]],
            Self::Oidc(Oidc::ClientCredentials | Oidc::Device) => vec![&["client_secret"]],
            Self::Oidc(Oidc::Password) => {
                vec![&["client_secret"], &["password"], &["passcode", "totp_secret"]]
            }
            Self::OAuth2 => vec![&["oauth2_client_secret"]],
            Self::Standalone(Fixed::Nothing) => Vec::new(),
            Self::Standalone(Fixed::Basic) => vec![&["password"]],
            Self::Standalone(Fixed::Token) => vec![&["token"]],
        }
    }

    /// What the draft says, or what is wrong with it, by its key.
    pub(super) fn of(draft: &Draft) -> Result<Self, (&'static str, String)> {
        let Some(auth_type) = draft.text("auth_type") else { return Ok(Self::One(Factor::fitting(draft))) };
        match auth_type {
            "v3multifactor" => return Ok(Self::Multifactor(methods(draft)?)),
            "v3oidcaccesstoken" => return Ok(Self::Oidc(Oidc::AccessToken)),
            "v3oidcclientcredentials" => return Ok(Self::Oidc(Oidc::ClientCredentials)),
            "v3oidcpassword" => return Ok(Self::Oidc(Oidc::Password)),
            "v3oidcdeviceauthz" => return Ok(Self::Oidc(Oidc::Device)),
            "v3oauth2clientcredential" => return Ok(Self::OAuth2),
            // openstacksdk takes what is not set that way, too (`loader.py:_get_auth_loader`).
            "none" | "None" => return Ok(Self::Standalone(Fixed::Nothing)),
            "http_basic" => return Ok(Self::Standalone(Fixed::Basic)),
            "admin_token" | "token_endpoint" => return Ok(Self::Standalone(Fixed::Token)),
            _ => {}
        }
        let unknown = |message| ("auth_type", message);
        match Factor::of_type(auth_type) {
            Some(factor) => Ok(Self::One(factor)),
            None if matches!(auth_type, "v2password" | "v2token") => Err(unknown(format!(
                "`{auth_type}` is for the Identity API v2.0, which is gone; there are {}",
                supported()
            ))),
            None if LATER.contains(&auth_type) => Err(unknown(format!(
                "the authentication type `{auth_type}` is not supported yet; there are {}",
                supported()
            ))),
            None => Err(unknown(format!(
                "`{auth_type}` is not an authentication type; there are {}{}",
                supported(),
                did_you_mean(auth_type, SUPPORTED)
            ))),
        }
    }
}

impl Factor {
    /// The one that an authentication type stands for.
    fn of_type(name: &str) -> Option<Self> {
        match name {
            "password" | "v3password" => Some(Self::Password),
            "token" | "v3token" => Some(Self::Token),
            "v3applicationcredential" => Some(Self::ApplicationCredential),
            "v3totp" => Some(Self::Totp),
            _ => None,
        }
    }

    /// The one that the other keys fit.
    fn fitting(draft: &Draft) -> Self {
        let has = |keys: &[&str]| keys.iter().any(|key| draft.has(key));
        let has_user = has(&["username", "user_id"]);
        if has(&["application_credential_id", "application_credential_name"]) {
            Self::ApplicationCredential
        } else if !has_user && has(&["token"]) {
            Self::Token
        } else if has_user && !has(&["password"]) && has(&["passcode", "totp_secret"]) {
            Self::Totp
        } else {
            Self::Password
        }
    }

    /// Its secrets by their keys, of which one is needed.
    pub(super) fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["password"],
            Self::Token => &["token"],
            Self::ApplicationCredential => &["application_credential_secret"],
            Self::Totp => &["passcode", "totp_secret"],
        }
    }
}

/// `auth_methods`, by the names of the plugins or of the methods themselves.
fn methods(draft: &Draft) -> Result<Vec<Factor>, (&'static str, String)> {
    let wrong = |message| Err(("auth_methods", message));
    let Some(text) = draft.text("auth_methods") else {
        return wrong(format!(
            "{} is not set; it names what `v3multifactor` is made of, such as `v3password,v3totp`",
            draft.name("auth_methods")
        ));
    };
    let mut factors = Vec::new();
    for name in values::list(text) {
        let with_version = if name.starts_with("v3") { name.clone() } else { format!("v3{name}") };
        match Factor::of_type(&with_version) {
            Some(factor) if factors.contains(&factor) => return wrong(format!("`{name}` is there twice")),
            Some(factor) => factors.push(factor),
            None => {
                let known = ["v3password", "v3totp", "v3token", "v3applicationcredential"];
                return wrong(format!(
                    "`{name}` is no part of `v3multifactor`; there are `{}`{}",
                    known.join("`, `"),
                    did_you_mean(&name, known)
                ));
            }
        }
    }
    if factors.is_empty() { wrong("it names no method".to_owned()) } else { Ok(factors) }
}

fn supported() -> String {
    let (last, others) = SUPPORTED.split_last().unwrap_or((&"", &[]));
    format!("`{}` and `{last}`", others.join("`, `"))
}

const SUPPORTED: [&str; 15] = [
    "password",
    "v3password",
    "token",
    "v3token",
    "v3applicationcredential",
    "v3totp",
    "v3multifactor",
    "v3oidcaccesstoken",
    "v3oidcclientcredentials",
    "v3oidcdeviceauthz",
    "v3oidcpassword",
    "v3oauth2clientcredential",
    "none",
    "http_basic",
    "admin_token",
];

/// keystoneauth's other plugins.
const LATER: [&str; 8] = [
    "v3oidcauthcode",
    "v3oauth1",
    "v3kerberos",
    "v3fedkerb",
    "v3tokenlessauth",
    "v3adfspassword",
    "v3samlpassword",
    "v3oauth2mtlsclientcredential",
];
