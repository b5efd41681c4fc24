//! Where each service puts links to itself in its documents: the one table of it.
//!
//! 1. A place is written as it is reached from the top: `servers[].links[].href`. `a|b` is either name, `*` any,
//!    `*_links` any with that end.
//! 2. Only what the service itself writes has a place here. Names at the top of a document are the service's; below
//!    them users may keep what they like (metadata, properties, parameters, outputs), so places are exact there.
//! 3. No place: objects and image data; Barbican's `*_ref`, which its own API wants back as they are; consoles, which are
//!    no API; `url` of Keystone's `endpoints`, which an administrator may edit and put back, and so would write a
//!    local address into everybody's catalog; callbacks and locations that users gave.
//! 4. Links that are paths stay, so Glance's `next` and `self` and Placement's `href` have none: clients join them to
//!    the endpoint they know, prefix and all (`glanceclient/v2/images.py`, `openstack/resource.py`).
//! 5. A service without places of its own, and one without a row, may answer anything: only its version documents are
//!    looked into, by their path.

use std::sync::LazyLock;

use super::shape::Shapes;
use crate::routing::Target;

/// What is turned in the answers of one service.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) service: &'static str,
    pub(super) shapes: Shapes,
    /// Whether there are places beside those in version documents.
    has_places: bool,
    /// Last segments of paths whose documents are their user's; below `resources` it is the name of one.
    data: &'static [&'static str],
}

impl Rule {
    fn is_data(&self, path: &str) -> bool {
        let mut segments = path.rsplit('/');
        let is_listed = segments.next().is_some_and(|last| self.data.contains(&last));
        // `.../resources/resources/metadata` is that of a resource with an odd name.
        let is_resource = segments.next() == Some("resources") && segments.next() != Some("resources");
        is_listed && !is_resource
    }
}

/// The rule for what this request asks for, if links in its answer may be turned.
pub(super) fn find(target: &Target<'_>) -> Option<&'static Rule> {
    if target.route.is_object_store {
        return None;
    }
    let rule = of_service(&target.route.settings_key).unwrap_or(&RULES.others);
    let path = target.path_and_query.path().trim_end_matches('/');
    let may_have = rule.has_places && !rule.is_data(path) || is_version_document(target.below_root());
    may_have.then_some(rule)
}

pub(super) fn of_service(official: &str) -> Option<&'static Rule> {
    RULES.rows.iter().find(|rule| rule.service == official)
}

/// Rule 5: the root of a service or one of its versions.
fn is_version_document(below_root: &str) -> bool {
    let segment = below_root.trim_matches('/');
    let version = segment.strip_prefix('v').unwrap_or_default();
    let is_version = version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    segment.is_empty() || segment == "versions" || is_version
}

struct Rules {
    rows: Vec<Rule>,
    others: Rule,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules {
    rows: ROWS
        .iter()
        .map(|row| Rule {
            service: row.service,
            shapes: Shapes::parse(VERSIONS.iter().chain(row.links).copied()),
            has_places: !row.links.is_empty(),
            data: row.data,
        })
        .collect(),
    others: Rule {
        service: "",
        shapes: Shapes::parse(VERSIONS.iter().copied()),
        has_places: false,
        data: &[],
    },
});

pub(super) struct Row {
    /// The official service type.
    service: &'static str,
    links: &'static [&'static str],
    data: &'static [&'static str],
}

