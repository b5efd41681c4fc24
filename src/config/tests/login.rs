//! Logins from `OS_*` variables.

use super::*;
use crate::identity::credentials::{Challenge, FixedProof, Flow, Grant, TokenKind};

fn bare(variables: &[(&str, &str)]) -> World {
    World::new().vars(&[("OS_AUTH_URL", "https://k.example:5000")]).vars(variables)
}

#[test]
fn the_usual_openrc_is_a_password_login_to_a_project() {
    let config = World::openrc(&[]).config();
    let credentials = config.identity.credentials;
    assert_eq!(credentials.auth_url.unwrap().path, "/v3");
    let Method::Password { user, password } = credentials.method else { panic!() };
    assert_eq!(user, User::Name { name: "demo".to_owned(), domain: domain("Default") });
    assert_eq!(password.expose(), PASSWORD);
    assert_eq!(
        credentials.scope,
        Scope::Project(Project::Name { name: "p".to_owned(), domain: domain("Default") })
    );
    assert_contains(&config.sources.credentials, "the environment (OS_AUTH_URL");
    assert_contains(&config.sources.credentials, "OS_PASSWORD");
}

#[test]
fn ids_need_no_domains_and_win_over_names() {
    let config = bare(&[
        ("OS_USERID", "u"),
        ("OS_USERNAME", "x"),
        ("OS_PASSWORD", "s"),
        ("OS_TENANT_ID", "p"),
        ("OS_TENANT_NAME", "n"),
    ])
    .config();
    assert!(
        matches!(config.identity.credentials.method, Method::Password { user: User::Id(id), .. } if id == "u")
    );
    assert_eq!(config.identity.credentials.scope, Scope::Project(Project::Id("p".to_owned())));
}

#[test]
fn one_domain_can_stand_for_both() {
    for (variable, expected) in [
        ("OS_DEFAULT_DOMAIN", Domain::Id("d".to_owned())),
        ("OS_DEFAULT_DOMAIN_NAME", domain("d")),
        ("OS_DOMAIN_NAME", domain("d")),
        ("OS_DOMAIN_ID", Domain::Id("d".to_owned())),
    ] {
        let config =
            bare(&[("OS_USERNAME", "u"), ("OS_PASSWORD", "s"), ("OS_PROJECT_NAME", "p"), (variable, "d")])
                .config();
        let credentials = config.identity.credentials;
        assert_eq!(
            credentials.scope,
            Scope::Project(Project::Name { name: "p".to_owned(), domain: expected.clone() }),
            "{variable}"
        );
        let Method::Password { user: User::Name { domain, .. }, .. } = credentials.method else { panic!() };
        assert_eq!(domain, expected, "{variable}");
    }
}

#[test]
fn there_are_scopes_beside_projects() {
    let user = [("OS_USER_ID", "u"), ("OS_PASSWORD", "s")];
    let scope = |more: &[(&str, &str)]| bare(&user).vars(more).config().identity.credentials.scope;
    assert_eq!(scope(&[("OS_SYSTEM_SCOPE", "all")]), Scope::System);
    assert_eq!(scope(&[("OS_DOMAIN_NAME", "d")]), Scope::Domain(domain("d")));
    assert_eq!(scope(&[("OS_TRUST_ID", "t"), ("OS_DOMAIN_NAME", "d")]), Scope::Trust("t".to_owned()));
    assert_eq!(scope(&[]), Scope::Unspecified);
    assert_contains(
        &bare(&user).config().warnings.concat(),
        "no project is named (OS_PROJECT_ID or OS_PROJECT_NAME)",
    );
}

