#include "rulegen/artefacts/alertmanager.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include "rulegen/artefacts/node.h"
#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;

namespace {

YAML::Node Merged(const spec::Spec& spec, const std::string& base) {
  const artefacts::Routing routing = artefacts::PlanRouting(spec, artefacts::PlanRules(spec));
  const auto text = artefacts::AlertmanagerYaml(spec, {routing}, base, "base.yml", "..");
  REQUIRE(text.ok());
  return YAML::Load(*text);
}

std::string ReadBack(const std::string& yaml) {
  const auto node = artefacts::ReadYaml(yaml);
  REQUIRE(node.ok());
  return artefacts::ToYaml(*node);
}

}  // namespace

TEST_CASE("what people wrote stays, their routes come first") {
  const YAML::Node merged = Merged(test::TinySpec(), R"(
global: {resolve_timeout: 5m, smtp_require_tls: false}
route:
  receiver: team
  group_by: ['...']
  routes:
    - matchers: [team="a"]
      receiver: team
receivers:
  - name: team
    webhook_configs: [{url: 'http://127.0.0.1:1/x', max_alerts: 0}]
inhibit_rules:
  - source_matchers: [a="b"]
    target_matchers: [a="c"]
)");
  CHECK(merged["global"]["resolve_timeout"].as<std::string>() == "5m");
  CHECK(merged["global"]["smtp_require_tls"].as<bool>() == false);
  CHECK(merged["receivers"][0]["webhook_configs"][0]["url"].as<std::string>() == "http://127.0.0.1:1/x");
  REQUIRE(merged["route"]["routes"].size() == 2);
  CHECK(merged["route"]["routes"][0]["matchers"][0].as<std::string>() == "team=\"a\"");
  CHECK(merged["route"]["routes"][1]["matchers"][0].as<std::string>() ==
        "alertname=~\"QueueRate|QueueRateApproaching|QueueDepth|QueueExporterDown|"
        "QueueDepthUnread\"");
  CHECK(merged["inhibit_rules"].size() == 3);
}

TEST_CASE(
    "relative paths lead to the same files, those that Alertmanager reads from its configuration's folder") {
  const std::string base = R"(
templates: ['templates/*.tmpl', /etc/own.tmpl, ../above.tmpl, ""]
global:
  slack_api_url_file: from/where/it/runs
  http_config: {tls_config: {ca_file: ca.pem, key_file: /etc/key.pem}, http_headers: {X: {files: [x, /y], values: [v]}}}
route: {receiver: d}
receivers:
  - name: d
    webhook_configs:
      - url_file: url
        http_config: {basic_auth: {username: u, password_file: ./secret/password}, oauth2: {endpoint_params: {resource_file: abc}}}
)";
  const YAML::Node merged = Merged(test::TinySpec(), base);
  using Texts = std::vector<std::string>;
  CHECK(merged["templates"].as<Texts>() ==
        Texts{"../templates/*.tmpl", "/etc/own.tmpl", "../../above.tmpl", ""});
  const YAML::Node http = merged["global"]["http_config"];
  CHECK(http["tls_config"]["ca_file"].as<std::string>() == "../ca.pem");
  CHECK(http["tls_config"]["key_file"].as<std::string>() == "/etc/key.pem");
  CHECK(http["http_headers"]["X"]["files"].as<Texts>() == Texts{"../x", "/y"});
  CHECK(http["http_headers"]["X"]["values"].as<Texts>() == Texts{"v"});
  CHECK(merged["global"]["slack_api_url_file"].as<std::string>() == "from/where/it/runs");
  const YAML::Node webhook = merged["receivers"][0]["webhook_configs"][0];
  CHECK(webhook["url_file"].as<std::string>() == "url");
  CHECK(webhook["http_config"]["basic_auth"]["password_file"].as<std::string>() == "../secret/password");
  CHECK(webhook["http_config"]["oauth2"]["endpoint_params"]["resource_file"].as<std::string>() == "abc");
  CHECK(webhook["http_config"]["basic_auth"]["username"].as<std::string>() == "u");
}

TEST_CASE("a severe verdict silences the milder ones of the same store only") {
  const YAML::Node merged = Merged(test::TinySpec(), "route: {receiver: d}\nreceivers: [{name: d}]\n");
  REQUIRE(merged["inhibit_rules"].size() == 2);
  const YAML::Node rule = merged["inhibit_rules"][0];
  CHECK(rule["source_matchers"][0].as<std::string>() == "alertname=\"QueueRate\"");
  CHECK(rule["target_matchers"][0].as<std::string>() == "alertname=~\"QueueRateApproaching|QueueDepth\"");
  CHECK(rule["equal"].as<std::vector<std::string>>() == std::vector<std::string>{"job", "instance", "path"});
}

