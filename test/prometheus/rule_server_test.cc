#include "prometheus/rule_server.h"

#include <optional>
#include <string>

#include <doctest/doctest.h>

using namespace outgrown;  // NOLINT(google-build-using-namespace): a test

TEST_CASE("a server's flags say how long it keeps samples") {
  const auto retention = [](const std::string& data) {
    return prometheus_api::RetentionOf(R"({"status":"success","data":)" + data + "}");
  };
  constexpr Milliseconds kDay{86'400'000};
  CHECK(retention(R"({"storage.tsdb.retention.time":"7d","storage.tsdb.retention.size":"0B"})") == 7 * kDay);
  CHECK(retention(R"({"storage.tsdb.retention.time":"1d2h"})") == Milliseconds(93'600'000));
  CHECK(retention(R"({"storage.tsdb.retention":"2d","storage.tsdb.retention.time":"0s"})") == 2 * kDay);
  // Neither is set: Prometheus' default, unless the size alone limits it.
  CHECK(retention(R"({"storage.tsdb.retention":"0s","storage.tsdb.retention.time":"0s"})") == 15 * kDay);
  CHECK(retention(R"({"storage.tsdb.retention.time":"0s","storage.tsdb.retention.size":"1GB"})") ==
        std::nullopt);
  // Others' flags, and what is none.
  for (const char* data : {"{}", R"({"query.timeout":"2m"})", "null", R"({"storage.tsdb.retention.time":7})"})
    CHECK(retention(data) == std::nullopt);
  CHECK(prometheus_api::RetentionOf("<html>") == std::nullopt);
}

TEST_CASE("a server's runtime information says how long it keeps samples, wherever that was set") {
  const auto retention = [](const std::string& data) {
    return prometheus_api::RuntimeRetentionOf(R"({"status":"success","data":)" + data + "}");
  };
  constexpr Milliseconds kDay{86'400'000};
  CHECK(retention(R"({"storageRetention":"15d"})") == 15 * kDay);
  CHECK(retention(R"({"storageRetention":"1w or 512MiB"})") == 7 * kDay);
  for (const char* data : {"{}", "null", R"({"storageRetention":"512MiB"})", R"({"storageRetention":""})",
                           R"({"storageRetention":7})", R"({"storageRetention":"0s"})"})
    CHECK(retention(data) == std::nullopt);
  CHECK(prometheus_api::RuntimeRetentionOf("<html>") == std::nullopt);
}

TEST_CASE("a server's own metrics tell whether its last reload succeeded") {
  using prometheus_api::LastReloadSucceeded;
  CHECK(LastReloadSucceeded("a 1\nprometheus_config_last_reload_successful 1\n") == true);
  CHECK(LastReloadSucceeded("prometheus_config_last_reload_successful 0") == false);
  CHECK(LastReloadSucceeded("# TYPE x gauge\nvmalert_config_last_reload_successful 0\nb 2\n") == false);
  CHECK(LastReloadSucceeded("prometheus_config_last_reload_success_timestamp_seconds 1\n") == std::nullopt);
  CHECK(LastReloadSucceeded("") == std::nullopt);
  CHECK(LastReloadSucceeded("prometheus_config_last_reload_successful x\n") == std::nullopt);
}