#[test]
fn application_credentials_are_recognised_and_take_no_scope() {
    let config = bare(&[
        ("OS_APPLICATION_CREDENTIAL_ID", "a"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", PASSWORD),
        ("OS_PROJECT_NAME", "left over"),
    ])
    .config();
    let Method::ApplicationCredential { credential: ApplicationCredential::Id(id), .. } =
        config.identity.credentials.method
    else {
        panic!()
    };
    assert_eq!((id.as_str(), config.identity.credentials.scope), ("a", Scope::Unspecified));
    assert_contains(&config.warnings.concat(), "OS_PROJECT_NAME: ignored");

    let by_name = bare(&[
        ("OS_AUTH_TYPE", "v3applicationcredential"),
        ("OS_APPLICATION_CREDENTIAL_NAME", "a"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", PASSWORD),
        ("OS_USERNAME", "u"),
        ("OS_DOMAIN_NAME", "d"),
    ])
    .config();
    let Method::ApplicationCredential { credential: ApplicationCredential::Name { user, .. }, .. } =
        by_name.identity.credentials.method
    else {
        panic!()
    };
    assert_eq!(user, User::Name { name: "u".to_owned(), domain: domain("d") });
    assert!(by_name.warnings.is_empty(), "{:?}", by_name.warnings);
}

#[test]
fn a_token_is_used_where_there_is_no_user() {
    let config = bare(&[("OS_AUTH_TOKEN", "t"), ("OS_PROJECT_ID", "p")]).config();
    assert!(matches!(config.identity.credentials.method, Method::Token(_)));
    let config =
        bare(&[("OS_TOKEN", "t"), ("OS_USER_ID", "u"), ("OS_PASSWORD", "s"), ("OS_PROJECT_ID", "p")])
            .config();
    assert!(matches!(config.identity.credentials.method, Method::Password { .. }));
}

#[test]
fn passcodes_are_given_or_made_from_a_seed() {
    let user = [("OS_USERNAME", "u"), ("OS_USER_DOMAIN_NAME", "d"), ("OS_PROJECT_ID", "p")];
    let method = |more: &[(&str, &str)]| bare(&user).vars(more).config().identity.credentials;
    let given = method(&[("OS_AUTH_TYPE", "v3totp"), ("OS_PASSCODE", "012345")]);
    assert!(
        matches!(&given.method, Method::Totp { passcode: Passcode::Given(code), .. } if code.expose() == "012345")
    );
    assert!(!given.method.is_renewable());
    // A stale code beside a seed is nothing, and a type is not needed.
    let made = method(&[("OS_TOTP_SECRET", SEED), ("OS_PASSCODE", "012345")]);
    assert!(
        matches!(&made.method, Method::Totp { passcode: Passcode::Seed(seed), .. } if seed.expose() == SEED)
    );
    assert!(made.method.is_renewable() && made.spare.is_empty());
}

#[test]
fn several_factors_go_in_one_login_or_wait_until_they_are_wanted() {
    let world = |more: &[(&str, &str)]| World::openrc(&[("OS_TOTP_SECRET", SEED)]).vars(more).config();
    let names = |methods: &[Method]| methods.iter().map(Method::name).collect::<Vec<_>>();
    for methods in ["v3password,v3totp", "password, totp"] {
        let both =
            world(&[("OS_AUTH_TYPE", "v3multifactor"), ("OS_AUTH_METHODS", methods)]).identity.credentials;
        assert_eq!(names(both.method.factors()), ["password", "totp"]);
        assert_eq!((both.spare.len(), both.secrets().len()), (0, 2));
        let debug = format!("{both:?} {}", both.method);
        assert!(!debug.contains(SEED) && !debug.contains(PASSWORD), "{debug}");
        assert!(both.without_secret().secrets().iter().all(|secret| secret.is_empty()));
    }
    let one = world(&[]).identity.credentials;
    assert_eq!((names(one.method.factors()), names(&one.spare)), (vec!["password"], vec!["totp"]));
    let other = world(&[("OS_AUTH_TYPE", "v3totp")]).identity.credentials;
    assert_eq!((names(other.method.factors()), names(&other.spare)), (vec!["totp"], vec!["password"]));
    let cloud = "clouds: {a: {auth: {auth_url: 'https://k', user_id: u, password: x, project_id: p}}}";
    let filled = World::clouds(cloud).vars(&[("OS_TOTP_SECRET", SEED)]).config().identity.credentials;
    assert_eq!(names(&filled.spare), ["totp"]);
    let alone = world(&[("OS_AUTH_TYPE", "v3multifactor"), ("OS_AUTH_METHODS", "v3password")]);
    assert!(matches!(alone.identity.credentials.method, Method::Password { .. }));
}

#[test]
fn a_cloud_may_list_its_methods_and_lack_their_secrets() {
    let world = World::clouds(
        "clouds: {a: {auth_type: v3multifactor, auth_methods: [v3password, v3totp],
            auth: {auth_url: 'https://k', user_id: u, project_id: p}}}",
    );
    let text = world.mistakes();
    assert_contains(&text, "`password` is not set, nor is `password_file`");
    assert_contains(&text, "wants `totp_secret`");
    let world = world.vars(&[("OS_PASSWORD", PASSWORD), ("OS_TOTP_SECRET", SEED)]);
    assert_eq!(world.config().identity.credentials.method.factors().len(), 2);
    assert_contains(&world.config().sources.credentials, "with the secret from OS_TOTP_SECRET");
}

