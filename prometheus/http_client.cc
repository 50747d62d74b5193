#include "prometheus/http_client.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include <curl/curl.h>

#include "common/interrupt.h"
#include "common/text.h"

namespace outgrown::prometheus_api {
namespace {

// A host that is down answers no SYN; waiting longer than this for a connection doesn't help.
constexpr long kConnectTimeoutMs = 5'000;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

// A part that is absent is an error of curl_url_get (CURLUE_NO_USER and so on); here it is simply empty.
std::string UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, FreeText> owned(text);
  return owned.get();
}

// CURLUPART_HOST keeps the brackets of an IPv6 address. 127.0.0.0/8 is loopback as a whole (RFC 1122,
// 3.2.1.3).
bool IsLoopback(const std::string& host) {
  in_addr address = {};
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && ::inet_pton(AF_INET, host.c_str(), &address) == 1);
}

Result<std::string> CheckUrl(const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  // The text itself may hold a password, so that errors don't repeat it.
  const Error not_taken{"not a URL like http://127.0.0.1:9090 or https://host/prefix", "the server's URL"};
  // curl's own parser decides, so that what is checked here is what is asked later. Unknown schemes pass it,
  // because the message below says better what is right.
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return not_taken;
  const std::string scheme = UrlPart(url.get(), CURLUPART_SCHEME);
  // curl would also read file: and ftp:, which must not be reachable through an option that names a server.
  if (scheme != "http" && scheme != "https") return not_taken;
  // A password in an argument is visible to every user of the machine (/proc/PID/cmdline), and errors and
  // records name the URL.
  if (!UrlPart(url.get(), CURLUPART_USER).empty() || !UrlPart(url.get(), CURLUPART_PASSWORD).empty()) {
    return Error{"holds a user or a password; name a file with --basic-auth-file instead",
                 "the server's URL"};
  }
  // The path of the API is appended to the URL; behind a query it would become part of the query.
  if (!UrlPart(url.get(), CURLUPART_QUERY).empty() || !UrlPart(url.get(), CURLUPART_FRAGMENT).empty()) {
    return not_taken;
  }
  return UrlPart(url.get(), CURLUPART_HOST);
}

// The body as it arrives, up to a size.
struct Body {
  std::string bytes;
  std::size_t bytes_max = 0;
  bool too_large = false;
};

std::size_t TakeBody(char* data, std::size_t size, std::size_t count, void* user) {
  Body& body = *static_cast<Body*>(user);
  // The sizes are curl's, at most its buffer a call, so the sum can't overflow.
  if (body.bytes.size() + size * count > body.bytes_max) {
    body.too_large = true;
    return 0;  // curl gives up
  }
  // A string grows to twice its size; beyond half the limit that would be memory which no body may fill.
  const std::size_t needed = body.bytes.size() + size * count;
  if (needed > body.bytes.capacity())
    body.bytes.reserve(std::min(body.bytes_max, std::max(needed, 2 * body.bytes.capacity())));
  body.bytes.append(data, size * count);
  return size * count;
}

// Called while data come, and once a second or after a signal while none do. A signal only sets a flag, which
// would otherwise be looked at when the request has ended, after its whole time limit.
int GiveUpIfInterrupted(void* /*user*/, curl_off_t /*to_receive*/, curl_off_t /*received*/,
                        curl_off_t /*to_send*/, curl_off_t /*sent*/) {
  return Interrupted() ? 1 : 0;
}

std::string FormEncode(CURL* easy, const HttpClient::Fields& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    // Everything but RFC 3986's unreserved characters becomes %XX, so a query's "+" and "&" arrive as they
    // are. The names are ours and need none.
    const std::unique_ptr<char, FreeText> escaped(
        curl_easy_escape(easy, value.c_str(), static_cast<int>(value.size())));
    if (!form.empty()) form += '&';
    form += name + "=" + (escaped ? escaped.get() : "");
  }
  return form;
}

}  // namespace

Result<void> CheckServerUrl(const std::string& url) {
  const Result<std::string> host = CheckUrl(url);
  return host ? Result<void>() : Result<void>(host.error());
}

// Owns what must outlive each transfer: curl copies neither the header list nor the form.
struct HttpClient::State {
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  HttpOptions options;
  std::unique_ptr<CURL, FreeEasy> easy;
  std::unique_ptr<curl_slist, FreeList> headers;
  bool loopback = false;
  std::size_t longest_body = 0;  // so far: a fleet's answers are of like sizes, and growing one copies it

  Result<HttpAnswer> Perform(std::string_view path, const std::string* form, std::int64_t timeout_ms);
};

