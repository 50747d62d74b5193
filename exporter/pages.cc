#include "exporter/pages.h"

#include "exporter/landing_page.h"
#include "exporter/text_format.h"

namespace outgrown::exporter {

std::optional<HttpResponse> Pages::Answer(std::string_view path) const {
  if (path == telemetry_path) {
    const ScrapeResult scrape = Scrape(settings, sources, log);
    return HttpResponse{200, std::string(kTextFormatContentType), TextFormat(scrape.samples.Families())};
  }
  if (path == "/") {
    const ScrapeResult scrape = Scrape(settings, sources, log);
    return HttpResponse{200, "text/html; charset=utf-8", LandingPage(scrape, settings, telemetry_path)};
  }
  if (path == "/-/healthy")
    return HttpResponse{200, "text/plain; charset=utf-8", "outgrown-exporter is healthy.\n"};
  if (path == "/-/ready")
    return HttpResponse{200, "text/plain; charset=utf-8", "outgrown-exporter is ready.\n"};
  return std::nullopt;
}

}  // namespace outgrown::exporter
