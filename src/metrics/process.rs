//! What the process takes of the machine, by the names that Prometheus' own client libraries use.

use std::fs;
use std::time::SystemTime;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::text::{Kind, Page};

/// Puts what the system tells; what it does not tell is left out.
pub(super) fn put(page: &mut Page, started: SystemTime) {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    page.single("process_cpu_seconds_total", Kind::Counter, "CPU time in user and system.", cpu);
    let started = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let help = "When the process started, since the Unix epoch.";
    page.single("process_start_time_seconds", Kind::Gauge, help, started);
    if let Some((size, resident)) = memory() {
        page.single("process_virtual_memory_bytes", Kind::Gauge, "Size of the address space.", size);
        page.single("process_resident_memory_bytes", Kind::Gauge, "Memory in use.", resident);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One is for looking.
        let open = open.count().saturating_sub(1);
        page.single("process_open_fds", Kind::Gauge, "Open file descriptors.", open);
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        page.single("process_max_fds", Kind::Gauge, "Most file descriptors that may be open.", most);
    }
}

/// Bytes of the address space, and of it in memory.
fn memory() -> Option<(u64, u64)> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = pages.split(' ').map_while(|pages| pages.parse::<u64>().ok());
    let page = rustix::param::page_size() as u64;
    Some((pages.next()? * page, pages.next()? * page))
}
