#include "exporter/web_config.h"

#include <cstddef>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "common/file.h"
#include "exporter/logins.h"

namespace outgrown::exporter {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  Result<WebConfig> Read(const YAML::Node& root) const {
    WebConfig config;
    if (root.IsNull()) return config;  // an empty file, as exporter-toolkit takes it: nothing is asked for
    if (!root.IsMap()) return Wrong(root, "the file", "keys such as basic_auth_users:");
    std::set<std::string> seen;
    for (const auto& entry : root) {
      const std::string key = TextOf(entry.first);
      if (!seen.insert(key).second) return Wrong(entry.first, key + " twice", "each key once");
      if (key == "basic_auth_users") {
        if (Result<void> read = ReadUsers(entry.second, config); !read) return read.error();
      } else if (key == "tls_server_config" || key == "http_server_config") {
        return Wrong(
            entry.first, key,
            "basic_auth_users alone: this exporter serves neither TLS nor HTTP/2, since Debian 12's civetweb "
            "crashes in TLS; put nginx in front, with deploy/nginx.conf (outgrown-exporter's examples)");
      } else {
        return Wrong(entry.first, "the unknown key " + key, "basic_auth_users");
      }
    }
    return config;
  }

 private:
  static std::string TextOf(const YAML::Node& node) { return node.IsScalar() ? node.Scalar() : ""; }

  Error Wrong(const YAML::Node& node, std::string_view found, std::string_view expected) const {
    return Error{fmt::format("found {}, expected {}", found, expected),
                 fmt::format("{}:{}", file_, node.Mark().line + 1)};
  }

  Result<void> ReadUsers(const YAML::Node& users, WebConfig& config) const {
    if (users.IsNull()) return {};
    if (!users.IsMap()) return Wrong(users, "no users in basic_auth_users", "USER: BCRYPT_HASH, one a line");
    for (const auto& entry : users) {
      const std::string user = TextOf(entry.first);
      // The first colon of a login ends the user's name.
      if (user.empty() || user.find(':') != std::string::npos)
        return Wrong(entry.first, "a user's name that is empty or has a colon", "a name without one");
      const std::string hash = TextOf(entry.second);
      // The hash is not repeated: it is a secret, too.
      if (!IsBcryptHash(hash)) {
        return Wrong(
            entry.first, "no bcrypt hash for " + user,
            "one of 60 characters that begins with $2b$, $2y$ or $2a$, as `htpasswd -nB USER` prints it");
      }
      if (!config.basic_auth_users.emplace(user, hash).second)
        return Wrong(entry.first, "the user " + user + " twice", "each user once");
    }
    return {};
  }

  const std::string& file_;
};

}  // namespace

Result<WebConfig> ReadWebConfig(const std::string& file) {
  const Result<std::string> text = ReadFile(file, kFileBytesMax);
  if (!text) return text.error();
  try {
    return Reader(file).Read(YAML::Load(*text));
  } catch (const YAML::Exception& error) {
    return Error{error.msg, fmt::format("{}:{}", file, error.mark.line + 1)};
  }
}

}  // namespace outgrown::exporter
