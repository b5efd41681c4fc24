//! Listeners: `SERVICE=ADDRESS`, `[[listener]]` tables, client secrets.

use super::*;
use crate::proxy::Rules;
use crate::secret::Secret;

const FILE: &str = "home/.config/gatestone/gatestone.toml";
const SECRET: &str = "hunter2-sesame-open";
const OTHER: &str = "another-secret-of-ours";

/// Address, what stands there, and the secret.
fn seen(config: &Config) -> Vec<(String, String, Option<&str>)> {
    let rows = config.listeners.iter().map(|it| {
        let pin = it.service.as_ref().map(ToString::to_string).unwrap_or_default();
        (it.addr.to_string(), pin, it.client_secret.as_ref().map(Secret::expose))
    });
    rows.collect()
}

fn row<'a>(addr: &str, pin: &str, secret: Option<&'a str>) -> (String, String, Option<&'a str>) {
    (addr.to_owned(), pin.to_owned(), secret)
}

#[test]
fn a_flag_or_variable_may_name_the_service_at_an_address() {
    let world = World::openrc(&[("GATESTONE_LISTEN", "127.0.0.1:1, object-store@GRA=127.0.0.1:2")]);
    assert_eq!(
        seen(&world.config()),
        [row("127.0.0.1:1", "", None), row("127.0.0.1:2", "object-store@GRA", None)]
    );
    let config = world.load("--listen nova=localhost:3").unwrap();
    assert_eq!(seen(&config), [row("127.0.0.1:3", "nova", None), row("[::1]:3", "nova", None)]);
}

#[test]
fn tables_stand_beside_listen_and_in_place_of_its_default() {
    let tables = "[[listener]]\nlisten = '127.0.0.1:2'\nservice = 'object-store'\nregion = 'G@%'\n\
                  [[listener]]\nlisten = ['127.0.0.1:3', 'unix:/g.sock']\n";
    let two = [
        row("127.0.0.1:2", "object-store@G@%", None),
        row("127.0.0.1:3", "", None),
        row("unix:/g.sock", "", None),
    ];
    let world = World::openrc(&[]).with_file(FILE, tables);
    assert_eq!(seen(&world.config()), two);
    let config = world.load("--listen 127.0.0.1:1").unwrap();
    assert_eq!(seen(&config)[0], row("127.0.0.1:1", "", None));
    assert_eq!(seen(&config)[1..], two);
}

#[test]
fn a_tables_own_client_secret_comes_before_everybodys() {
    let text = "client_secret_file = 'all'\nlisten = '127.0.0.1:1'\n\
                [[listener]]\nlisten = '127.0.0.1:2'\n\
                [[listener]]\nlisten = '127.0.0.1:3'\nclient_secret_file = 'own'\n";
    let rows =
        |all| [row("127.0.0.1:1", "", all), row("127.0.0.1:2", "", all), row("127.0.0.1:3", "", Some(OTHER))];
    let world = |variables: &[(&str, &str)]| {
        let world = World::openrc(variables).with_file(FILE, text);
        world.file("home/.config/gatestone/all", &format!("{SECRET}\n"));
        world.file("home/.config/gatestone/own", &format!("{OTHER}\n"));
        world
    };
    let file = world(&[]);
    let config = file.config();
    assert_eq!(seen(&config), rows(Some(SECRET)));
    assert!(config.sources.files.iter().any(|path| path.ends_with("own")), "{:?}", config.sources.files);
    assert!(!format!("{config:#?}").contains(SECRET));
    // Variables come first, and so does what the service manager hands over.
    let named = world(&[("GATESTONE_CLIENT_SECRET", "from-the-environment")]);
    assert_eq!(seen(&named.config()), rows(Some("from-the-environment")));
    let own = file.dir.path().join("home/.config/gatestone/own").display().to_string();
    let by_file = world(&[("GATESTONE_CLIENT_SECRET_FILE", &own)]);
    assert_eq!(seen(&by_file.config()), rows(Some(OTHER)));
    let credential = file.file("credentials/gatestone_client_secret", "from-the-service-manager");
    let by_credential = world(&[("CREDENTIALS_DIRECTORY", credential.parent().unwrap().to_str().unwrap())]);
    assert_eq!(seen(&by_credential.config()), rows(Some("from-the-service-manager")));
}

