// Processes that write to a store in WAL mode and end, each in a way of its own.
#pragma once

#include <functional>
#include <string>

namespace outgrown::test {

constexpr const char* kInsert = "INSERT INTO t VALUES (1)";

// A database in WAL mode with the table t, closed.
void MakeStore(const std::string& path);

// Runs in a process of its own (Fork); returns when that has ended. If other processes write to what a watch looks at
// meanwhile, `work` must not allocate.
void InProcess(const std::function<void()>& work);

// A connection for each write, as Django's and PHP's default; `per_second` 0: as fast as can be.
void WritePerConnection(const std::string& path, int count, double per_second);

// The same beside `meanwhile`, which begins once the process is there.
void WritePerConnection(const std::string& path, int count, double per_second,
                        const std::function<void()>& meanwhile);

// A process for each write that ends without closing its connection.
void WritePerProcess(const std::string& path, int count, double per_second);

}  // namespace outgrown::test
