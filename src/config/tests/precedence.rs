//! What comes before what.

use super::*;

const FILE: &str = "home/.config/gatestone/gatestone.toml";

const CLOUDS: &str = "
clouds:
  a:
    auth: {auth_url: 'https://a', user_id: u, password: hunter2-sesame, project_id: p}
    region_name: yaml
    interface: admin
    object_store_region_name: yaml
    image_region_name: yaml
    dns_region_name: yaml
  b:
    auth: {auth_url: 'https://b', user_id: u, password: hunter2-sesame, project_id: p}
";

#[test]
fn a_region_is_looked_for_from_flag_to_clouds_yaml() {
    let cloud = ("OS_CLOUD", "a");
    let with_file = |variables: &[(&str, &str)]| {
        World::clouds(CLOUDS)
            .vars(&[cloud])
            .vars(variables)
            .with_file(FILE, "region = 'toml'\ninterface = 'internal'\n")
    };
    let both = [("OS_REGION_NAME", "os"), ("GATESTONE_REGION", "ours")];
    for (world, flags, expected, source) in [
        (with_file(&both), "--region flag", "flag", "--region"),
        (with_file(&both), "", "ours", "GATESTONE_REGION"),
        (with_file(&both[..1]), "", "os", "OS_REGION_NAME"),
        (with_file(&[]), "", "toml", "gatestone.toml:1, region"),
        (World::clouds(CLOUDS).vars(&[cloud]), "", "yaml", "cloud `a` in "),
    ] {
        let config = world.load(flags).unwrap();
        assert_eq!(config.routing.region, region(expected));
        assert_contains(&config.sources.region.unwrap(), source);
    }
    assert_eq!(with_file(&[]).config().routing.interfaces, [Interface::Internal]);
    assert_eq!(with_file(&[("OS_INTERFACE", "public")]).config().routing.interfaces, [Interface::Public]);
    assert_eq!(World::clouds(CLOUDS).vars(&[cloud]).config().routing.interfaces, [Interface::Admin]);
}

#[test]
fn a_services_settings_are_taken_one_by_one() {
    let services = World::clouds(CLOUDS)
        .vars(&[("OS_CLOUD", "a"), ("OS_OBJECT_STORE_REGION_NAME", "os")])
        .with_file(
            FILE,
            "[service.image]\nregion = 'toml'\n[service.object-store]\nregion = 'toml'\nnames = ['files']\n",
        )
        .config()
        .routing
        .services;
    assert_eq!(services["object-store"].region, region("os"));
    assert_eq!(services["object-store"].names, ["files"]);
    assert_eq!(services["image"].region, region("toml"));
    assert_eq!(services["dns"].region, region("yaml"));
}

#[test]
fn a_cloud_named_by_flag_or_variable_comes_before_the_variables_login() {
    let host = |config: &Config| config.identity.credentials.auth_url.clone().unwrap().authority.to_string();
    let world = |variables| World::openrc(variables).with_file("here/clouds.yaml", CLOUDS);
    let config = world(&[]).load("--cloud b").unwrap();
    assert_eq!(host(&config), "b");
    assert_contains(&config.warnings.concat(), "OS_USERNAME: ignored, since the login is cloud `b`");
    assert_eq!(host(&world(&[("OS_CLOUD", "a")]).config()), "a");
    assert_eq!(host(&world(&[("OS_CLOUD", "a")]).load("--cloud b").unwrap()), "b");
    assert_eq!(host(&world(&[("GATESTONE_CLOUD", "b"), ("OS_CLOUD", "a")]).config()), "b");
    assert_eq!(host(&world(&[]).config()), "k.example:5000");
    assert_eq!(host(&world(&[]).load("--cloud envvars").unwrap()), "k.example:5000");
}

