// manifest.json: what an archive holds and what it lacks. Pure.
#pragma once

#include <string>
#include <vector>

#include "decision/history/audit.h"
#include "rulegen/archive/archive.h"

namespace outgrown::archive {

struct SnapshotFile {
  std::string path;
  std::vector<FamilySnapshot> families;
};

// What was found out while the archive was filled.
struct Facts {
  std::string prometheus;  // the URL
  std::vector<std::string> missing;
  audit::AuditReport log;  // records 0: no log
  std::vector<SnapshotFile> snapshots;
};

// One JSON document with a newline; docs/evidence.md describes it. `folder`: every file but this one and the sums.
std::string ManifestJson(const Question& question, const Facts& facts, const Folder& folder);

}  // namespace outgrown::archive
