//! Who looks at our pages, and how far they may see.

use crate::routing::Pin;
use crate::server::PeerUser;

/// Who looks, at which listener.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    /// Our own address as they wrote it: `http://127.0.0.1:5050`.
    pub(crate) base: String,
    /// How to log in, for a stranger: one who does not know the listener's client secret.
    pub(crate) way_in: Option<String>,
    /// The listener's number. What passed at others is not shown, since other rules hold there.
    pub(crate) door: usize,
    /// The service at its root, if there is one.
    pub(crate) pin: Option<Pin>,
    /// Whether they may end the program, where that is allowed at all.
    pub(crate) may_end_us: bool,
    /// Where rules differ by user, whose requests are shown; all users' if they do not.
    pub(crate) user: Option<PeerUser>,
}

impl Viewer {
    /// Whether they are to see no more than how to log in.
    pub(crate) fn is_stranger(&self) -> bool {
        self.way_in.is_some()
    }
}