/// What every login by a provider has.
const OIDC: [(&str, &str); 5] = [
    ("OS_IDENTITY_PROVIDER", "idp"),
    ("OS_PROTOCOL", "openid"),
    ("OS_CLIENT_ID", "us"),
    ("OS_ACCESS_TOKEN_ENDPOINT", "https://p.example/token?policy=1"),
    ("OS_PROJECT_ID", "p"),
];

#[test]
fn providers_are_asked_as_keystoneauth_asks_them() {
    let method = |more: &[(&str, &str)]| bare(&OIDC).vars(more).config().identity.credentials.method;
    let provider = |method: &Method| {
        let Method::Federated(federation) = method else { panic!("{method}") };
        assert_eq!((federation.identity_provider.as_str(), federation.protocol.as_str()), ("idp", "openid"));
        let Grant::Provider(provider) = federation.grant.clone() else { panic!() };
        *provider
    };
    let client = provider(&method(&[
        ("OS_AUTH_TYPE", "v3oidcclientcredentials"),
        ("OS_CLIENT_SECRET", PASSWORD),
        ("OS_ACCESS_TOKEN_TYPE", "id_token"),
    ]));
    assert_eq!((client.scope.as_str(), client.token_kind), ("openid profile", TokenKind::Id));
    assert_eq!(client.client_secret.unwrap().expose(), PASSWORD);
    assert_eq!(client.token_endpoint.unwrap().target, "/token?policy=1");
    let user = provider(&method(&[
        ("OS_AUTH_TYPE", "v3oidcpassword"),
        ("OS_USERNAME", "u"),
        ("OS_PASSWORD", PASSWORD),
        ("OS_OPENID_SCOPE", "openid offline_access"),
        ("OS_IDP_OTP_KEY", "totp"),
        ("OS_TOTP_SECRET", SEED),
    ]));
    let Flow::Password { username, passcode: Some((parameter, Passcode::Seed(_))), .. } = user.flow else {
        panic!()
    };
    assert_eq!(
        (username.as_str(), parameter.as_str(), user.scope.as_str()),
        ("u", "totp", "openid offline_access")
    );
    let device = provider(&method(&[
        ("OS_AUTH_TYPE", "v3oidcdeviceauthz"),
        ("OS_DISCOVERY_ENDPOINT", "https://p.example/.well-known/openid-configuration"),
        ("OS_CODE_CHALLENGE_METHOD", "S256"),
    ]));
    assert_eq!(device.flow, Flow::Device { endpoint: None, challenge: Some(Challenge::S256) });
    let given = method(&[("OS_AUTH_TYPE", "v3oidcaccesstoken"), ("OS_ACCESS_TOKEN", PASSWORD)]);
    assert!(!given.is_renewable());
    assert!(!format!("{given:?} {given}").contains(PASSWORD));
}

#[test]
fn clients_of_keystones_own_take_no_scope() {
    let config = bare(&[
        ("OS_AUTH_TYPE", "v3oauth2clientcredential"),
        ("OS_OAUTH2_ENDPOINT", "https://k.example:5000/v3/OS-OAUTH2/token"),
        ("OS_OAUTH2_CLIENT_ID", "a"),
        ("OS_OAUTH2_CLIENT_SECRET", PASSWORD),
        ("OS_PROJECT_NAME", "left over"),
    ])
    .config();
    let Method::OAuth2(client) = &config.identity.credentials.method else { panic!() };
    assert_eq!(client.endpoint.to_string(), "https://k.example:5000/v3/OS-OAUTH2/token");
    assert_eq!(config.identity.credentials.scope, Scope::Unspecified);
}

