/** The report's one style sheet; its digest is in the page's content policy. */
export const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2530; --soft: #5b6675; --rule: #dde2e8; --panel: #f6f8fa;
  --good: #147a3d; --bad: #c02626; --wait: #9a6200; --canary: #d9660a; --baseline: #2368c4; --stable: #98a2b0;
  --metric-0: #d9660a; --metric-1: #2368c4; --metric-2: #8a3fc4; --metric-3: #0b8577; --metric-4: #b03a6f; --metric-5: #6b7686; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --ink: #e6eaf0; --soft: #9aa6b5; --rule: #2f3844;
  --panel: #1a2028; --good: #4fc27a; --bad: #ff7b72; --wait: #e3b341; --canary: #f28a3a; --baseline: #63a1f5; --stable: #717d8d;
  --metric-0: #f28a3a; --metric-1: #63a1f5; --metric-2: #c08af0; --metric-3: #3fc1b0; --metric-4: #ec7cab; --metric-5: #9aa6b5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: .95rem; margin: 0; }
p { margin: .25rem 0; }
.soft, caption, figcaption p { color: var(--soft); font-size: .875rem; }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .65rem; font-size: .8rem; font-weight: 600; }
.pass, .promoted { color: var(--good); } .fail, .error, .aborted { color: var(--bad); } .inconclusive, .paused, .open { color: var(--wait); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .5rem; margin: 1.25rem 0 0; }
.facts div { background: var(--panel); border-radius: .5rem; padding: .6rem .8rem; }
dt { color: var(--soft); font-size: .8rem; } dd { margin: 0; font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid var(--rule); vertical-align: top; font-weight: 400; }
thead th { color: var(--soft); font-size: .8rem; }
.number { text-align: right; white-space: nowrap; }
.step th { background: var(--panel); font-weight: 600; padding-top: .5rem; }
.step span { float: right; }
.key { display: inline-block; width: .65rem; height: .65rem; border-radius: .15rem; margin-right: .45rem; }
.key.canary { background: var(--canary); } .key.baseline { background: var(--baseline); } .key.stable { background: var(--stable); }
figure { margin: 0; padding: .9rem 0; break-inside: avoid; }
svg { display: block; width: 100%; height: auto; margin-top: .5rem; }
.charts { display: grid; gap: .75rem; }
.wide { display: none; }
.digest { overflow-wrap: anywhere; font: .8rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
ol { list-style: none; margin: 0; padding: 0; font-size: .9rem; }
li { display: grid; grid-template-columns: 5.5rem 1fr; gap: .5rem; padding: .25rem 0; border-bottom: 1px solid var(--rule); }
li time { color: var(--soft); text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 24rem) { th, td { padding: .35rem .25rem; } table { font-size: .825rem; } li { grid-template-columns: 4.25rem 1fr; } }
@media (min-width: 40rem) { body { padding-top: 2.5rem; } .wide { display: block; } .narrow { display: none; } }
@media print { :root { color-scheme: light; } body { max-width: none; padding: 0; font-size: 10pt; } h2 { break-after: avoid; }
  tr, li { break-inside: avoid; } .facts div, .step th, .key { print-color-adjust: exact; } }
`;
