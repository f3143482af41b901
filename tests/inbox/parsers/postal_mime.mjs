// What postal-mime makes of every message in a folder, a line of JSON each.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import PostalMime from 'postal-mime';

const folder = process.argv[2];
for (const name of readdirSync(folder).filter((name) => name.endsWith('.eml')).sort()) {
  const file = join(folder, name);
  let said;
  try {
    const mail = await PostalMime.parse(readFileSync(file));
    said = {
      subject: mail.subject ?? '',
      from: mail.from?.name ?? '',
      to: mail.to?.[0]?.name ?? '',
      address: mail.to?.[0]?.address ?? '',
      text: mail.text ?? '',
      html: mail.html ?? '',
    };
  } catch (error) {
    said = { error: String(error) };
  }
  console.log(JSON.stringify({ ...said, file }));
}