#[test]
fn services_without_a_keystone_need_an_address() {
    let world =
        |more: &[(&str, &str)]| World::new().vars(&[("OS_ENDPOINT", "http://ironic:6385/")]).vars(more);
    let config = world(&[("OS_AUTH_TYPE", "none"), ("OS_AUTH_URL", "https://k")]).config();
    let credentials = config.identity.credentials;
    let Method::Standalone(standalone) = &credentials.method else { panic!() };
    assert_eq!(standalone.endpoint.as_ref().unwrap().to_string(), "http://ironic:6385");
    assert_eq!((standalone.proof.clone(), credentials.auth_url), (FixedProof::None, None));
    assert_contains(&config.warnings.concat(), "OS_AUTH_URL: ignored, since OS_AUTH_TYPE=none means");

    let basic = [("OS_AUTH_TYPE", "http_basic"), ("OS_USERNAME", "u"), ("OS_PASSWORD", PASSWORD)];
    let Method::Standalone(standalone) = world(&basic).config().identity.credentials.method else { panic!() };
    assert!(matches!(standalone.proof, FixedProof::Basic { username, .. } if username == "u"));
    let admin = [
        ("OS_AUTH_TYPE", "token_endpoint"),
        ("OS_TOKEN", PASSWORD),
        ("OS_ENDPOINT", ""),
        ("OS_URL", "http://i"),
    ];
    let Method::Standalone(standalone) = world(&admin).config().identity.credentials.method else { panic!() };
    assert!(matches!(standalone.proof, FixedProof::Token(_)) && standalone.endpoint.is_some());

    let cloud = "clouds: {a: {auth_type: none, baremetal_endpoint_override: 'http://ironic:6385'}}";
    assert!(World::clouds(cloud).config().routing.services["baremetal"].endpoint_override.is_some());
    for (variables, message) in [
        (
            &[("OS_ENDPOINT", ""), ("OS_AUTH_TYPE", "none"), ("OS_AUTH_URL", "http://k")][..],
            "somebody has to say where",
        ),
        (
            &[("OS_AUTH_TYPE", "none"), ("OS_ENDPOINT", "ironic")],
            "OS_ENDPOINT: it does not do as the services' URL",
        ),
        (&[("OS_AUTH_TYPE", "http_basic")], "OS_USERNAME is not set; it is the user that the service knows"),
        (
            &[("OS_AUTH_TYPE", "http_basic"), ("OS_USERNAME", "a:b"), ("OS_PASSWORD", PASSWORD)],
            "OS_USERNAME: a name for HTTP Basic has no `:`",
        ),
        (&[("OS_AUTH_TYPE", "admin_token"), ("OS_TOKEN", "a b")], "OS_TOKEN: it has characters that a token"),
    ] {
        assert_contains(&world(variables).mistakes(), message);
    }
}

