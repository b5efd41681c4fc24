//! One socket in `/proc/net/tcp` or `/proc/net/tcp6` (`proc_pid_net(5)`), the tables of all sockets of our network
//! namespace. Each reading makes them anew, so this takes as long as there are sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Ends, Entry, is_same};

/// The socket whose local end is `ends.peer`, connected to `ends.own`.
pub(super) fn entry(ends: Ends) -> io::Result<Option<Entry>> {
    if ends.peer.ip().to_canonical().is_ipv4()
        && let Some(found) = find(&std::fs::read_to_string("/proc/net/tcp")?, ends)
    {
        return Ok(Some(found));
    }
    match std::fs::read_to_string("/proc/net/tcp6") {
        Ok(table) => Ok(find(&table, ends)),
        // A kernel without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn find(table: &str, ends: Ends) -> Option<Entry> {
    table
        .lines()
        .skip(1)
        .filter_map(read)
        .find(|entry| is_same(entry.local, ends.peer) && is_same(entry.remote, ends.own))
}

/// `sl: local remote st tx:rx tr:when retrnsmt uid timeout inode ..`
fn read(line: &str) -> Option<Entry> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let local = address(words.next()?)?;
    let remote = address(words.next()?)?;
    let state = u8::from_str_radix(words.next()?, 16).ok()?;
    let uid = words.nth(3)?.parse().ok()?;
    let inode = words.nth(1)?.parse().ok()?;
    Some(Entry { local, remote, state, uid, inode })
}

/// Words of four bytes in the machine's order, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(ip.get(8 * at..8 * at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (at, part) in octets.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:13BA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:13BA 01 00000000:00000000 00:00000000 00000000  1001        0 222 1 0 20 4 30 10 -1
   2: 0100007F:C351 0100007F:13BA 05 00000000:00000000 00:00000000 00000000     0        0 0 2 0 20 4 30 10 -1
   odd
";
    const TABLE6: &str = "  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: 0000000000000000FFFF00000100007F:C352 0000000000000000FFFF00000100007F:13BA 01 00000000:00000000 00:00000000 00000000  7        0 9 1 0 20
   1: 00000000000000000000000001000000:C350 00000000000000000000000001000000:13BA 01 00000000:00000000 00:00000000 00000000  8        0 10 1 0 20
";

    #[test]
    #[cfg_attr(target_endian = "big", ignore = "written on a little-endian machine")]
    fn a_line_is_found_by_both_ends() {
        let ends = |peer: &str, own: &str| Ends { peer: peer.parse().unwrap(), own: own.parse().unwrap() };
        let seen = |table, ends| find(table, ends).map(|it| (it.uid, it.inode, it.state));
        for (peer, found) in [
            ("127.0.0.1:50000", Some((1001, 222, 1))),
            ("127.0.0.1:50001", Some((0, 0, 5))),
            ("127.0.0.1:1", None),
        ] {
            assert_eq!(seen(TABLE, ends(peer, "127.0.0.1:5050")), found, "{peer}");
        }
        assert_eq!(seen(TABLE6, ends("127.0.0.1:50002", "127.0.0.1:5050")), Some((7, 9, 1)));
        assert_eq!(seen(TABLE6, ends("[::1]:50000", "[::1]:5050")), Some((8, 10, 1)));
        assert_eq!(seen(TABLE6, ends("[::1]:50000", "[::1]:5051")), None);
    }
}
