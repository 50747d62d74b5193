// Taking a log record's JSON apart: each function gives the value or an error that names what is missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json_tree.h"
#include "common/result.h"
#include "decision/engine/window.h"
#include "decision/evaluation.h"
#include "decision/measure.h"

namespace outgrown::audit {

// The views and pointers live as long as the record.
Result<std::string_view> TextField(const Json& object, std::string_view key);
Result<double> NumberField(const Json& object, std::string_view key);
Result<std::int64_t> IntegerField(const Json& object, std::string_view key);
Result<const Json::Array*> ArrayField(const Json& object, std::string_view key);
Result<const Json*> ObjectField(const Json& object, std::string_view key);

// The record's "time_ms". An error also if its "time" is another instant, or it is none of the years 0 to 9999.
Result<std::int64_t> TimeField(const Json& record);

// Where the values came from.
Result<evaluate::Origin> OriginField(const Json& record);

// A pair of times.
Result<std::pair<std::int64_t, std::int64_t>> ReadTimes(const Json& pair);

// A pair of time and value.
Result<Sample> ReadSample(const Json& pair);

// "samples" and "cause" of a recorded signal.
Result<evaluate::SignalSamples> SamplesField(const Json& signal);

}  // namespace outgrown::audit
