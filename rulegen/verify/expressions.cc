#include "rulegen/verify/expressions.h"

#include "thresholds/promql.h"

namespace outgrown::verify {

bool Expressions::Same(const std::string& left, const std::string& right) {
  if (left == right || plan::CanonicalPromql(left) == plan::CanonicalPromql(right)) return true;
  const std::optional<std::string>& canonical = Canonical(left);
  return canonical && canonical == Canonical(right);
}

const std::optional<std::string>& Expressions::Canonical(const std::string& expr) {
  const auto found = known_.find(expr);
  return found != known_.end() ? found->second : known_.emplace(expr, format_(expr)).first->second;
}

}  // namespace outgrown::verify
