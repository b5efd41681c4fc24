//! The service catalog: which endpoints Keystone lists, as values.

use std::fmt;
use std::str::FromStr;

use http::uri::{Authority, Scheme};

/// The URL of an endpoint or of Keystone: `http` or `https`, an authority without
/// user information, and a path as written, without query, fragment or trailing slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointUrl {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host, and port if one is written.
    pub authority: Authority,
    /// Empty, or starts with `/` and does not end in one.
    pub path: String,
}

/// A region's id, compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(pub String);

/// Which of an endpoint's addresses is meant (Identity API v3, `interface`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Interface {
    /// For everyone; the default.
    Public,
    /// Within the cloud's own networks.
    Internal,
    /// For operators.
    Admin,
}
