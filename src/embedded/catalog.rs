//! Where each service of the cloud is: four regions, laid out as kinds of real clouds are.
//!
//! `RegionOne` has a port for each service, `RegionTwo` a path for each, as DevStack has them, and
//! `RegionThree` and `RegionFour` have what providers come up with: Ceph's object gateway with the account in its
//! paths and without, services behind a common path, a project in compute's path, a Keystone below a path.
//! Each service has two addresses: one for the public interface, one for internal and admin.

use serde_json::{Value, json};

use super::Site;

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Keystone.
    Identity,
    /// The object store.
    Objects,
    /// Images.
    Images,
    /// Compute and its like.
    Resources,
}

/// One service in one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// As in the catalog: `compute`.
    pub service_type: &'static str,
    /// As in the catalog: `nova`.
    pub name: &'static str,
    /// As in the catalog.
    pub region: &'static str,
    /// Path of its endpoint; `{project}` stands for the id of the token's project.
    pub path: &'static str,
    /// What answers there.
    pub kind: Kind,
}

const fn row(
    region: &'static str,
    service: (&'static str, &'static str),
    path: &'static str,
    kind: Kind,
) -> Row {
    Row { service_type: service.0, name: service.1, region, path, kind }
}

const ONE: &str = "RegionOne";
const TWO: &str = "RegionTwo";
const THREE: &str = "RegionThree";
const FOUR: &str = "RegionFour";

/// Every service there is, in catalog order.
pub const LAYOUT: &[Row] = &[
    row(ONE, ("identity", "keystone"), "/v3", Kind::Identity),
    row(ONE, ("object-store", "swift"), "/v1/AUTH_{project}", Kind::Objects),
    row(ONE, ("image", "glance"), "", Kind::Images),
    row(ONE, ("compute", "nova"), "/v2.1", Kind::Resources),
    row(ONE, ("network", "neutron"), "/v2.0/", Kind::Resources),
    row(ONE, ("volumev3", "cinderv3"), "/v3/{project}", Kind::Resources),
    row(ONE, ("placement", "placement"), "/placement", Kind::Resources),
    row(ONE, ("orchestration", "heat"), "/v1/{project}", Kind::Resources),
    row(TWO, ("object-store", "swift"), "/v1/AUTH_{project}", Kind::Objects),
    row(TWO, ("image", "glance"), "/image", Kind::Images),
    row(TWO, ("compute", "nova"), "/compute/v2.1", Kind::Resources),
    row(TWO, ("network", "neutron"), "/networking", Kind::Resources),
    row(TWO, ("volumev3", "cinderv3"), "/volume/v3/{project}", Kind::Resources),
    row(THREE, ("object-store", "swift"), "/swift/v1/AUTH_{project}", Kind::Objects),
    row(THREE, ("compute", "nova"), "/v1/compute/v2.1/{project}", Kind::Resources),
    row(FOUR, ("identity", "keystone"), "/identity", Kind::Identity),
    row(FOUR, ("object-store", "swift"), "/swift/v1", Kind::Objects),
    row(FOUR, ("compute", "nova"), "/v2.1/{project}", Kind::Resources),
];

impl Row {
    /// The path of the endpoint for a project.
    pub fn path_for(&self, project_id: &str) -> String {
        self.path.replace("{project}", project_id)
    }

    /// Whether the endpoint differs from project to project; then it is not in the catalog without one.
    pub fn is_of_a_project(&self) -> bool {
        self.path.contains("{project}")
    }

    /// What stands before the version in the endpoint's path: `/compute` of `/compute/v2.1`; the whole
    /// path where there is none.
    pub fn root(&self) -> &'static str {
        let version = self.path.match_indices("/v").find(|(at, _)| {
            self.path[at + 2..].starts_with(|c: char| c.is_ascii_digit())
                && !self.path[*at..].starts_with("/v1/compute/")
        });
        version.map_or(self.path, |(at, _)| &self.path[..at])
    }
}

/// The catalog of a token for this project.
pub(super) fn catalog(sites: &[Address], project_id: Option<&str>) -> Value {
    let mut services: Vec<(&str, &str, Vec<Value>)> = Vec::new();
    for (n, site) in sites.iter().enumerate() {
        let row = site.row;
        let path = match project_id {
            Some(id) => row.path_for(id),
            None if row.is_of_a_project() => continue,
            None => row.path.to_owned(),
        };
        let endpoint = |(m, interface, authority): (usize, &str, &str)| {
            json!({
                "id": format!("{:032x}", 0xe000 + n * 3 + m), "interface": interface, "region": row.region,
                "region_id": row.region, "url": format!("http://{authority}{path}"),
            })
        };
        let endpoints = [
            (0, "public", site.public.as_str()),
            (1, "internal", site.internal.as_str()),
            (2, "admin", site.internal.as_str()),
        ];
        let endpoints = endpoints.into_iter().map(endpoint);
        match services.iter_mut().find(|(service_type, ..)| *service_type == row.service_type) {
            Some((_, _, known)) => known.extend(endpoints),
            None => services.push((row.service_type, row.name, endpoints.collect())),
        }
    }
    let services = services.into_iter().enumerate().map(|(n, (service_type, name, endpoints))| {
        json!({ "id": format!("{:032x}", 0x5000 + n), "type": service_type, "name": name, "endpoints": endpoints })
    });
    services.collect()
}

/// A row, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Address {
    row: &'static Row,
    public: String,
    internal: String,
}

impl Address {
    /// The auth URL, if it is Keystone's address.
    pub(super) fn auth_url(&self) -> Option<String> {
        (self.row.kind == Kind::Identity).then(|| format!("http://{}{}", self.public, self.row.path))
    }
}

impl From<&Site> for Address {
    fn from(site: &Site) -> Self {
        Self { row: site.row(), public: site.public().to_string(), internal: site.internal().to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_what_stands_before_the_version() {
        let roots: Vec<(&str, &str)> = LAYOUT.iter().map(|row| (row.path, row.root())).collect();
        for expected in [
            ("/v3", ""),
            ("/v1/AUTH_{project}", ""),
            ("", ""),
            ("/v2.0/", ""),
            ("/placement", "/placement"),
            ("/compute/v2.1", "/compute"),
            ("/volume/v3/{project}", "/volume"),
            ("/swift/v1/AUTH_{project}", "/swift"),
            ("/v1/compute/v2.1/{project}", "/v1/compute"),
            ("/identity", "/identity"),
            ("/swift/v1", "/swift"),
            ("/v2.1/{project}", ""),
        ] {
            assert!(roots.contains(&expected), "{expected:?} in {roots:?}");
        }
    }
}
