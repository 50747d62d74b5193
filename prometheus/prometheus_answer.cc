#include "prometheus/prometheus_answer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "common/json.h"
#include "common/text.h"

namespace outgrown::prometheus_api {
namespace {

// Sample times in seconds; the limit keeps milliseconds exact in a double and an int64.
constexpr double kSecondsMax = 1e12;

// Reads the document as events, since a large answer would take several times its size as a tree. `places_`
// is the path from the document to the current value.
class AnswerReader : public JsonEvents {
 public:
  explicit AnswerReader(ResultType expected) : expected_(expected) {}

  // The answer, or why it is none. Precondition: the document was read to its end.
  //
  // Judged at the end, because JSON has no order of members: status and type may come behind the result.
  Result<Answer> Finish() {
    if (status_ != "success") return Error{"the answer's status is \"" + PlainText(status_, 40) + "\"", ""};
    // Prometheus sends one or the other. With both (from a proxy that merges answers) the data may be
    // incomplete.
    if (error_seen_) return Error{"the answer has an error beside its data", ""};
    if (!result_seen_) return Error{"the answer has no result", ""};
    const std::string_view expected = expected_ == ResultType::kVector ? "vector" : "matrix";
    if (type_ != expected) {
      return Error{"the answer is a \"" + PlainText(type_, 40) + "\", not a " + std::string(expected), ""};
    }
    return std::move(answer_);
  }
  const std::string& problem() const { return problem_; }

  bool Null() override { return Scalar("null"); }
  bool Boolean(bool value) override {
    if (Here() == Place::kRoot && key_ == "isPartial") {
      // VictoriaMetrics' cluster version says so in "isPartial" where a storage node did not answer; Thanos
      // and Prometheus do in "warnings".
      answer_.partial |= value;
      return true;
    }
    return Scalar("a boolean");
  }
  bool Number(double value) override {
    // A sample is [time as a number, "value as a string"]; the string is what lets NaN and the infinities
    // through JSON.
    if (Here() == Place::kSample && pair_size_ == 0) return TakeTime(value);
    return Scalar("a number");
  }
  bool String(std::string& value) override;
  bool Key(std::string& key) override {
    // The labels of a metric are looked at when their series ends, sorted, since there may be many.
    if ((Here() == Place::kRoot || Here() == Place::kData || Here() == Place::kSeries) && !Once(key))
      return false;
    key_ = std::move(key);
    return true;
  }
  bool StartObject() override;
  bool StartArray() override;
  bool EndObject() override { return Leave(); }
  bool EndArray() override { return Leave(); }

 private:
  // Where in the document the current value is.
  enum class Place {
    kDocument,
    kRoot,
    kWarnings,
    kData,
    kResult,
    kSeries,
    kMetric,
    kSamples,
    kSample,
    kIgnored
  };

  Place Here() const { return places_.back(); }
  bool Enter(Place place) {
    places_.push_back(place);
    if (place == Place::kRoot || place == Place::kData || place == Place::kSeries) keys_seen_.emplace_back();
    return true;
  }
  bool Refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool Once(const std::string& key) {
    std::vector<std::string>& seen = keys_seen_.back();
    if (std::ranges::find(seen, key) != seen.end()) return Refuse("a key occurs twice in the answer");
    seen.push_back(key);
    return true;
  }
  // A value of an unexpected type is ignored where nothing is read, since newer servers add members.
  bool Scalar(std::string_view kind) {
    const bool read_here =
        Here() == Place::kDocument || Here() == Place::kResult || Here() == Place::kMetric ||
        Here() == Place::kSamples || Here() == Place::kSample || Here() == Place::kWarnings ||
        (Here() == Place::kRoot &&
         (key_ == "status" || key_ == "data" || key_ == "isPartial" || key_ == "warnings")) ||
        (Here() == Place::kData && (key_ == "resultType" || key_ == "result")) ||
        (Here() == Place::kSeries && (key_ == "metric" || key_ == "value" || key_ == "values"));
    if (read_here) return Refuse("the answer has " + std::string(kind) + " where none belongs");
    return true;
  }
  bool TakeTime(double seconds);
  bool TakeValue(const std::string& text);
  bool Leave();
  bool EndSeries();