const fn row(service: &'static str, links: &'static [&'static str]) -> Row {
    Row { service, links, data: &[] }
}

/// Version documents, the same everywhere (`keystoneauth1/discover.py`, `get_version_data`).
const VERSIONS: &[&str] =
    &["versions[].links[].href", "versions.values[].links[].href", "version.links[].href"];

pub(super) const ROWS: &[Row] = &[
    // keystone:keystone/server/flask/common.py (wrap_collection, wrap_member), keystone/api/role_assignments.py,
    // keystone/api/roles.py (inferences), keystone/api/trusts.py, keystone/api/projects.py (parents, subtree),
    // keystone/api/os_federation.py, keystone/common/render_token.py and keystone/api/auth.py (catalogs). Attributes
    // that users add stand beside `links`, and may be in it: hence the names.
    row(
        "identity",
        &[
            "links.self|next|previous",
            "*.links.self|identity_provider|protocols|roles",
            "*[].links.self|assignment|membership|prior_role|identity_provider|protocols|roles",
            "role_inference.prior_role.links.self",
            "role_inference.implies.links.self",
            "role_inference.implies[].links.self",
            "role_inferences[].prior_role.links.self",
            "role_inferences[].implies[].links.self",
            "trust.roles[].links.self",
            "trust.roles_links.self|next|previous",
            "trusts[].roles[].links.self",
            "trusts[].roles_links.self|next|previous",
            "project.parents|subtree[].project.links.self",
            "token.catalog[].endpoints[].url",
            "catalog[].endpoints[].url",
        ],
    ),
    // nova:nova/api/openstack/common.py (ViewBuilder), views/servers.py (flavor and image of a server before 2.47),
    // compute/instance_actions.py (links at the top since 2.58), compute/views/versions.py (choices).
    row(
        "compute",
        &[
            "links[].href",
            "*_links[].href",
            "*[].links[].href",
            "server|flavor|image.links[].href",
            "server.flavor|image.links[].href",
            "servers[].flavor|image.links[].href",
        ],
    ),
    // glance:glance/api/versions.py. All else of it is a path.
    row("image", &[]),
    // neutron:neutron/api/api_common.py (get_pagination_links), neutron/pecan_wsgi/controllers/root.py.
    row("network", &["*_links[].href", "resources[].links[].href"]),
    // cinder:cinder/api/common.py (ViewBuilder), cinder/api/views/*.py; qos_specs.py has links at the top.
    row(
        "block-storage",
        &[
            "links[].href",
            "*_links[].href",
            "*[].links[].href",
            "volume|backup|transfer|message.links[].href",
        ],
    ),
    // placement:placement/handlers/root.py. All else of it is a path.
    row("placement", &[]),
    // heat:heat/api/openstack/v1/views/stacks_view.py, resources_view.py, events.py (format_event), views_common.py.
    // A template has `resources` too, as an object; outputs, parameters and attributes are their user's.
    Row {
        service: "orchestration",
        links: &[
            "links[].href",
            "stacks|resources|events[].links[].href",
            "stack|resource|event.links[].href",
        ],
        data: &["template", "environment", "files", "metadata"],
    },
    // designate:designate/objects/adapters/api_v2/base.py (_get_resource_links, _get_collection_links),
    // zone_export.py, zone_import.py, shared_zone.py (links of their own).
    row("dns", &["links.self|next|export|zone", "*[].links.self|export|zone"]),
    // octavia:octavia/api/common/pagination.py (_make_links), octavia/api/root_controller.py.
    row("load-balancer", &["*_links[].href"]),
    // ironic:ironic/api/controllers/link.py, v1/collection.py (next), v1/node.py (links to parts; those to children are one), v1/volume.py, v1/__init__.py. A
    // node stands at the top itself, beside `extra`, `properties` and the like.
    row(
        "baremetal",
        &[
            "next",
            "links[].href",
            "links.href",
            "nodes|ports|portgroups|chassis|drivers|allocations|deploy_templates|runbooks|inspection_rules|conductors|connectors|targets|history|bios|indicators[].links[].href",
            "nodes|ports|portgroups|chassis|drivers|allocations|deploy_templates|runbooks|inspection_rules|conductors|connectors|targets|states|volume|bios|events|properties|lookup|heartbeat|continue_inspection|shards[].href",
            "nodes[].ports|portgroups|states|volume|bios[].href",
            "chassis[].nodes[].href",
            "portgroups[].ports[].href",
            "drivers[].properties[].href",
            "default_version.links[].href",
        ],
    ),
    // magnum:magnum/api/controllers/link.py, v1/collection.py (next), v1/__init__.py, root.py.
    row(
        "container-infrastructure-management",
        &[
            "next",
            "links[].href",
            "clusters|clustertemplates|bays|baymodels|nodegroups|federations|quotas[].links[].href",
            "clusters|clustertemplates|bays|baymodels|nodegroups|federations|quotas|certificates|mservices|stats|x509keypairs[].href",
            "default_version.links[].href",
        ],
    ),
    // manila:manila/api/common.py (ViewBuilder), manila/api/views/*.py. Export locations are no API's.
    row(
        "shared-file-system",
        &[
            "*_links[].href",
            "*[].links[].href",
            "share|snapshot|share_group|share_group_snapshot|share_snapshot_export_location|transfer|resource_lock|message.links[].href",
        ],
    ),
    // trove:trove/common/views.py (create_links), trove/common/pagination.py, trove/instance/views.py,
    // trove/datastore/views.py, trove/cluster/views.py.
    row(
        "database",
        &[
            "links[].href",
            "*[].links[].href",
            "instance|cluster|flavor|datastore.links[].href",
            "instance|cluster.flavor|configuration|replica_of.links[].href",
            "instance.replicas[].links[].href",
            "instances|clusters[].flavor|configuration|replica_of.links[].href",
            "instances[].replicas[].links[].href",
            "cluster.instances[].links[].href",
            "cluster.instances[].flavor.links[].href",
            "clusters[].instances[].links[].href",
            "datastore.versions[].links[].href",
            "datastores[].versions[].links[].href",
        ],
    ),
    // mistral:mistral/api/controllers/resource.py (ResourceList.next), mistral/api/controllers/root.py.
    row("workflow", &["next"]),
    // zun:zun/api/controllers/link.py, v1/collection.py (next), v1/__init__.py, root.py.
    row(
        "application-container",
        &[
            "next",
            "links[].href",
            "containers|capsules|images|hosts|services|quotas[].links[].href",
            "containers|capsules|images|hosts|services|availability_zones|networks[].href",
            "default_version.links[].href",
        ],
    ),
    // watcher:watcher/api/controllers/link.py, v1/collection.py (next), v1/__init__.py. `scope` of an audit is a list of
    // its user's.
    row(
        "resource-optimization",
        &[
            "next",
            "links[].href",
            "goals|strategies|audits|audit_templates|actions|action_plans|services|scoring_engines[].links[].href",
            "goals|strategies|audits|audit_templates|actions|action_plans|services|scoring_engines[].href",
            "default_version.links[].href",
        ],
    ),
    // barbican:barbican/common/hrefs.py (add_nav_hrefs). Its `*_ref` are names, see rule 3.
    Row { service: "key-manager", links: &["next|previous"], data: &["payload"] },
];

/// The places of a service, as they are written.
#[cfg(any(test, fuzzing))]
pub(super) fn places(service: &str) -> Vec<&'static str> {
    let rows = ROWS.iter().filter(|row| row.service == service);
    rows.flat_map(|row| VERSIONS.iter().chain(row.links)).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::catalog::service_types;

    #[test]
    fn each_row_is_an_official_service_and_there_is_one_of_each() {
        let mut seen = HashSet::new();
        for Row { service, .. } in ROWS {
            assert_eq!(service_types::official(service), Some(*service), "{service}");
            assert!(seen.insert(service), "{service} twice");
        }
        assert!(!seen.contains(&"object-store"));
        assert_eq!(RULES.rows.len(), ROWS.len());
    }

    #[test]
    fn a_version_document_is_known_by_its_path() {
        for path in ["", "/", "/v2", "/v2/", "/v2.1/", "/versions"] {
            assert!(is_version_document(path), "{path}");
        }
        for path in ["/v2/x", "/bucket", "/volumes", "/v", "/vx", "/v2x", "/bucket/v2"] {
            assert!(!is_version_document(path), "{path}");
        }
    }
}
