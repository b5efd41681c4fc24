//! Scripts as dashboards and people write them.

use std::collections::BTreeMap;

use super::*;

struct Asked<'a> {
    variables: BTreeMap<String, String>,
    answer: Result<&'a str, &'a str>,
}

impl Environment for Asked<'_> {
    fn get(&self, name: &str) -> Option<String> {
        Environment::get(&self.variables, name)
    }

    fn names(&self) -> Vec<String> {
        self.variables.names()
    }

    fn ask(&self, prompt: &str) -> Result<String, String> {
        assert!(!prompt.is_empty());
        self.answer.map(str::to_owned).map_err(str::to_owned)
    }
}

/// The variables of OpenStack's after the script, and the mistakes.
fn after(
    script: &str,
    variables: &[(&str, &str)],
    answer: Result<&str, &str>,
) -> (BTreeMap<String, String>, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("openrc");
    std::fs::write(&path, script).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let under = Asked { variables, answer };
    let mut mistakes = Mistakes::default();
    let sourced = source(&path, &under, &mut mistakes);
    let names = sourced.names().into_iter().filter(|name| name.starts_with("OS_"));
    let set = names.filter_map(|name| Some((name.clone(), sourced.get(&name)?))).collect();
    (set, mistakes.to_string().replace(&path.display().to_string(), "openrc"))
}

fn values(script: &str) -> BTreeMap<String, String> {
    let (set, mistakes) = after(script, &[], Err("nobody is there"));
    assert_eq!(mistakes, Mistakes::default().to_string());
    set
}

/// As Horizon writes it (`openstack_dashboard/templates/project/api_access/openrc.sh.template`).
const HORIZON: &str = r#"#!/usr/bin/env bash
# To use an OpenStack cloud you need to authenticate against the Identity service.
export OS_AUTH_URL=https://k.example:5000
export OS_PROJECT_ID=f0
export OS_PROJECT_NAME="it's mine"
export OS_USER_DOMAIN_NAME="Default"
if [ -z "$OS_USER_DOMAIN_NAME" ]; then unset OS_USER_DOMAIN_NAME; fi
export OS_PROJECT_DOMAIN_ID=""
if [ -z "$OS_PROJECT_DOMAIN_ID" ]; then unset OS_PROJECT_DOMAIN_ID; fi
# unset v2.0 items in case set
unset OS_TENANT_ID
unset OS_TENANT_NAME
export OS_USERNAME="demo"
# With Keystone you pass the keystone password.
echo "Please enter your OpenStack Password for project $OS_PROJECT_NAME as user $OS_USERNAME: "
read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT
export OS_REGION_NAME="RegionOne"
# Don't leave a blank variable, unset it if it was empty
if [ -z "$OS_REGION_NAME" ]; then unset OS_REGION_NAME; fi
export OS_INTERFACE=public
export OS_IDENTITY_API_VERSION=3
"#;

