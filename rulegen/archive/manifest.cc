#include "rulegen/archive/manifest.h"

#include <array>
#include <string_view>

#include "common/json_writer.h"
#include "common/time_text.h"

namespace outgrown::archive {
namespace {

// What a reader of the archive must know and cannot see in it.
constexpr std::array<std::string_view, 3> kNotes = {
    "Staleness markers are not part of what Prometheus' query API gives, so the snapshots lack them: a "
    "restored series "
    "ends five minutes after its last sample, where the original may have ended at once. NaN is kept as NaN.",
    "prometheus/prometheus.yml and alertmanager/status.json are what the servers' APIs give, which replace "
    "secrets by "
    "<secret>. The credentials that rulegen logged in with are in no file.",
    "Files (spec, artefacts, files, decision-log) are copied as they were on disk, byte for byte; what "
    "secrets they held, "
    "the archive holds.",
};

void WriteTexts(JsonWriter& json, std::string_view key, const auto& texts) {
  json.Key(key).StartArray();
  for (const auto& text : texts) json.String(text);
  json.EndArray();
}

void WriteLog(JsonWriter& json, const audit::AuditReport& log) {
  json.Key("decision_log").StartObject();
  json.Key("records").Integer(static_cast<std::int64_t>(log.records));
  json.Key("decisions_recomputed").Integer(static_cast<std::int64_t>(log.decisions));
  json.Key("first_sequence").Integer(log.first_sequence);
  json.Key("last_sequence").Integer(log.last.sequence).Key("last_hash").String(log.last.hash);
  json.Key("verified").Boolean(log.problems.empty());
  WriteTexts(json, "problems", log.problems);
  WriteTexts(json, "notes", log.notes);
  json.EndObject();
}

void WriteSnapshots(JsonWriter& json, const std::vector<SnapshotFile>& snapshots) {
  json.Key("series").StartArray();
  for (const SnapshotFile& snapshot : snapshots) {
    json.StartObject().Key("path").String(snapshot.path).Key("families").StartArray();
    for (const FamilySnapshot& family : snapshot.families) {
      json.StartObject().Key("name").String(family.name);
      json.Key("series").Integer(static_cast<std::int64_t>(family.series));
      json.Key("samples").Integer(static_cast<std::int64_t>(family.samples));
      json.Key("nan_samples").Integer(static_cast<std::int64_t>(family.not_a_number)).EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string ManifestJson(const Question& question, const Facts& facts, const Folder& folder) {
  JsonWriter json;
  json.StartObject().Key("schema").Integer(1).Key("version").String(question.version);
  json.Key("created").String(Rfc3339(question.created_ms));
  json.Key("from").String(Rfc3339(question.range.from_ms)).Key("to").String(Rfc3339(question.range.to_ms));
  json.Key("prometheus").String(facts.prometheus);
  json.Key("specs").StartArray();
  for (const Subject& subject : question.subjects) {
    json.StartObject().Key("store").String(subject.table->store).Key("digest").String(subject.table->digest);
    if (subject.spec != nullptr) json.Key("path").String("spec/" + subject.spec->file.filename().string());
    json.EndObject();
  }
  json.EndArray();
  if (facts.log.records > 0) WriteLog(json, facts.log);
  WriteSnapshots(json, facts.snapshots);
  WriteTexts(json, "missing", facts.missing);
  WriteTexts(json, "notes", kNotes);
  json.Key("files").StartArray();
  for (const auto& [path, entry] : folder.entries()) {
    json.StartObject().Key("path").String(path);
    json.Key("bytes").Integer(static_cast<std::int64_t>(entry.size_bytes)).Key("sha256").String(entry.sha256);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return json.text() + "\n";
}

}  // namespace outgrown::archive