Result<HttpClient> HttpClient::Open(HttpOptions options) {
  // Once a process, however many clients: curl_global_init was not thread-safe before 7.84; a function's
  // static is initialised under a lock. There is no cleanup, since the process ends with its last client.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) return Error{"libcurl cannot be initialised", ""};
  const Result<std::string> host = CheckUrl(options.url);
  if (!host) return host.error();
  // Paths begin with a slash, and some servers answer "//api" with a redirect, which is not followed.
  while (options.url.ends_with('/')) options.url.pop_back();
  auto state = std::make_unique<State>();
  state->easy.reset(curl_easy_init());
  if (!state->easy) return Error{"libcurl cannot be initialised", ""};
  state->loopback = IsLoopback(*host);
  // curl_slist_append returns the list's head: the same one, or the new one of a list that was empty.
  for (const std::string& header : options.headers) {
    state->headers.reset(curl_slist_append(state->headers.release(), header.c_str()));
  }
  if (!options.bearer_token.empty()) {
    const std::string header = "Authorization: Bearer " + options.bearer_token;
    state->headers.reset(curl_slist_append(state->headers.release(), header.c_str()));
  }
  // curl would send "Expect: 100-continue" with a long query and wait up to a second for servers that ignore
  // it.
  state->headers.reset(curl_slist_append(state->headers.release(), "Expect:"));
  state->options = std::move(options);
  return HttpClient(std::move(state));
}

Result<HttpAnswer> HttpClient::State::Perform(std::string_view path, const std::string* form,
                                              std::int64_t timeout_ms) {
  CURL* const curl = easy.get();
  // Options of the request before are gone, its connection, DNS entries and TLS session stay (man 3
  // curl_easy_reset): a run asks many questions of one server.
  curl_easy_reset(curl);
  const std::string url = options.url + std::string(path);
  Body body{.bytes = {}, .bytes_max = options.body_bytes_max};
  body.bytes.reserve(longest_body);
  std::array<char, CURL_ERROR_SIZE> problem = {};
  // 0 would mean "no limit" to curl.
  const long limit_ms =
      static_cast<long>(std::max<std::int64_t>(1, std::min(timeout_ms, options.timeout_ms)));
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  // CheckUrl has looked at the scheme; this holds curl to it. The option came with curl 7.85 and replaces
  // CURLOPT_PROTOCOLS; Debian 12 has 7.88.
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION,
                   0L);                          // credentials must not follow a redirect to another host
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // timeouts without SIGALRM, which belongs to the program
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, GiveUpIfInterrupted);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, limit_ms);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, std::min(limit_ms, kConnectTimeoutMs));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem.data());
  // A fleet's answers are megabytes, which curl would read 16 KiB at a time.
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 512L << 10U);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "outgrown-rulegen");
  // $http_proxy applies to other hosts, never to the loopback address.
  // An empty string turns the proxy off even where the environment names one (man 3 CURLOPT_PROXY).
  if (loopback) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.user_and_password.empty()) {
    // Basic alone: with CURLAUTH_ANY curl asks first without credentials, which doubles the requests.
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERPWD, options.user_and_password.c_str());
  }
  if (form != nullptr) {
    // With an explicit size a NUL in the form doesn't end it. CURLOPT_POSTFIELDS makes the request a POST and
    // doesn't copy: `form` lives in the caller.
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form->c_str());
  }
  const CURLcode code = curl_easy_perform(curl);
  // Before the code, which is only "write error" (CURLE_WRITE_ERROR) then.
  if (body.too_large) {
    return Error{"the answer is larger than " + std::to_string(options.body_bytes_max) + " bytes",
                 options.url};
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) return Error{"interrupted", options.url};
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Error{"no complete answer within " + std::to_string(limit_ms) + " ms", options.url};
  }
  if (code != CURLE_OK) {
    // CURLOPT_ERRORBUFFER says more than the code's text ("Failed to connect to HOST port PORT"), but not for
    // every code. It may quote the server, so it is made plain.
    return Error{PlainText(problem[0] != '\0' ? problem.data() : curl_easy_strerror(code)), options.url};
  }
  HttpAnswer answer;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  // A login page behind a redirect would be a 200 that is not the API's.
  if (answer.status >= 300 && answer.status < 400) {
    return Error{"the server redirects (" + std::to_string(answer.status) + "), which is not followed",
                 options.url};
  }
  longest_body = std::max(longest_body, body.bytes.size());
  answer.body = std::move(body.bytes);
  return answer;
}

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::Get(std::string_view path, std::int64_t timeout_ms) {
  return state_->Perform(path, nullptr, timeout_ms);
}

Result<HttpAnswer> HttpClient::Post(std::string_view path, const Fields& fields, std::int64_t timeout_ms) {
  const std::string form = FormEncode(state_->easy.get(), fields);
  return state_->Perform(path, &form, timeout_ms);
}

Result<HttpClient> HttpClient::Another() const { return Open(state_->options); }

const std::string& HttpClient::url() const { return state_->options.url; }

}  // namespace outgrown::prometheus_api