#[test]
fn what_lacks_of_a_login_by_a_provider_is_said() {
    for (variables, message) in [
        (
            &[("OS_IDENTITY_PROVIDER", "")][..],
            "OS_IDENTITY_PROVIDER is not set; it is the provider's name at Keystone",
        ),
        (&[("OS_PROTOCOL", "")], "OS_PROTOCOL is not set"),
        (&[("OS_CLIENT_ID", "")], "OS_CLIENT_ID is not set"),
        (&[], "OS_CLIENT_SECRET is not set, nor is OS_CLIENT_SECRET_FILE"),
        (
            &[("OS_ACCESS_TOKEN_ENDPOINT", "")],
            "set OS_ACCESS_TOKEN_ENDPOINT, or OS_DISCOVERY_ENDPOINT for where it says so",
        ),
        (
            &[("OS_ACCESS_TOKEN_ENDPOINT", "p.example/token")],
            "OS_ACCESS_TOKEN_ENDPOINT: it is no URL of a provider",
        ),
        (
            &[("OS_ACCESS_TOKEN_ENDPOINT", "https://u:hunter2-sesame@p")],
            "OS_ACCESS_TOKEN_ENDPOINT: the URL holds user information",
        ),
        (&[("OS_ACCESS_TOKEN_TYPE", "jwt")], "OS_ACCESS_TOKEN_TYPE: `jwt` is not among what there is"),
        (&[("OS_AUTH_TYPE", "v3oidcpassword")], "OS_USERNAME is not set; it is the user at the provider"),
        (
            &[("OS_AUTH_TYPE", "v3oidcdeviceauthz")],
            "set OS_DEVICE_AUTHORIZATION_ENDPOINT, or OS_DISCOVERY_ENDPOINT for where it is said",
        ),
        (
            &[("OS_AUTH_TYPE", "v3oidcdeviceauthz"), ("OS_CODE_CHALLENGE_METHOD", "s256")],
            "OS_CODE_CHALLENGE_METHOD: `s256` is not among what there is, `S256` and `plain`",
        ),
        (&[("OS_AUTH_TYPE", "v3oidcaccesstoken")], "OS_ACCESS_TOKEN is not set, nor is OS_ACCESS_TOKEN_FILE"),
        (
            &[("OS_AUTH_TYPE", "v3oauth2clientcredential")],
            "OS_OAUTH2_ENDPOINT is not set; it is where bearer tokens",
        ),
    ] {
        let world = bare(&OIDC).vars(&[("OS_AUTH_TYPE", "v3oidcclientcredentials")]).vars(variables);
        assert_contains(&world.mistakes(), message);
    }
}

#[test]
fn what_is_missing_or_wrong_is_said_in_the_users_words() {
    for (variables, message) in [
        (&[("OS_USERNAME", "")][..], "a password login wants a user: set OS_USERNAME or OS_USER_ID"),
        (&[("OS_AUTH_URL", "")], "OS_AUTH_URL is not set; it is Keystone's URL"),
        (&[("OS_AUTH_URL", "k.example:5000")], "OS_AUTH_URL: `k.example:5000` does not do as Keystone's URL"),
        (&[("OS_AUTH_URL", "https://k/v2.0/")], "OS_AUTH_URL: `https://k/v2.0/` is the Identity API v2.0"),
        (&[("OS_AUTH_URL", "https://u:hunter2-sesame@k")], "OS_AUTH_URL: the URL holds user information"),
        (&[("OS_PASSWORD", "")], "OS_PASSWORD is not set, nor is OS_PASSWORD_FILE"),
        (
            &[("OS_USER_DOMAIN_NAME", "")],
            "OS_USERNAME is set but neither OS_USER_DOMAIN_ID nor OS_USER_DOMAIN_NAME; on most clouds it is OS_USER_DOMAIN_NAME=Default",
        ),
        (
            &[("OS_AUTH_TYPE", "v3kerberos")],
            "OS_AUTH_TYPE: the authentication type `v3kerberos` is not supported yet; there are `password`",
        ),
        (&[("OS_AUTH_TYPE", "v3totp")], "a login by one-time passcode wants OS_TOTP_SECRET"),
        (&[("OS_AUTH_TYPE", "v3multifactor")], "OS_AUTH_METHODS is not set; it names what `v3multifactor`"),
        (
            &[("OS_AUTH_TYPE", "v3multifactor"), ("OS_AUTH_METHODS", "v3password,v3otp")],
            "OS_AUTH_METHODS: `v3otp` is no part of `v3multifactor`; there are `v3password`, `v3totp`, `v3token`, \
             `v3applicationcredential`; did you mean `v3totp`?",
        ),
        (
            &[("OS_AUTH_TYPE", "v3multifactor"), ("OS_AUTH_METHODS", "v3password, password")],
            "OS_AUTH_METHODS: `password` is there twice",
        ),
        (&[("OS_TOTP_SECRET", "hunter2-sesame1")], "OS_TOTP_SECRET: it is not base32"),
        (&[("OS_AUTH_TYPE", "v2password")], "OS_AUTH_TYPE: `v2password` is for the Identity API v2.0"),
        (&[("OS_AUTH_TYPE", "pasword")], "did you mean `password`?"),
        (
            &[("OS_AUTH_TYPE", "v3applicationcredential")],
            "the application credential is missing: set OS_APPLICATION_CREDENTIAL_ID",
        ),
        (
            &[("OS_SYSTEM_SCOPE", "all")],
            "OS_SYSTEM_SCOPE: a token is valid for one of a project, a trust and the system; OS_PROJECT_NAME is set too",
        ),
        (
            &[("OS_TRUST_ID", "t")],
            "OS_TRUST_ID: a token is valid for one of a project, a trust and the system; OS_PROJECT_NAME is set too",
        ),
        (
            &[("OS_SYSTEM_SCOPE", "some"), ("OS_PROJECT_NAME", "")],
            "OS_SYSTEM_SCOPE: `some` is no system scope",
        ),
        (&[("OS_IDENTITY_API_VERSION", "2.0")], "OS_IDENTITY_API_VERSION: `2.0` is not supported"),
        (&[("OS_CACERT", "no.pem")], "OS_CACERT: cannot read /here/no.pem"),
        (&[("OS_INSECURE", "perhaps")], "OS_INSECURE: `perhaps` is neither `true` nor `false`"),
        (
            &[("OS_IMAGE_ENDPOINT_OVERRIDE", "nowhere")],
            "OS_IMAGE_ENDPOINT_OVERRIDE: the endpoint override is no good",
        ),
    ] {
        assert_contains(&World::openrc(variables).mistakes(), message);
    }
}

