//! Builds a [`RouteTable`]: every decision about names, regions and endpoints is taken here, once for each
//! snapshot, so that a request only looks up.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use percent_encoding::{percent_decode, percent_decode_str};

use super::choice::{Choice, Chooser, LookIn, Memory};
use super::expand::{ExpandError, Values};
use super::lenient;
use super::names::{self, Selector};
use super::no_route::NoRoute;
use super::path::Layout;
use super::prefixes;
use super::route::{Route, host_header, keystone_v3, major_version};
use super::sharing;
use super::{Preferences, RouteTable};
use crate::catalog::{Catalog, EndpointUrl, Interface, Region, Skipped, service_types};

/// What a table is made of.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// The endpoints there are.
    pub catalog: &'a Catalog,
    /// Keystone's root as the user gave it, with or without its version; none where there is no Keystone.
    pub auth_url: Option<&'a EndpointUrl>,
    /// What the user asked for.
    pub preferences: &'a Preferences,
    /// The token's project, for placeholders.
    pub project_id: Option<&'a str>,
    /// The token's user, for placeholders.
    pub user_id: Option<&'a str>,
    /// Whether the token is for a project.
    pub project_scoped: bool,
    /// The table before this one, whose choices are kept while they exist.
    pub previous: Option<&'a RouteTable>,
}

/// What a name leads to; indices are positions in the table's routes.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Without a region in the request.
    pub(super) home: Result<usize, NoRoute>,
    /// With one of the catalog's regions.
    pub(super) regions: Vec<(Region, Result<usize, NoRoute>)>,
    /// With any other region.
    pub(super) any_region: Option<usize>,
    /// For the message about a missing region.
    pub(super) service: String,
    pub(super) settings_key: String,
    pub(super) exists_in: Vec<Region>,
}

impl Entry {
    /// The route in one of the catalog's regions, or without one.
    pub(super) fn route(&self, region: Option<&Region>) -> Option<usize> {
        let Some(region) = region else {
            return self.home.as_ref().ok().copied();
        };
        let (_, route) = self.regions.iter().find(|(it, _)| it == region)?;
        route.as_ref().ok().copied()
    }

    /// What there is in one of the catalog's regions, as a request writes it: percent-decoded; if none is called so, as it
    /// is published ([`prefixes::published`]); and if none is, decoded again, since clients write that in other ways.
    pub(super) fn in_written_region(&self, written: &str) -> Option<&Result<usize, NoRoute>> {
        let find = |name: &[u8]| self.regions.iter().find(|(region, _)| region.0.as_bytes() == name);
        let once: Cow<'_, [u8]> = percent_decode_str(written).into();
        // A region with a `%` of its own is not told by decoding twice.
        let published =
            || self.regions.iter().find(|(it, _)| prefixes::published("", &it.0)[1..] == *written);
        let found = find(&once).or_else(published);
        let (_, route) = found.or_else(|| find(&Cow::from(percent_decode(&once))))?;
        Some(route)
    }
}

/// A first segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    /// One of our own, at which nothing of the cloud answers.
    Ours,
    /// An entry, by its position.
    Service(usize),
    /// Keystone by a version, `/v3` or `/v2.0`: a segment that belongs to the path as well.
    Version(usize),
}

