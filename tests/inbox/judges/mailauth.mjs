// Which DKIM signatures of messages hold, by mailauth with a resolver that knows the given records alone.
// In: {records: {name: text}, paths: [file]}; out: for each file the algorithms that hold, such as ["rsa-sha256"].
import { readFileSync } from 'node:fs'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'

const { records, paths } = JSON.parse(readFileSync(0, 'utf8'))

const resolver = async (name, kind) => {
  if (kind === 'TXT' && records[name]) return [[records[name]]]
  throw Object.assign(new Error(`no ${kind} of ${name}`), { code: 'ENOTFOUND' })
}

const answer = []
for (const path of paths) {
  const { results } = await dkimVerify(readFileSync(path), { resolver })
  answer.push(results.filter((result) => result.status.result === 'pass').map((result) => result.algo))
}
console.log(JSON.stringify(answer))