#[test]
fn the_variables_login_comes_before_a_cloud_in_our_file() {
    let world = World::openrc(&[]).with_file("here/clouds.yaml", CLOUDS).with_file(FILE, "cloud = 'a'\n");
    let config = world.config();
    assert_eq!(config.identity.credentials.auth_url.unwrap().authority.as_str(), "k.example:5000");
    assert_contains(&config.warnings.concat(), "gatestone.toml:1, cloud: cloud `a` is not used");
    let world = World::clouds(CLOUDS).with_file(FILE, "cloud = 'a'\n");
    assert_eq!(world.config().identity.credentials.auth_url.unwrap().authority.as_str(), "a");
}

#[test]
fn a_variable_that_names_no_one_does_not_hide_the_only_cloud() {
    let one = &CLOUDS[..CLOUDS.find("  b:").unwrap()];
    let world = World::clouds(one).vars(&[("OS_INTERFACE", "internal"), ("OS_IDENTITY_API_VERSION", "3")]);
    assert_eq!(world.config().routing.interfaces, [Interface::Internal]);
}

#[test]
fn every_setting_has_a_variable_before_the_file() {
    let world = World::openrc(&[
        ("GATESTONE_LISTEN", "127.0.0.1:6000, unix:g.sock"),
        ("GATESTONE_ACCESS_LOG", "true"),
        ("GATESTONE_LOG_FORMAT", "json"),
        ("GATESTONE_ALLOWED_HOSTS", "a,b:80"),
        ("GATESTONE_ON_REFUSED", "wait"),
        ("GATESTONE_RESOLVE", "a:1:1.1.1.1,2.2.2.2 b:*:::1"),
        ("GATESTONE_SERVICE_HOST", "10.0.0.1"),
        ("GATESTONE_PORT", "tcp://10.0.0.1:5050"),
    ])
    .with_file(FILE, "log_format = 'text'\ntoken_wait = '1s'\n");
    let config = world.load("--listen localhost:7000 --shutdown-timeout 3s").unwrap();
    assert_eq!(config.listeners.len(), 2);
    assert_eq!(config.server.shutdown_timeout, Duration::from_secs(3));
    assert_eq!(config.identity.token_wait, Duration::from_secs(1));
    assert_eq!((config.log.format, config.log.access_log), (LogFormat::Json, true));
    assert_eq!(config.proxy.access.allowed_hosts, ["a", "b:80"]);
    assert_eq!(config.identity.on_refused, OnRefused::Wait);
    assert_eq!(config.client.resolve.len(), 2);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let unix = ListenAddr::Unix(world.dir.path().join("here/g.sock"));
    assert!(world.config().listeners.iter().any(|it| it.addr == unix));
}

#[test]
fn our_file_comes_before_everybodys_proxies() {
    let everybodys = [
        ("HTTPS_PROXY", "http://e:1"),
        ("HTTP_PROXY", "http://x:1"),
        ("ALL_PROXY", "http://all:1"),
        ("NO_PROXY", "n"),
    ];
    let proxy = World::openrc(&everybodys).config().client.proxy;
    assert_eq!(
        (proxy.https.as_str(), proxy.http.as_str(), proxy.no.as_str()),
        ("http://e:1", "http://all:1", "n")
    );
    let world = World::openrc(&everybodys).with_file(FILE, "https_proxy = ''\nno_proxy = ['a', '.b']\n");
    let proxy = world.config().client.proxy;
    assert_eq!((proxy.https.as_str(), proxy.all.as_str(), proxy.no.as_str()), ("", "", "a,.b"));
}

#[test]
fn a_named_file_replaces_the_search() {
    let world =
        World::openrc(&[]).with_file(FILE, "workers = 2\n").with_file("here/mine.toml", "workers = 3\n");
    assert_eq!(world.config().workers, 2);
    assert_eq!(world.load("--config mine.toml").unwrap().workers, 3);
    assert_contains(&world.load("--config none.toml").unwrap_err().to_string(), "--config: cannot read");
    assert_eq!(world.vars(&[("GATESTONE_CONFIG", "mine.toml")]).config().workers, 3);
}
