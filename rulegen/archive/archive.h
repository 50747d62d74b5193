// --archive: the evidence for a decision in one folder: what was asked for (specs, rules, dashboards), what ran
// (configuration and rules as loaded), what was measured (the samples) and what was decided (the log), with checksums.
//
//   DIR/SHA256SUMS               for `sha256sum -c`, manifest.json included
//   DIR/manifest.json            when, from where, versions, digests, what is missing and why
//   DIR/spec/                    the specs
//   DIR/artefacts/STORE/         the generated files as they are on disk
//   DIR/prometheus/              its configuration, rules as loaded, build and run time
//   DIR/alertmanager/            its state with the configuration that runs
//   DIR/files/                   what --include names
//   DIR/decision-log/            every segment, and what an audit of them says
//   DIR/series/STORE.om          the samples as OpenMetrics
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "prometheus/http_client.h"
#include "prometheus/prometheus_client.h"
#include "rulegen/archive/folder.h"
#include "rulegen/archive/snapshot.h"
#include "thresholds/model.h"

namespace outgrown::archive {

// One spec, or the compiled table where there is none.
struct Subject {
  const spec::Spec* spec = nullptr;
  const Table* table = nullptr;
  std::vector<std::filesystem::path>
      artefacts;  // what is generated from the spec, as artefacts::Artefact::path
};

struct Servers {
  prometheus_api::QuerySource& series;
  prometheus_api::HttpClient& prometheus;
  prometheus_api::HttpClient* rules = nullptr;  // where the rules are loaded, if not in Prometheus
  prometheus_api::HttpClient* alertmanager = nullptr;
  std::int64_t timeout_ms = 0;  // of one request
};

struct Question {
  std::vector<Subject> subjects;
  std::optional<std::filesystem::path> out;     // as of --out: where the generated files are
  std::vector<std::filesystem::path> includes;  // user-supplied files
  // The decision log's files, oldest first; asked again after they were copied, as the log may be rotated meanwhile.
  std::function<Result<std::vector<std::filesystem::path>>()> log_files;
  bool log_required = false;  // it was named, so that it must be there
  Range range;
  std::int64_t created_ms = 0;
  std::string version;  // rulegen's
};

struct Archived {
  std::size_t files = 0;
  std::vector<std::string> missing;       // "WHAT: why": what has no place in the archive
  std::vector<std::string> log_problems;  // of the audit
};

using SnapshotProgress = std::function<void(std::int64_t done, std::int64_t all)>;

// Fills and commits `folder`. What a server does not offer is missing; a file that cannot be read or written, and a
// query of samples that is not answered whole, are errors.
Result<Archived> Archive(const Question& question, Servers& servers, Folder& folder,
                         const SnapshotProgress& progress);

}  // namespace outgrown::archive