TEST_CASE("a watch silences what it says that it inhibits, where the labels agree that it names") {
  const YAML::Node merged = Merged(test::TinySpec(), "route: {receiver: d}\nreceivers: [{name: d}]\n");
  REQUIRE(merged["inhibit_rules"].size() == 2);
  const YAML::Node rule = merged["inhibit_rules"][1];
  CHECK(rule["source_matchers"][0].as<std::string>() == "alertname=\"QueueExporterDown\"");
  CHECK(rule["target_matchers"][0].as<std::string>() == "alertname=\"QueueDepthUnread\"");
  CHECK(rule["equal"].as<std::vector<std::string>>() == std::vector<std::string>{"job", "instance"});
}

TEST_CASE("hosts that share an Alertmanager are distinguished by further labels") {
  spec::Spec spec = test::TinySpec();
  spec.alertmanager.emplace();
  spec.alertmanager->equal = {"host", "instance"};
  const YAML::Node merged = Merged(spec, "route: {receiver: d}\nreceivers: [{name: d}]\n");
  using Labels = std::vector<std::string>;
  CHECK(merged["route"]["routes"][0]["group_by"].as<Labels>() == Labels{"job", "instance", "path", "host"});
  CHECK(merged["inhibit_rules"][0]["equal"].as<Labels>() == Labels{"job", "instance", "path", "host"});
  CHECK(merged["inhibit_rules"][1]["equal"].as<Labels>() == Labels{"job", "instance", "host"});
}

TEST_CASE("a watch of another severity than the mildest verdict's goes to the receiver of that severity") {
  const YAML::Node merged = Merged(
      test::TinySpec(), "route: {receiver: d}\nreceivers: [{name: d}, {name: critical}, {name: warning}]\n");
  const YAML::Node measurement = merged["route"]["routes"][0]["routes"][2];
  CHECK(measurement["matchers"][0].as<std::string>() == "verdict=\"\"");
  CHECK(measurement["receiver"].as<std::string>() == "warning");
  CHECK(measurement["routes"][0]["matchers"][0].as<std::string>() == "severity=\"critical\"");
  CHECK(measurement["routes"][0]["receiver"].as<std::string>() == "critical");
}

TEST_CASE("a verdict goes to the receiver named like it, else like its severity, else where all goes") {
  const auto receiver = [](const std::string& receivers) {
    const YAML::Node merged =
        Merged(test::TinySpec(), "route: {receiver: d}\nreceivers: [" + receivers + "]\n");
    const YAML::Node now = merged["route"]["routes"][0]["routes"][0];
    CHECK(now["matchers"][0].as<std::string>() == "verdict=\"now\"");
    return now["receiver"] ? now["receiver"].as<std::string>() : std::string();
  };
  CHECK(receiver("{name: d}, {name: critical}, {name: now}") == "now");
  CHECK(receiver("{name: d}, {name: critical}") == "critical");
  CHECK(receiver("{name: d}").empty());
}

TEST_CASE("YAML that people wrote keeps its meaning") {
  CHECK(ReadBack("a: 5\nb: '5'\nc: \"x\\ny\"\nd: yes\ne: 'yes'\nf: ~\ng:\nh: 5m\ni: !!str 7\n") ==
        "a: 5\nb: '5'\nc: \"x\\ny\"\nd: yes\ne: 'yes'\nf: null\ng: null\nh: 5m\ni: '7'\n");
  CHECK(ReadBack("- a, b\n- 'x: y'\n- |\n  two\n  lines\n- [c, {d: e}]\n") ==
        "- 'a, b'\n- 'x: y'\n- \"two\\nlines\\n\"\n-\n  - c\n  - d: e\n");
  CHECK(ReadBack("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n") ==
        "x:\n  a: 1\n  b: 2\n'y':\n  b: 3\n  a: 1\n");
}

TEST_CASE("YAML beyond reason is refused") {
  CHECK_FALSE(artefacts::ReadYaml("").ok());
  CHECK_FALSE(artefacts::ReadYaml("a: 1\n---\nb: 2\n").ok());
  CHECK_FALSE(artefacts::ReadYaml("a: &a [*a]\n").ok());
  CHECK_FALSE(artefacts::ReadYaml("? [a]\n: b\n").ok());
  CHECK_FALSE(artefacts::ReadYaml("a: !own b\n").ok());
  CHECK_FALSE(artefacts::ReadYaml(std::string(1000, '[')).ok());
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += (i > 0 ? ",*" : "*") + std::string(1, static_cast<char>(c - 1));
    bomb += "]\n";
  }
  CHECK_FALSE(artefacts::ReadYaml(bomb).ok());
}
