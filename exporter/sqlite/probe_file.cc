#include "exporter/sqlite/probe_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace outgrown::exporter::sqlite {
namespace {

Problem ProblemOfErrno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Problem::kMissing;
    case EACCES:
    case EPERM:
      return Problem::kNoPermission;
    case ELOOP:  // O_NOFOLLOW met a link
      return Problem::kNotRegular;
    default:
      return Problem::kUnreadable;
  }
}

constexpr unsigned kWanted = STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_CTIME | STATX_BTIME;

std::uint64_t Ns(const struct statx_timestamp& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + time.tv_nsec;
}

std::uint64_t BornNs(const struct statx& status) {
  return (status.stx_mask & STATX_BTIME) == 0 ? 0 : Ns(status.stx_btime);
}

// statx for the birth time, which stat(2) lacks: ext4 gives a deleted file's inode number to the next file at once.
Measured<FileStatus> StatusOfFile(int folder, const char* path, int flags) {
  struct statx status = {};
  if (::statx(folder, path, flags | AT_SYMLINK_NOFOLLOW, kWanted, &status) != 0) return ProblemOfErrno(errno);
  if (!S_ISREG(status.stx_mode)) return Problem::kNotRegular;
  return FileStatus{
      makedev(status.stx_dev_major, status.stx_dev_minor),
      status.stx_ino,
      status.stx_size,
      static_cast<double>(status.stx_mtime.tv_sec) + static_cast<double>(status.stx_mtime.tv_nsec) / 1e9,
      Ns(status.stx_ctime),
      BornNs(status)};
}

}  // namespace

Measured<std::string> ResolvePath(const std::string& path) {
  std::array<char, PATH_MAX> resolved;
  // SQLite resolves links in unixFullPathname (os_unix.c) before it names -wal, -shm and -journal.
  if (::realpath(path.c_str(), resolved.data()) == nullptr) return ProblemOfErrno(errno);
  return std::string(resolved.data());
}

// The path is resolved, so a link at its end was put there since.
Measured<FileStatus> StatusOf(const std::string& path) { return StatusOfFile(AT_FDCWD, path.c_str(), 0); }

FileIdentity IdentityOf(const std::string& path) {
  struct statx status = {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &status) != 0) return {};
  return {makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino, BornNs(status)};
}

Measured<std::uint64_t> FileSize(const std::string& path) {
  const Measured<FileStatus> status = StatusOf(path);
  if (!status.ok()) return status.problem();
  return status->size_bytes;
}

Measured<ProbeFile> ProbeFile::Open(const std::string& path, bool is_looked_at) {
  // Looked at before it is opened, because opening a device can act on it and opening a FIFO wakes its
  // writer; and again afterwards, because it may have been replaced in between.
  if (!is_looked_at) {
    if (const Measured<FileStatus> status = StatusOf(path); !status.ok()) return status.problem();
  }
  // O_NOCTTY, O_NONBLOCK: should a terminal or a FIFO have taken its place, opening it neither makes it ours
  // nor waits.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return ProblemOfErrno(errno);
  ProbeFile file(fd);
  const Measured<FileStatus> status = file.Status();
  if (!status.ok()) return status.problem();
  file.opened_ = *status;
  return file;
}

ProbeFile::~ProbeFile() {
  if (fd_ >= 0) ::close(fd_);
}

Measured<FileStatus> ProbeFile::Status() const { return StatusOfFile(fd_, "", AT_EMPTY_PATH); }

Measured<std::uint64_t> ProbeFile::Size() const {
  const Measured<FileStatus> status = Status();
  if (!status.ok()) return status.problem();
  return status->size_bytes;
}

Measured<std::size_t> ProbeFile::ReadAt(std::uint64_t offset, std::span<std::uint8_t> bytes) const {
  ssize_t count = 0;
  do {
    count = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  } while (count < 0 && errno == EINTR);
  if (count < 0) return ProblemOfErrno(errno);
  // A second pread for the rest could see another moment; the callers' headers are small enough for one.
  if (static_cast<std::size_t>(count) < bytes.size()) return Problem::kTruncated;
  return bytes.size();
}

Measured<std::optional<ProbeFile::Lock>> ProbeFile::LockOn(short lock_type, off_t offset,
                                                           off_t length) const {
  // A POSIX lock is asked about, of the kind that SQLite sets; F_GETLK never reports locks of our own
  // process, which has none.
  struct flock lock = {};
  lock.l_type = lock_type;
  lock.l_whence = SEEK_SET;
  lock.l_start = offset;
  lock.l_len = length;
  // On a read-only descriptor F_GETLK may ask for a write lock, which F_SETLK could not set (man 2 fcntl).
  if (::fcntl(fd_, F_GETLK, &lock) != 0) return ProblemOfErrno(errno);
  if (lock.l_type == F_UNLCK) return std::optional<Lock>();
  return std::optional<Lock>({lock.l_pid, lock.l_type == F_WRLCK});
}

Measured<bool> ProbeFile::IsLocked(short lock_type, off_t offset, off_t length) const {
  const Measured<std::optional<Lock>> lock = LockOn(lock_type, offset, length);
  if (!lock.ok()) return lock.problem();
  return lock->has_value();
}

}  // namespace outgrown::exporter::sqlite
