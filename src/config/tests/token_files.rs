//! The files that hold the token, and what contradicts them.

use super::*;

const FILE: &str = "home/.config/gatestone/gatestone.toml";

#[test]
fn the_token_is_in_no_file_and_not_revoked_unless_asked_for() {
    let config = World::openrc(&[]).config();
    assert_eq!((config.identity.token_cache, config.identity.token_file), (None, None));
    assert!(!config.identity.revoke_on_exit);
    assert!(config.proxy.retry_on_401);
}

#[test]
fn each_setting_comes_from_the_file_and_from_its_variable() {
    let world = World::openrc(&[])
        .with_file(FILE, "token_cache = 'cache.json'\ntoken_file = '~/token'\nretry_on_401 = false\n");
    let config = world.config();
    let home = world.dir.path().join("home");
    assert_eq!(config.identity.token_cache, Some(home.join(".config/gatestone/cache.json")));
    assert_eq!(config.identity.token_file, Some(home.join("token")));
    assert!(!config.proxy.retry_on_401);

    let world = World::openrc(&[
        ("GATESTONE_TOKEN_FILE", "token"),
        ("GATESTONE_REVOKE_ON_EXIT", "yes"),
        ("GATESTONE_RETRY_ON_401", "no"),
    ]);
    let config = world.config();
    assert_eq!(config.identity.token_file, Some(world.dir.path().join("here/token")));
    assert!(config.identity.revoke_on_exit);
    assert!(!config.proxy.retry_on_401);
    let world = World::openrc(&[("GATESTONE_TOKEN_CACHE", "cache")]);
    assert_eq!(world.config().identity.token_cache, Some(world.dir.path().join("here/cache")));
}

#[test]
fn a_service_may_say_403_of_a_dead_token() {
    let services = World::openrc(&[])
        .with_file(FILE, "[service.swift]\nretry_on_403 = true\n[service.compute]\nregion = 'R'\n")
        .config()
        .routing
        .services;
    assert!(services["object-store"].retry_on_403);
    assert!(!services["compute"].retry_on_403);
}

#[test]
fn a_file_needs_a_folder() {
    for (path, message) in [
        ("/nowhere/token", "GATESTONE_TOKEN_FILE: the folder /nowhere does not exist; create it"),
        (".keep/token", "GATESTONE_TOKEN_FILE: /here/.keep is not a folder, so /here/.keep/token"),
        ("/dev/null", "GATESTONE_TOKEN_FILE: /dev/null is not a plain file"),
        ("..", "GATESTONE_TOKEN_FILE: /here/.. is not a plain file"),
    ] {
        assert_contains(&World::openrc(&[("GATESTONE_TOKEN_FILE", path)]).mistakes(), message);
    }
    let world = World::openrc(&[]).with_file(FILE, "token_cache = 'no/cache'\n");
    assert_contains(
        &world.mistakes(),
        "gatestone.toml:1, token_cache: the folder /home/.config/gatestone/no",
    );
}

#[test]
fn settings_that_contradict_each_other_are_mistakes() {
    let world = World::openrc(&[("GATESTONE_TOKEN_CACHE", "t"), ("GATESTONE_REVOKE_ON_EXIT", "true")]);
    assert_contains(
        &world.mistakes(),
        "GATESTONE_REVOKE_ON_EXIT: a token that is revoked on exit is of no use to the next start, \
         for which GATESTONE_TOKEN_CACHE keeps it",
    );
    let off = World::openrc(&[("GATESTONE_TOKEN_CACHE", "t"), ("GATESTONE_REVOKE_ON_EXIT", "false")]);
    assert!(!off.config().identity.revoke_on_exit);
    let world = World::openrc(&[("OS_PASSWORD", "")]);
    let password = world.file("here/password", PASSWORD);
    let world = world.vars(&[
        ("OS_PASSWORD_FILE", password.to_str().unwrap()),
        ("GATESTONE_TOKEN_FILE", "../here/password"),
    ]);
    assert_contains(
        &world.mistakes(),
        "/here/../here/password holds settings, which the token would overwrite",
    );
    for file in ["t", "../here/t", "t.lock"] {
        let world = World::openrc(&[("GATESTONE_TOKEN_CACHE", "t"), ("GATESTONE_TOKEN_FILE", file)]);
        assert_contains(&world.mistakes(), "is where GATESTONE_TOKEN_CACHE keeps the token already");
    }
}
