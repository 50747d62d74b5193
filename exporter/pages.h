// The exporter's pages: which paths there are and what each answers. The metrics, for Prometheus; "/", which shows
// what this exporter reads and each store's state, and needs nothing else from anywhere (no script, no image, no font).
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/http_server.h"
#include "exporter/scrape.h"

namespace outgrown::exporter {

// A page that is made once for all who ask for it at the same time. At most two of them live at a time, each
// while somebody is being sent it: readers who are slow on purpose would otherwise keep one each.
class SharedPage {
 public:
  using Clock = std::chrono::steady_clock;
  using Make = std::function<std::vector<std::string>()>;

  explicit SharedPage(std::function<Clock::time_point()> now = &Clock::now) : now_(std::move(now)) {}

  // A page whose making had not ended when this was called; or one of the last second, if two live already. `make` must
  // not throw. Thread-safe.
  HttpBody Get(const Make& make, const HttpServer::Revoke& revoke);

 private:
  const std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::optional<std::shared_future<HttpBody>> being_made_;
  std::vector<std::weak_ptr<const std::vector<std::string>>> living_;  // from old to new
  Clock::time_point made_;                                             // the newest
};

class Pages {
 public:
  // `scraper` must outlive this.
  Pages(Scraper& scraper, std::string telemetry_path)
      : scraper_(scraper), telemetry_path_(std::move(telemetry_path)) {}

  // The landing page, the metrics, /-/healthy and /-/ready; nothing for any other path. Thread-safe.
  std::optional<HttpResponse> Answer(std::string_view path, const HttpServer::Revoke& revoke);

 private:
  std::vector<std::string> Metrics() const;
  std::vector<std::string> Landing() const;

  Scraper& scraper_;
  const std::string telemetry_path_;
  SharedPage metrics_;
  SharedPage landing_;
};

}  // namespace outgrown::exporter
