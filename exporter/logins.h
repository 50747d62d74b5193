// Who may read the pages: logins of HTTP's basic authentication (RFC 7617), against bcrypt hashes.
//
// A check by bcrypt takes processor time on purpose (2 ms at cost 5, 70 ms at cost 10), and Prometheus sends the same login with
// every scrape. So the login that was right last is remembered for each user, as a SHA-256 with a key of this process' own, never as itself.
// Everything else is checked one at a time, so that guesses take one processor at most; a user that is unknown takes as
// long as a wrong password of a user. libcrypt is owned by logins.cc.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace outgrown::exporter {

// Whether libcrypt takes it as bcrypt's: $2b$10$ and 53 characters.
bool IsBcryptHash(const std::string& text);

class Logins {
 public:
  // Hashes by user, each of them IsBcryptHash. Without any, everybody is admitted.
  explicit Logins(std::map<std::string, std::string> hashes);

  // Whether the value of the header Authorization ("Basic dXNlcjpwYXNz"; "" if there is none) is a user's login.
  // Thread-safe.
  bool Admits(std::string_view authorization);

 private:
  const std::map<std::string, std::string> hashes_;
  const std::string key_;
  std::mutex remembered_mutex_;
  std::map<std::string, std::string> remembered_;  // user -> keyed digest of the login
  std::mutex check_mutex_;
};

}  // namespace outgrown::exporter
