// Names that two specs must not share: one Prometheus and one Alertmanager know stores and alerts by them.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "thresholds/diagnostic.h"
#include "thresholds/model.h"

namespace outgrown::generate {

// Where a spec gives a name.
struct NamePlace {
  std::string name;
  std::string_view key;  // "store.name", "threshold.id"
  spec::Position position;
  const spec::Spec* spec = nullptr;
};

struct SharedName {
  NamePlace here;   // of the spec that came later
  NamePlace there;  // of the earlier one
};

class NamesInUse {
 public:
  // Takes in the names of a spec, which must outlive this, and returns those that an earlier one has too: its store's,
  // and then no other of the same earlier spec, or its alerts'.
  std::vector<SharedName> Add(const spec::Spec& spec);

 private:
  std::unordered_map<std::string, NamePlace> stores_;
  std::unordered_map<std::string, NamePlace> alerts_;
};

// "the alert ABcX", "the store checkpoint"
std::string Described(const NamePlace& place);

// "rules/checkpoint.toml:7:14"
std::string Where(const NamePlace& place);

// For each name that one of the specs has and an earlier one too, what is wrong, at the later one.
std::vector<spec::Diagnostic> SharedNames(const std::vector<spec::Spec>& specs);

// The other specs whose routes and inhibitions a spec's Alertmanager configuration holds too.

struct AlsoSpecs {
  std::vector<spec::Spec> specs;  // in the order of alertmanager.also; only if there are no diagnostics
  std::vector<spec::Diagnostic> diagnostics;  // at the elements of alertmanager.also
  bool unreadable = false;                    // one could not be read: the world's failure, not the spec's
};

// Reads the specs that alertmanager.also names; nothing where the spec names none. Their own [alertmanager] means
// nothing here.
AlsoSpecs LoadAlso(const spec::Spec& spec);

}  // namespace outgrown::generate
