//! Media types by the ends of names, for uploads that tell none: what Python's `mimetypes` guesses on
//! Debian, for the common ones.

/// The type that the name of an object suggests.
pub(super) fn guess(name: &str) -> &'static str {
    let file = name.rsplit('/').next().unwrap_or(name).trim_start_matches('.');
    let Some((stem, end)) = file.rsplit_once('.') else { return UNKNOWN };
    let of = |end: &str| {
        let end = end.to_ascii_lowercase();
        TYPES.iter().find(|(ends, _)| ends.contains(&end.as_str())).map(|(_, media_type)| *media_type)
    };
    // The encoding is not told, the type below it is.
    let below = || stem.rsplit_once('.').and_then(|(_, end)| if end == "tar" { Some(TAR) } else { of(end) });
    let found = match end {
        "gz" | "bz2" | "xz" | "Z" | "br" => below(),
        "tgz" | "taz" | "tz" | "tbz2" | "txz" => Some(TAR),
        "svgz" => of("svg"),
        end => of(end),
    };
    found.unwrap_or(UNKNOWN)
}

const UNKNOWN: &str = "application/octet-stream";
const TAR: &str = "application/x-tar";

const TYPES: &[(&[&str], &str)] = &[
    (&["json"], "application/json"),
    (&["js", "mjs"], "text/javascript"),
    (&["html", "htm"], "text/html"),
    (&["css"], "text/css"),
    (&["csv"], "text/csv"),
    (&["txt", "text", "ksh"], "text/plain"),
    (&["md", "markdown"], "text/markdown"),
    (&["py"], "text/x-python"),
    (&["c"], "text/x-csrc"),
    (&["h"], "text/x-chdr"),
    (&["sh"], "text/x-sh"),
    (&["pl"], "text/x-perl"),
    (&["tex"], "text/x-tex"),
    (&["tsv"], "text/tab-separated-values"),
    (&["xml"], "application/xml"),
    (&["xsl", "xslt"], "application/xslt+xml"),
    (&["rdf"], "application/rdf+xml"),
    (&["sql"], "application/sql"),
    (&["pdf"], "application/pdf"),
    (&["ps", "ai", "eps"], "application/postscript"),
    (&["zip"], "application/zip"),
    (&["7z"], "application/x-7z-compressed"),
    (&["rar"], "application/vnd.rar"),
    (&["tar"], TAR),
    (&["jar"], "application/java-archive"),
    (&["wasm"], "application/wasm"),
    (&["iso"], "application/x-iso9660-image"),
    (&["deb"], "application/vnd.debian.binary-package"),
    (&["rpm"], "application/x-redhat-package-manager"),
    (&["apk"], "application/vnd.android.package-archive"),
    (&["exe", "dll", "bat"], "application/x-msdos-program"),
    (&["epub"], "application/epub+zip"),
    (&["doc"], "application/msword"),
    (&["xls"], "application/vnd.ms-excel"),
    (&["ppt"], "application/vnd.ms-powerpoint"),
    (&["docx"], "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (&["xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (&["pptx"], "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (&["odt"], "application/vnd.oasis.opendocument.text"),
    (&["ttf"], "font/ttf"),
    (&["woff"], "font/woff"),
    (&["woff2"], "font/woff2"),
    (&["gif"], "image/gif"),
    (&["jpg", "jpeg", "jpe"], "image/jpeg"),
    (&["png"], "image/png"),
    (&["svg"], "image/svg+xml"),
    (&["tif", "tiff"], "image/tiff"),
    (&["ico"], "image/vnd.microsoft.icon"),
    (&["bmp"], "image/bmp"),
    (&["heic"], "image/heic"),
    (&["webp"], "image/webp"),
    (&["mp3", "mp2"], "audio/mpeg"),
    (&["wav"], "audio/x-wav"),
    (&["flac"], "audio/flac"),
    (&["ogg", "oga"], "audio/ogg"),
    (&["mp4"], "video/mp4"),
    (&["mpg", "mpeg"], "video/mpeg"),
    (&["mov", "qt"], "video/quicktime"),
    (&["webm"], "video/webm"),
    (&["mkv"], "video/x-matroska"),
    (&["avi"], "video/x-msvideo"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_suggest_types() {
        for (name, expected) in [
            ("a/b.json", "application/json"),
            ("a.TXT", "text/plain"),
            ("a.jpg", "image/jpeg"),
            ("a.tar.gz", "application/x-tar"),
            ("a.tgz", "application/x-tar"),
            ("a.html.gz", "text/html"),
            ("a.xml", "application/xml"),
            ("a.gz", UNKNOWN),
            ("a.bin", UNKNOWN),
            ("noext", UNKNOWN),
            ("a.json/b", UNKNOWN),
            (".json", UNKNOWN),
        ] {
            assert_eq!(guess(name), expected, "{name}");
        }
    }
}
