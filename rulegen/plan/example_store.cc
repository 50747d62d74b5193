#include "rulegen/plan/example_store.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rulegen/plan/promql.h"

namespace outgrown::plan {
namespace {

// True if the matchers name the label: LABEL= at their start or behind a comma or space.
bool HasMatcher(std::string_view matchers, std::string_view label) {
  for (std::size_t at = matchers.find(label); at != std::string_view::npos;
       at = matchers.find(label, at + 1)) {
    const bool starts =
        at == 0 || matchers[at - 1] == ',' || matchers[at - 1] == ' ' || matchers[at - 1] == '{';
    const std::size_t end = matchers.find_first_not_of(' ', at + label.size());
    if (starts && end != std::string_view::npos && matchers[end] == '=') return true;
  }
  return false;
}

}  // namespace

std::vector<Pair> ExampleStore(const spec::Spec& spec) {
  std::vector<Pair> labels;
  for (const std::string& label : spec.store.identity) labels.push_back({label, label + "-a"});
  return labels;
}

std::vector<Pair> OtherStore(const spec::Spec& spec, std::string_view label) {
  std::vector<Pair> labels = ExampleStore(spec);
  for (Pair& pair : labels) {
    if (pair.name == label) pair.value = pair.name + "-b";
  }
  return labels;
}

std::vector<Pair> StoreNamed(const spec::Spec& spec, std::string_view what) {
  std::vector<Pair> labels = ExampleStore(spec);
  labels.back().value = what;
  return labels;
}

std::vector<Pair> TargetNamed(std::string_view what) {
  return {{"job", "job-a"}, {"instance", std::string(what)}};
}

std::string Selector(std::string_view selector, const std::vector<Pair>& labels) {
  const std::size_t brace = selector.find('{');
  std::string_view matchers;
  if (brace != std::string_view::npos) {
    matchers = selector.substr(brace + 1);
    matchers = matchers.substr(0, matchers.rfind('}'));
  }
  std::string text(selector.substr(0, brace));
  while (text.ends_with(' ')) text.pop_back();
  std::string inside;
  for (const Pair& label : labels) {
    if (HasMatcher(matchers, label.name)) continue;
    if (!inside.empty()) inside += ',';
    inside += label.name + "=" + PromqlString(label.value);
  }
  if (matchers.find_first_not_of(' ') != std::string_view::npos) {
    if (!inside.empty()) inside += ',';
    inside += matchers;
  }
  if (!inside.empty()) text += "{" + inside + "}";
  return text;
}

}  // namespace outgrown::plan
