// What html-validate finds wrong, by the rules of html-validate.json: off is what MJML writes for Outlook (attributes
// where CSS is meant to stand) and its role="article" on a div.
// In: {name: html}; out: {name: ["rule: message"]}, errors alone.
import { readFileSync } from 'node:fs'
import { HtmlValidate, StaticConfigLoader } from 'html-validate'

const rules = JSON.parse(readFileSync(new URL('html-validate.json', import.meta.url), 'utf8'))
const judge = new HtmlValidate(new StaticConfigLoader(rules))
const answer = {}
for (const [name, html] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  const { results } = await judge.validateString(html, `${name}.html`)
  answer[name] = results.flatMap((result) => result.messages)
    .filter((message) => message.severity === 2)
    .map((message) => `${message.ruleId}: ${message.message} (column ${message.column} of line ${message.line})`)
}
console.log(JSON.stringify(answer))
