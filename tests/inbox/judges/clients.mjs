// Which features of HTML and CSS a mail uses that a mail client does not support, by the data of caniemail.com.
// In: {"clients": [client], "mails": {name: html}}; out: {name: [[client, feature]]}.
import { readFileSync } from 'node:fs'
import { caniemail, parseHtml, rawData } from 'caniemail'

// Of some clients the data say nothing about a feature, and caniemail would stop at the first such gap.
const everybody = new Set(rawData.data.flatMap(({ stats }) =>
  Object.entries(stats).flatMap(([family, platforms]) => Object.keys(platforms).map((platform) => `${family}.${platform}`))))
for (const { stats } of rawData.data) {
  for (const [family, platform] of [...everybody].map((client) => client.split('.'))) {
    stats[family] = { [platform]: { unknown: 'u' }, ...stats[family] }
  }
}
const features = new Map(rawData.data.map((feature) => [feature.title, feature]))
const STYLE = /<style[\s>][\s\S]*?<\/style>/gi
// Clients that follow neither query leave such rules out as they leave the query out: nothing depends on them.
const DARK = /prefers-color-scheme/
const OUTLOOK_DARK = /^\s*\[data-ogs[cb]\]/

// The rules of a style sheet as text. caniemail looks at the outermost rules only, so those inside a query come out.
function plain(rules) {
  return rules.map((rule) => {
    if (rule.type === 'media') return DARK.test(rule.media) ? '' : `@media all{}${plain(rule.rules)}`
    if (rule.type !== 'rule') return rule.type === 'comment' ? '' : `@${rule.type} x{}`
    const selectors = rule.selectors.filter((selector) => !OUTLOOK_DARK.test(selector))
    const pairs = rule.declarations.filter((one) => one.type === 'declaration')
    return selectors.length ? `${selectors.join(',')}{${pairs.map((one) => `${one.property}:${one.value}`).join(';')}}` : ''
  }).join('\n')
}

function titles(question) {
  const { issues } = caniemail({ clients: ['*'], ...question })
  return [issues.errors, issues.warnings].flatMap((found) => [...found.values()].flat().map((issue) => issue.title))
}

function used(html) {
  const css = parseHtml(html).stylesheets.map((sheet) => plain(sheet.stylesheet.rules)).join('\n')
  return [...new Set([...titles({ html: html.replace(STYLE, '') }), ...(css.trim() ? titles({ css }) : [])])].sort()
}

// The data list versions from old to new; the keys of some clients are dates, in any order.
function unsupported(title, client) {
  const [family, platform] = client.split('.')
  const levels = features.get(title).stats[family][platform]
  const versions = Object.keys(levels)
  const newest = versions.every((version) => /^\d{4}(-\d\d)?$/.test(version)) ? versions.sort().at(-1) : versions.at(-1)
  return levels[newest].startsWith('n')
}

const { clients, mails } = JSON.parse(readFileSync(0, 'utf8'))
const answer = {}
for (const [name, html] of Object.entries(mails)) {
  answer[name] = used(html).flatMap((title) =>
    clients.filter((client) => unsupported(title, client)).map((client) => [client, title]))
}
console.log(JSON.stringify(answer))
