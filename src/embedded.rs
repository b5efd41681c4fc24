//! The embedded cloud: a small OpenStack on loopback, for `gatestone demo` and for tests.
//!
//! ```text
//! Cloud ─► Site (two addresses, faults, what was asked) ─► Service
//!            keystone    Identity API v3: logins, tokens, catalog, projects, lockout
//!            objects     an object store in memory, as Swift answers
//!            image       images and their data, as Glance answers
//!            resources   compute and its like: version documents, pages, self links
//! ```
//!
//! It speaks real HTTP, and answers as the real services do as far as people try them;
//! `tests/openstack/seen/truth` compares the two. It holds everything in memory, bounded by
//! [`Spec::capacity_bytes`], and its clock is tokio's, so that tests can stop it. What goes wrong in a
//! real cloud is switched on with [`Site::faults`].
//!
//! It guards nothing: its people and passwords are in its source.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

pub mod catalog;
mod data;
pub mod faults;
mod image;
pub mod keystone;
mod objects;
pub mod people;
mod range;
mod reply;
mod resources;
mod seen;
mod service;
mod site;
mod store;
#[cfg(test)]
mod testing;
pub mod time;

pub use faults::{Fault, Faults};
pub use keystone::Keystone;
pub use seen::{Asked, Seen};
pub use site::Site;

use self::catalog::{Kind, LAYOUT, Row};
use self::service::Service;
use self::store::Room;
use self::time::Time;

/// What the cloud is to be like.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Life of its tokens.
    pub token_lifetime: Duration,
    /// Bytes of objects and images that it keeps; beyond them uploads get an error that says so.
    pub capacity_bytes: u64,
    /// Wrong passwords in a row after which a user is locked out, and for how long (Keystone's
    /// `lockout_failure_attempts` and `lockout_duration`).
    pub lockout: Option<(u32, Duration)>,
    /// The services that it has; Keystone is to be among them.
    pub layout: &'static [Row],
    /// How far its clock is ahead of the machine's, in seconds; behind if negative.
    pub clock_skew_seconds: i64,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_hours(1),
            capacity_bytes: 256 * 1024 * 1024,
            lockout: None,
            layout: LAYOUT,
            clock_skew_seconds: 0,
        }
    }
}

/// A running cloud; it ends when this is dropped.
#[derive(Debug)]
pub struct Cloud {
    keystone: Arc<Keystone>,
    sites: Vec<Site>,
    /// Accepts connections and serves them.
    _tasks: JoinSet<()>,
}

impl Cloud {
    /// Starts it on free loopback ports.
    ///
    /// # Errors
    ///
    /// Those of binding an address.
    pub async fn start(spec: Spec) -> io::Result<Self> {
        let time = Time::new(spec.clock_skew_seconds);
        let keystone = Arc::new(Keystone::new(&spec, time.clone()));
        let room = Room::new(spec.capacity_bytes);
        let mut tasks = JoinSet::new();
        let mut sites = Vec::with_capacity(spec.layout.len());
        for row in spec.layout {
            // Keystone comes first.
            let login =
                sites.first().map_or_else(String::new, |site: &Site| format!("http://{}", site.public()));
            let service: Arc<dyn Service> = match row.kind {
                Kind::Identity => {
                    Arc::new(keystone::Mount { keystone: Arc::clone(&keystone), root: row.root() })
                }
                Kind::Objects => {
                    let keystone = Arc::clone(&keystone);
                    Arc::new(objects::Objects::new(row, keystone, login, room.clone(), time.clone()))
                }
                Kind::Images => {
                    let keystone = Arc::clone(&keystone);
                    Arc::new(image::Images::new(row, keystone, login, room.clone(), time.clone()))
                }
                Kind::Resources => Arc::new(resources::Resources::new(row, Arc::clone(&keystone))),
            };
            sites.push(Site::start(row, service, &mut tasks).await?);
        }
        keystone.publish(&sites);
        Ok(Self { keystone, sites, _tasks: tasks })
    }

    /// Where clients log in: `http://127.0.0.1:PORT/v3`.
    pub fn auth_url(&self) -> String {
        self.identity().map_or_else(String::new, |site| format!("http://{}/v3", site.public()))
    }

    /// The site of its identity service.
    pub fn identity(&self) -> Option<&Site> {
        self.sites.iter().find(|site| site.row().kind == Kind::Identity)
    }

    /// Its identity service, whose tokens can be revoked behind everybody's back.
    pub fn keystone(&self) -> &Keystone {
        &self.keystone
    }

    /// The services, a site each.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The service of this type in this region.
    pub fn site(&self, service_type: &str, region: &str) -> Option<&Site> {
        let is_it = |site: &&Site| site.row().service_type == service_type && site.row().region == region;
        self.sites.iter().find(is_it)
    }
}
