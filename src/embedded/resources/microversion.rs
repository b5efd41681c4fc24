//! Micro-versions: what a request asks for, and the fields that tell what it got
//! (OpenStack API working group, "Microversion Specification").

use http::{HeaderMap, HeaderName, HeaderValue};

use super::api::{Api, Microversions};

/// The minor version of a request, or the text that asks for one that there is not.
pub(super) fn read(api: &Api, headers: &HeaderMap) -> Result<u16, String> {
    let Some(versions) = &api.microversions else { return Ok(0) };
    let field = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let current = field(FIELD).and_then(|value| value.trim().strip_prefix(versions.service)).map(str::trim);
    let Some(asked) = current.or_else(|| versions.legacy.and_then(field)) else {
        return Ok(versions.default);
    };
    if asked == "latest" {
        return Ok(versions.most);
    }
    parse(versions, asked).ok_or_else(|| asked.to_owned())
}

fn parse(versions: &Microversions, text: &str) -> Option<u16> {
    let (major, minor) = text.split_once('.')?;
    let (major, minor): (u16, u16) = (major.parse().ok()?, minor.parse().ok()?);
    (major == versions.major && (versions.least..=versions.most).contains(&minor)).then_some(minor)
}

/// Tells the version in the answer.
pub(super) fn write(api: &Api, minor: u16, headers: &mut HeaderMap) {
    let Some(versions) = &api.microversions else { return };
    let number = format!("{}.{minor}", versions.major);
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set(FIELD, format!("{} {number}", versions.service));
    match versions.legacy {
        Some(legacy) => {
            set(legacy, number);
            set("vary", format!("OpenStack-API-Version, {legacy}"));
        }
        None => set("vary", "OpenStack-API-Version".to_owned()),
    }
}

const FIELD: &str = "openstack-api-version";

#[cfg(test)]
mod tests {
    use super::super::api::find;
    use super::*;

    #[test]
    fn versions_are_read_from_either_field_and_bounded() {
        let compute = find("compute").unwrap();
        for (name, value, expected) in [
            (FIELD, "compute 2.79", Ok(79)),
            (FIELD, "compute latest", Ok(96)),
            (FIELD, "volume 3.1", Ok(1)),
            ("x-openstack-nova-api-version", "2.60", Ok(60)),
            (FIELD, "compute 2.97", Err("2.97".to_owned())),
            (FIELD, "compute 3.1", Err("3.1".to_owned())),
            (FIELD, "compute two", Err("two".to_owned())),
        ] {
            let headers = [(HeaderName::try_from(name).unwrap(), HeaderValue::from_static(value))];
            assert_eq!(read(compute, &headers.into_iter().collect()), expected, "{name}: {value}");
        }
        assert_eq!(read(find("network").unwrap(), &HeaderMap::new()), Ok(0));
    }
}
