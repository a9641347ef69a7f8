/* What is the same on every page: style, script, escapes. */
#include "eval/example.h"
#include "eval/report_html.h"
#include "text/chars.h"

static const char *const style[] = {
    ":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#5b6675;--line:#dde2e8;",
    "--a:#2f6fb3;--b:#c9711c;--a-tint:#e3edf8;--b-tint:#fbeedd;--miss:#f9d3cf;--moved:#a67c00;--warn:#"
    "fff4d6;",
    "--warn-line:#e0b400;--grey:#a9b2bd}\n",
    "@media(prefers-color-scheme:dark){:root{--page:#14181d;--card:#1d232a;--ink:#e3e8ee;--soft:#98a4b1;",
    "--line:#333c46;--a:#6ea8e8;--b:#eea15a;--a-tint:#213348;--b-tint:#43301c;--miss:#6b2f2c;--moved:#"
    "e0b94d;",
    "--warn:#3a3117;--warn-line:#b89200;--grey:#5e6974}}\n",
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);",
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}\n",
    "main{max-width:62rem;margin:0 auto;padding:2rem 1rem 4rem}h1{font-size:1.7rem;margin:0 0 .3rem}\n",
    "h2{font-size:1.2rem;margin:0 0 .6rem}.soft,.note{color:var(--soft)}.note{font-size:.88rem;margin:.5rem "
    "0 0}\n",
    "section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1.1rem 1.3rem;",
    "margin:1.1rem 0;overflow-x:auto}\n",
    ".warn{background:var(--warn);border-color:var(--warn-line)}.warn ul{margin:0;padding-left:1.2rem}",
    ".warn li{margin:.3rem 0}\n",
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:.35rem .6rem;",
    "text-align:right;border-bottom:1px solid var(--line)}tr:last-child td{border-bottom:0}\n",
    "th{font-weight:600;color:var(--soft);font-size:.88rem}th:first-child,td:first-child{text-align:left;",
    "padding-left:0}td.text,th.text{text-align:left}.best{font-weight:700}.big td{font-size:1.15rem;",
    "padding-top:.5rem;padding-bottom:.5rem}.big td.text{font-size:.95rem}\n",
    ".key{display:inline-block;min-width:1.5em;padding:0 .4em;border-radius:.3em;color:#fff;font-weight:700;",
    "text-align:center;font-size:.85em}.key.a{background:var(--a)}.key.b{background:var(--b)}",
    "@media(prefers-color-scheme:dark){.key{color:#14181d}}\n",
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .7rem;margin:.7rem 0 0}dd{margin:0;",
    "overflow-wrap:anywhere}dt{color:var(--soft)}code{font-size:.85rem;overflow-wrap:anywhere}\n",
    "svg{display:block;width:100%;height:auto;margin:.4rem 0}svg text{fill:var(--soft);font-size:12px}",
    ".fa{fill:var(--a)}.fb{fill:var(--b)}.fg{fill:var(--grey)}.grid{stroke:var(--line)}\n",
    ".two{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:0 2rem}\n",
    "article{border-top:1px solid var(--line);padding:.9rem 0}article:first-of-type{border-top:0}",
    "article header{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.88rem;color:var(--soft);",
    "margin-bottom:.3rem;align-items:baseline}article header b{color:var(--ink)}\n",
    ".s{display:grid;grid-template-columns:2.2rem 1fr;gap:.1rem .6rem}.s p{margin:0;overflow-wrap:anywhere;",
    "white-space:pre-wrap;unicode-bidi:isolate}.s .key{place-self:start}.s "
    ".ref{color:var(--soft);font-size:.85em;padding-top:.1em}\n",
    ".x{background:var(--miss);border-radius:.2em}.m{text-decoration:underline dotted var(--moved) 2px;",
    "text-underline-offset:.2em}\n",
    ".bar{display:flex;flex-wrap:wrap;gap:.4rem;margin:.7rem 0 .4rem}button{font:inherit;font-size:.88rem;",
    "color:inherit;background:none;border:1px solid var(--line);border-radius:1em;padding:.15rem .8rem;",
    "cursor:pointer}button[aria-pressed=true]{background:var(--ink);color:var(--card)}\n",
    ".no-script .bar{display:none}@media print{.bar{display:none}section{break-inside:avoid}",
    "body{background:none}}\n",
    NULL};

static const char *const script[] = {
    "document.body.classList.remove('no-script');",
    "const list=document.getElementById('list'),all=[...list.querySelectorAll('article')];\n",
    "const state={sort:'lead',show:'all'},by={lead:(x,y)=>y.dataset.lead-x.dataset.lead,",
    "line:(x,y)=>x.dataset.line-y.dataset.line,words:(x,y)=>y.dataset.words-x.dataset.words};\n",
    "function draw(){all.sort(by[state.sort]).forEach(x=>{list.append(x);",
    "x.hidden=state.show!='all'&&x.dataset.ahead!=state.show});",
    "document.querySelectorAll('.bar button').forEach(b=>b.setAttribute('aria-pressed',",
    "state[b.dataset.what]==b.dataset.to))}\n",
    "document.querySelectorAll('.bar button').forEach(b=>b.addEventListener('click',()=>{",
    "state[b.dataset.what]=b.dataset.to;draw()}));draw();\n",
    NULL};

static void add_all(const char *const *parts, str *out)
{
    for (; *parts; parts++) str_add_span(out, span_of(*parts));
}

void html_escape(span text, str *out)
{
    int code;
    for (int n; (n = char_decode(text, &code)); text.p += n, text.n -= (size_t)n) {
        const char *name = code == '&'    ? "&amp;"
                           : code == '<'  ? "&lt;"
                           : code == '>'  ? "&gt;"
                           : code == '"'  ? "&quot;"
                           : code == '\'' ? "&#39;"
                                          : NULL;
        if (name || !example_shows(code))
            str_add_span(out, span_of(name ? name : "\uFFFD"));
        else
            str_add(out, text.p, (size_t)n);
    }
}

void html_page_begin(const char *title, str *out)
{
    str_addf(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    html_escape(span_of(title), out);
    str_addf(out, "</title>\n<style>\n");
    add_all(style, out);
    str_addf(out, "</style>\n</head>\n<body class=\"no-script\">\n<main>\n");
}

void html_page_end(str *out)
{
    str_addf(out, "</main>\n<script>\n");
    add_all(script, out);
    str_addf(out, "</script>\n</body>\n</html>\n");
}
