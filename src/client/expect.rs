//! `Expect: 100-continue` towards upstreams (RFC 9110 10.1.1).
//!
//! Nothing of a body travels before the upstream asks for it, or has had
//! [`CONTINUE_WAIT`] to do so: until then the gate of the body's reader is closed.
//! An upstream that answers otherwise gets nothing, the client is never asked, and
//! the body can begin again.

use std::time::Duration;

/// How long to wait for the upstream's 100 before the body goes without it; the same as curl's.
pub(super) const CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// Whose expectation a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// Nobody's.
    None,
    /// The client's own.
    Clients,
}