#[test]
fn a_command_gives_what_others_lack() {
    let command = (
        "GATESTONE_CREDENTIAL_COMMAND",
        "echo password=hunter2-sesame; echo expires_at=2100-01-01T00:00:00Z",
    );
    let config = World::openrc(&[("OS_PASSWORD", "old"), command]).config();
    let Method::Password { password, .. } = &config.identity.credentials.method else { panic!() };
    assert_eq!(password.expose(), PASSWORD);
    assert!(config.sources.is_by_command && config.sources.expires.is_some());

    let config = World::openrc(&[("OS_PASSWORD", ""), ("OS_PASSWORD_FILE", "/nowhere"), command]).config();
    assert!(
        matches!(&config.identity.credentials.method, Method::Password { password, .. } if password.expose() == PASSWORD)
    );

    let cloud = "clouds: {a: {auth: {auth_url: 'https://k', user_id: u, project_id: p}}}";
    let own = "cloud = 'a'\ncredential_command = ['printf', 'password=%s\\n', 'from the list']\n";
    let config = World::clouds(cloud).with_file("home/.config/gatestone/gatestone.toml", own).config();
    let Method::Password { password, .. } = &config.identity.credentials.method else { panic!() };
    assert_eq!(password.expose(), "from the list");

    // A helper of git's says the user, too, which makes no login of its own.
    let of_git = ("GATESTONE_CREDENTIAL_COMMAND", "echo username=other; echo password=of-git");
    let config = World::clouds(cloud).vars(&[of_git]).config();
    let Method::Password { user, password } = &config.identity.credentials.method else { panic!() };
    assert_eq!((user, password.expose()), (&User::Id("u".to_owned()), "of-git"));

    let text = World::openrc(&[("GATESTONE_CREDENTIAL_COMMAND", "exit 7")]).mistakes();
    assert_contains(
        &text,
        "GATESTONE_CREDENTIAL_COMMAND: it failed (exit status: 7); its own words are above",
    );
}

#[test]
fn an_openrc_file_comes_before_the_environment() {
    let world = World::openrc(&[("OS_USERNAME", "other")]);
    let file = world
        .file("here/openrc", "export OS_USERNAME=filed\nunset OS_PROJECT_NAME\nexport OS_PROJECT_ID='p'\n");
    for config in
        [world.load("--openrc openrc").unwrap(), world.vars(&[("GATESTONE_OPENRC", "openrc")]).config()]
    {
        let Method::Password { user: User::Name { name, .. }, .. } = &config.identity.credentials.method
        else {
            panic!()
        };
        assert_eq!(name, "filed");
        assert_eq!(config.identity.credentials.scope, Scope::Project(Project::Id("p".to_owned())));
        assert_contains(&config.sources.credentials, "openrc");
        assert_eq!(config.sources.files.len(), 1);
        assert!(config.sources.files[0].ends_with(file.file_name().unwrap()));
    }
    let text = World::new().vars(&[("GATESTONE_OPENRC", "nowhere")]).mistakes();
    assert_contains(&text, "--openrc: cannot read /here/nowhere");
}