impl RouteTable {
    /// Decides everything that requests will look up.
    pub fn build(build: Build<'_>) -> Self {
        let previous = build.previous.map(|previous| &previous.memory);
        let (names, warnings) = names::all(build.catalog, build.preferences);
        let mut builder = Builder::new(build, previous);
        builder.chooser.warnings.extend(warnings);
        let present = names::present_types(build.catalog, build.preferences);
        let identity = builder.entry(Selector::of_type("identity", &present, build.preferences), "identity");
        let mut ordered = vec![("identity".to_owned(), identity)];
        for (name, selector) in names {
            let entry = builder.entry(selector, &name);
            ordered.push((name, entry));
        }
        let types = present.iter().map(|name| {
            let selector = Selector::of_type(name, &present, build.preferences);
            ((*name).to_owned(), builder.entry(selector, name))
        });
        let types = types.collect();
        let Builder { chooser, mut routes, entries, regions, mut skipped, .. } = builder;
        prefixes::publish(&mut routes, &ordered, &entries, &regions);
        sharing::note(&mut routes);
        let mut labels = build.previous.map(|previous| previous.labels.clone()).unwrap_or_default();
        for route in &mut routes {
            route.label = labels.of(&route.service_type, route.region_label());
        }
        let prefixes = prefixes::list(&routes, &ordered, &entries);
        let mut names: HashMap<Box<str>, Name> =
            ordered.into_iter().map(|(name, entry)| (name.into_boxed_str(), Name::Service(entry))).collect();
        names.insert("v3".into(), Name::Version(identity));
        names.entry(names::LEGACY_KEYSTONE.into()).or_insert(Name::Version(identity));
        names.extend(names::OURS.map(|name| (name.into(), Name::Ours)));
        skipped.extend(build.catalog.skipped.iter().cloned());
        Self {
            region: chooser.region().cloned(),
            routes,
            entries,
            names,
            types,
            prefixes,
            regions,
            warnings: chooser.warnings,
            skipped,
            project_scoped: build.project_scoped,
            memory: chooser.memory,
            labels,
        }
    }
}

/// What makes two endpoints one route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    settings_key: String,
    region: Option<Region>,
    interface: Option<Interface>,
    url: EndpointUrl,
}

struct Builder<'a> {
    build: Build<'a>,
    chooser: Chooser<'a>,
    overrides: BTreeMap<&'a str, Result<EndpointUrl, NoRoute>>,
    regions: Vec<Region>,
    skipped: Vec<Skipped>,
    routes: Vec<Route>,
    places: HashMap<Place, usize>,
    entries: Vec<Entry>,
    selectors: HashMap<Selector, usize>,
}

impl<'a> Builder<'a> {
    fn new(build: Build<'a>, previous: Option<&'a Memory>) -> Self {
        let mut regions: Vec<Region> = Vec::new();
        for region in build.catalog.endpoints.iter().filter_map(|endpoint| endpoint.region.as_ref()) {
            if !regions.contains(region) {
                regions.push(region.clone());
            }
        }
        let mut builder = Self {
            build,
            chooser: Chooser::new(&build.catalog.endpoints, build.preferences, previous),
            overrides: BTreeMap::new(),
            regions,
            skipped: Vec::new(),
            routes: Vec::new(),
            places: HashMap::new(),
            entries: Vec::new(),
            selectors: HashMap::new(),
        };
        builder.expand_overrides();
        builder
    }

    fn expand_overrides(&mut self) {
        let values = Values { project_id: self.build.project_id, user_id: self.build.user_id };
        for (key, settings) in &self.build.preferences.services {
            let Some(template) = &settings.endpoint_override else {
                continue;
            };
            let expanded = values.expand(template).map_err(|error| {
                self.skipped.push(Skipped {
                    service_type: Some(key.clone()),
                    url: Some(template.clone()),
                    reason: format!("endpoint override: {error}"),
                    ..Skipped::default()
                });
                match error {
                    ExpandError::NoProject(_) if !self.build.project_scoped => {
                        NoRoute::NoProjectScope { name: key.clone() }
                    }
                    ExpandError::NoProject(_)
                    | ExpandError::NoUser(_)
                    | ExpandError::Unknown(_)
                    | ExpandError::Url(_) => {
                        NoRoute::OverrideUnusable { settings_key: key.clone(), reason: error.to_string() }
                    }
                }
            });
            self.overrides.insert(key, expanded);
        }
    }

