//! What a `profile` in `clouds.yaml` stands for: a vendor's part of a cloud entry.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::yaml::{self, Node};

/// A profile, looked up.
#[derive(Debug)]
pub(super) enum Profile {
    /// The cloud names none.
    None,
    /// It exists.
    Found(BTreeMap<String, Node>),
    /// It does not, or cannot be used; why, as a sentence without subject.
    Missing(String),
}

/// Looks in the `public-clouds` of `clouds-public.yaml`, then among those we know.
pub(super) fn find(name: &str, public: &BTreeMap<String, Node>, warnings: &mut Vec<String>) -> Profile {
    if let Some(map) = public.get(name).and_then(Node::map) {
        return Profile::Found(map.clone());
    }
    let text = match name {
        "ovh" => OVH,
        "ovh-us" => OVH_US,
        url if url.contains("://") => {
            return Profile::Missing(format!(
                "profile `{url}` would be fetched from there, which Gatestone does not do"
            ));
        }
        other => {
            return Profile::Missing(format!(
                "profile `{other}` is neither in clouds-public.yaml nor known to Gatestone"
            ));
        }
    };
    match yaml::parse(text, &Arc::from(format!("profile `{name}`"))) {
        Ok(map) => Profile::Found(map),
        Err(error) => {
            warnings.push(format!("profile `{name}`: {error}"));
            Profile::None
        }
    }
}

/// openstacksdk fetches this one from ovhcloud.com; only what does not change is kept here.
const OVH: &str = "
auth:
  auth_url: https://auth.cloud.ovh.net/
  user_domain_name: Default
  project_domain_name: Default
";

/// `openstack/config/vendors/ovh-us.json`.
const OVH_US: &str = "
auth:
  auth_url: https://auth.cloud.ovh.us/
  user_domain_name: Default
  project_domain_name: Default
regions: [US-EAST-VA-1, US-WEST-OR-1, US-EAST-VA, US-WEST-OR]
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_profiles_are_valid() {
        for name in ["ovh", "ovh-us"] {
            let Profile::Found(map) = find(name, &BTreeMap::new(), &mut Vec::new()) else { panic!("{name}") };
            assert!(map["auth"].map().unwrap().contains_key("auth_url"));
        }
    }

    #[test]
    fn a_profile_in_a_file_comes_first() {
        let public = yaml::parse("ovh: {auth: {auth_url: https://mine}}", &Arc::from("f")).unwrap();
        let Profile::Found(map) = find("ovh", &public, &mut Vec::new()) else { panic!() };
        assert_eq!(map["auth"].map().unwrap()["auth_url"].text(), Some("https://mine"));
    }
}
