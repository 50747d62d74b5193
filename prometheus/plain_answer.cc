// An answer whose series are written as servers write them: without spaces, members in the usual order, no escape in a label.
// Nearly every answer is, and read so it takes a quarter of the time and no memory but its own series'. All that is unusual,
// or wrong, is read as any JSON.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text.h"
#include "prometheus/prometheus_answer.h"

namespace outgrown::prometheus_api {
namespace {

// All that may stand before the list of series; so whatever stands there has been looked at.
constexpr std::array<std::string_view, 2> kHeads = {
    R"({"status":"success","data":{"resultType":")",
    R"({"status":"success","isPartial":false,"data":{"resultType":")",  // VictoriaMetrics
};

bool IsDigit(char byte) { return byte >= '0' && byte <= '9'; }

// Takes the text from its beginning; each function is false where it finds anything else.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool Take(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  bool Take(char expected) {
    if (text_.empty() || text_.front() != expected) return false;
    text_.remove_prefix(1);
    return true;
  }

  // A string that is its own text.
  bool TakeString(std::string_view& value) {
    if (!Take('"')) return false;
    const std::size_t size = text_.find('"');
    if (size == std::string_view::npos) return false;
    value = text_.substr(0, size);
    text_.remove_prefix(size + 1);
    bool ascii = true;
    bool plain = true;
    for (const char byte : value) {
      ascii &= static_cast<signed char>(byte) >= 0;
      plain &= static_cast<unsigned char>(byte) >= 0x20 && byte != '\\';
    }
    return plain && (ascii || IsUtf8(value));
  }

  // {"name":"value",...}, by name in any order, each once.
  bool TakeLabels(Labels& labels) {
    if (!Take('{')) return false;
    if (Take('}')) return true;
    views_.clear();
    do {
      auto& [name, value] = views_.emplace_back();
      if (!TakeString(name) || !Take(':') || !TakeString(value)) return false;
    } while (Take(','));
    if (!IsSorted(views_)) std::ranges::sort(views_);  // which is cheaper than sorting the strings
    labels.reserve(views_.size());
    for (const auto& [name, value] : views_) labels.emplace_back(name, value);
    return IsSorted(views_) && Take('}');
  }

  // [1800000030.5,"0.1"]
  bool TakeSample(Sample& sample) {
    if (!Take('[') || !TakeTime(sample.time_ms) || !Take(',')) return false;
    std::string_view text;
    if (!TakeString(text)) return false;
    // Values repeat: a limit's distance, a count of servers, a coverage of 1.
    if (text != number_text_) {
      const std::optional<double> number = ParseNumber(text);
      if (!number) return false;
      number_text_ = text;
      number_ = *number;
    }
    sample.value = number_;
    return Take(']');
  }

  std::string_view left() const { return text_; }

 private:
  using Views = std::vector<std::pair<std::string_view, std::string_view>>;

  static bool IsSorted(const Views& labels) {
    return std::ranges::adjacent_find(labels, std::greater_equal<>(), &Views::value_type::first) ==
           labels.end();
  }
  static bool IsUtf8(std::string_view text) {
    while (!text.empty()) {
      const CodePoint next = NextCodePoint(text);
      if (!next.valid) return false;
      text.remove_prefix(next.size_bytes);
    }
    return true;
  }

  // Seconds after 1970, with up to three decimals, as milliseconds.
  bool TakeTime(std::int64_t& time_ms) {
    constexpr std::size_t kDigitsMax = 12;  // below prometheus_answer.cc's limit
    std::size_t size = 0;
    time_ms = 0;
    for (; size < text_.size() && IsDigit(text_[size]); ++size) {
      if (size == kDigitsMax) return false;
      time_ms = 10 * time_ms + (text_[size] - '0');
    }
    if (size == 0 || (text_.front() == '0' && size > 1)) return false;
    text_.remove_prefix(size);
    std::size_t decimals = 0;
    if (Take('.')) {
      for (; decimals < text_.size() && IsDigit(text_[decimals]); ++decimals) {
        if (decimals == 3) return false;
        time_ms = 10 * time_ms + (text_[decimals] - '0');
      }
      if (decimals == 0) return false;
      text_.remove_prefix(decimals);
    }
    for (; decimals < 3; ++decimals) time_ms *= 10;
    return true;
  }

  std::string_view text_;
  Views views_;                         // of one series' labels; kept for the next one's
  std::string_view number_text_ = "0";  // the sample value read last, and what it is
  double number_ = 0;
};

struct PlainSeries {
  std::vector<Series> series;
  std::string rest;  // the answer with an empty list of series
};

// {"metric":{...},"values":[...]}, or "value" of a vector. `samples` is working memory, so that what is kept has no room to spare.
bool TakeSeries(Reader& reader, bool vector, std::vector<Sample>& samples, Series& series) {
  if (!reader.Take(R"({"metric":)") || !reader.TakeLabels(series.labels) ||
      !reader.Take(vector ? R"(,"value":)" : R"(,"values":[)")) {
    return false;
  }
  samples.clear();
  do {
    Sample& sample = samples.emplace_back();
    if (!reader.TakeSample(sample)) return false;
    if (samples.size() > 1 && sample.time_ms <= samples[samples.size() - 2].time_ms) return false;
  } while (!vector && reader.Take(','));
  series.samples.assign(samples.begin(), samples.end());
  return reader.Take(vector ? "}" : "]}");
}

// Nothing if the body begins in another way, or if anything of its series is not exactly so or would be refused.
std::optional<PlainSeries> ReadPlainSeries(std::string_view body, ResultType expected) {
  const bool vector = expected == ResultType::kVector;
  Reader reader(body);
  if (std::ranges::none_of(kHeads, [&](std::string_view head) { return reader.Take(head); }) ||
      !reader.Take(vector ? R"(vector","result":[)" : R"(matrix","result":[)")) {
    return std::nullopt;
  }
  PlainSeries plain;
  plain.rest = body.substr(0, body.size() - reader.left().size());
  std::vector<Sample> samples;
  if (!reader.left().starts_with(']')) {
    do {
      if (!TakeSeries(reader, vector, samples, plain.series.emplace_back())) return std::nullopt;
    } while (reader.Take(','));
  }
  if (!reader.left().starts_with(']')) return std::nullopt;
  plain.rest += reader.left();
  return plain;
}

}  // namespace

Result<Answer> ReadAnswer(std::string_view body, ResultType expected) {
  if (std::optional<PlainSeries> plain = ReadPlainSeries(body, expected)) {
    // What else the answer says, before and behind its series. An error of it is given with its place in the whole body.
    if (Result<Answer> answer = ReadAnyAnswer(plain->rest, expected); answer.ok()) {
      answer->series = std::move(plain->series);
      return answer;
    }
  }
  return ReadAnyAnswer(body, expected);
}

}  // namespace outgrown::prometheus_api