#[test]
fn all_mistakes_of_listeners_come_together_with_their_lines() {
    let world = World::openrc(&[("GATESTONE_CLIENT_SECRET", "hunter2-sesame")]).with_file(
        FILE,
        "listen = '127.0.0.1:1'\n\
         [[listener]]\nlisten = '127.0.0.1:1'\nservise = 'image'\n\
         [[listener]]\nservice = 'v3'\n\
         [[listener]]\nlisten = 'image=127.0.0.1:2'\nservice = 'image'\nclient_secret = 'hunter2-sesame'\n\
         [[listener]]\nlisten = '0.0.0.0:3'\nregion = 'R'\nclient_secret_file = 'missing'\n\
         [[listener]]\nlisten = ['127.0.0.1:4', 'image=127.0.0.1:4']\nservice = 1\n",
    );
    let text = world.mistakes();
    for part in [
        "GATESTONE_CLIENT_SECRET: a client secret of less than 16 characters can be guessed",
        "gatestone.toml:3, listener.listen: 127.0.0.1:1 is an address of another listener already (/home",
        "gatestone.toml:4, listener.servise: `servise` is not a setting of a listener; did you mean `service`?",
        "gatestone.toml:5, [[listener]]: it has no `listen`",
        "gatestone.toml:6, listener.service: `v3` is a name of Gatestone itself",
        "gatestone.toml:8, listener.listen: a table names its service by `service`",
        "gatestone.toml:10, listener.client_secret: a secret does not belong here; put it into a file",
        "gatestone.toml:12, listener.listen: `0.0.0.0:3` is refused",
        "gatestone.toml:13, listener.region: a listener for all services has the region at the top",
        "gatestone.toml:14, listener.client_secret_file: cannot read",
        "gatestone.toml:16, listener.listen: 127.0.0.1:4 is an address of another listener already (here)",
        "gatestone.toml:17, listener.service: it must be a text in quotes",
    ] {
        assert_contains(&text, part);
    }
    for shape in ["listener = 1", "[listener]\nlisten = '127.0.0.1:1'", "listener = ['127.0.0.1:1']"] {
        let text = World::openrc(&[]).with_file(FILE, shape).mistakes();
        assert_contains(&text, "each listener is written as a table of its own, `[[listener]]`");
    }
    let text = World::openrc(&[("GATESTONE_CLIENT_SECRT", "x")]).config().warnings.concat();
    assert_contains(&text, "did you mean GATESTONE_CLIENT_SECRET?");
}

#[test]
fn what_is_probably_not_meant_is_warned_about() {
    let warnings = |text: &str| {
        let world = World::openrc(&[]).with_file(FILE, text);
        world.file("home/.config/gatestone/s", SECRET);
        world.file("home/.config/gatestone/t", OTHER);
        world.config().warnings
    };
    let misspelt = warnings("listen = 'object-stor=127.0.0.1:1'");
    assert_contains(
        &misspelt[0],
        "`object-stor` is no official type of a service; did you mean `object-store`?",
    );
    assert!(warnings("listen = 'my-own-thing=127.0.0.1:1'").is_empty());
    assert!(warnings("listen = 'imaeg=127.0.0.1:1'\n[service.image]\nnames = ['imaeg']").is_empty());
    let pinned = "[[listener]]\nlisten = '127.0.0.1:2'\nservice = 'nova'\nclient_secret_file = 's'\n";
    for (beside, count) in [
        ("", 1),
        ("[[listener]]\nlisten = '127.0.0.1:3'\n", 1),
        ("[[listener]]\nlisten = '127.0.0.1:3'\nclient_secret_file = 't'\n", 1),
        ("[[listener]]\nlisten = '127.0.0.1:3'\nclient_secret_file = 's'\n", 0),
        ("[[listener]]\nlisten = '127.0.0.1:3'\nservice = 'swift'\nclient_secret_file = 's'\n", 0),
    ] {
        let found = warnings(&format!("{pinned}{beside}"));
        assert_eq!(found.len(), count, "{beside} {found:?}");
        assert!(found.iter().all(|it| it.contains("nova wants a token that no listener gives")), "{found:?}");
    }
}

#[test]
fn what_a_table_says_of_access_replaces_what_stands_at_the_top() {
    let text = "allowed_hosts = ['gate.example']\nlisten = '127.0.0.1:1'\n\
                [[listener]]\nlisten = '127.0.0.1:2'\n\
                [[listener]]\nlisten = '127.0.0.1:3'\nallowed_hosts = ['own.example:80', 'b']\n";
    let hosts = |world: &World| -> Vec<Vec<String>> {
        world.config().listeners.into_iter().map(|it| it.access.allowed_hosts).collect()
    };
    let own = vec!["own.example:80", "b"];
    assert_eq!(
        hosts(&World::openrc(&[]).with_file(FILE, text)),
        [vec!["gate.example"], vec!["gate.example"], own.clone()]
    );
    let variable = World::openrc(&[("GATESTONE_ALLOWED_HOSTS", "c")]).with_file(FILE, text);
    assert_eq!(hosts(&variable), [vec!["c"], vec!["c"], own]);
}

