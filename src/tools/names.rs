//! Names of variables that hold a login or choose one, and of those that never do.

/// Variables that clients of Keystone log in by or choose with (openstacksdk, keystoneauth, gophercloud,
/// python-swiftclient), whether or not a caller has them.
pub(super) const LOGIN: [&str; 38] = [
    "OS_CLOUD",
    "OS_CLOUD_NAME",
    "OS_AUTH_TYPE",
    "OS_AUTH_PLUGIN",
    "OS_AUTH_VERSION",
    "OS_AUTH_URL",
    "OS_USERNAME",
    "OS_USER_ID",
    "OS_USERID",
    "OS_USER_DOMAIN_ID",
    "OS_USER_DOMAIN_NAME",
    "OS_PASSWORD",
    "OS_PASSCODE",
    "OS_TOKEN",
    "OS_AUTH_TOKEN",
    "OS_PROJECT_ID",
    "OS_PROJECT_NAME",
    "OS_PROJECT_DOMAIN_ID",
    "OS_PROJECT_DOMAIN_NAME",
    "OS_TENANT_ID",
    "OS_TENANT_NAME",
    "OS_DOMAIN_ID",
    "OS_DOMAIN_NAME",
    "OS_DEFAULT_DOMAIN",
    "OS_SYSTEM_SCOPE",
    "OS_TRUST_ID",
    "OS_APPLICATION_CREDENTIAL_ID",
    "OS_APPLICATION_CREDENTIAL_NAME",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "OS_REGION_NAME",
    "OS_INTERFACE",
    "OS_ENDPOINT_TYPE",
    "OS_STORAGE_URL",
    "OS_ENDPOINT",
    "OS_CACERT",
    "OS_CERT",
    "OS_KEY",
    "OS_INSECURE",
];

/// python-swiftclient, `shell.py`: a storage URL with a token is used without a login, and the type of login
/// is checked whatever the version.
pub(super) const SWIFT_IN_THE_WAY: [&str; 3] = ["OS_STORAGE_URL", "OS_AUTH_TOKEN", "OS_AUTH_TYPE"];

/// rclone, `docs/content/swift.md`: they stand in for what a remote leaves open.
pub(super) const RCLONE_IN_THE_WAY: [&str; 3] =
    ["RCLONE_SWIFT_STORAGE_URL", "RCLONE_SWIFT_AUTH_TOKEN", "RCLONE_SWIFT_ENDPOINT_TYPE"];

/// duplicity, `backends/swiftbackend.py`.
pub(super) const DUPLICITY_IN_THE_WAY: [&str; 9] = [
    "SWIFT_PREAUTHURL",
    "SWIFT_PREAUTHTOKEN",
    "SWIFT_TENANTNAME",
    "SWIFT_REGIONNAME",
    "SWIFT_USER_DOMAIN_ID",
    "SWIFT_USER_DOMAIN_NAME",
    "SWIFT_PROJECT_DOMAIN_ID",
    "SWIFT_PROJECT_DOMAIN_NAME",
    "SWIFT_ENDPOINT_TYPE",
];

/// Whether an `OS_*` variable says how to ask rather than whom or as whom: a service's API version, or what
/// openstacksdk leaves to test suites and logging (`config/loader.py:_get_os_environ`).
pub(super) fn is_preference(name: &str) -> bool {
    let names_secret = ["PASS", "SECRET", "TOKEN", "KEY", "PW"].iter().any(|part| name.contains(part));
    (name.ends_with("_API_VERSION") && name != "OS_IDENTITY_API_VERSION")
        || !names_secret && ["OS_TEST_", "OS_STD", "OS_LOG_"].iter().any(|prefix| name.starts_with(prefix))
}
