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
#include <span>
#include <string>
#include <utility>

#include "exporter/sqlite/problem.h"

namespace outgrown::exporter::sqlite {

// The path with its symbolic links resolved, as SQLite does before it puts -wal, -shm and -journal beside the
// file.
Measured<std::string> ResolvePath(const std::string& path);

// Size in bytes of a regular file, which is not opened for that. `path` is resolved: a link at its end is a
// problem.
Measured<std::uint64_t> FileSize(const std::string& path);

class ProbeFile {
 public:
  // Opens a regular file for reading. `path` is resolved: a link at its end is a problem.
  static Measured<ProbeFile> Open(const std::string& path);

  ProbeFile(ProbeFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ProbeFile& operator=(ProbeFile&&) = delete;
  ~ProbeFile();

  Measured<std::uint64_t> Size() const;

  // Fills `bytes` from `offset` with one pread. Fewer bytes than that is kTruncated.
  Measured<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> bytes) const;

  // Whether another process holds a lock on any of these bytes that a lock of the type (F_RDLCK: only a write
  // lock; F_WRLCK: any) would meet. Asks (F_GETLK), takes none.
  Measured<bool> IsLocked(short lock_type, off_t offset, off_t length) const;

 private:
  explicit ProbeFile(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace outgrown::exporter::sqlite
