#include "rulegen/archive/archive.h"

#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "common/json.h"
#include "common/time_text.h"
#include "decision/history/audit.h"
#include "rulegen/tree/tree.h"

namespace outgrown::archive {
namespace {

namespace fs = std::filesystem;

struct SnapshotFile {
  std::string path;
  std::vector<FamilySnapshot> families;
};

// What was found out while the archive was filled.
struct Facts {
  std::string prometheus;  // the URL
  std::vector<std::string> missing;
  history::AuditReport log;  // records 0: no log
  std::vector<SnapshotFile> snapshots;
};

// Notes for the reader of an archive about what it can't contain.
// In the archive itself, since its readers may not have this project's documents.
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

void WriteLog(JsonWriter& json, const history::AuditReport& log) {
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

// manifest.json: what the archive holds and what it lacks; docs/evidence.md describes it. `folder`: every
// file but this one and the sums.
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

// How often the log is copied again because it was rotated during the copy.
constexpr int kLogTries = 3;
constexpr long kHttpOk = 200;

class Archivist {
 public:
  Archivist(const Question& question, Servers& servers, Folder& folder, const SnapshotProgress& progress)
      : question_(question), servers_(servers), folder_(folder), progress_(progress) {}

  Result<Archived> Run() {
    // The manifest is last: it lists the files and what is missing. The log is copied before the samples,
    // whose queries may take long; what is logged meanwhile is not part of the archive.
    const auto steps = {&Archivist::AddSpecs,     &Archivist::AddArtefacts, &Archivist::AddServers,
                        &Archivist::AddIncludes,  &Archivist::AddLog,       &Archivist::AddSnapshots,
                        &Archivist::WriteManifest};
    for (const auto step : steps) {
      if (Result<void> done = (this->*step)(); !done) return done.error();
    }
    if (Result<void> done = folder_.Commit(); !done) return done.error();
    return Archived{folder_.entries().size(), std::move(facts_.missing), std::move(facts_.log.problems)};
  }

 private:
  void Missing(std::string_view what, std::string_view why) {
    facts_.missing.push_back(fmt::format("{}: {}", what, why));
  }

  // Copies under a name that is not taken yet.
  // Files from different folders get one folder here, so their names can collide; the later one must not win
  // silently.
  Result<void> CopyOnce(const std::string& path, const fs::path& from) {
    if (folder_.entries().contains(path)) {
      return Error{fmt::format("two files would be {} in the archive", path), from.string()};
    }
    return folder_.Copy(path, from);
  }

  Result<void> AddSpecs() {
    for (const Subject& subject : question_.subjects) {
      if (subject.spec == nullptr) continue;
      const std::string path = "spec/" + subject.spec->file.filename().string();
      if (Result<void> copied = CopyOnce(path, subject.spec->file); !copied) return copied;
    }
    if (question_.subjects.front().spec == nullptr) Missing("spec", "there is only the compiled table");
    return {};
  }

  Result<void> AddArtefacts() {
    for (const Subject& subject : question_.subjects) {
      if (subject.spec == nullptr) continue;
      const spec::Spec& spec = *subject.spec;
      const tree::Layout layout(spec, question_.out);
      for (const fs::path& path : subject.artefacts) {
        // "../docs/gen/x.md" -> "docs/gen/x.md": within the archive nothing leads out of it.
        std::string inside = "artefacts/" + spec.store.name;
        for (const fs::path& part : path.lexically_normal()) {
          if (part != ".." && part != "/") inside += "/" + part.string();
        }
        std::error_code ignored;  // what can't be looked at can't be copied, and then says why
        if (fs::status(layout.On(path), ignored).type() == fs::file_type::not_found) {
          Missing(inside, "it is not there; run rulegen --generate");
        } else if (Result<void> copied = CopyOnce(inside, layout.On(path)); !copied) {
          return copied;
        }
      }
    }
    return {};
  }

  // Puts the answer to a GET into `path`. One that is not 200 is missing.
  // A server that lacks a page must not prevent the archive, but the manifest must say so.
  Result<void> AddAnswer(prometheus_api::HttpClient& http, std::string_view request,
                         const std::string& path) {
    const Result<prometheus_api::HttpAnswer> answer = http.Get(request, servers_.timeout_ms);
    if (!answer || answer->status != kHttpOk) {
      Missing(path, !answer ? answer.error().Text()
                            : fmt::format("{}{} answered {}", http.url(), request, answer->status));
      return {};
    }
    return folder_.Add(path, answer->body);
  }

  // The configuration as text beside the answer that holds it as a string.
  Result<void> AddConfiguration() {
    const std::string path = "prometheus/prometheus.yml";
    const std::string_view request = "/api/v1/status/config";
    const Result<prometheus_api::HttpAnswer> answer = servers_.prometheus.Get(request, servers_.timeout_ms);
    if (!answer) {
      Missing(path, answer.error().Text());
      return {};
    }
    const Result<Json> document = ParseJson(answer->body);
    const Json* const data = document ? document->Find("data") : nullptr;
    const Json* const yaml = data == nullptr ? nullptr : data->Find("yaml");
    if (answer->status != kHttpOk || yaml == nullptr || yaml->string() == nullptr) {
      Missing(path, fmt::format("{}{} answered {} without a configuration", servers_.prometheus.url(),
                                request, answer->status));
      return {};
    }
    return folder_.Add(path, *yaml->string());
  }

  Result<void> AddServers() {
    if (Result<void> added = AddConfiguration(); !added) return added;
    struct Page {
      prometheus_api::HttpClient* http;
      std::string_view request;
      std::string path;
    };
    prometheus_api::HttpClient* const rules =
        servers_.rules == nullptr ? &servers_.prometheus : servers_.rules;
    std::vector<Page> pages = {
        {rules, "/api/v1/rules", "prometheus/rules.json"},
        {&servers_.prometheus, "/api/v1/status/buildinfo", "prometheus/buildinfo.json"},
        {&servers_.prometheus, "/api/v1/status/runtimeinfo", "prometheus/runtimeinfo.json"},
    };
    if (servers_.alertmanager != nullptr) {
      pages.push_back({servers_.alertmanager, "/api/v2/status", "alertmanager/status.json"});
    } else {
      Missing("alertmanager/status.json", "--alertmanager was not given");
    }
    for (const Page& page : pages) {
      if (Result<void> added = AddAnswer(*page.http, page.request, page.path); !added) return added;
    }
    return {};
  }

  Result<void> AddIncludes() {
    for (const fs::path& file : question_.includes) {
      if (Result<void> copied = CopyOnce("files/" + file.filename().string(), file); !copied) return copied;
    }
    return {};
  }

  Result<void> AddLog() {
    std::vector<fs::path> copied;  // the log's own files
    // The list of files is read again after the copy: a rotation in between would leave records out or copy them twice.
    for (int tries = 0; tries < kLogTries; ++tries) {
      const Result<std::vector<fs::path>> files = question_.log_files();
      if (!files && question_.log_required) return files.error();
      if (!files) {
        Missing("decision-log", files.error().Text());
        return {};
      }
      if (*files == copied) break;
      for (const fs::path& file : copied) folder_.Remove("decision-log/" + file.filename().string());
      for (const fs::path& file : *files) {
        if (Result<void> done = folder_.Copy("decision-log/" + file.filename().string(), file); !done)
          return done;
      }
      copied = *files;
    }
    std::vector<fs::path> copies;
    copies.reserve(copied.size());
    for (const fs::path& file : copied)
      copies.push_back(folder_.On("decision-log/" + file.filename().string()));
    // The copies and not the log: the report is about what the archive holds, and the log may grow meanwhile.
    Result<history::AuditReport> report = history::Audit(copies);
    if (!report) return report.error();
    // The copies lie under the temporary name for now; the report must not contain it.
    for (std::vector<std::string>* const texts : {&report->problems, &report->notes}) {
      for (std::string& text : *texts) {
        const std::string prefix = folder_.On("").string();
        if (text.starts_with(prefix)) text.erase(0, prefix.size());
      }
    }
    facts_.log = std::move(*report);
    return folder_.Add("decision-log/audit.txt", history::AuditText(facts_.log));
  }

  Result<void> AddSnapshots() {
    for (const Subject& subject : question_.subjects) {
      const std::string path = fmt::format("series/{}.om", subject.table->store);
      Result<Folder::File> file = folder_.Open(path);
      if (!file) return file.error();
      Result<std::vector<FamilySnapshot>> families = WriteSnapshot(
          *subject.table, servers_.series, question_.range, *file, [this](std::size_t done, std::size_t all) {
            progress_(static_cast<std::int64_t>(done), static_cast<std::int64_t>(all));
          });
      if (!families) return families.error();
      if (Result<void> closed = file->Close(); !closed) return closed;
      facts_.snapshots.push_back({path, std::move(*families)});
    }
    return {};
  }

  Result<void> WriteManifest() {
    facts_.prometheus = servers_.prometheus.url();
    return folder_.Add("manifest.json", ManifestJson(question_, facts_, folder_));
  }

  const Question& question_;
  Servers& servers_;
  Folder& folder_;
  const SnapshotProgress& progress_;
  Facts facts_;
};

}  // namespace

Result<Archived> Archive(const Question& question, Servers& servers, Folder& folder,
                         const SnapshotProgress& progress) {
  return Archivist(question, servers, folder, progress).Run();
}

}  // namespace outgrown::archive
