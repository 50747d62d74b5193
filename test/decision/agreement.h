// Whether alert and decision agree about the first store's threshold with that index.
#pragma once

#include <cstddef>
#include <string_view>

#include "decision/alerts.h"
#include "decision/evaluation.h"

namespace outgrown::test {

inline constexpr std::string_view kErrorRatioSeries = "checkpoint:write_error_ratio";

inline decision::Agreement AgreementOf(const decision::Evaluation& evaluation, std::size_t threshold) {
  return evaluation.stores.at(0).alerts.at(threshold).agreement;
}

}  // namespace outgrown::test
