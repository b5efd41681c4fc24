//! Logins from `clouds.yaml` and its companions.

use super::*;

const OVH: &str = "
clouds:
  ovh:
    auth:
      auth_url: https://auth.cloud.ovh.net/v3/
      username: user-x
      password: hunter2-sesame
      user_domain_name: Default
      project_id: 0123
    regions:
      - GRA
      - name: BHS
        values:
          object_store_region_name: BHS-S
          interface: internal
      - {name: SBG}
    object_store_region_name: GRA-S
";

#[test]
fn the_only_cloud_is_used_with_its_first_region() {
    let config = World::clouds(OVH).config();
    assert_eq!(config.routing.region, region("GRA"));
    assert_eq!(config.routing.services["object-store"].region, region("GRA-S"));
    assert_eq!(config.identity.credentials.scope, Scope::Project(Project::Id("0123".to_owned())));
    assert_contains(&config.sources.credentials, "cloud `ovh` in /");
    assert_eq!(config.sources.files.len(), 1);
}

#[test]
fn a_regions_values_go_over_the_clouds() {
    let config = World::clouds(OVH).load("--region BHS").unwrap();
    assert_eq!(config.routing.region, region("BHS"));
    assert_eq!(config.routing.services["object-store"].region, region("BHS-S"));
    assert_eq!(config.routing.interfaces, [Interface::Internal]);
}

#[test]
fn an_unknown_region_lists_those_there_are() {
    let mistakes = World::clouds(OVH).vars(&[("OS_REGION_NAME", "gra")]).mistakes();
    assert_contains(
        &mistakes,
        "OS_REGION_NAME: `gra` is not a region of cloud `ovh`; it has `GRA`, `BHS`, `SBG` (region names are case sensitive)",
    );
}

#[test]
fn a_single_region_name_is_a_default() {
    let cloud = "clouds: {a: {region_name: R1, auth: {auth_url: 'https://k', user_id: u, password: s, project_id: p}}}";
    assert_eq!(World::clouds(cloud).config().routing.region, region("R1"));
    assert_eq!(World::clouds(cloud).load("--region R2").unwrap().routing.region, region("R2"));
    let several = cloud.replace("R1", "'R1, R2'");
    assert_eq!(World::clouds(&several).config().routing.region, region("R1"));
    assert!(World::clouds(&several).load("--region R3").is_err());
}

#[test]
fn secure_yaml_is_merged_over_and_nearer_files_come_first() {
    let bare = OVH.replace("      password: hunter2-sesame\n", "");
    let world = World::clouds(&bare).with_file("etc/openstack/clouds.yaml", "clouds: {other: {}}");
    assert_contains(&world.mistakes(), "`password` is not set, nor is `password_file`, or secure.yaml");
    world.file(
        "etc/openstack/secure.json",
        r#"{"clouds": {"ovh": {"auth": {"password": "hunter2-sesame"}}}}"#,
    );
    let config = world.config();
    let Method::Password { password, .. } = config.identity.credentials.method else { panic!() };
    assert_eq!(password.expose(), PASSWORD);
    assert_contains(&config.sources.credentials, "clouds.yaml and ");
    assert_eq!(config.sources.files.len(), 2);
}

#[test]
fn files_can_be_named_by_variables() {
    let world = World::new().vars(&[("OS_CLIENT_CONFIG_FILE", "mine.yaml")]);
    assert_contains(&world.mistakes(), "OS_CLIENT_CONFIG_FILE: cannot read /here/mine.yaml");
    world.file("here/mine.yaml", OVH);
    assert_eq!(world.config().routing.region, region("GRA"));
}

#[test]
fn a_missing_secret_comes_from_the_environment_or_a_file_beside() {
    let bare = OVH.replace("      password: hunter2-sesame\n", "");
    let config = World::clouds(&bare).vars(&[("OS_PASSWORD", PASSWORD)]).config();
    assert_contains(&config.sources.credentials, "with the secret from OS_PASSWORD");
    let file = OVH.replace("password: hunter2-sesame", "password_file: secrets/ovh");
    let world = World::clouds(&file);
    assert_contains(&world.mistakes(), "`password_file`: cannot read /home/.config/openstack/secrets/ovh");
    world.file("home/.config/openstack/secrets/ovh", PASSWORD);
    let Method::Password { password, .. } = world.config().identity.credentials.method else { panic!() };
    assert_eq!(password.expose(), PASSWORD);
}

