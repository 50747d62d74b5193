// The landing page's style sheet: light and dark by the reader's preference, one column on a phone.
#pragma once

#include <string_view>

namespace outgrown::exporter {

inline constexpr std::string_view kLandingStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f5f1; --card: #ffffff; --line: #e3e0d8; --text: #22261f; --soft: #6b7066;
  --accent: #2f6b4f; --good: #2f6b4f; --good-back: #e4f1e9; --bad: #a4341f; --bad-back: #fbe9e4;
  --idle: #6b7066; --idle-back: #efeee9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #151814; --card: #1d211c; --line: #2e342d; --text: #e6e9e2; --soft: #9aa294;
    --accent: #7cc7a0; --good: #7cc7a0; --good-back: #1d3329; --bad: #f0957f; --bad-back: #3b211b;
    --idle: #9aa294; --idle-back: #262b25;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .9rem; }
h1 { margin: 0; font-size: 1.9rem; letter-spacing: -.02em; }
header .version { color: var(--soft); font-variant-numeric: tabular-nums; }
.lead { margin: .4rem 0 1.4rem; color: var(--soft); max-width: 44rem; }
nav { display: flex; flex-wrap: wrap; gap: .6rem; margin-bottom: 2.2rem; }
nav a {
  padding: .42rem 1rem; border: 1px solid var(--line); border-radius: 999px; background: var(--card);
  color: var(--accent); text-decoration: none; font-weight: 600;
}
nav a.first { background: var(--accent); border-color: var(--accent); color: var(--page); }
nav a:hover, nav a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h2 { margin: 0 0 .8rem; font-size: 1.05rem; color: var(--soft); font-weight: 600; }
.store {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: 1.15rem 1.3rem 1.25rem; margin-bottom: 1rem;
}
.store .head { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .8rem; }
.store h3 { margin: 0; font-size: 1.2rem; overflow-wrap: anywhere; }
.badge { padding: .08rem .6rem; border-radius: 999px; font-size: .82rem; font-weight: 600; }
.badge.good { color: var(--good); background: var(--good-back); }
.badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.idle { color: var(--idle); background: var(--idle-back); }
.path {
  margin: .15rem 0 0; color: var(--soft); overflow-wrap: anywhere;
  font: .86rem/1.5 ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace;
}
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .9rem 1rem; margin: 1rem 0 0; }
dl div { min-width: 0; }
dt { font-size: .8rem; color: var(--soft); }
dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.problems { margin: 1rem 0 0; padding: .7rem .9rem; list-style: none; border-radius: 9px; background: var(--bad-back); }
.problems li { color: var(--bad); }
.problems b { font-weight: 600; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr 1fr; } }
.empty { color: var(--soft); }
.empty code, footer code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: .92em; }
footer { margin-top: 2.2rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .88rem; }
)css";

}  // namespace outgrown::exporter
