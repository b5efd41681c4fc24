//! Changes of an image: `application/openstack-images-v2.1-json-patch` (Image API v2, "HTTP PATCH media
//! types"), which is RFC 6902 with `add`, `replace` and `remove` of whole properties.

use http::StatusCode;
use serde_json::Value;

use super::No;
use super::record::{Image, READ_ONLY, defaults};

/// The media types that are taken.
pub(super) const MEDIA_TYPES: &str =
    "application/openstack-images-v2.0-json-patch, application/openstack-images-v2.1-json-patch";

/// Does all steps or none.
pub(super) fn apply(image: &Image, patch: &Value) -> Result<Image, No> {
    let steps = patch
        .as_array()
        .ok_or_else(|| No::new(400, "Request body must be a JSON array of operation objects."))?;
    let mut changed = image.clone();
    for step in steps {
        let text = |name: &str| step[name].as_str().unwrap_or_default();
        let (operation, path) = (text("op"), text("path"));
        let name = path.strip_prefix('/').filter(|name| !name.is_empty() && !name.contains('/'));
        let name = name.ok_or_else(|| No::new(400, "Pointer is no path to a property."))?;
        let name = name.replace("~1", "/").replace("~0", "~");
        match operation {
            "add" => {}
            "replace" | "remove" if !changed.has(&name) && !is_read_only(&name) => {
                let words = format!(
                    "There was a conflict when trying to complete your request.\n\n Property {name} does not exist.  "
                );
                return Err(No { status: StatusCode::CONFLICT, words, fields: Vec::new() });
            }
            "replace" => {}
            "remove" if changed.extra.remove(&name).is_some() => continue,
            "remove" if is_read_only(&name) || defaults().contains_key(&name) => {
                return Err(No::new(403, &format!("Property {name} may not be removed.")));
            }
            "remove" => {
                changed.tags.clear();
                continue;
            }
            _ => {
                let words = format!(
                    "Invalid operation: `{operation}`. It must be one of the following: add, remove, replace."
                );
                return Err(No::new(400, &words));
            }
        }
        changed.set(&name, &step["value"])?;
    }
    Ok(changed)
}

fn is_read_only(name: &str) -> bool {
    READ_ONLY.contains(&name)
}
