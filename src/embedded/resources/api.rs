//! The interfaces of the compute-like services, as tables: versions, collections, links, micro-versions.
//!
//! Each follows its project's API reference (docs.openstack.org/api-ref: compute, network, block-storage,
//! placement, orchestration).

/// One project's interface.
#[derive(Debug)]
pub(super) struct Api {
    /// As in the catalog.
    pub(super) service_type: &'static str,
    /// First segment below the root; placement has none.
    pub(super) version: Option<&'static str>,
    pub(super) style: Style,
    pub(super) microversions: Option<Microversions>,
    pub(super) collections: &'static [Collection],
}

/// How a project writes what they all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Nova,
    Cinder,
    Neutron,
    Placement,
    Heat,
}

/// Micro-versions, and the fields that carry them.
#[derive(Debug)]
pub(super) struct Microversions {
    /// In `OpenStack-API-Version: compute 2.79`.
    pub(super) service: &'static str,
    pub(super) major: u16,
    pub(super) least: u16,
    pub(super) most: u16,
    /// What a request without one gets.
    pub(super) default: u16,
    /// Nova's older field.
    pub(super) legacy: Option<&'static str>,
}

/// One kind of thing.
#[derive(Debug)]
pub(super) struct Collection {
    /// Of the list: `servers`.
    pub(super) name: &'static str,
    /// Of one: `server`.
    pub(super) one: &'static str,
    /// How many there are from the start.
    pub(super) seeds: usize,
    /// Fields beside id, name and links.
    pub(super) fields: &'static [(&'static str, &'static str)],
}

const fn of(
    name: &'static str,
    one: &'static str,
    seeds: usize,
    fields: &'static [(&'static str, &'static str)],
) -> Collection {
    Collection { name, one, seeds, fields }
}

/// The interface of a service.
pub(super) fn find(service_type: &str) -> Option<&'static Api> {
    APIS.iter().find(|api| api.service_type == service_type)
}

const APIS: &[Api] = &[
    Api {
        service_type: "compute",
        version: Some("v2.1"),
        style: Style::Nova,
        microversions: Some(Microversions {
            service: "compute",
            major: 2,
            least: 1,
            most: 96,
            default: 1,
            legacy: Some("x-openstack-nova-api-version"),
        }),
        collections: &[
            of("servers", "server", 25, &[("status", "ACTIVE"), ("accessIPv4", ""), ("key_name", "depot")]),
            of("flavors", "flavor", 4, &[("swap", ""), ("description", "as seen on the tour")]),
        ],
    },
    Api {
        service_type: "network",
        version: Some("v2.0"),
        style: Style::Neutron,
        microversions: None,
        collections: &[
            of("networks", "network", 7, &[("status", "ACTIVE"), ("description", "")]),
            of("subnets", "subnet", 7, &[("cidr", "10.0.0.0/24"), ("gateway_ip", "10.0.0.1")]),
            of("ports", "port", 12, &[("status", "DOWN"), ("mac_address", "fa:16:3e:00:00:01")]),
        ],
    },
    Api {
        service_type: "volumev3",
        version: Some("v3"),
        style: Style::Cinder,
        microversions: Some(Microversions {
            service: "volume",
            major: 3,
            least: 0,
            most: 71,
            default: 0,
            legacy: None,
        }),
        collections: &[
            of("volumes", "volume", 9, &[("status", "available"), ("availability_zone", "nova")]),
            of("snapshots", "snapshot", 2, &[("status", "available")]),
        ],
    },
    Api {
        service_type: "placement",
        version: None,
        style: Style::Placement,
        microversions: Some(Microversions {
            service: "placement",
            major: 1,
            least: 0,
            most: 39,
            default: 0,
            legacy: None,
        }),
        collections: &[of("resource_providers", "resource_provider", 3, &[])],
    },
    Api {
        service_type: "orchestration",
        version: Some("v1"),
        style: Style::Heat,
        microversions: None,
        collections: &[of("stacks", "stack", 3, &[("stack_status", "CREATE_COMPLETE"), ("description", "")])],
    },
];
