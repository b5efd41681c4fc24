//! One socket by socket diagnostics (`sock_diag(7)`, `linux/inet_diag.h`): a question to the kernel over netlink, which
//! it answers before the question is sent off.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::{Ends, Entry};

thread_local! {
    /// A thread's own connection to the kernel, kept for the next question.
    static CHANNEL: RefCell<Option<Channel>> = const { RefCell::new(None) };
}

/// The socket whose local end is `ends.peer`, connected to `ends.own`.
pub(super) fn entry(ends: Ends) -> io::Result<Option<Entry>> {
    // A client may have bound its socket to the loopback interface, and is then found there alone.
    match ask(ends, ANY_INTERFACE)? {
        None if ends.peer.ip().to_canonical().is_loopback() => ask(ends, LOOPBACK_INTERFACE),
        found => Ok(found),
    }
}

fn ask(ends: Ends, interface: u32) -> io::Result<Option<Entry>> {
    CHANNEL.with_borrow_mut(|kept| {
        let mut channel = match kept.take() {
            Some(channel) => channel,
            None => Channel::open()?,
        };
        let answer = channel.ask(ends, interface);
        if answer.is_ok() {
            // After an error an answer could still come, and be taken for that to a later question.
            *kept = Some(channel);
        }
        answer
    })
}

struct Channel {
    socket: OwnedFd,
    sequence: u32,
}

impl Channel {
    fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            flags,
            Some(netlink::SOCK_DIAG),
        )?;
        rustix::net::connect(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self { socket, sequence: 0 })
    }

    fn ask(&mut self, ends: Ends, interface: u32) -> io::Result<Option<Entry>> {
        self.sequence = self.sequence.wrapping_add(1);
        let (question, length) = question(ends, interface, self.sequence);
        rustix::net::send(&self.socket, &question[..length], SendFlags::empty())?;
        let mut answer = [0; MOST_ANSWER_BYTES];
        let (received, whole) = rustix::net::recv(&self.socket, &mut answer, RecvFlags::TRUNC)?;
        if whole > received {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the kernel's answer is too long"));
        }
        read(&answer[..received], self.sequence)
    }
}

fn question(ends: Ends, interface_id: u32, sequence: u32) -> ([u8; MOST_QUESTION_BYTES], usize) {
    let (source, destination) = (ends.peer.ip().to_canonical(), ends.own.ip().to_canonical());
    let request = InetRequest {
        family: if matches!(source, IpAddr::V4(_)) { AF_INET } else { AF_INET6 },
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: SocketId {
            source_port: ends.peer.port(),
            destination_port: ends.own.port(),
            source_address: source,
            destination_address: destination,
            interface_id,
            cookie: ANY_COOKIE,
        },
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = [0; MOST_QUESTION_BYTES];
    let length = message.buffer_len();
    message.serialize(&mut bytes[..length]);
    (bytes, length)
}

fn read(bytes: &[u8], sequence: u32) -> io::Result<Option<Entry>> {
    let unreadable = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let message = NetlinkMessage::<SockDiagMessage>::deserialize(bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    if message.header.sequence_number != sequence {
        return Err(unreadable("the kernel answers another question".to_owned()));
    }
    match message.payload {
        NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
            let found = response.header;
            let id = found.socket_id;
            Ok(Some(Entry {
                local: SocketAddr::new(id.source_address, id.source_port),
                remote: SocketAddr::new(id.destination_address, id.destination_port),
                state: found.state,
                uid: found.uid,
                inode: found.inode.into(),
            }))
        }
        NetlinkPayload::Error(error) => match error.to_io() {
            error if error.kind() == io::ErrorKind::NotFound => Ok(None),
            error => Err(error),
        },
        other => {
            Err(unreadable(format!("the kernel's answer is of another kind ({})", other.message_type())))
        }
    }
}

/// `INET_DIAG_NOCOOKIE`.
const ANY_COOKIE: [u8; 8] = [0xff; 8];
const ANY_INTERFACE: u32 = 0;
/// In every network namespace the first one is `lo`.
const LOOPBACK_INTERFACE: u32 = 1;
/// A header of 16 bytes and `inet_diag_req_v2` of 56.
const MOST_QUESTION_BYTES: usize = 128;
/// A header of 16 bytes, `inet_diag_msg` of 72, and some attributes that nobody asked for.
const MOST_ANSWER_BYTES: usize = 2048;
