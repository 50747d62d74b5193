// Reading one file of a live SQLite store without touching it: stat, pread and F_GETLK, nothing else.
//
// libsqlite3 is never used for this: even with mode=ro it creates -wal and -shm files of the prober's own,
// and its read transactions hold back checkpoints. Here nothing is created, written, locked or mapped (a
// mapping dies of SIGBUS when the file is truncated), and nothing but a regular file is ever opened (a FIFO
// would hang, a device may act).
//
// This must run in a process of its own: closing a file drops the POSIX locks that SQLite holds on it in that
// process.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "exporter/sqlite/problem.h"

namespace outgrown::exporter::sqlite {

// The path with its symbolic links resolved, as SQLite does before it puts -wal, -shm and -journal beside the
// file.
Measured<std::string> ResolvePath(const std::string& path);

// Distinguishes files that were at one path at different times: an inode's number alone may be reused.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t born_ns = 0;  // Unix time, 0 where the file system doesn't say
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Of the file or folder at the path; all 0 if there is none.
FileIdentity IdentityOf(const std::string& path);

// What stat says of a regular file. Two files that are there at the same time have different (device, inode) pairs; a
// number of a file that is gone may be given to a new one.
struct FileStatus {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  double modified_s = 0;         // Unix time of the last write
  std::uint64_t changed_ns = 0;  // the same by the file system's own clock (st_ctim), which nobody can set
  std::uint64_t born_ns = 0;     // as in FileIdentity
  FileIdentity identity() const { return {device, inode, born_ns}; }
  bool is_same_file(const FileStatus& other) const { return device == other.device && inode == other.inode; }
  friend bool operator==(const FileStatus&, const FileStatus&) = default;
};

// More than the coarsest clock by which a file system says when a file was changed, FAT's: of two changes within it the second
// may not show.
inline constexpr std::uint64_t kClockTickNs = 3'000'000'000;

// Of a regular file, which is not opened for that. `path` is resolved: a link at its end is a problem.
Measured<FileStatus> StatusOf(const std::string& path);
Measured<std::uint64_t> FileSize(const std::string& path);

class ProbeFile {
 public:
  // Opens a regular file for reading. `path` is resolved: a link at its end is a problem. `is_looked_at`: StatusOf has just
  // found a regular file there, which is looked for otherwise.
  static Measured<ProbeFile> Open(const std::string& path, bool is_looked_at = false);

  ProbeFile(ProbeFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), opened_(other.opened_) {}
  ProbeFile& operator=(ProbeFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    opened_ = other.opened_;
    return *this;
  }
  ~ProbeFile();

  int descriptor() const { return fd_; }
  const FileStatus& opened() const { return opened_; }  // as it was when it was opened
  Measured<FileStatus> Status() const;
  Measured<std::uint64_t> Size() const;

  // Fills `bytes` from `offset` with one pread. Fewer bytes than that is kTruncated.
  Measured<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> bytes) const;

  // A lock of another process: 0 is one of another PID namespace. Below 0 the lock is an open file's, of no process.
  struct Lock {
    pid_t process = 0;
    bool is_exclusive = false;
  };

  // A lock on any of these bytes that one of the type (F_RDLCK: only an exclusive lock; F_WRLCK: any) would meet; nothing
  // if none does. Asks (F_GETLK), takes none.
  Measured<std::optional<Lock>> LockOn(short lock_type, off_t offset, off_t length) const;

  // Whether there is one.
  Measured<bool> IsLocked(short lock_type, off_t offset, off_t length) const;

 private:
  explicit ProbeFile(int fd) : fd_(fd) {}
  int fd_;
  FileStatus opened_;
};

}  // namespace outgrown::exporter::sqlite
