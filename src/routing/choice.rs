//! Which of a service's endpoints is taken.
//!
//! 1. Types in the order of the [`Selector`]; within a type, interfaces in order of preference (keystoneauth's
//!    `get_endpoints_data` and `_endpoints_by_type`); within an interface, the exact region, then endpoints
//!    that serve any region. There is no fallback to an interface that is not in the list.
//! 2. Region: the service's own, else the listener's. If neither is set: the first region in catalog order,
//!    Keystone's entries aside, and for a service that is not there, the first that it has.
//! 3. Of several endpoints alike, the first in catalog order.
//! 4. What rules 2 and 3 took by order alone is kept as long as it exists, so that a catalog that comes
//!    back in another order moves no one to another region. [`Memory`] carries it from table to table.

use std::collections::{BTreeMap, HashMap};

use super::names::Selector;
use super::no_route::{NoRoute, join};
use super::{Preferences, ServicePreferences};
use crate::catalog::{Endpoint, EndpointUrl, Interface, Region, service_types};

/// What was taken by catalog order alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    region: Option<Region>,
    /// Of services that are not in that region, by the key of their settings.
    own_regions: BTreeMap<String, Region>,
    endpoints: HashMap<Group, EndpointUrl>,
}

/// Endpoints alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Group {
    service_type: String,
    service_name: Option<String>,
    interface: Interface,
    region: Option<Region>,
}

/// An endpoint taken, and those alike that were not, as positions in the catalog.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) endpoint: usize,
    pub(super) alternatives: Vec<usize>,
}

/// Where an endpoint is looked for.
#[derive(Clone, Copy)]
pub(super) enum LookIn<'a> {
    /// In a region, or else among those that serve any.
    Region(&'a Region),
    /// Among those that serve any region.
    AnyRegion,
    /// Wherever catalog order has it first.
    First,
}

/// Takes endpoints from one catalog.
#[derive(Debug)]
pub(super) struct Chooser<'a> {
    endpoints: &'a [Endpoint],
    preferences: &'a Preferences,
    previous: Option<&'a Memory>,
    /// What the next table's chooser shall know.
    pub(super) memory: Memory,
    /// What the user should know.
    pub(super) warnings: Vec<String>,
}

impl<'a> Chooser<'a> {
    pub(super) fn new(
        endpoints: &'a [Endpoint],
        preferences: &'a Preferences,
        previous: Option<&'a Memory>,
    ) -> Self {
        let mut chooser =
            Self { endpoints, preferences, previous, memory: Memory::default(), warnings: Vec::new() };
        if preferences.region.is_none() {
            chooser.take_region();
        }
        chooser
    }

    /// The listener's region, set or taken.
    pub(super) fn region(&self) -> Option<&Region> {
        self.preferences.region.as_ref().or(self.memory.region.as_ref())
    }