  ResultType expected_;
  Answer answer_;
  std::string status_, type_, key_, problem_;
  bool result_seen_ = false;
  bool error_seen_ = false;
  std::vector<Place> places_ = {Place::kDocument};
  std::vector<std::vector<std::string>> keys_seen_;  // of each open object whose keys must be unique
  Series series_;
  std::size_t pair_size_ = 0;  // of the sample that is being read
};

bool AnswerReader::String(std::string& value) {
  switch (Here()) {
    case Place::kRoot:
      if (key_ == "status") {
        status_ = std::move(value);
        return true;
      }
      if (key_ == "error" || key_ == "errorType") {
        error_seen_ |= !value.empty();
        return true;
      }
      break;
    case Place::kData:
      if (key_ == "resultType") {
        type_ = std::move(value);
        return true;
      }
      break;
    case Place::kWarnings:
      answer_.warnings.push_back(PlainText(value));
      // Which warnings mean missing data is not said in the API, so all of them do.
      answer_.partial = true;
      return true;
    case Place::kMetric:
      // Moved: the labels are most of a large answer's text.
      series_.labels.emplace_back(std::move(key_), std::move(value));
      return true;
    case Place::kSample:
      if (pair_size_ == 1) return TakeValue(value);
      break;
    default:
      break;
  }
  return Scalar("a string");
}

bool AnswerReader::StartObject() {
  switch (Here()) {
    case Place::kDocument:
      return Enter(Place::kRoot);
    case Place::kRoot:
      if (key_ == "data") return Enter(Place::kData);
      break;
    case Place::kResult:
      series_ = {};
      return Enter(Place::kSeries);
    case Place::kSeries:
      if (key_ == "metric") return Enter(Place::kMetric);
      break;
    case Place::kData:  // Thanos' "analysis" and whatever comes after it
    case Place::kIgnored:
      break;
    default:
      return Refuse("the answer has an object where none belongs");
  }
  return Scalar("an object") && Enter(Place::kIgnored);
}

bool AnswerReader::StartArray() {
  switch (Here()) {
    case Place::kRoot:
      if (key_ == "warnings") return Enter(Place::kWarnings);
      break;
    case Place::kData:
      if (key_ == "result") {
        result_seen_ = true;
        return Enter(Place::kResult);
      }
      break;
    case Place::kSeries:
      // A native histogram has no number to compare with a limit. Prometheus sends them beside or instead of
      // "value" and "values".
      if (key_ == "histogram" || key_ == "histograms") return Refuse("the series is a native histogram");
      if (key_ == "values" && expected_ == ResultType::kMatrix) return Enter(Place::kSamples);
      if (key_ == "value" && expected_ == ResultType::kVector) {
        pair_size_ = 0;
        return Enter(Place::kSample);
      }
      break;
    case Place::kSamples:
      pair_size_ = 0;
      return Enter(Place::kSample);
    case Place::kIgnored:
      break;
    default:
      return Refuse("the answer has an array where none belongs");
  }
  return Scalar("an array") && Enter(Place::kIgnored);
}

bool AnswerReader::TakeTime(double seconds) {
  // Written so that NaN is refused, too.
  if (!(std::abs(seconds) < kSecondsMax)) return Refuse("a sample's time is out of range");
  // Prometheus writes seconds with three decimals; the nearest millisecond undoes the division exactly.
  const std::int64_t time_ms = std::llround(seconds * 1000);
  if (!series_.samples.empty() && time_ms <= series_.samples.back().time_ms) {
    // Everything behind this searches the samples by time, and a merging proxy may repeat one.
    return Refuse("the samples are not in the order of their times");
  }
  series_.samples.push_back({time_ms, 0});
  pair_size_ = 1;
  return true;
}

bool AnswerReader::TakeValue(const std::string& text) {
  const std::optional<double> value = ParseNumber(text);
  if (!value) return Refuse("the sample value \"" + PlainText(text, 40) + "\" is not a number");
  series_.samples.back().value = *value;
  pair_size_ = 2;
  return true;
}

bool AnswerReader::Leave() {
  const Place place = Here();
  places_.pop_back();
  if (place == Place::kRoot || place == Place::kData || place == Place::kSeries) keys_seen_.pop_back();
  if (place == Place::kSample && pair_size_ != 2) return Refuse("a sample is not a pair of time and value");
  return place == Place::kSeries ? EndSeries() : true;
}

bool AnswerReader::EndSeries() {
  // Prometheus leaves out series without samples; callers may take the first and last without asking.
  if (series_.samples.empty()) return Refuse("a series of the answer has no samples");
  // The order of the labels isn't promised by the API.
  std::ranges::sort(series_.labels);
  const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::ranges::adjacent_find(series_.labels, same_name) != series_.labels.end()) {
    return Refuse("a label occurs twice in a series");
  }
  answer_.series.push_back(std::move(series_));
  return true;
}

}  // namespace

std::string_view LabelValue(const Labels& labels, std::string_view name) {
  // Of a handful, most by their length: faster than halving, which compares bytes.
  const auto found = std::ranges::find(labels, name, &Labels::value_type::first);
  return found != labels.end() ? std::string_view(found->second) : std::string_view();
}

Result<Answer> ReadAnyAnswer(std::string_view body, ResultType expected) {
  AnswerReader reader(expected);
  // Where the reader gave up, ReadJson only knows that it did.
  if (const Result<void> read = ReadJson(body, reader); !read) {
    return reader.problem().empty() ? read.error() : Error{reader.problem(), ""};
  }
  return reader.Finish();
}

std::string ReadErrorAnswer(std::string_view body) {
  // A proxy's error page is HTML, and no error of ours: the status is reported all the same.
  const Result<Json> document = ParseJson(body);
  if (!document) return "";
  const Json* type = document->Find("errorType");
  const Json* error = document->Find("error");
  if (error == nullptr || error->string() == nullptr || error->string()->empty()) return "";
  const bool typed = type != nullptr && type->string() != nullptr;
  // It goes to a terminal and into the log, and comes from the server.
  return PlainText((typed ? *type->string() + ": " : "") + *error->string());
}

// Prometheus answers a bad query with 400 or 422, a timeout with 503, each with the reason in the body.
std::string ErrorAnswerText(long status, std::string_view body) {
  const std::string said = ReadErrorAnswer(body);
  return "answered " + std::to_string(status) + (said.empty() ? "" : ": " + said);
}

}  // namespace outgrown::prometheus_api