#[test]
fn a_password_alone_is_not_called_nothing() {
    assert_contains(&World::new().vars(&[("OS_PASSWORD", PASSWORD)]).mistakes(), "OS_AUTH_URL is not set");
}

#[test]
fn odd_ends_of_secrets_and_unverified_certificates_are_warned_about() {
    let warnings = World::openrc(&[("OS_PASSWORD", "hunter2-sesame\r"), ("OS_INSECURE", "1")])
        .config()
        .warnings
        .concat();
    assert_contains(&warnings, "OS_PASSWORD ends in white space");
    assert_contains(&warnings, "OS_INSECURE: certificates are NOT verified");
    assert!(!warnings.contains(PASSWORD));
}

#[test]
fn a_secret_that_is_set_and_cannot_be_used_is_not_called_missing() {
    let environment = |variables| World::openrc(variables);
    let cloud =
        "clouds: {a: {auth: {auth_url: 'https://k', user_id: u, project_id: p, password_file: /nowhere}}}";
    for (world, message) in [
        (
            environment(&[("OS_PASSWORD_FILE", "x")]),
            "OS_PASSWORD and OS_PASSWORD_FILE are both set; unset one",
        ),
        (
            environment(&[("OS_PASSWORD", ""), ("OS_PASSWORD_FILE", "/nowhere")]),
            "OS_PASSWORD_FILE: cannot read /nowhere",
        ),
        (World::clouds(cloud), "`password_file`: cannot read /nowhere"),
    ] {
        let text = world.mistakes();
        assert_contains(&text, message);
        assert!(!text.contains("is not set"), "{text}");
    }
}

#[test]
fn a_service_managers_credential_is_a_secret_too() {
    let world = World::openrc(&[("OS_PASSWORD", "")]);
    let path = world.file("run/os_password", &format!("{PASSWORD}\n"));
    let config = world.vars(&[("CREDENTIALS_DIRECTORY", path.parent().unwrap().to_str().unwrap())]).config();
    assert_contains(&config.sources.credentials, "credential os_password");
}

#[test]
fn every_file_that_was_read_is_listed_once() {
    let world = World::openrc(&[("OS_PASSWORD", ""), ("OS_PASSWORD_FILE", "password")]);
    let password = world.file("here/password", PASSWORD);
    let own = world.file("etc/gatestone/gatestone.toml", "");
    assert_eq!(world.config().sources.files, [own, password]);

    let world = World::openrc(&[("OS_PASSWORD", "")]);
    let credential = world.file("run/os_password", PASSWORD);
    let world = world.vars(&[("CREDENTIALS_DIRECTORY", credential.parent().unwrap().to_str().unwrap())]);
    assert_eq!(world.config().sources.files, [credential]);

    let world = World::clouds(
        "clouds: {a: {profile: p, auth: {user_id: u, password_file: ../../password, project_id: p}}}",
    );
    let public =
        world.file("etc/openstack/clouds-public.yaml", "public-clouds: {p: {auth: {auth_url: 'https://k'}}}");
    let password = world.file("home/password", PASSWORD);
    let secure = world.file("home/.config/openstack/secure.yaml", "clouds: {}");
    let clouds = secure.with_file_name("clouds.yaml");
    let files = world.config().sources.files;
    assert_eq!(files[..3], [clouds, secure.clone(), public]);
    assert_eq!(files[3].canonicalize().unwrap(), password.canonicalize().unwrap());
    assert_eq!(files.len(), 4);

    // A cloud without its secret takes that of the variables, and their file with it.
    let world = World::clouds("clouds: {a: {auth: {auth_url: 'https://k', user_id: u, project_id: p}}}")
        .vars(&[("OS_PASSWORD_FILE", "password"), ("OS_TOKEN_FILE", "token")]);
    let password = world.file("here/password", PASSWORD);
    world.file("here/token", "unused");
    let world = world.vars(&[("OS_CLOUD", "a")]);
    assert_eq!(
        world.config().sources.files,
        [world.dir.path().join("home/.config/openstack/clouds.yaml"), password]
    );
}
