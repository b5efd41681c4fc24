//! Sockets that a service manager has opened for us (`sd_listen_fds`(3)): they stay open while the program is replaced by
//! another, so that no client is refused meanwhile.

use std::io;
use std::sync::{Mutex, PoisonError};

use listenfd::ListenFd;

use super::listener::{BindError, Listener};

/// One, until it is taken.
struct Inherited {
    /// Of its unit, or `FileDescriptorName=` where the unit has that.
    name: String,
    /// Whether a listener wants those of this name alone.
    is_reserved: bool,
    listener: Option<io::Result<Listener>>,
}

/// The process inherits them once, whoever takes them.
static INHERITED: Mutex<Vec<Inherited>> = Mutex::new(Vec::new());

/// Takes them over, so that no command that we run gets them; `names` is what `LISTEN_FDNAMES` holds.
pub fn adopt(names: &str) {
    let mut fds = ListenFd::from_env();
    let mut names = names.split(':');
    let all = (0..fds.len()).map(|at| Inherited {
        name: names.next().filter(|name| !name.is_empty()).unwrap_or("unknown").to_owned(),
        is_reserved: false,
        listener: Some(listener(&mut fds, at)),
    });
    lock().extend(all);
}

fn listener(fds: &mut ListenFd, at: usize) -> io::Result<Listener> {
    if let Ok(Some(socket)) = fds.take_unix_listener(at) {
        return Listener::of_unix(socket);
    }
    match fds.take_tcp_listener(at)? {
        Some(socket) => Listener::of_tcp(socket),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

/// A listener wants those of this name, so they are not for one that takes all.
pub fn reserve(name: &str) {
    lock().iter_mut().filter(|it| it.name == name).for_each(|it| it.is_reserved = true);
}

/// Closes those that no listener has taken, where clients would wait for nobody; gives their names.
pub fn close_rest() -> Vec<String> {
    let mut inherited = lock();
    inherited.drain(..).filter(|it| it.listener.is_some()).map(|it| it.name).collect()
}

/// Takes those of a name, or all that are left.
///
/// # Errors
///
/// There is none, or one is no stream socket that listens.
pub(crate) fn take(name: Option<&str>) -> Result<Vec<Listener>, BindError> {
    let mut inherited = lock();
    let mut listeners = Vec::new();
    for it in inherited.iter_mut().filter(|it| name.map_or(!it.is_reserved, |name| name == it.name)) {
        let Some(listener) = it.listener.take() else { continue };
        listeners.push(listener.map_err(|source| BindError::Inherited { name: it.name.clone(), source })?);
    }
    if listeners.is_empty() {
        let names: Vec<&str> = inherited.iter().map(|it| it.name.as_str()).collect();
        return Err(BindError::NotInherited { name: name.map(str::to_owned), names: names.join(", ") });
    }
    Ok(listeners)
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Inherited>> {
    INHERITED.lock().unwrap_or_else(PoisonError::into_inner)
}
