//! What Keystone is asked for beside tokens: the catalog of a token that lives long, when an
//! application credential ends, and which projects a user without one may choose from.

use jiff::Timestamp;
use tracing::warn;

use super::error::AuthError;
use super::issuer::Issuer;
use super::protocol::NamedProject;
use super::snapshot::{HeldScope, Snapshot};
use crate::catalog::Catalog;

/// What was found; `None` where nothing was asked, or not answered.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) catalog: Option<Catalog>,
    pub(super) projects: Option<Vec<NamedProject>>,
    /// `Some(None)`: it never ends.
    pub(super) credential_end: Option<Option<Timestamp>>,
}

impl Findings {
    pub(super) fn is_anything(&self) -> bool {
        self.catalog.is_some() || self.projects.is_some() || self.credential_end.is_some()
    }
}

/// Asks what there is to ask for this token; the catalog only where the one at hand is old.
pub(super) async fn take<I: Issuer>(issuer: &I, snapshot: &Snapshot, catalog_is_old: bool) -> Findings {
    let (token, holder) = (&snapshot.token, &snapshot.holder);
    let mut found = Findings::default();
    match holder.scope {
        HeldScope::Project(_) | HeldScope::Domain(_) if catalog_is_old => {
            found.catalog = told(issuer.catalog(token).await);
        }
        HeldScope::Unscoped => found.projects = told(issuer.projects(token).await),
        HeldScope::Project(_) | HeldScope::Domain(_) | HeldScope::System | HeldScope::Standalone => {}
    }
    if let Some(id) = &holder.credential_id {
        found.credential_end = told(issuer.credential_end(token, &holder.user.id, id).await);
    }
    found
}

/// Nothing here is needed to serve, so a failure is only told.
fn told<T>(answer: Result<T, AuthError>) -> Option<T> {
    answer.inspect_err(|error| warn!(%error, "asked again in an hour")).ok()
}
