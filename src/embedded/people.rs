//! Who is in the cloud: one domain, three projects, a few users. Nothing here is a secret.

/// A user.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// 32 hexadecimal digits, as Keystone makes them.
    pub id: &'static str,
    /// The name, within [`DOMAIN`].
    pub name: &'static str,
    /// The password.
    pub password: &'static str,
    /// Seed of one-time passcodes (RFC 6238, SHA-1, 30 s, six digits), in base32.
    pub totp_seed: Option<&'static str>,
    /// The methods that a login needs, all of them; any one will do if there is none.
    pub needs: &'static [&'static str],
    /// Projects, by their position in [`PROJECTS`], and the roles there.
    pub roles: &'static [(usize, &'static [&'static str])],
    /// Whether it is an administrator of the system and of the domain too.
    pub is_admin: bool,
}

impl User {
    /// Names of the roles on a project.
    pub fn roles_on(&self, project: &Project) -> &'static [&'static str] {
        let here = self.roles.iter().find(|(index, _)| PROJECTS[*index].id == project.id);
        here.map_or(&[], |(_, roles)| roles)
    }

    /// The projects on which there is any role.
    pub fn projects(&self) -> impl Iterator<Item = &'static Project> {
        self.roles.iter().map(|(index, _)| &PROJECTS[*index])
    }
}

/// Names and ids of the roles.
pub const ROLES: &[(&str, &str)] = &[
    ("reader", "dff3415175ea494993806b98b9d9d334"),
    ("member", "76dfe4adec12499b82131760c8735316"),
    ("manager", "ab10e39265e94032821e57b289cb5a3a"),
    ("admin", "328be5e00f3f4f0788abf8d0f3abf612"),
];

/// A project of [`DOMAIN`].
#[derive(Clone, Copy, Debug)]
pub struct Project {
    /// 32 hexadecimal digits.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
}

/// An application credential of the first user, for the first project.
#[derive(Clone, Copy, Debug)]
pub struct ApplicationCredential {
    /// 32 hexadecimal digits.
    pub id: &'static str,
    /// The name, unique for its user.
    pub name: &'static str,
    /// The secret.
    pub secret: &'static str,
}

/// Id and name of the only domain.
pub const DOMAIN: (&str, &str) = ("default", "Default");

/// The projects.
pub const PROJECTS: &[Project] = &[
    Project { id: "5ee9a01c0d3b4a6f8a1f6f4c7b2d9e10", name: "demo" },
    Project { id: "8d2c41f7be5046b39f0a7c35d1e6a811", name: "second" },
    Project { id: "b17e63a95f2c4d08a4d9e2b60c8f3712", name: "admin" },
];

/// The users; the first is whom the demonstration logs in as.
pub const USERS: &[User] = &[
    User {
        id: "0c4e939acacf4376bdcd1129f1a054ad",
        name: "demo",
        password: "correct horse",
        totp_seed: None,
        needs: &[],
        roles: &[(0, &["member", "reader"]), (1, &["member", "reader"])],
        is_admin: false,
    },
    User {
        id: "61d3f8a7b2e94c50a7f61c0d9e8b4a22",
        name: "admin",
        password: "battery staple",
        totp_seed: None,
        needs: &[],
        roles: &[(2, &["admin", "manager", "member", "reader"]), (0, &["admin"])],
        is_admin: true,
    },
    User {
        id: "f2b90c6e17d84a3db58e40a1c6d7f933",
        name: "timed",
        password: "tick tock",
        totp_seed: Some("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
        needs: &[],
        roles: &[(0, &["member", "reader"])],
        is_admin: false,
    },
    User {
        id: "a90d5b7e3c1f4f6298e3d4c5b6a70844",
        name: "nobody",
        password: "nothing at all",
        totp_seed: None,
        needs: &[],
        roles: &[],
        is_admin: false,
    },
    User {
        id: "3d7f0c92a5b84e61b9d2f8470e1c6a55",
        name: "guarded",
        password: "twice over",
        totp_seed: Some("KRUGS4ZANFZSA3TPEBZWKY3SMV2CQ2A7"),
        needs: &["password", "totp"],
        roles: &[(0, &["member", "reader"])],
        is_admin: false,
    },
];

/// The application credentials that are there from the start.
pub const APPLICATION_CREDENTIALS: &[ApplicationCredential] =
    &[ApplicationCredential { id: "21d9b1f0a7c64e3f9c5b8e7d6a4f3055", name: "ci", secret: "sesame" }];
