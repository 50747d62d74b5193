#include "rulegen/spec/validate.h"

namespace outgrown::spec {

void Validate(const Spec& spec, Report& report) {
  static_cast<void>(spec);
  static_cast<void>(report);
}

}  // namespace outgrown::spec
