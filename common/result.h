// Result<T>: a value, or the one Error that kept it from being made.
//
// Debian 12's g++ 12 has no std::expected in C++20, so this is the small part of it that we need.
// An error is for input and for the world (files, sockets, specs); a bug is OUTGROWN_CHECK's (check.h).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace outgrown {

// What went wrong, and where: a path, "FILE:LINE:COLUMN", a URL, a signal's id. `where` may be empty.
struct Error {
  std::string what;
  std::string where;

  // "WHERE: WHAT", or just "WHAT" where there is no place to name.
  std::string Text() const { return where.empty() ? what : where + ": " + what; }
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  // Precondition: ok(). Otherwise std::bad_variant_access, which is a bug of the caller's.
  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Precondition: !ok().
  const Error& error() const { return std::get<Error>(state_); }

 private:
  std::variant<T, Error> state_;
};

// The result of an action that has nothing to hand back.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_.value(); }

 private:
  std::optional<Error> error_;
};

}  // namespace outgrown