#[test]
fn an_address_that_others_reach_needs_the_networks_that_may() {
    let world = |text: &str| World::openrc(&[]).with_file(FILE, text);
    let mistakes = world("listen = '0.0.0.0:1'\n").mistakes();
    assert_contains(&mistakes, "gatestone.toml:1, listen: `0.0.0.0:1` is refused");
    assert_contains(&mistakes, "allow_remote, such as [\"10.0.0.0/8\"]");
    let config =
        world("listen = ['0.0.0.0:1', '[::]:1']\nallow_remote = ['10.0.0.0/8', 'fd00::1']\n").config();
    assert_eq!(config.listeners.len(), 2);
    assert_contains(
        &config.warnings.concat(),
        "everyone in 10.0.0.0/8, fd00::1/128 who reaches 0.0.0.0:1 has the rights of your cloud account",
    );
    let own = "[[listener]]\nlisten = '10.0.0.1:1'\nallow_remote = '10.0.0.0/8'\n[[listener]]\nlisten = '10.0.0.1:2'\n";
    assert_contains(&world(own).mistakes(), "`10.0.0.1:2` is refused");
}

#[test]
fn a_private_proxy_serves_its_own_user_whomever_another_lets_in() {
    for (users, seen) in [("daemon", None), ("self,any", Some(true))] {
        let world = World::openrc(&[("GATESTONE_ALLOW_USERS", users), ("GATESTONE_ALLOWED_HOSTS", "a")]);
        let config = Config::load_private(&CloudArgs::default(), &world.env, &world.places()).unwrap();
        let access = &config.listeners[0].access;
        assert_eq!(access.users.as_ref().map(crate::proxy::AllowedUsers::is_any), seen, "{users}");
        assert_eq!(access.allowed_hosts, ["a"]);
    }
}

#[test]
fn a_private_proxy_logs_no_requests_unless_it_is_told_to_log() {
    for (level, expected) in [(&[][..], false), (&[("GATESTONE_LOG_LEVEL", "info")], true)] {
        let world = World::openrc(&[&[("GATESTONE_ACCESS_LOG", "true")], level].concat());
        let config = Config::load_private(&CloudArgs::default(), &world.env, &world.places()).unwrap();
        assert_eq!(config.log.access_log, expected, "{level:?}");
    }
}

#[test]
fn rules_of_a_listener_replace_those_at_the_top() {
    let world = World::openrc(&[]).with_file(
        FILE,
        "listen = '127.0.0.1:1'\nrule_sets = ['no-identity']\n[[rule]]\naction = 'deny'\nservice = 'nova'\n\
         [[listener]]\nlisten = '127.0.0.1:2'\nread_only = true\n[[listener.rule]]\nname = 'own'\naction = 'allow'\n\
         service = ['swift', 's3']\n",
    );
    let rules = |i: usize| {
        let config = world.config();
        let rules = &config.listeners[i].access.rules;
        rules.services().map(|(label, service)| format!("{label}: {service}")).collect::<Vec<_>>()
    };
    assert_eq!(rules(0), ["rule 1 (gatestone.toml:3): compute", "the rule set no-identity: identity"]);
    assert_eq!(
        rules(1),
        [
            "the rule \"own\" (rule 1 (gatestone.toml:9)): object-store",
            "the rule \"own\" (rule 1 (gatestone.toml:9)): s3",
            "the rule set no-identity: identity"
        ]
    );
    // A variable holds for all of them, whatever a table says.
    let world = world.with_file(FILE, "[[listener]]\nlisten = '127.0.0.1:2'\nread_only = false\n");
    assert_eq!(world.config().listeners[0].access.rules, Rules::default());
    let world = world.vars(&[("GATESTONE_READ_ONLY", "true")]);
    assert_eq!(world.config().listeners[0].access.rules, Rules::new(true, Vec::new(), &[]));
}

#[test]
fn mistakes_in_rules_are_told_with_their_lines() {
    let world = World::openrc(&[]).with_file(
        FILE,
        "rule_sets = ['no-delete']\n[[rule]]\naction = 'deny'\npath = 'x'\n[[rule]]\nservice = 'nova'\n",
    );
    let mistakes = world.mistakes();
    for part in [
        "gatestone.toml:1, rule_sets: `no-delete` is no set of rules; did you mean `no-deletes`?",
        "gatestone.toml:4, rule.path: the path `x` must start with `/`",
        "gatestone.toml:5, [[rule]]: it has no `action`",
    ] {
        assert_contains(&mistakes, part);
    }
}

#[test]
fn rules_about_nothing_and_sockets_open_to_all_are_warned_about() {
    let warnings = |text: &str| World::openrc(&[]).with_file(FILE, text).config().warnings;
    let unknown = warnings("[[rule]]\naction = 'deny'\nservice = 'comptue'\n");
    assert_contains(&unknown[0], "rule 1 (gatestone.toml:1) is about `comptue`");
    assert_contains(&unknown[0], "did you mean `compute`?");
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert_contains(
        &warnings("listen = 'unix:s'\nsocket_mode = '0666'\n")[0],
        "every user of this machine may open",
    );
    assert!(warnings("listen = 'unix:s'\nsocket_mode = '0666'\nallow_users = ['root']\n").is_empty());
}
