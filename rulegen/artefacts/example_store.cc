#include "rulegen/artefacts/example_store.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::plan {
std::vector<Pair> ExampleStore(const spec::Spec& spec) {
  std::vector<Pair> labels;
  for (const std::string& label : spec.store.identity) labels.push_back({label, spec::ExampleValue(label)});
  return labels;
}

std::vector<Pair> OtherStore(std::vector<Pair> store, std::string_view label) {
  for (Pair& pair : store) {
    if (pair.name != label) continue;
    if (pair.value.ends_with("-a")) pair.value.resize(pair.value.size() - 2);
    pair.value += "-b";
  }
  return store;
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