    /// The region that is set for a service, for it alone or for all.
    pub(super) fn set_region(&self, settings_key: &str) -> Option<&'a Region> {
        let own = self.settings(settings_key).and_then(|settings| settings.region.as_ref());
        own.or(self.preferences.region.as_ref())
    }

    /// The endpoint for requests that name no region.
    pub(super) fn at_home(&mut self, selector: &Selector) -> Result<Choice, NoRoute> {
        if let Some(region) = self.set_region(&selector.settings_key) {
            return self.in_region(selector, region);
        }
        let Some(home) = self.memory.region.clone() else {
            return self.find(selector, LookIn::First).ok_or_else(|| self.missing(selector, None));
        };
        if let Some(choice) = self.find(selector, LookIn::Region(&home)) {
            return Ok(choice);
        }
        let kept = self.previous.and_then(|previous| previous.own_regions.get(&selector.settings_key));
        let choice = kept.and_then(|region| self.find(selector, LookIn::Region(region)));
        let choice = choice.or_else(|| self.find(selector, LookIn::First));
        let choice = choice.ok_or_else(|| self.missing(selector, None))?;
        if let Some(taken) = self.endpoints[choice.endpoint].region.clone() {
            let key = &selector.settings_key;
            self.warn(format!(
                "{key} is not in region {home}: region {taken} is used for it; set `region = \"{taken}\"` \
                 under [service.{key}] to make that certain"
            ));
            self.memory.own_regions.insert(key.clone(), taken);
        }
        Ok(choice)
    }

    /// The endpoint for requests that name a region, or for which one is set.
    pub(super) fn in_region(&mut self, selector: &Selector, region: &Region) -> Result<Choice, NoRoute> {
        let choice = self.find(selector, LookIn::Region(region));
        choice.ok_or_else(|| self.missing(selector, Some(region)))
    }

    /// The first endpoint by the rules above.
    pub(super) fn find(&mut self, selector: &Selector, look_in: LookIn<'_>) -> Option<Choice> {
        let interfaces = self.interfaces(&selector.settings_key);
        for service_type in &selector.types {
            for interface in interfaces {
                let alike = |region: Option<&Region>| self.alike(selector, service_type, *interface, region);
                let exact = match look_in {
                    LookIn::Region(region) => alike(Some(region)),
                    LookIn::AnyRegion => Vec::new(),
                    LookIn::First => self
                        .of_interface(selector, service_type, *interface)
                        .next()
                        .map(|first| alike(self.endpoints[first].region.as_ref()))
                        .unwrap_or_default(),
                };
                let found = if exact.is_empty() { alike(None) } else { exact };
                if let Some(first) = found.first() {
                    let first = *first;
                    return Some(self.take(selector, first, found));
                }
            }
        }
        None
    }

    /// The regions that have the service on an interface that is set.
    pub(super) fn regions_of(&self, selector: &Selector) -> Vec<Region> {
        let interfaces = self.interfaces(&selector.settings_key);
        let mut regions = Vec::new();
        for endpoint in self.of_selector(selector).filter(|it| interfaces.contains(&it.interface)) {
            if let Some(region) = endpoint.region.as_ref().filter(|region| !regions.contains(*region)) {
                regions.push(region.clone());
            }
        }
        regions
    }

    /// Settings of a service.
    pub(super) fn settings(&self, settings_key: &str) -> Option<&'a ServicePreferences> {
        self.preferences.services.get(settings_key)
    }

    /// Takes one of several endpoints alike: the one kept, or the first.
    fn take(&mut self, selector: &Selector, first: usize, found: Vec<usize>) -> Choice {
        let endpoint = &self.endpoints[first];
        let group = Group {
            service_type: endpoint.service_type.clone(),
            service_name: selector.service_name.clone(),
            interface: endpoint.interface,
            region: endpoint.region.clone(),
        };
        let kept = self.previous.and_then(|previous| previous.endpoints.get(&group));
        let kept = found.iter().copied().find(|at| Some(&self.endpoints[*at].url) == kept);
        let taken = kept.unwrap_or(first);
        let mut alternatives: Vec<usize> = Vec::new();
        for at in found {
            let url = &self.endpoints[at].url;
            let is_new = |other: &usize| self.endpoints[*other].url != *url;
            if is_new(&taken) && alternatives.iter().all(is_new) {
                alternatives.push(at);
            }
        }
        let url = &self.endpoints[taken].url;
        if !alternatives.is_empty() {
            let others: Vec<_> = alternatives.iter().map(|at| &self.endpoints[*at].url).collect();
            self.warn(format!(
                "{} has several {} endpoints{}: {url} is used, not {}; set `endpoint_override` under [service.{}] to choose",
                endpoint.service_type,
                endpoint.interface,
                endpoint.region.as_ref().map(|region| format!(" in region {region}")).unwrap_or_default(),
                join(&others, ", "),
                selector.settings_key,
            ));
        }
        self.memory.endpoints.insert(group, url.clone());
        Choice { endpoint: taken, alternatives }
    }

    fn take_region(&mut self) {
        let mut regions: Vec<&Region> = Vec::new();
        for endpoint in self.endpoints {
            let is_identity = service_types::official(&endpoint.service_type) == Some("identity");
            let key = super::names::settings_key(&endpoint.service_type, self.preferences);
            if let Some(region) = &endpoint.region
                && !is_identity
                && self.interfaces(&key).contains(&endpoint.interface)
                && !regions.contains(&region)
            {
                regions.push(region);
            }
        }
        let kept = self.previous.and_then(|previous| previous.region.as_ref());
        let kept = regions.iter().copied().find(|region| Some(*region) == kept);
        self.memory.region = kept.or_else(|| regions.first().copied()).cloned();
        if let Some(taken) = &self.memory.region
            && regions.len() > 1
        {
            self.warnings.push(format!(
                "no region is set and the catalog has {}: {taken} is used; set OS_REGION_NAME \
                 (`region_name` in clouds.yaml) or --region",
                join(&regions, ", ")
            ));
        }
    }

    fn missing(&self, selector: &Selector, region: Option<&Region>) -> NoRoute {
        let service = selector.types.first().unwrap_or(&selector.settings_key).clone();
        let settings_key = selector.settings_key.clone();
        let regions = self.regions_of(selector);
        let here = |it: &&Endpoint| region.is_none() || it.region.is_none() || it.region.as_ref() == region;
        let mut existing: Vec<Interface> =
            self.of_selector(selector).filter(here).map(|it| it.interface).collect();
        if existing.is_empty() && regions.is_empty() {
            existing = self.of_selector(selector).map(|it| it.interface).collect();
        }
        existing.sort_unstable();
        existing.dedup();
        match region {
            Some(region) if existing.is_empty() => {
                NoRoute::RegionMissing { service, region: region.0.clone(), regions, settings_key }
            }
            _ => NoRoute::InterfaceMissing {
                service,
                region: region.cloned(),
                wanted: self.interfaces(&settings_key).to_vec(),
                existing,
                settings_key,
            },
        }
    }

    /// The interfaces set for a service, or for all; public if none is.
    fn interfaces(&self, settings_key: &str) -> &'a [Interface] {
        let own = self.settings(settings_key).map(|settings| settings.interfaces.as_slice());
        match own.filter(|own| !own.is_empty()).unwrap_or(&self.preferences.interfaces) {
            [] => &[Interface::Public],
            set => set,
        }
    }

    fn of_selector<'s>(&self, selector: &'s Selector) -> impl Iterator<Item = &'a Endpoint> + use<'a, 's> {
        self.endpoints.iter().filter(|it| selector.types.contains(&it.service_type) && selector.accepts(it))
    }

    fn of_interface(
        &self,
        selector: &Selector,
        service_type: &str,
        interface: Interface,
    ) -> impl Iterator<Item = usize> {
        let endpoints = self.endpoints.iter().enumerate();
        let wanted = endpoints.filter(move |(_, it)| {
            it.service_type == service_type && it.interface == interface && selector.accepts(it)
        });
        wanted.map(|(at, _)| at)
    }

    fn alike(
        &self,
        selector: &Selector,
        service_type: &str,
        interface: Interface,
        region: Option<&Region>,
    ) -> Vec<usize> {
        let found = self.of_interface(selector, service_type, interface);
        found.filter(|at| self.endpoints[*at].region.as_ref() == region).collect()
    }

    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}
