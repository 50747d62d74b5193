// The digest of a spec: what every artefact, exporter and decision carries, so that copies can be compared.
#pragma once

#include <string>

#include "thresholds/model.h"

namespace outgrown::spec {

// What the spec means, one value a line, without [rules], [output], [alertmanager], [[watch]] and the sentences of
// [coverage.reasons]: equal for specs that differ only in comments, layout, the order of keys, or defaults written out.
// docs/spec.md ("The digest") defines it exactly, so that another program can compute it.
std::string CanonicalText(const Spec& spec);

// SHA-256 of the canonical text as 64 hexadecimal digits.
std::string Digest(const Spec& spec);

}  // namespace outgrown::spec