    /// The entry of a selector, by its position.
    fn entry(&mut self, selector: Selector, name: &str) -> usize {
        if let Some(entry) = self.selectors.get(&selector) {
            return *entry;
        }
        let overridden = self.overridden(&selector);
        let set_region = self.chooser.set_region(&selector.settings_key);
        let home = match overridden.clone() {
            Some(overridden) => overridden,
            None if is_identity(&selector.settings_key) => self.auth_url(),
            None => self.chooser.at_home(&selector).map(|choice| self.catalog_route(choice)),
        };
        let mut regions = Vec::with_capacity(self.regions.len());
        for region in self.regions.clone() {
            let route = match &overridden {
                // The region that is set is the one that the override stands for.
                Some(overridden) if set_region == Some(&region) => overridden.clone(),
                _ => self.chooser.in_region(&selector, &region).map(|choice| self.catalog_route(choice)),
            };
            regions.push((region, route));
        }
        let any_region = self.chooser.find(&selector, LookIn::AnyRegion).map(|it| self.catalog_route(it));
        self.entries.push(Entry {
            home,
            regions,
            any_region,
            service: name.to_owned(),
            settings_key: selector.settings_key.clone(),
            exists_in: self.chooser.regions_of(&selector),
        });
        self.selectors.insert(selector, self.entries.len() - 1);
        self.entries.len() - 1
    }

    /// The override that stands for a name, if one does.
    fn overridden(&mut self, selector: &Selector) -> Option<Result<usize, NoRoute>> {
        let key = &selector.settings_key;
        let url = match self.overrides.get(key.as_str())?.clone() {
            Ok(url) => url,
            Err(error) => return Some(Err(error)),
        };
        if !selector.accepts_version(key, major_version(&url)) {
            return None;
        }
        let route = Route { is_override: true, ..self.route(key, url) };
        Some(Ok(self.add(route)))
    }

    fn auth_url(&mut self) -> Result<usize, NoRoute> {
        let auth_url = self.build.auth_url.ok_or(NoRoute::NoKeystone)?;
        let route = self.route("identity", auth_url.clone());
        Ok(self.add(route))
    }

    fn catalog_route(&mut self, choice: Choice) -> usize {
        let endpoints = &self.build.catalog.endpoints;
        let endpoint = &endpoints[choice.endpoint];
        let route = Route {
            region: endpoint.region.clone(),
            interface: Some(endpoint.interface),
            alternatives: choice.alternatives.into_iter().map(|at| endpoints[at].url.clone()).collect(),
            ..self.route(&endpoint.service_type, endpoint.url.clone())
        };
        self.add(route)
    }

    /// Adds a route, unless the same place has one already, perhaps under another alias.
    fn add(&mut self, route: Route) -> usize {
        let place = Place {
            settings_key: route.settings_key.clone(),
            region: route.region.clone(),
            interface: route.interface,
            url: route.upstream.clone(),
        };
        *self.places.entry(place).or_insert_with(|| {
            self.routes.push(route);
            self.routes.len() - 1
        })
    }

    fn route(&self, service_type: &str, url: EndpointUrl) -> Route {
        let settings_key = names::settings_key(service_type, self.build.preferences);
        let is_identity = is_identity(service_type);
        let is_object_store = service_types::official(service_type) == Some("object-store");
        let upstream = if is_identity { keystone_v3(&url) } else { url };
        let settings = self.chooser.settings(&settings_key);
        let allows_http = settings.is_some_and(|settings| settings.allow_http);
        let retry_on_403 = settings.is_some_and(|settings| settings.retry_on_403);
        Route {
            host: host_header(&upstream),
            service_type: service_type.to_owned(),
            settings_key,
            region: None,
            interface: None,
            is_identity,
            may_lead_to_keystone: !is_object_store || upstream.path.is_empty(),
            is_object_store,
            is_override: false,
            is_insecure: self.build.auth_url.is_some_and(EndpointUrl::is_https)
                && !upstream.is_https()
                && !allows_http,
            retry_on_403,
            prefix: String::new(),
            alternatives: Vec::new(),
            is_plain: lenient::is_plain(upstream.path.as_bytes()),
            layout: Layout::of(&upstream.path),
            upstream,
            sharing: Box::default(),
            label: Arc::default(),
        }
    }
}

fn is_identity(service_type: &str) -> bool {
    service_types::official(service_type) == Some("identity")
}