#[test]
fn the_dashboards_file_is_understood_and_its_question_asked() {
    let (set, mistakes) =
        after(HORIZON, &[("OS_TENANT_ID", "old"), ("OS_USERNAME", "other")], Ok("hunter2 $x"));
    assert_eq!(mistakes, Mistakes::default().to_string());
    for (name, value) in [
        ("OS_AUTH_URL", "https://k.example:5000"),
        ("OS_PROJECT_NAME", "it's mine"),
        ("OS_USER_DOMAIN_NAME", "Default"),
        ("OS_USERNAME", "demo"),
        ("OS_PASSWORD", "hunter2 $x"),
        ("OS_REGION_NAME", "RegionOne"),
    ] {
        assert_eq!(set.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!set.contains_key("OS_TENANT_ID") && !set.contains_key("OS_PROJECT_DOMAIN_ID"));
}

#[test]
fn nobody_is_asked_who_has_said_it_already() {
    for variable in ["OS_PASSWORD", "OS_PASSWORD_FILE"] {
        let (set, mistakes) = after(HORIZON, &[(variable, "x")], Err("there is no terminal"));
        assert_eq!(mistakes, Mistakes::default().to_string());
        assert_eq!(set.get(variable).map(String::as_str), Some("x"));
    }
    let (_, mistakes) = after(HORIZON, &[], Err("there is no terminal"));
    assert!(
        mistakes.contains("openrc:16: the file asks for a password, and there is no terminal"),
        "{mistakes}"
    );
}

#[test]
fn values_are_read_as_a_shell_reads_them() {
    for (script, value) in [
        ("OS_X=a", "a"),
        ("export OS_X='a $b \"c\"'", "a $b \"c\""),
        ("export OS_X=\"a \\\"b\\\" \\$c \\d\"", "a \"b\" $c \\d"),
        ("export OS_X=a\\ b", "a b"),
        ("A=1; export OS_X=$A-${A}-${B:-two}-${C-three}", "1-1-two-three"),
        ("export OS_X=a#b # comment", "a#b"),
        ("export OS_X=${Y:-\"bob\"}", "bob"),
        ("Y=1; export OS_X=${Z:-${Y}/a b}", "1/a b"),
        ("export OS_X=1; [ -n \"$CI\" ] && export OS_X=2", "1"),
        ("export OS_X=1; [ -z \"$CI\" ] && export OS_X=2", "2"),
        ("[ -n \"$CI\" ] || export OS_X=2", "2"),
        ("export OS_Y=1 && export OS_X=2", "2"),
        ("export OS_X='a'\"b\"c", "abc"),
        ("export OS_X=\\\n  OS_Y=1", ""),
        ("declare -x OS_X=1 && echo done", "1"),
        ("if [ -n \"\" ]; then OS_X=1; else OS_X=2; fi", "2"),
        ("if [[ -z $OS_Z ]]\nthen\n  export OS_X=yes\nfi", "yes"),
        ("if command -v x; then export OS_X=1; fi", ""),
        ("OS_X=1\nif [ -z 1 ]; then if [ -z '' ]; then OS_X=2; fi; fi", "1"),
        ("export OS_X=p\u{e4}ss", "p\u{e4}ss"),
        ("export OS_X=$", "$"),
        ("OS_X=1\r\nOS_Y=2\r\n", "1"),
        ("export OS_X=\"unfinished", "unfinished"),
    ] {
        assert_eq!(values(script).get("OS_X").map_or("", String::as_str), value, "{script}");
    }
}

#[test]
fn what_would_have_to_be_executed_is_told_and_not_done() {
    for script in [
        "\nOS_PASSWORD=$(pass)\n",
        "\nexport OS_PASSWORD=$(pass show cloud)",
        "\nOS_PASSWORD=`pass $(x)`",
        "\nOS_PASSWORD=\"${X#y}\"",
    ] {
        let (set, mistakes) = after(script, &[], Err("nobody is there"));
        assert!(set.is_empty());
        assert!(
            mistakes.contains("openrc:2: OS_PASSWORD is made by a command, which is not executed"),
            "{mistakes}"
        );
    }
    let (_, mistakes) = after("cd /x && export OS_X=1", &[], Err("nobody is there"));
    assert!(mistakes.contains("whether OS_X is set there depends on a command"), "{mistakes}");
    assert!(values("PS1=$(date); rm -rf /tmp/x; export PATH=$(x)").is_empty());
}

#[test]
fn braces_within_braces_end_somewhere() {
    let deep = format!("export OS_X={}x{}", "${Y:-".repeat(20_000), "}".repeat(20_000));
    let (set, mistakes) = after(&deep, &[], Err("nobody is there"));
    assert!(set.is_empty() && mistakes.contains("OS_X is made by a command"), "{mistakes}");
}

proptest::proptest! {
    #[test]
    fn no_script_breaks_it(script in "[OSX_=$(){}`'\"\\\\ ;#\n-zif\\[\\]thenxport\u{e4}]{0,200}") {
        let _ = after(&script, &[], Ok("x"));
    }
}
