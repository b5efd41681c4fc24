//! Several clouds in one process, a listener each.

use super::*;

const TWO: &str = "clouds:
  a: {region_name: RA, auth: {auth_url: 'https://a', user_id: u, password: hunter2-sesame, project_id: p}}
  b: {auth: {auth_url: 'https://b', user_id: v, password: hunter2-sesame, project_id: q}}
";

fn world(own: &str) -> World {
    World::clouds(TWO).with_file("etc/gatestone/gatestone.toml", own)
}

fn load_all(world: &World) -> Result<Vec<Config>, String> {
    let loaded = Config::load_all(&CloudArgs::default(), &ServerArgs::default(), &world.env, &world.places());
    loaded.map_err(|mistakes| mistakes.to_string().replace(&world.dir.path().display().to_string(), ""))
}

fn host(config: &Config) -> String {
    config.identity.credentials.auth_url.as_ref().unwrap().authority.to_string()
}

#[test]
fn each_listener_has_the_cloud_that_it_names() {
    let world = world(
        "cloud = 'a'\nlisten = '127.0.0.1:1'\ntoken_cache = '/tmp/gatestone-has-no-such-file'\nregion = 'R9'\n[service.image]\n\
         endpoint_override = 'https://a/image'\n[[listener]]\nlisten = '127.0.0.1:2'\ncloud = 'b'\n\
         [[listener]]\nlisten = '127.0.0.1:3'\n",
    );
    let configs = load_all(&world).unwrap();
    assert_eq!(configs.iter().map(host).collect::<Vec<_>>(), ["a", "b"]);
    let listeners: Vec<usize> = configs.iter().map(|config| config.listeners.len()).collect();
    assert_eq!(listeners, [2, 1]);
    let [a, b] = &configs[..] else { panic!() };
    assert_eq!(b.sources.listener_cloud.as_deref(), Some("b"));
    // What is said at the top about a cloud is about that one alone.
    assert!(a.identity.token_cache.is_some() && b.identity.token_cache.is_none());
    assert_eq!((a.routing.region.clone(), b.routing.region.clone()), (region("R9"), None));
    assert!(a.routing.services.contains_key("image") && b.routing.services.is_empty());
    // One that is refused does not end the others.
    assert!(configs.iter().all(|config| config.identity.on_refused == OnRefused::Wait));
}

#[test]
fn a_cloud_whose_listener_is_gone_from_the_file_does_not_become_another() {
    let listener = "cloud = 'a'\nlisten = '127.0.0.1:1'\n[[listener]]\nlisten = '127.0.0.1:2'\ncloud = 'b'\n";
    let world = world(listener);
    let reread = || {
        let (cloud, server) = (CloudArgs::default(), ServerArgs::default());
        Config::load_one(Some("b"), &cloud, &server, &world.env, &world.places())
    };
    assert_eq!(host(&reread().unwrap()), "b");
    world.file("etc/gatestone/gatestone.toml", "listen = '127.0.0.1:1'\n");
    world.file(
        "home/.config/openstack/clouds.yaml",
        "clouds: {a: {auth: {auth_url: 'https://a', user_id: u, password: x, project_id: p}}}",
    );
    let mistakes = reread().unwrap_err().to_string();
    assert_contains(&mistakes, "no [[listener]] names the cloud `b` any more");
}

#[test]
fn variables_are_of_the_cloud_of_the_settings_alone() {
    let world = World::openrc(&[("OS_IMAGE_ENDPOINT_OVERRIDE", "https://k/image"), ("OS_CACERT", "ca.pem")])
        .with_file("here/ca.pem", "PEM")
        .with_file(
            "home/.config/openstack/clouds.yaml",
            "clouds: {b: {auth: {auth_url: 'https://b', user_id: v, project_id: q}}}",
        )
        .with_file(
            "etc/gatestone/gatestone.toml",
            "[[listener]]\nlisten = '127.0.0.1:2'\ncloud = 'b'\n[[listener]]\nlisten = '127.0.0.1:3'\n",
        );
    let text = load_all(&world).unwrap_err();
    assert_contains(&text, "cloud `b`");
    assert_contains(&text, "`password` is not set");
    world.file("home/.config/openstack/secure.yaml", "clouds: {b: {auth: {password: x}}}");
    let configs = load_all(&world).unwrap();
    assert_eq!(configs.iter().map(host).collect::<Vec<_>>(), ["b", "k.example:5000"]);
    assert!(configs[0].routing.services.is_empty() && configs[0].client.tls.cacert.is_none());
    assert!(configs[1].routing.services.contains_key("image") && configs[1].client.tls.cacert.is_some());
}

#[test]
fn no_cloud_of_the_settings_is_needed_where_every_listener_names_one() {
    let both = world(
        "[[listener]]\nlisten = '127.0.0.1:2'\ncloud = 'b'\n[[listener]]\nlisten = '127.0.0.1:3'\ncloud = 'a'\n",
    );
    assert_eq!(load_all(&both).unwrap().iter().map(host).collect::<Vec<_>>(), ["b", "a"]);
    let one = world("[[listener]]\nlisten = '127.0.0.1:2'\ncloud = 'b'\n");
    let configs = load_all(&one).unwrap();
    assert_eq!((configs.len(), configs[0].identity.on_refused), (1, OnRefused::Exit));
}

#[test]
fn mistakes_of_all_clouds_are_told_together() {
    let world = world(
        "cloud = 'zz'\n[[listener]]\nlisten = '127.0.0.1:2'\ncloud = 'bb'\n[[listener]]\nlisten = '127.0.0.1:2'\n",
    );
    let text = load_all(&world).unwrap_err();
    assert_contains(&text, "gatestone.toml:4, listener.cloud: there is no cloud `bb`");
    assert_contains(&text, "gatestone.toml:1, cloud: there is no cloud `zz`");
    assert_contains(&text, "127.0.0.1:2 is an address of another listener already");
    assert_eq!(text.matches("address of another listener").count(), 1);
}
