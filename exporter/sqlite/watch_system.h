// What the system lets a watch of files see, and how soon.
#pragma once

#include <chrono>
#include <string>

namespace outgrown::exporter::sqlite {

// By which a std::timed_mutex is locked. By a steady clock it is through pthread_mutex_clocklock, which GCC 12's
// ThreadSanitizer doesn't know: it would take what the mutex guards for unguarded.
#ifdef __SANITIZE_THREAD__
using LockClock = std::chrono::system_clock;
#else
using LockClock = std::chrono::steady_clock;
#endif

// Whether inotify on this machine sees all changes in a folder: other machines may change the files of a
// network or cluster file system, and the server that backs a FUSE or 9P mount may do so by itself. The magic
// numbers are those of statfs(2).
bool IsLocal(const std::string& folder);

// There is a descriptor for each watched store, and the usual soft limit of 1,024 exists only for programs
// that use select.
void AllowDescriptors();

// On a busy machine a life of the wal-index could be over before the calling thread runs: a kernel with lazy
// preemption (6.13 and later) lets other threads run until the next tick. So it asks for the lowest real-time
// priority if the system allows it (LimitRTPRIO=), else for a higher nice level (LimitNICE=), else for the
// shortest time slice. Its sleeps end within a microsecond of their time, not within 50.
void AskForPromptness();

}  // namespace outgrown::exporter::sqlite