#[test]
fn secrets_keep_the_characters_that_are_written() {
    for written in ["0123", "1234", "yes", "1e3", "0x10", "1_000"] {
        let config = World::clouds(&OVH.replace(PASSWORD, written)).config();
        let Method::Password { password, .. } = config.identity.credentials.method else { panic!() };
        assert_eq!(password.expose(), written);
    }
}

#[test]
fn old_spellings_are_understood() {
    let config = World::clouds(
        "
clouds:
  old:
    auth_plugin: v3password
    auth: {auth-url: 'https://k', user-name: u, password: s, tenant_name: t, domain_name: d}
    endpoint_type: internalURL
    volume_endpoint_type: adminURL
    compute_endpoint: 'https://c.{region_name}.example'
    region_name: R
    verify: no
",
    )
    .config();
    let credentials = config.identity.credentials;
    assert_eq!(
        credentials.scope,
        Scope::Project(Project::Name { name: "t".to_owned(), domain: domain("d") })
    );
    assert_eq!(config.routing.interfaces, [Interface::Internal]);
    assert_eq!(config.routing.services["block-storage"].interfaces, [Interface::Admin]);
    assert_eq!(config.routing.services["compute"].endpoint_override.as_deref(), Some("https://c.R.example"));
    assert!(config.client.tls.insecure);
    assert_contains(&config.warnings.concat(), "`verify`: certificates are NOT verified");
}

#[test]
fn insecure_beats_verify() {
    let cloud = OVH.replace("    regions:", "    verify: false\n    insecure: false\n    regions:");
    assert!(!World::clouds(&cloud).config().client.tls.insecure);
}

#[test]
fn no_secret_is_filled_into_a_url() {
    for (key, placeholder) in
        [("password", "{password}"), ("token", "{token}"), ("auth_token", "{auth_token}")]
    {
        let cloud = OVH.replace("    regions:", &format!("    {key}: tell-nobody\n    regions:"));
        let cloud = cloud.replace("auth.cloud.ovh.net/v3/", &format!("auth.cloud.ovh.net/{placeholder}"));
        let shown = World::clouds(&cloud).load("").map_or_else(|it| format!("{it}"), |it| format!("{it:?}"));
        assert!(!shown.contains("tell-nobody"), "{shown}");
    }
}

#[test]
fn profiles_lie_below_the_cloud() {
    let cloud = "clouds: {a: {profile: ovh-us, auth: {username: u, password: s, project_name: p, user_domain_name: D}}}";
    let config = World::clouds(cloud).config();
    assert_eq!(config.routing.region, region("US-EAST-VA-1"));
    assert_eq!(config.identity.credentials.auth_url.unwrap().to_string(), "https://auth.cloud.ovh.us");
    let Method::Password { user: User::Name { domain: d, .. }, .. } = config.identity.credentials.method
    else {
        panic!()
    };
    assert_eq!(d, domain("D"));

    let own = cloud.replace("ovh-us", "mine");
    assert_contains(
        &World::clouds(&own).mistakes(),
        "profile `mine` is neither in clouds-public.yaml nor known",
    );
    let world = World::clouds(&own).with_file(
        "here/clouds-public.yaml",
        "public-clouds: {mine: {status: deprecated, message: go, auth: {auth_url: 'https://m', project_domain_name: P}}}",
    );
    assert_contains(&world.config().warnings.concat(), "its profile is deprecated. go");
    world.file("here/clouds-public.yaml", "public-clouds: {mine: {status: shutdown, message: gone}}");
    assert_contains(&world.mistakes(), "no longer exists. gone");
}

#[test]
fn a_cloud_is_chosen_by_name() {
    let two = format!("{OVH}  other: {{}}\n");
    assert_contains(
        &World::clouds(&two).mistakes(),
        "holds several; use `--cloud` or OS_CLOUD with one of other, ovh",
    );
    assert!(World::clouds(&two).load("--cloud ovh").is_ok());
    assert!(World::clouds(&two).vars(&[("OS_CLOUD", "ovh")]).load("").is_ok());
    let mistakes = World::clouds(&two).vars(&[("OS_CLOUD", "ovhh")]).mistakes();
    assert_contains(
        &mistakes,
        "OS_CLOUD: there is no cloud `ovhh` in /home/.config/openstack/clouds.yaml; it holds `other`, `ovh`; did you mean `ovh`?",
    );
    let mistakes = World::new().vars(&[("OS_CLOUD", "ovh")]).mistakes();
    assert_contains(&mistakes, "there is no clouds.yaml that could hold cloud `ovh`");
    assert_contains(&mistakes, "/etc/openstack/clouds.json");
    let empty = World::clouds("cache: {}").vars(&[("OS_CLOUD", "ovh")]);
    assert_contains(&empty.mistakes(), "holds no `clouds`");
}

