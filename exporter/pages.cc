#include "exporter/pages.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "exporter/landing_page.h"
#include "exporter/serializer.h"

namespace outgrown::exporter {
namespace {

constexpr std::size_t kLivingMax = 2;
constexpr std::chrono::seconds kSharedFor(1);

// In a thread of its own, since glibc keeps some of what a thread frees for that thread, until it ends: 22 KiB in each of
// the 64 that serve.
std::vector<std::string> MadeAside(const SharedPage::Make& make) {
  try {
    return std::async(std::launch::async, make).get();
  } catch (const std::system_error&) {
    return make();  // no thread available
  }
}

}  // namespace

std::vector<std::string> Pages::Metrics() const {
  Samples samples;
  // A family's samples must be together in the text format, so all stores are merged before the first line is
  // written.
  const Samples own =
      scraper_.Scrape([&](const StoreReport& store) { samples.Merge(store.samples, store.stores); });
  samples.Merge(own);
  std::vector<std::string> pieces;
  const ExactTextSerializer serializer;
  for (FamilySamples& family : samples.TakeFamilies()) {
    const FamilySamples written = std::move(family);  // freed before the next one is written, to bound memory
    serializer.Append(written, pieces);
  }
  return pieces;
}

std::vector<std::string> Pages::Landing() const {
  std::string cards;
  int stores = 0;
  // The landing page shows one store after the other and keeps no samples.
  scraper_.Scrape([&](const StoreReport& store) {
    cards += StoreCard(store, *scraper_.settings().table);
    ++stores;
  });
  return {LandingPage(scraper_.settings(), telemetry_path_, stores, cards)};
}

HttpBody SharedPage::Get(const Make& make, const HttpServer::Revoke& revoke) {
  // The first caller makes the page, outside of the lock; those who come meanwhile wait for its future.
  std::promise<HttpBody> promise;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (being_made_) {  // scrapes at the same time share one page, so that many scrapers cost what one does
      const std::shared_future<HttpBody> others = *being_made_;
      lock.unlock();
      return others.get();
    }
    std::erase_if(living_, [](const auto& page) { return page.expired(); });
    if (living_.size() >= kLivingMax) {
      // Two pages are in memory, each for somebody who is still reading: a third one is not made within a
      // second.
      if (HttpBody newest = living_.back().lock(); newest != nullptr && now_() - made_ < kSharedFor)
        return newest;
      while (living_.size() >= kLivingMax) {
        // A reader that needs longer than two scrapes is cut off; Prometheus asks again.
        if (const HttpBody oldest = living_.front().lock()) revoke(oldest);
        living_.erase(living_.begin());
      }
    }
    being_made_ = promise.get_future().share();
  }
  HttpBody page = std::make_shared<const std::vector<std::string>>(MadeAside(make));
  const std::lock_guard<std::mutex> lock(mutex_);
  // Weak, so that a page is freed when its last reader has it.
  living_.push_back(page);
  made_ = now_();
  being_made_.reset();
  promise.set_value(page);
  return page;
}

std::optional<HttpResponse> Pages::Answer(std::string_view path, const HttpServer::Revoke& revoke) {
  if (path == telemetry_path_)
    return HttpResponse{200, std::string(kTextFormatContentType),
                        metrics_.Get([this] { return Metrics(); }, revoke)};
  if (path == "/")
    return HttpResponse{200, "text/html; charset=utf-8", landing_.Get([this] { return Landing(); }, revoke)};
  // Answering is all that health means here: the exporter depends on no other service.
  if (path == "/-/healthy") return PlainAnswer(200, "outgrown-exporter is healthy.\n");
  if (path == "/-/ready") return PlainAnswer(200, "outgrown-exporter is ready.\n");
  return std::nullopt;
}

}  // namespace outgrown::exporter
