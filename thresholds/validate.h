// What a spec must be beyond its types: names well formed and unique, references that exist, thresholds in a sane
// order, expressions that name only what is known. docs/spec.md lists every rule.
#pragma once

#include "thresholds/diagnostic.h"
#include "thresholds/model.h"

namespace outgrown::spec {

// Reports everything that is wrong with `spec`. A table with places (one that was parsed) is judged by the keys that
// have one: the others are absent or were reported by the parser. A spec made by hand is judged whole.
void Validate(const Spec& spec, Report& report);

}  // namespace outgrown::spec
