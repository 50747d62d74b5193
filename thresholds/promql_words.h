// The words of PromQL: its functions, aggregations and keywords.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace outgrown::spec {

// The functions that Prometheus 2.42 and 3.x both know, without aggregations.
std::span<const std::string_view> FunctionNames();

// Whether VictoriaMetrics knows one of these functions. vmalert -dryRun does not say so.
bool IsInVictoriaMetrics(std::string_view function);

// In upper or lower case, as PromQL takes them: sum; by, on, group_left; and, offset, nan.
bool IsAggregation(std::string_view name);
bool IsGrouping(std::string_view name);
bool IsKeyword(std::string_view name);

std::string LowerCase(std::string_view text);

}  // namespace outgrown::spec