#[test]
fn broken_files_are_mistakes_with_path_and_line() {
    for (text, message) in [
        ("clouds:\n  a: [", "/home/.config/openstack/clouds.yaml: line 2: this is not valid YAML"),
        ("a: 1\n---\nb: 2\n", "clouds.yaml: it holds several YAML documents"),
        ("- a", "clouds.yaml: it is not a mapping"),
        ("clouds: [a]", "clouds.yaml:1: `clouds` is not a mapping"),
        ("clouds: {a: x}", "clouds.yaml:1: cloud `a` is not a mapping"),
        ("clouds: {a: {regions: GRA}}", "clouds.yaml:1, `regions`: it is not a list"),
        ("clouds: {a: {regions: [{values: {}}]}}", "a region is a name, or a mapping"),
        ("clouds:\n  a:\n    auth:\n      username: [u]\n", "clouds.yaml:4, `username`: it must be a text"),
        ("clouds: {a: {verify: maybe}}", "`verify`: `maybe` is neither"),
        ("clouds: {a: {identity_api_version: 2.0}}", "`identity_api_version`: the Identity API v2.0"),
        (
            "clouds: {a: {auth: {password: hunter2-sesame, password_file: x}}}",
            "`password` and `password_file` are both set",
        ),
        (
            "clouds: {a: {auth_type: v3kerberos}}",
            "`auth_type`: the authentication type `v3kerberos` is not supported yet",
        ),
        ("clouds: {a: {key: /nowhere}}", "a private key is set, but no certificate"),
        (
            "clouds: {a: {auth: {application_credential_id: i, application_credential_secret: s, project_id: p}}}",
            "`project_id`: an application credential is bound to its own project",
        ),
        ("clouds: {a: {profile: 'https://x.example'}}", "would be fetched from there"),
    ] {
        assert_contains(&World::clouds(text).mistakes(), message);
    }
}

#[test]
fn slips_below_auth_are_noticed() {
    let cloud = OVH.replace("username: user-x", "username: user-x\n      projct_id: x");
    assert_contains(
        &World::clouds(&cloud).config().warnings.concat(),
        "`projct_id` is not a key of `auth`; did you mean `project_id`?",
    );
}

#[test]
#[cfg(unix)]
fn a_file_that_we_may_not_read_is_passed_over_and_told() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::clouds(OVH);
    let path = world.file("here/clouds.yaml", "clouds: {hidden: {}}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_ok() {
        return; // Root reads everything.
    }
    assert_contains(&world.config().warnings.concat(), "clouds.yaml was passed over");
    assert_contains(&world.vars(&[("OS_CLOUD", "hidden")]).mistakes(), "/here/clouds.yaml was passed over");
}

#[test]
fn paths_are_the_users() {
    let world =
        World::clouds(&OVH.replace("    regions:", "    cacert: ca.pem\n    cert: ~/c.pem\n    regions:"));
    let (ca, cert) = (world.file("here/ca.pem", ""), world.file("home/c.pem", ""));
    let tls = world.config().client.tls;
    assert_eq!(tls.cacert, Some(ca));
    let pair = tls.client_certificate.unwrap();
    assert_eq!((&pair.cert, &pair.key), (&cert, &cert));
}

#[test]
fn a_cache_of_tokens_is_noticed() {
    let text = "cache: {auth: true, expiration_time: 60}\nclouds: {a: {auth: {auth_url: 'https://k', user_id: u, password: x, project_id: p}}}";
    assert_contains(
        &World::clouds(text).config().warnings.concat(),
        "here token_cache names a file for that",
    );
    let set = World::clouds(text).vars(&[("GATESTONE_TOKEN_CACHE", "/tmp/gatestone-has-no-such-file")]);
    assert!(set.config().warnings.is_empty());
    assert!(World::clouds(&text.replace("true", "false")).config().warnings.is_empty());
}
