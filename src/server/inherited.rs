//! Sockets that a service manager has opened for us (`sd_listen_fds`(3)): they stay open while the program is replaced by
//! another, so that no client is refused meanwhile.

use std::sync::{Mutex, PoisonError};

use listenfd::ListenFd;

use super::listener::{BindError, Listener};

/// Those that nobody has taken yet, by their names.
struct Inherited {
    fds: ListenFd,
    /// Each with the name of its unit, or `FileDescriptorName=` where the unit has that.
    names: Vec<String>,
    taken: Vec<bool>,
}

/// The process inherits them once, whoever takes them.
static INHERITED: Mutex<Option<Inherited>> = Mutex::new(None);

impl Inherited {
    /// `names` is what `LISTEN_FDNAMES` holds.
    fn of_process(names: &str) -> Self {
        let fds = ListenFd::from_env();
        let mut names: Vec<String> = names.split(':').map(str::to_owned).collect();
        names.resize(fds.len(), "unknown".to_owned());
        Self { taken: vec![false; fds.len()], fds, names }
    }

    fn take(&mut self, name: Option<&str>) -> Result<Vec<Listener>, BindError> {
        let mut listeners = Vec::new();
        for at in 0..self.fds.len() {
            if self.taken[at] || name.is_some_and(|name| name != self.names[at]) {
                continue;
            }
            self.taken[at] = true;
            listeners.push(
                self.listener(at)
                    .map_err(|source| BindError::Inherited { name: self.names[at].clone(), source })?,
            );
        }
        if listeners.is_empty() {
            return Err(BindError::NotInherited {
                name: name.map(str::to_owned),
                names: self.names.join(", "),
            });
        }
        Ok(listeners)
    }

    fn listener(&mut self, at: usize) -> std::io::Result<Listener> {
        if let Ok(Some(socket)) = self.fds.take_unix_listener(at) {
            return Listener::of_unix(socket);
        }
        match self.fds.take_tcp_listener(at)? {
            Some(socket) => Listener::of_tcp(socket),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
}

/// Takes those of a name, or all that are left.
///
/// # Errors
///
/// There is none, or one is no stream socket that listens.
pub(crate) fn take(name: Option<&str>, names: &str) -> Result<Vec<Listener>, BindError> {
    let mut inherited = INHERITED.lock().unwrap_or_else(PoisonError::into_inner);
    inherited.get_or_insert_with(|| Inherited::of_process(names)).take(name)
}
