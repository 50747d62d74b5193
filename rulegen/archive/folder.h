// An archive on its way to the disk: a folder under a temporary name beside its place, which is renamed to it when
// everything in it has been written and synced. So there is never half an archive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "common/digest.h"
#include "common/result.h"

namespace outgrown::archive {

struct Entry {
  std::string sha256;
  std::uintmax_t size_bytes = 0;
};

class Folder {
 public:
  // `place` must not exist or be an empty folder. Until it is committed there is ".NAME.PID.tmp" beside it;
  // the destructor removes it, and a kill leaves it.
  static Result<Folder> Create(const std::filesystem::path& place);

  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;
  // Removes what was not committed.
  ~Folder();

  // A file that is being written. `path` is from the folder.
  class File {
   public:
    File(File&& other) noexcept;
    File& operator=(File&&) = delete;
    ~File();
    // An error also once the process was interrupted (common/interrupt.h).
    Result<void> Write(std::string_view bytes);
    // Syncs it. Without this it does not belong to the archive.
    Result<void> Close();

   private:
    friend class Folder;
    File(Folder& folder, std::string path, int fd) : folder_(folder), path_(std::move(path)), fd_(fd) {}

    Folder& folder_;
    std::string path_;
    int fd_;
    Sha256 sha256_;
    std::uintmax_t size_bytes_ = 0;
  };

  // Opens a new file, readable for its owner only; an earlier one of this name is replaced. Makes its
  // folders, which are its owner's alone too. The folder must outlive it.
  Result<File> Open(const std::string& path);
  Result<void> Add(const std::string& path, std::string_view bytes);
  // Copies a regular file, however large, with its permissions.
  Result<void> Copy(const std::string& path, const std::filesystem::path& from);
  void Remove(const std::string& path);

  // The files, sorted by path.
  const std::map<std::string, Entry>& entries() const { return entries_; }
  // Where a file is for now.
  std::filesystem::path On(const std::string& path) const { return temporary_ / path; }

  // Adds SHA256SUMS, which `sha256sum -c` takes, and puts the folder in its place.
  Result<void> Commit();

 private:
  Folder(std::filesystem::path place, std::filesystem::path temporary)
      : place_(std::move(place)), temporary_(std::move(temporary)) {}

  std::filesystem::path place_;
  std::filesystem::path temporary_;  // "" once committed
  std::map<std::string, Entry> entries_;
};

}  // namespace outgrown::archive
