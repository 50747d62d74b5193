#include "rulegen/artefacts/promtool/promtool.h"

#include <string>
#include <utility>
#include <vector>

#include "rulegen/artefacts/node.h"
#include "thresholds/names.h"

namespace outgrown::artefacts {

namespace {

Node Pairs(const std::vector<Pair>& pairs) {
  Node::Map entries;
  for (const Pair& pair : pairs) entries.emplace_back(pair.name, Node::String(pair.value));
  return Node::Of(std::move(entries));
}

Node AlertNode(const AlertCheck& check) {
  Node::List expected;
  for (const ExpectedAlert& alert : check.expected) {
    expected.push_back(Node::Of(
        Node::Map{{"exp_labels", Pairs(alert.labels)}, {"exp_annotations", Pairs(alert.annotations)}}));
  }
  return Node::Of(Node::Map{{"eval_time", Node::Duration(check.at)},
                            {"alertname", Node::String(check.alert)},
                            {"exp_alerts", Node::Of(std::move(expected))}});
}

Node SampleNode(const SampleCheck& check) {
  Node::List expected;
  for (const ExpectedSample& sample : check.expected) {
    expected.push_back(
        Node::Of(Node::Map{{"labels", Node::String(sample.labels)}, {"value", Node::Number(sample.value)}}));
  }
  return Node::Of(Node::Map{{"expr", Node::String(check.expr)},
                            {"eval_time", Node::Duration(check.at)},
                            {"exp_samples", Node::Of(std::move(expected))}});
}

Node TestNode(const PromtoolTest& test) {
  Node::List series;
  for (const auto& [selector, notation] : test.series) {
    series.push_back(
        Node::Of(Node::Map{{"series", Node::String(selector)}, {"values", Node::String(notation)}}));
  }
  Node::Map entries = {{"name", Node::String(test.name)},
                       {"interval", Node::Duration(test.interval)},
                       {"input_series", Node::Of(std::move(series))}};
  Node::List alerts;
  for (const AlertCheck& check : test.alerts) alerts.push_back(AlertNode(check));
  if (!alerts.empty()) entries.emplace_back("alert_rule_test", Node::Of(std::move(alerts)));
  Node::List samples;
  for (const SampleCheck& check : test.samples) samples.push_back(SampleNode(check));
  if (!samples.empty()) entries.emplace_back("promql_expr_test", Node::Of(std::move(samples)));
  return Node::Of(std::move(entries));
}

}  // namespace

// promtool evaluates the groups in the order of group_eval_order; without it their order is open, and a group
// that reads another's series could be one evaluation late.
std::string PromtoolYaml(const spec::Spec& spec, const PromtoolFile& tests) {
  Node::List items;
  for (const PromtoolTest& test : tests.tests) items.push_back(TestNode(test));
  std::string head = "# " + spec::GeneratedMark(spec) + "\n";
  for (const std::string& note : tests.notes) head += "# " + note + "\n";
  return head + ToYaml(Node::Of(Node::Map{{"rule_files", Node::Strings({tests.rule_file})},
                                          {"evaluation_interval", Node::Duration(tests.evaluation_interval)},
                                          {"group_eval_order", Node::Strings(tests.groups)},
                                          {"tests", Node::Of(std::move(items))}}));
}

}  // namespace outgrown::artefacts
